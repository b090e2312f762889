"""How well chip neurons do what models of the literature do: the table of docs/fit_quality.md.

`python -m benchmarks.fit_quality --help`. Each case is a target with a part that no search sees;
the candidate that is called best is the one whose training loss is least, so that the held-out
score of the table has not been chosen. Nothing is timed; the same seeds give the same table.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.fit import CANDIDATES as ALL
from brian2lava.fit import FitResult, Found, Target, fit
from brian2lava.fit.target import TARGET_MODELS, model_target
from brian2lava.fit.target.stimuli import Noise, Sequence, Step, Stimulus

#: Seconds of noise; two thirds are trained on.
_SECONDS = 24.0
#: Candidates of the table: one of each kind.
CANDIDATES = ("LIFRefractory", "ATRLIF", "ALIF2", "ALIF2Current", "CubaLIF2Slow")
#: Steps of the chip, in seconds. Slow decays have few bits in shorter ones.
_DT = 5e-4


@dataclass(frozen=True)
class Case:
    """One row: what is fitted."""

    group: str
    name: str
    make: Callable[[], Target]


def _adex_noise(pattern: str) -> Target:
    """Half the pattern's current, and noise of its size around it."""
    (current,) = {p.amplitude for p in _steps("AdEx", pattern) if p.amplitude}
    noise = Noise(mean=0.5 * current, sigma=current, tau=3e-3, duration=_SECONDS, seed=1)
    return model_target("AdEx", pattern, stimulus=noise)


def _steps(model: str, pattern: str) -> tuple[Step, ...]:
    stimulus = TARGET_MODELS[model].pattern(pattern).stimulus
    return tuple(piece for piece in stimulus.parts() if isinstance(piece, Step)) if stimulus else ()


def _longer(stimulus: Stimulus) -> Stimulus:
    """The same noise for longer."""
    if isinstance(stimulus, Sequence):
        return Sequence(tuple(_longer(piece) for piece in stimulus.pieces))
    return replace(stimulus, duration=_SECONDS) if isinstance(stimulus, Noise) else stimulus


def cases() -> Iterator[Case]:
    """All, in the order of the table."""
    for pattern in TARGET_MODELS["AdEx"].patterns:
        yield Case("AdEx, noise", pattern, partial(_adex_noise, pattern))
    for pattern in TARGET_MODELS["AdEx"].patterns:
        yield Case("AdEx, steps", pattern, partial(model_target, "AdEx", pattern))
    for name in ("Hodgkin-Huxley", *(f"GLIF{k}" for k in range(1, 6)), "EIF", "MAT"):
        model = TARGET_MODELS[name]
        yield Case("other models, noise", name,
                   partial(model_target, name, stimulus=_longer(model.stimulus)))  # fmt: skip
    for pattern in TARGET_MODELS["Izhikevich"].patterns:
        yield Case("Izhikevich", pattern, partial(model_target, "Izhikevich", pattern))


def row_of(case: Case, candidates: tuple[str, ...], evaluations: int, seeds: int) -> dict[str, Any]:
    """Fit a case, and what the table shows of it."""
    target = case.make()
    result: FitResult = fit(
        target, candidates, dt=_DT, evaluations=evaluations, seeds=seeds, workers=1
    )
    scores = {each.candidate.name: _scores(each) for each in result.found}
    best = min(result.found, key=lambda each: min(each.losses)).candidate.name
    train, held_out = (
        sum(_inside(times, spans) for sweep in target.sweeps for times in sweep.spikes)
        for spans in (target.train, target.held_out)
    )
    return {
        "group": case.group, "case": case.name, "best": best, "spikes": [train, held_out],
        "scores": scores, "evaluations": evaluations, "seeds": seeds,
    }  # fmt: skip


def _scores(found: Found) -> dict[str, Any]:
    """Held-out and training scores of the seed whose training loss is least, and the spread."""
    mean, spread = found.mean_and_spread("held_out")
    return {
        "held_out": found.evaluation.gamma("held_out"),
        "held_out_4ms": found.evaluation.gamma("held_out", 1),
        "mean": mean,
        "spread": spread,
        "train": found.evaluation.gamma("train"),
        "loss": min(found.losses),
    }


def _inside(times: Any, spans: Any) -> int:
    return int(sum(((times >= a) & (times < b)).sum() for a, b in spans))


# ------------------------------------------------------------ the table
def markdown(rows: list[dict[str, Any]]) -> str:
    """A table a group."""
    text = []
    for group in dict.fromkeys(row["group"] for row in rows):
        chosen = [row for row in rows if row["group"] == group]
        fitted = {name for row in chosen for name in row["scores"]}
        names = [name for name in ALL if name in fitted]
        text += [f"### {group}\n", _line(["", "spikes", *names]), _line(["---"] * (len(names) + 2))]
        for row in chosen:
            spikes = f"{row['spikes'][0]} / {row['spikes'][1]}"
            shown = [_cell(row, name) for name in names]
            text.append(_line([row["case"], spikes, *shown]))
        text.append("")
    return "\n".join(text)


def _cell(row: dict[str, Any], name: str) -> str:
    if name not in row["scores"]:
        return ""
    score = row["scores"][name]
    held, spread = score["held_out"], score["spread"]
    shown = "none" if not np.isfinite(held) else f"{held:.2f}"
    if row["seeds"] > 1 and np.isfinite(spread):
        shown += f" ± {spread:.2f}"
    return f"**{shown}**" if name == row["best"] else shown


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_quality", description=__doc__)
    add = parser.add_argument
    add("--group", default="", help="only groups whose name contains this text")
    add("--match", default="", help="only cases whose name contains this text")
    add("--candidates", default=",".join(CANDIDATES))
    add("--evaluations", type=int, default=12_000, help="of each candidate and seed")
    add("--seeds", type=int, default=2)
    add("--out", type=Path, default=Path("fit_quality"), help="folder for the results")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows = []
    for case in cases():
        if given.group in case.group and given.match in case.name:
            names = tuple(given.candidates.split(","))
            rows.append(row_of(case, names, given.evaluations, given.seeds))
            print(markdown(rows[-1:]).splitlines()[-1], flush=True)
            (given.out / "rows.json").write_text(json.dumps(rows, indent=1) + "\n")
            (given.out / "table.md").write_text(markdown(rows))


if __name__ == "__main__":
    main()
