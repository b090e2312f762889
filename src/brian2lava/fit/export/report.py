"""A fit on one page: HTML with its figures inside, nothing fetched from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from importlib.metadata import version
from typing import Any

from brian2lava.fit.export import figures
from brian2lava.fit.export.request import Request
from brian2lava.fit.export.winner import Winner
from brian2lava.fit.search.result import FitResult

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 2rem auto;
       max-width: 60rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: 0.2rem 0.8rem; border-bottom: 1px solid #ccc; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f3f3f3; padding: 0.8rem; overflow-x: auto; }
svg { max-width: 100%; height: auto; }
"""


def html_report(
    result: FitResult, winner: Winner, request: Request | None = None, verified: str = ""
) -> str:
    """The page.

    Parameters
    ----------
    result : FitResult
    winner : Winner
        Whose registers and traces are shown.
    request : Request, optional
        What was asked; the page then has the commands that reproduce it.
    verified : str
        What was found by running it elsewhere, in a sentence.
    """
    name = f"{winner.found.candidate.name} in the place of {winner.target.name}"
    return "\n".join([
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(name)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(name)}</h1>",
        *_body(result, winner, request, verified),
        "</body></html>",
        "",
    ])  # fmt: skip


def _body(
    result: FitResult, winner: Winner, request: Request | None, verified: str
) -> Iterator[str]:
    found, target = winner.found, winner.target
    yield f"<p>{escape(_summary(winner))}</p>"
    if verified:
        yield f"<p>{escape(verified)}.</p>"
    yield "<h2>Candidates</h2>"
    yield _table(
        ("candidate", "held out", "mean", "spread", "train", "process", "evaluations", "seconds"),
        [
            (
                row["candidate"], row["held_out"], row["held_out_mean"], row["held_out_spread"],
                row["train"], "Lava" if row["stock"] else "ours", row["evaluations"],
                row["seconds"],
            )
            for row in result.table()
        ],
    )  # fmt: skip
    yield "<p>Gamma factor within 2 ms, one-to-one; mean and spread over seeds.</p>"
    yield figures.ranking(result)
    yield "<h2>Response</h2>"
    for k in range(min(3, len(target.sweeps))):
        yield figures.response(winner, sweep=k)
    yield "<h2>Parameters</h2>"
    yield _table(
        ("parameter", "meaning", "value", "unit", "register"),
        [
            (p.name, p.meaning, found.physical.get(p.name, math.nan), _unit(p.unit, target.unit),
             p.register)
            for p in found.candidate.parameters
        ],
    )  # fmt: skip
    yield "<h2>Registers</h2>"
    yield _table(("register", "value", "meaning"), _registers(winner))
    yield f"<p>{escape(found.candidate.neuron.equations)}</p>"
    yield "<h2>Search</h2>"
    yield figures.convergence(found)
    if request is not None:
        yield "<h2>To do it again</h2>"
        yield f"<pre>{escape(request.command())}</pre>"
        yield f"<pre>{escape(request.python())}</pre>"
    yield f"<p>Made with brian2lava {version('brian2lava')}.</p>"


def _summary(winner: Winner) -> str:
    found, target = winner.found, winner.target
    counted = {name: n for name, n in found.evaluation.counters.items() if n}
    told = ", ".join(f"{name} {n} times" for name, n in counted.items()) or "none left its range"
    sweeps = f"{len(target.sweeps)} sweep{'s' if len(target.sweeps) > 1 else ''}"
    return (
        f"Target: {target.name} ({target.source or 'given from Python'}), {sweeps},"
        f" {target.duration:g} s, a time step of {target.dt * 1e3:g} ms. The stimulus comes as"
        f" {'a bias' if found.frame.drive == 'bias' else 'graded spikes'}, arithmetic"
        f" {winner.arithmetic.name!r}. Gamma factor {found.evaluation.gamma('held_out'):.3f} on the"
        f" held-out part, {found.evaluation.gamma('train'):.3f} on the trained one. States: {told}."
    )


def _registers(winner: Winner) -> list[tuple[Any, ...]]:
    settings, model = winner.found.settings, winner.found.candidate.neuron
    rows: list[tuple[Any, ...]] = [
        (name, int(values[0]), model.register(name).meaning)
        for name, values in settings.registers.items()
    ]
    for k, port in enumerate(model.ports):
        if settings.weights[k].any():
            told = f"{settings.weights[k, 0]} * 2**{settings.exponents[k, 0]}"
            rows.append(("weight", told, f"of the stimulus at {port}"))
        if settings.own_weights[k].any():
            told = f"{settings.own_weights[k, 0]} * 2**{settings.own_exponents[k, 0]}"
            rows.append(("weight", told, f"of its own spikes at {port}"))
    rows.append(("scale", float(settings.scale[0]), "stimulus times this, rounded"))
    return rows


def _unit(unit: str, current: str) -> str:
    return {"1/I": f"thresholds per {current}", "threshold": "thresholds", "1": ""}.get(unit, unit)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"


def _cell(value: Any) -> str:
    if isinstance(value, int | float):
        # registers have up to eight digits, and all of them count
        shown = str(value) if isinstance(value, int) else f"{value:.6g}"
        return f'<td class="number">{shown}</td>'
    return f"<td>{escape(str(value))}</td>"
