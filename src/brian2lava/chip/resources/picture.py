"""A picture of the cores: one square a core, one panel a resource, and whose neurons they hold."""

from __future__ import annotations

from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.resources.report import ResourceReport
from brian2lava.errors import NotSupported

#: Cores in a row of a chip's square: the first of these that divides them, or the first.
_COLUMNS = (16, 15, 12)
#: Inches of a core's square, and of a panel's title.
_SQUARE, _HEAD = 0.21, 0.5
#: Chips side by side.
_ABREAST = 4
#: Chips that are drawn; a larger network shows the first ones and says so.
_MOST_CHIPS = 16
#: Populations that have a colour of their own; the others share a grey.
_NAMED = 9
_SHADES = "viridis_r"
_EMPTY, _OTHER = "#ececec", "#8c8c8c"
#: Dark to light without a colour that only some can tell apart (Okabe and Ito 2008, and two more).
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442",
            "#5d3a9b", "#994f00")  # fmt: skip


def draw(report: ResourceReport, path: Path) -> Path:
    """Draw ``report`` as a PNG at ``path``; returns the path.

    Raises
    ------
    NotSupported
        matplotlib is not installed.
    """
    try:
        from matplotlib.cm import ScalarMappable
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NotSupported(
            "picture() needs matplotlib, which is not installed: pip install matplotlib."
        ) from error
    panels = report.full()
    chips = min(max(report.chips, 1), _MOST_CHIPS)
    abreast, deep = min(chips, _ABREAST), ceil(chips / _ABREAST)
    columns = next((n for n in _COLUMNS if report.budget.cores % n == 0), _COLUMNS[0])
    rows = ceil(report.budget.cores / columns)
    across = 1 if abreast > 2 else 2 if abreast == 2 else 3
    down = ceil((len(panels) + 1) / across)
    wide = _SQUARE * (columns + 1) * abreast
    high = _SQUARE * (rows + 1) * deep
    figure = Figure(
        figsize=(across * (wide + 0.3) + 1.1, down * (high + _HEAD) + 1.2), layout="constrained"
    )
    figure.suptitle(_title(report), fontsize=11, x=0.01, ha="left")
    axes = np.atleast_1d(figure.subplots(down, across)).ravel()
    sheet = _Sheet(report, chips, abreast, deep, (rows, columns))
    sheet.draw_populations(axes[0])
    if sheet.patches:
        figure.legend(
            handles=sheet.patches, loc="outside lower left", ncol=5, fontsize=8, frameon=False,
            handlelength=1, columnspacing=1,
        )  # fmt: skip
    for ax, (name, full) in zip(axes[1:], panels.items()):
        sheet.draw_share(ax, name, full)
    for ax in axes[len(panels) + 1 :]:
        ax.axis("off")
    bar = figure.colorbar(
        ScalarMappable(cmap=_SHADES), ax=list(axes), fraction=0.025, pad=0.01, format="{x:.0%}"
    )
    bar.set_label("of a core's", fontsize=9)
    bar.ax.tick_params(labelsize=8)
    figure.savefig(path, dpi=120, format="png")
    return path


def _title(report: ResourceReport) -> str:
    shown = f"\nthe first {_MOST_CHIPS} chips" if report.chips > _MOST_CHIPS else ""
    return report.headline().replace("; ", "\n") + shown


class _Sheet:
    """Where each core's square lies: chips side by side, cores in rows of 16.

    Cores stand in the order in which they are filled, not where they lie on the die.
    """

    def __init__(
        self, report: ResourceReport, chips: int, abreast: int, deep: int, square: tuple[int, int]
    ) -> None:
        self.report, self.chips = report, chips
        self.cores = report.budget.cores
        rows, columns = square
        self.shape = deep * (rows + 1) - 1, abreast * (columns + 1) - 1
        number = np.arange(chips * self.cores)
        chip, core = number // self.cores, number % self.cores
        self.y = chip // abreast * (rows + 1) + core // columns
        self.x = chip % abreast * (columns + 1) + core % columns
        self.corners = [(self.x[n * self.cores], self.y[n * self.cores]) for n in range(chips)]
        self.patches: list[Any] = []
        self.used = min(len(report.cores), len(number))

    def _grid(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The values of the used cores in their places, nan elsewhere."""
        grid = np.full(self.shape, np.nan)
        grid[self.y[: self.used], self.x[: self.used]] = values[: self.used]
        return grid

    def _ground(self, ax: Any) -> None:
        """Empty cores in light grey, and white lines between all of them."""
        from matplotlib.colors import ListedColormap

        ground = np.full(self.shape, np.nan)
        ground[self.y, self.x] = 0
        ax.imshow(ground, cmap=ListedColormap([_EMPTY]), interpolation="nearest")
        ax.set_xticks(np.arange(self.shape[1] + 1) - 0.5, [])
        ax.set_yticks(np.arange(self.shape[0] + 1) - 0.5, [])
        ax.grid(color="white", linewidth=0.8)
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)

    def draw_share(self, ax: Any, name: str, full: NDArray[Any]) -> None:
        """One resource: how full each core is, 0..100 %."""
        self._ground(ax)
        ax.imshow(self._grid(full), cmap=_SHADES, vmin=0, vmax=1, interpolation="nearest")
        most = f"{full.max():.0%}" if len(full) else "-"
        mean = f"{full.mean():.0%}" if len(full) else "-"
        ax.set_title(f"{name}: mean {mean}, most {most}", fontsize=9, loc="left")

    def draw_populations(self, ax: Any) -> None:
        """Whose neurons each core holds; of several, the one with most."""
        from matplotlib.colors import ListedColormap
        from matplotlib.patches import Patch

        populations = [population.name for population in self.report.populations]
        named = sorted(
            populations,
            key=lambda name: -next(p.cores for p in self.report.populations if p.name == name),
        )[:_NAMED]
        named.sort(key=populations.index)
        most = np.zeros(len(self.report.cores), np.int64)
        holder = np.zeros(len(self.report.cores))
        for core, population, neurons in self.report.pieces:
            if neurons > most[core]:
                most[core] = neurons
                holder[core] = named.index(population) if population in named else _NAMED
        self._ground(ax)
        ax.imshow(
            self._grid(holder), cmap=ListedColormap([*_COLOURS, _OTHER]), vmin=-0.5,
            vmax=_NAMED + 0.5, interpolation="nearest",
        )  # fmt: skip
        ax.set_title(
            "population (of several in a core, the largest)", fontsize=9, loc="left",
            pad=12 if self.chips > 1 else 6,
        )  # fmt: skip
        self.patches = [Patch(color=colour, label=name) for name, colour in zip(named, _COLOURS)]
        if len(populations) > _NAMED:
            self.patches.append(Patch(color=_OTHER, label=f"{len(populations) - _NAMED} others"))
        if self.chips > 1:
            for n, (x, y) in enumerate(self.corners):
                ax.text(x - 0.5, y - 0.65, f"chip {n}", fontsize=6, color="#606060", va="bottom")
