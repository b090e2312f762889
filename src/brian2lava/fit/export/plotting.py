"""Small drawings as SVG text: axes, lines, ticks of spikes. Colours of Okabe and Ito (2008)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

BLACK, GREY = "#222222", "#888888"
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7"
COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE)
_LEFT, _RIGHT, _GAP = 70, 20, 12
#: Points of a line: more are brought to the least and largest of each piece.
_MOST_POINTS = 1500


@dataclass
class Panel:
    """Axes, one above another share their x.

    Attributes
    ----------
    height : int
        Pixels.
    label : str
        Of the y axis.
    marks : list of SVG text; filled by :meth:`line` and :meth:`ticks`.
    """

    height: int
    label: str
    lines: list[tuple[Any, Any, str, float]] = field(default_factory=list)
    rows: list[tuple[str, Any, str]] = field(default_factory=list)

    def line(self, x: Any, y: Any, colour: str, width: float = 1.2) -> None:
        """A line through points."""
        self.lines.append((*thinned(np.asarray(x, float), np.asarray(y, float)), colour, width))

    def ticks(self, name: str, times: Any, colour: str) -> None:
        """A row of spikes."""
        self.rows.append((name, np.asarray(times, float), colour))


def thinned(x: Any, y: Any) -> tuple[Any, Any]:
    """At most ``_MOST_POINTS`` points, so that no least or largest is lost."""
    if x.size <= _MOST_POINTS:
        return x, y
    edges = np.linspace(0, x.size, _MOST_POINTS // 2 + 1).astype(int)
    where = [
        start + np.sort([part.argmin(), part.argmax()])
        for start, part in zip(edges, np.split(y, edges[1:-1]))
    ]
    chosen = np.unique(np.concatenate(where))
    return x[chosen], y[chosen]


def figure(
    panels: Sequence[Panel], title: str, x_label: str, span: tuple[float, float], width: int = 760
) -> str:
    """Panels one above another, as an SVG document."""
    inner, top, parts = width - _LEFT - _RIGHT, 30, []
    for panel in panels:
        parts.append(_panel(panel, top, inner, span))
        top += panel.height + _GAP
    for value in nice(*span):
        x = _LEFT + (value - span[0]) / (span[1] - span[0]) * inner
        parts.append(_text(x, top + 4, f"{value:g}", "middle"))
    parts.append(_text(_LEFT + inner / 2, top + 22, x_label, "middle"))
    height = top + 32
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        f' width="{width}" height="{height}" font-family="sans-serif" font-size="12">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{width}" height="{height}" fill="white"/>'
        + _text(_LEFT, 18, title, "start", BLACK)
        + "".join(parts)
        + "</svg>"
    )


def _panel(panel: Panel, top: float, inner: float, span: tuple[float, float]) -> str:
    parts = [
        f'<rect x="{_LEFT}" y="{top}" width="{inner}" height="{panel.height}" fill="none"'
        f' stroke="{GREY}" stroke-width="0.5"/>',
        f'<text transform="translate(14 {top + panel.height / 2}) rotate(-90)"'
        f' text-anchor="middle" fill="{BLACK}">{escape(panel.label)}</text>',
    ]
    for k, (name, times, colour) in enumerate(panel.rows):
        step = panel.height / len(panel.rows)
        y = top + k * step
        inside = times[(times >= span[0]) & (times <= span[1])]
        parts.append(_text(_LEFT - 4, y + step / 2 + 4, name, "end"))
        at = _LEFT + (inside - span[0]) / (span[1] - span[0]) * inner
        path = "".join(f"M{x:.1f} {y + step * 0.15:.1f}v{step * 0.7:.1f}" for x in at)
        parts.append(f'<path d="{path}" stroke="{colour}" stroke-width="1.4" fill="none"/>')
    if panel.lines:
        parts.append(_lines(panel, top, inner, span))
    return "".join(parts)


def _lines(panel: Panel, top: float, inner: float, span: tuple[float, float]) -> str:
    values = [y[np.isfinite(y)] for _, y, _, _ in panel.lines]
    known = np.concatenate([v for v in values if v.size] or [np.zeros(1)])
    low, high = float(known.min()), float(known.max())
    if high - low < 1e-300:
        low, high = low - 1, high + 1
    parts = []
    for x, y, colour, width in panel.lines:
        good = np.isfinite(y)
        at = _LEFT + (x[good] - span[0]) / (span[1] - span[0]) * inner
        up = top + panel.height - 4 - (y[good] - low) / (high - low) * (panel.height - 8)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(at, up))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}"/>'
        )
    for value, y in ((low, top + panel.height - 2), (high, top + 12)):
        parts.append(_text(_LEFT - 4, y, f"{value:.3g}", "end"))
    return "".join(parts)


def nice(low: float, high: float) -> list[float]:
    """About five round numbers within low .. high."""
    raw = max((high - low) / 5, 1e-300)
    power = 10.0 ** np.floor(np.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    first = np.ceil(low / step - 1e-9) * step
    return [float(round(v, 12)) + 0.0 for v in np.arange(first, high + step * 1e-6, step)]


def _text(x: float, y: float, text: str, anchor: str, colour: str = BLACK) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}'
        "</text>"
    )
