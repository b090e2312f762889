"""All exports of a fit in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.errors import FitError
from brian2lava.fit.export import figures
from brian2lava.fit.export.brian2_script import brian2_script
from brian2lava.fit.export.entry import entry
from brian2lava.fit.export.lava_script import lava_script
from brian2lava.fit.export.report import html_report
from brian2lava.fit.export.request import Request
from brian2lava.fit.export.winner import Winner
from brian2lava.fit.search.result import FitResult

#: The stimulus in the chip's integers, which both scripts read.
INPUT = "input.npz"


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes
    ----------
    folder : path
    files : tuple of str
        Names in the folder.
    left_out : dict of str to str
        Files that can't be made of this neuron, and why.
    """

    folder: Path
    files: tuple[str, ...]
    left_out: Mapping[str, str]


def exports(
    result: FitResult,
    winner: Winner,
    request: Request | None = None,
    verified: str = "",
) -> tuple[dict[str, str], dict[str, str]]:
    """The text of every file by its name, and why others can't be made."""
    makers: dict[str, Callable[[], str]] = {
        "on_loihi2.py": lambda: brian2_script(winner, INPUT),
        "in_lava.py": lambda: lava_script(winner, INPUT),
        "neuron.json": lambda: json.dumps(entry(winner), indent=1) + "\n",
        "spikes.txt": lambda: "\n".join(winner.spike_lines()) + "\n",
        "report.html": lambda: html_report(result, winner, request, verified),
        "response.svg": lambda: figures.response(winner),
        "search.svg": lambda: figures.convergence(winner.found),
        "ranking.svg": lambda: figures.ranking(result),
    }
    if request is not None:
        makers["again.py"] = request.python
        makers["again.sh"] = lambda: f"{request.command()}\n"
    texts, left_out = {}, {}
    for name, make in makers.items():
        try:
            texts[name] = make()
        except FitError as why:
            left_out[name] = str(why)
    return texts, left_out


def export(
    result: FitResult,
    folder: str | Path,
    candidate: str | None = None,
    arithmetic: Arithmetic = LAVA,
    request: Request | None = None,
    verified: str = "",
) -> Exported:
    """Write scripts, model entry, report and figures of a candidate; the best one unless named.

    Raises
    ------
    FitError
        The folder can't be written.
    """
    place = Path(folder)
    winner = Winner(result.best if candidate is None else result[candidate], result.target,
                    arithmetic)  # fmt: skip
    texts, left_out = exports(result, winner, request, verified)
    try:
        place.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(place / INPUT, **winner.data())
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FitError(f"{place} can't be written: {error.strerror}.") from error
    return Exported(place, (INPUT, *texts), left_out)
