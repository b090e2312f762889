"""What a report says of a run in a chip's integers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brian2lava.chip.plain import Recorded
from brian2lava.chip.quantise import Quantised
from brian2lava.chip.resources import ResourceReport, resources
from brian2lava.chip.table import Table, costs, parameters
from brian2lava.chip.verify import Verification, verify
from brian2lava.device.chip_runs import Kept


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
    """

    quantised: Quantised
    chip: str
    counts: dict[tuple[str, str], int]
    notes: tuple[str, ...]

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
        """Both tables as HTML that needs nothing from outside."""
        return f"{self.parameters.to_html()}\n{self.costs.to_html()}"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "arithmetic": self.quantised.network.arithmetic.name,
            "scales": dict(self.quantised.scales),
            "parameters": [
                dict(zip(self.parameters.columns, row, strict=True)) for row in self.parameters.rows
            ],
            "costs": [dict(zip(self.costs.columns, row, strict=True)) for row in self.costs.rows],
            "warnings": list(self.quantised.warnings),
            "counts": {f"{name}.{counter}": n for (name, counter), n in self.counts.items()},
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        parts = [str(self.parameters), "", str(self.costs), "", self.resources.headline()]
        lost = {key: count for key, count in self.counts.items() if count}
        parts += [""] if lost or self.notes else []
        parts += [f"! '{name}': {counter} {n} times" for (name, counter), n in lost.items()]
        parts += [f"order: {note}" for note in self.notes]
        return "\n".join(parts)


#: Lava's simulation costs a millisecond and more a step, and a process a projection.
_SMALL, _LAVA_STEPS, _MOST_STEPS = 1000, 200, 10_000


def verify_run(kept: Kept, steps: int | None, lava: bool | None) -> Verification:
    """The last run again: floating point, emulator, and Lava's simulation if it is small."""
    quantised = kept.quantised
    steps = min(kept.steps, _MOST_STEPS) if steps is None else steps
    size = sum(population.size for population in quantised.network.populations)
    if lava is None:
        lava = size <= _SMALL and steps <= _LAVA_STEPS
    if not lava:
        return verify(quantised, steps, kept.seed)
    from brian2lava.interop.lava_run import run_lava

    def elsewhere(network: Any, count: int, emulated: Recorded) -> Recorded:
        replay = {source.name: emulated.spikes[source.name] for source in network.sources}
        return run_lava(network, count, list(emulated.states), replay)

    return verify(quantised, steps, kept.seed, elsewhere)


def chip_part(kept: Kept) -> ChipPart:
    """The report's part about the last run's integers."""
    return ChipPart(kept.quantised, kept.chip, dict(kept.counts), kept.quantised.ideal.notes)
