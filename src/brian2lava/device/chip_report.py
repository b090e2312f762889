"""What a report says of a run in a chip's integers."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from brian2lava.chip.dt_scan import FACTORS, dt_scan
from brian2lava.chip.neuron_picture import BitByBit, draw
from brian2lava.chip.one_neuron import traced
from brian2lava.chip.plain import Recorded
from brian2lava.chip.quantise import Quantised
from brian2lava.chip.resources import ResourceReport, resources
from brian2lava.chip.table import Table, costs, parameters
from brian2lava.chip.verify import Elsewhere, Verification, verify
from brian2lava.device.chip_runs import Kept
from brian2lava.device.other_steps import OtherSteps
from brian2lava.errors import NotSupported, OptionError


@dataclass(frozen=True)
class ChipPart:
    """What the model became, and what that cost.

    Attributes
    ----------
    quantised : Quantised
        The chip's network, with all integers.
    chip : str
        "Loihi1" or "Loihi2".
    counts : dict of (population, counter) to int
        How often a current wrapped or a voltage saturated in all runs so far.
    notes : tuple of str
        Where the chip's order of things differs from Brian2's.
    dt_scan : Table or None
        What other time steps would give, where that was asked for.
    """

    quantised: Quantised
    chip: str
    counts: dict[tuple[str, str], int]
    notes: tuple[str, ...]
    dt_scan: Table | None = None
    other_steps: OtherSteps | None = field(default=None, repr=False, compare=False)

    @property
    def parameters(self) -> Table:
        """One row a parameter: physical value, register, what the register means, error."""
        return parameters(self.quantised)

    @property
    def costs(self) -> Table:
        """One row a population: scale, head-room, errors of time constants, bounds."""
        return costs(self.quantised)

    @property
    def resources(self) -> ResourceReport:
        """Cores, chips, memory and axons; see :mod:`brian2lava.chip.resources`."""
        return resources(self.quantised.network, self.chip)

    def to_frame(self) -> Any:
        """The table of parameters as a ``pandas.DataFrame``."""
        return self.parameters.to_frame()

    def to_html(self) -> str:
        """All tables and notes as HTML that needs nothing from outside."""
        resources = self.resources
        return "\n".join(
            [
                *(table.to_html() for table in self._tables()),
                _listed(self._notes()),
                f'<p style="font:bold 13px sans-serif">{html.escape(resources.headline())}</p>',
                *(_of_rows(name, rows).to_html() for name, rows in resources.tables().items()),
                _listed(resources.notes),
            ]
        )

    _repr_html_ = to_html

    def scanned(self, dts: Iterable[float] | None = None) -> ChipPart:
        """With a table of what other time steps would give.

        Parameters
        ----------
        dts : iterable of float, optional
            Seconds; a fifth to ten times the present one without it.

        Raises
        ------
        RuntimeError
            The objects of the run are gone.
        """
        assert self.other_steps is not None
        present, arithmetic = self.other_steps.present, self.quantised.network.arithmetic
        if dts is None:
            dts = [float(f"{present * factor:.12g}") for factor in FACTORS]
        table = dt_scan(self.other_steps, dts, present, self.chip, arithmetic)
        return replace(self, dt_scan=table)

    def _tables(self) -> list[Table]:
        return [self.parameters, self.costs, *([self.dt_scan] if self.dt_scan else [])]

    def _notes(self) -> list[str]:
        lost = {key: count for key, count in self.counts.items() if count}
        return [
            *(f"! '{name}': states {counter} {n} times" for (name, counter), n in lost.items()),
            *(f"note: {note}" for note in self.notes),
        ]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "arithmetic": self.quantised.network.arithmetic.name,
            "scales": dict(self.quantised.scales),
            "parameters": self.parameters.to_dicts(),
            "costs": self.costs.to_dicts(),
            "warnings": list(self.quantised.warnings),
            "counts": {f"{name}.{counter}": n for (name, counter), n in self.counts.items()},
            "notes": list(self.notes),
            "dt_scan": None if self.dt_scan is None else self.dt_scan.to_dicts(),
        }

    def __str__(self) -> str:
        parts = [*map(str, self._tables()), self.resources.headline()]
        notes = self._notes()
        return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])


def _of_rows(title: str, rows: Sequence[Sequence[str]]) -> Table:
    """A table of texts, its titles in the first row; columns of numbers stand to the right."""
    heads, *body = rows
    right = [
        head for head, *cells in zip(heads, *body) if all(cell[:1].isdigit() for cell in cells)
    ]
    return Table(tuple(heads), tuple(map(tuple, body)), title, right=tuple(right))


def _listed(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    return f'<ul style="font:13px sans-serif">{items}</ul>' if items else ""


#: Lava's simulation costs a millisecond and more a step, and a process a projection.
_SMALL, _LAVA_STEPS, _MOST_STEPS = 1000, 200, 10_000


def verify_run(kept: Kept, steps: int | None, lava: bool | None) -> Verification:
    """The last run again: floating point, emulator, and Lava's simulation if it is small."""
    quantised, seed = kept.quantised, kept.seed
    steps = min(kept.steps, _MOST_STEPS) if steps is None else steps
    size = sum(population.size for population in quantised.network.populations)
    if lava is None:
        lava = size <= _SMALL and steps <= _LAVA_STEPS
    own, missing = None, ""
    if kept.again is not None and steps > 0:
        seed = kept.again.key
        quantised = kept.again.with_input(quantised, steps)
        try:
            own = kept.again.run(quantised, steps)
        except NotSupported as refusal:
            missing = f"; {refusal}"
    if own is not None and own.stochastic:
        groups = [name for name in own.stochastic if name in own.spikes] or own.stochastic
        told = ", ".join(map(repr, groups))
        own, missing = None, f"; {told} draws random numbers of its own in your program"
    return verify(quantised, steps, seed, _in_lava(quantised, seed) if lava else None, own, missing)


def _in_lava(quantised: Quantised, seed: int) -> Elsewhere:
    from brian2lava.interop.lava_run import run_lava

    def elsewhere(network: Any, count: int, emulated: Recorded) -> Recorded:
        names = [source.name for source in network.sources]
        carried = {name: (emulated.payloads[name],) for name in names if name in emulated.payloads}
        replay = {name: (*emulated.spikes[name], *carried.get(name, ())) for name in names}
        traces = quantised.initial_traces()
        states = list(emulated.states)
        return run_lava(network, count, states, replay, seed=seed, traces=traces)

    return elsewhere


#: Steps that a picture of one neuron shows.
_SHOWN_STEPS = 200


def neuron_of(kept: Kept, group: Any, neuron: int, steps: int | None, at: int | None) -> BitByBit:
    """One neuron of the last run as a picture; parameters as in :func:`brian2lava.bit_by_bit`."""
    quantised = kept.quantised
    names = [population.name for population in quantised.network.populations]
    name = getattr(group, "name", group) if group is not None else next(iter(names), None)
    if name not in names:
        raise OptionError(
            f"bit_by_bit({name!r}): the last run had the groups {', '.join(map(repr, names))}."
            if names
            else "bit_by_bit(): the last run had no neurons."
        )
    steps = min(kept.steps, _SHOWN_STEPS) if steps is None else steps
    trace = traced(quantised, str(name), neuron, steps, kept.seed)
    return draw(trace, resources(quantised.network, kept.chip), at)


def chip_part(kept: Kept, other_steps: OtherSteps) -> ChipPart:
    """The report's part about the last run's integers."""
    return ChipPart(
        kept.quantised,
        kept.chip,
        dict(kept.counts),
        kept.quantised.ideal.notes,
        other_steps=other_steps,
    )
