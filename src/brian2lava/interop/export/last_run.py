"""What the device "lava" has run last on a chip, as something that can be exported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brian2lava.chip.quantise import Quantised
from brian2lava.chip.table import costs, parameters
from brian2lava.errors import NotSupported
from brian2lava.interop.export.given import Given, given

_REMEDY = "Run the script with set_device('lava', hardware='Loihi2') (--hardware Loihi2)"


def last_run(network: Any = None) -> Given:
    """The last run of ``network``, or of whichever network ran last.

    Raises
    ------
    NotSupported
        Nothing ran on a chip, or not from the beginning.
    """
    from brian2lava.device import lava_device

    runs = lava_device.chip_runs
    kept = runs.last if network is None else runs.of(network)
    if kept is None or kept.again is None:
        which = "nothing" if network is None else f"'{network.name}' has not"
        raise NotSupported(
            f"export: {which} {'ran' if network is None else 'run'} in a chip's integers, which a"
            f" Lava package is made of. {_REMEDY}, and call run(...) before the export."
        )
    if kept.again.first:
        raise NotSupported(
            f"export: the last run began at step {kept.again.first}, and a package begins with the"
            " states before the first step. Run all steps in one run(...), or export after the"
            " first run."
        )
    quantised = kept.again.with_input(kept.quantised, kept.steps)
    names = ", ".join(f"'{each.name}'" for each in quantised.network.populations)
    noted = kept.again.on_chip(kept.steps)
    made = given(
        quantised.network,
        kept.steps,
        seed=kept.again.key,
        traces=quantised.initial_traces(),
        title=f"The Brian2 network of {names}",
        dt=quantised.ideal.dt,
        about=about(quantised),
        notes=tuple(quantised.ideal.notes),
    )
    if noted is None:
        return made
    words = {name: rows for (name, _), rows in noted.states.items()}
    return replace(made, spikes={name: noted.spikes[name] for name in made.spikes}, words=words)


def about(quantised: Quantised) -> dict[str, tuple[str, ...]]:
    """By object: its parameters as the report has them, and a population's scale."""
    rows: dict[str, list[tuple[str, ...]]] = {}
    for row in parameters(quantised).to_dicts():
        cells = (row["parameter"], row["value"], row["register"], row["integer"], row["means"])
        rows.setdefault(str(row["object"]), []).append(tuple(map(str, cells)))
    found = {name: _table(cells) for name, cells in rows.items()}
    for cost in costs(quantised).to_dicts():
        name = str(cost["population"])
        found[name] = [*found.get(name, []), f"Scale: {cost['scale']} above the reset."]
    return {name: tuple(lines) for name, lines in found.items()}


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Aligned: parameter, value, register = integer, what that means."""
    told = [(p, v, f"{r} = {n}" if r else n, f"means {m}") for p, v, r, n, m in rows]
    widths = [max(map(len, column)) for column in zip(*told)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in told
    ]
