"""A graph of Brian2 objects as text and as a picture (SVG, made here, so nothing is needed)."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from brian2lava.errors import OptionError
from brian2lava.processes.ways import Graph
from brian2lava.program.partition import PYTHON, Ownership, Part
from brian2lava.program.walks import Edge, Walks, carried

#: How an edge is told: what it carries, and the colour of its arrow.
_TELLS = {
    "spikes": ("the events '{}'", "#d55e00"),
    "contributions": ("contributions to {}", "#0072b2"),
    "values": ("lends {}", "#009e73"),
    "turn": ("whose turn it is ({})", "#9a9a9a"),
}
_WIDTH, _HEIGHT, _GAP, _COLUMN, _MARGIN = 210, 46, 40, 460, 24


@dataclass(frozen=True)
class Drawing:
    """The graph of a run's Lava processes; shows itself in a notebook.

    Attributes
    ----------
    text : str
        Processes, why objects share one, and what goes from port to port.
    svg : str
        The picture.
    """

    text: str
    svg: str

    def __str__(self) -> str:
        return self.text

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the picture (``.svg``) or the text (``.txt``).

        Raises
        ------
        OptionError
            Another ending.
        """
        path = Path(path)
        contents = {".svg": self.svg, ".txt": self.text}
        if path.suffix not in contents:
            raise OptionError(
                f"draw().save({str(path)!r}): a graph is written as .svg (a picture) or .txt, not"
                f" as {path.suffix or 'a file without ending'!r}."
            )
        path.write_text(contents[path.suffix], encoding="utf-8")
        return path


def drawing(walks: Walks, ownership: Ownership, graph: Graph) -> Drawing:
    """The graph of ``walks``."""
    text = "\n".join(_lines(walks, ownership, graph)) + "\n"
    return Drawing(text, _svg(walks, ownership))


# ------------------------------------------------------------ text
def _lines(walks: Walks, ownership: Ownership, graph: Graph) -> Iterator[str]:
    count = len(graph.ways)
    yield (
        f"{count} Lava process{'es' if count > 1 else ''}; one Lava step is one pass of the"
        " network's loop"
    )
    bonds = walks.partition.bonds
    for place, part in enumerate(walks.partition.parts):
        yield ""
        yield f"{part.name}  {_kind(part.name, ownership)}"
        for bond in bonds:
            if bond.first in part.objects:
                yield f"  shares this process: {bond}"
        for edge, outlet in _outlets(walks, graph, place):
            told = _TELLS[edge.kind][0].format(carried(edge, ownership))
            ends = ", ".join(f"{graph.ways[to].name}.{into}" for to, into in outlet[1])
            yield f"  {outlet[0]} -> {ends}: {told}"


def _outlets(
    walks: Walks, graph: Graph, place: int
) -> Iterator[tuple[Edge, tuple[str, list[tuple[int, str]]]]]:
    """The edges that leave a part, each with its port and the ports that it leads to."""
    edges = [edge for edge in walks.edges if edge.sender == place]
    for edge, port in zip(edges, graph.ways[place].outputs, strict=False):
        ends = [
            (each.receiver, each.input)
            for each in graph.connections
            if each.sender == place and each.output == port.name
        ]
        yield edge, (port.name, ends)


def _kind(name: str, ownership: Ownership) -> str:
    return ownership.kinds.get(name, "")


# ------------------------------------------------------------ picture
def _svg(walks: Walks, ownership: Ownership) -> str:
    parts = walks.partition.parts
    places = _places(parts, ownership)
    width = _MARGIN * 2 + _WIDTH + _COLUMN
    height = max(y for _, y in places) + _HEIGHT + _MARGIN + _GAP
    arrows = "\n".join(_arrows(walks, ownership, places))
    boxes = "\n".join(
        _box(part, ownership, x, y) for part, (x, y) in zip(parts, places, strict=True)
    )
    heads = "".join(
        f'<marker id="{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        f' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{colour}"/></marker>'
        for kind, (_, colour) in _TELLS.items()
    )
    key = "".join(
        f'<text x="{_MARGIN + 130 * k}" y="{height - 8}" fill="{colour}">{kind}</text>'
        for k, (kind, (_, colour)) in enumerate(_TELLS.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/><defs>{heads}</defs>\n'
        f"{arrows}\n{boxes}\n{key}</svg>\n"
    )


def _places(parts: tuple[Part, ...], ownership: Ownership) -> list[tuple[float, float]]:
    """Synapses stand on the right, all others on the left, both spread over the same height."""
    right = [_kind(part.name, ownership) == "Synapses" for part in parts]
    rows = max(right.count(True), right.count(False))
    seen = {True: 0, False: 0}
    places: list[tuple[float, float]] = []
    for side in right:
        step = (_HEIGHT + _GAP) * rows / max(1, right.count(side))
        y = _MARGIN + step * (seen[side] + 0.5) - (_HEIGHT + _GAP) / 2
        places.append((_MARGIN + _COLUMN * side, y))
        seen[side] += 1
    return places


def _box(part: Part, ownership: Ownership, x: float, y: float) -> str:
    shared = len(part.objects) - 1
    below = _kind(part.name, ownership) + (f", and {shared} more" if shared else "")
    title = html.escape(", ".join(part.objects))
    dash = ' stroke-dasharray="4 3"' if part.name == PYTHON else ""
    return (
        f'<g><title>{title}</title><rect x="{x}" y="{y:.0f}" width="{_WIDTH}" height="{_HEIGHT}"'
        f' rx="6" fill="#f6f4ef" stroke="#303030"{dash}/>'
        f'<text x="{x + 10}" y="{y + 19:.0f}" font-weight="bold">{html.escape(part.name)}</text>'
        f'<text x="{x + 10}" y="{y + 36:.0f}" fill="#606060">{html.escape(below)}</text></g>'
    )


def _arrows(walks: Walks, ownership: Ownership, places: list[tuple[float, float]]) -> Iterator[str]:
    drawn: dict[tuple[int, int], int] = {}
    for edge in walks.edges:
        for receiver in edge.receivers:
            pair = min(edge.sender, receiver), max(edge.sender, receiver)
            drawn[pair] = drawn.get(pair, 0) + 1
            yield _arrow(
                edge, carried(edge, ownership), places[edge.sender], places[receiver], drawn[pair]
            )


def _arrow(
    edge: Edge,
    about: str,
    start: tuple[float, float],
    end: tuple[float, float],
    number: int,
) -> str:
    colour = _TELLS[edge.kind][1]
    (x0, y0), (x1, y1) = _ends(start, end, number)
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    bend = 14.0 + 0.04 * length
    across_x, across_y = -(y1 - y0) / length * bend, (x1 - x0) / length * bend
    if start[0] == end[0]:  # out into the room between the columns
        across_x, across_y = 90.0 if start[0] == _MARGIN else -90.0, 0.0
    mid_x, mid_y = (x0 + x1) / 2 + across_x, (y0 + y1) / 2 + across_y
    # near the sender, where arrows have not met yet, and each of a pair in a place of its own
    t = 0.16 + 0.12 * ((number - 1) % 4)
    label_x, label_y = (
        (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c
        for a, b, c in ((x0, mid_x, x1), (y0, mid_y, y1))
    )
    return (
        f'<path d="M{x0:.0f} {y0:.0f}Q{mid_x:.0f} {mid_y:.0f} {x1:.0f} {y1:.0f}" fill="none"'
        f' stroke="{colour}" stroke-width="1.4" marker-end="url(#{edge.kind})"/>'
        f'<text x="{label_x:.0f}" y="{label_y + 4:.0f}" fill="{colour}" text-anchor="middle"'
        f' stroke="white" stroke-width="4" paint-order="stroke">{html.escape(about)}</text>'
    )


def _ends(
    start: tuple[float, float], end: tuple[float, float], number: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow leaves one box and meets the other; several between two boxes lie apart."""
    down = 8.0 + 10.0 * ((number - 1) % 4)
    if start[0] < end[0]:
        return (start[0] + _WIDTH, start[1] + down), (end[0], end[1] + down)
    if start[0] > end[0]:
        return (start[0], start[1] + down), (end[0] + _WIDTH, end[1] + down)
    side = start[0] + (_WIDTH if start[0] == _MARGIN else 0)
    return (side, start[1] + down), (side, end[1] + down)
