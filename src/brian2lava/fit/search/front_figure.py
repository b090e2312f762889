"""A front drawn: one objective against the others, trained and held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.fit.export.plotting import BLUE, ORANGE, RED, Panel, figure
from brian2lava.fit.search.front import Front

#: Height of a panel, half the size of a mark, and the width of the axes, in pixels.
_HEIGHT, _MARK, _WIDTH = 200, 4.0, 670.0


def front_figure(front: Front) -> str:
    """A panel an objective after the first, which is x: a diamond a point.

    Blue is trained, with a line along the front; orange the same points held out; red the knee.
    """
    train, held = front.losses("train"), front.losses("held_out")
    known = np.concatenate([train, held])
    low, high = np.nanmin(known, axis=0), np.nanmax(known, axis=0)
    width = np.where(high > low, high - low, 1.0)
    span = (float(low[0] - 0.03 * width[0]), float(low[0] + 1.03 * width[0]))
    middle = front.points.index(front.knee())
    panels = []
    for k in range(1, len(front.objectives)):
        panel = Panel(_HEIGHT, front.objectives[k])
        if len(front.objectives) == 2:
            panel.line(train[:, 0], train[:, k], BLUE, 0.6)
        half = (_MARK / _WIDTH * (span[1] - span[0]), _MARK / _HEIGHT * width[k])
        for losses, colour in ((held, ORANGE), (train, BLUE)):
            for x, y in losses[:, [0, k]]:
                if np.isfinite([x, y]).all():
                    panel.line(*_diamond(x, y, half), colour, 1.2)
        panel.line(*_diamond(train[middle, 0], train[middle, k], half), RED, 2.4)
        panels.append(panel)
    title = (
        f"{front.candidate.name} in the place of {front.target.name}"
        " (blue: trained; orange: held out; red: knee)"
    )
    return figure(panels, title, front.objectives[0], span)


def _diamond(x: float, y: float, half: tuple[float, float]) -> tuple[Any, Any]:
    across, up = np.array([-1, 0, 1, 0, -1]) * half[0], np.array([0, 1, 0, -1, 0]) * half[1]
    return x + across, y + up
