"""What a fit of synapses found: registers, what they mean, how near they come, what they cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.learning import LearningRule
from brian2lava.fit.synapse.candidates import SynapseCandidate

#: Errors (nrmse) that differ by less from the best are as good.
_ALIKE = 2e-3


@dataclass(frozen=True)
class Curve:
    """Something that a target wants, and what the chip does.

    Attributes
    ----------
    name : str
        "response", "train at 20 Hz", "window", "pairs at +10 ms" ...
    x : array of shape (points,)
    target, chip : arrays of shape (points,)
    x_name, y_name : str
        Axis labels with units.
    spread : array of shape (points,) or None
        Standard deviation of a single synapse on the chip, where learning rounds by chance.
    """

    name: str
    x: Any
    target: Any
    chip: Any
    x_name: str
    y_name: str
    spread: Any = None

    def __post_init__(self) -> None:
        for name in ("x", "target", "chip", "spread"):
            if getattr(self, name) is not None:
                array = np.array(getattr(self, name))
                array.flags.writeable = False
                object.__setattr__(self, name, array)


@dataclass(frozen=True)
class SynapseFound:
    """The best of a candidate.

    Attributes
    ----------
    candidate : SynapseCandidate
    registers : dict of str to int
        What the chip takes. Of several synapses, names end in their number.
    physical : dict of str to float
        What the registers mean, in seconds and the target's unit.
    wanted : dict of str to float
        The same before rounding; where it was polished, registers have moved on.
    errors : dict of str to float
        "nrmse" and what belongs to the family; the last computed by the chip's own arithmetic.
    costs : dict of str to float
        Synapses, products, traces, bits, headroom, saturations.
    notes : tuple of str
        What it can not do, and what a user has to know.
    curves : tuple of Curve
    rule : LearningRule or None
    loss : float
        What the search made small.
    losses : tuple of float
        Of every seed.
    evaluations : int
    brian2, lava : functions without arguments -> str
        Code that runs it, with these registers.
    """

    candidate: SynapseCandidate
    registers: Mapping[str, int]
    physical: Mapping[str, float]
    wanted: Mapping[str, float]
    errors: Mapping[str, float]
    costs: Mapping[str, float]
    notes: tuple[str, ...]
    curves: tuple[Curve, ...]
    rule: LearningRule | None
    loss: float
    losses: tuple[float, ...]
    evaluations: int
    brian2: Callable[[], str] = field(repr=False, compare=False)
    lava: Callable[[], str] = field(repr=False, compare=False)

    def brian2_code(self) -> str:
        """A Brian2 script for ``set_device("lava", hardware="Loihi2")``."""
        return self.brian2()

    def lava_code(self) -> str:
        """A script of Lava's own processes with exactly these registers."""
        return self.lava()

    def curve(self, name: str) -> Curve:
        """A curve by its name."""
        for each in self.curves:
            if each.name == name:
                return each
        raise KeyError(f"{name!r}; there are {', '.join(each.name for each in self.curves)}")


@dataclass(frozen=True)
class SynapseFitResult:
    """What a fit found, best first.

    Attributes
    ----------
    target : SynapseTarget, ShortTermTarget or StdpTarget
    found : tuple of SynapseFound
        By "nrmse", as the chip's arithmetic gives it.
    seconds : float
    """

    target: Any
    found: tuple[SynapseFound, ...]
    seconds: float = 0.0

    @property
    def best(self) -> SynapseFound:
        """The first."""
        return self.found[0]

    def __getitem__(self, name: str) -> SynapseFound:
        for each in self.found:
            if each.candidate.name == name:
                return each
        raise KeyError(
            f"{name!r} was not fitted; {', '.join(f.candidate.name for f in self.found)}"
        )

    def table(self) -> list[dict[str, Any]]:
        """A row a candidate: name, errors, registers, whether lava-nc has its processes."""
        return [
            {
                "candidate": each.candidate.name,
                **{name: float(value) for name, value in each.errors.items()},
                "stock": each.candidate.stock,
                "evaluations": each.evaluations,
                **{f"register {name}": int(value) for name, value in each.registers.items()},
            }
            for each in self.found
        ]

    def __str__(self) -> str:
        lines = [
            f"{self.target.name}: errors of the chip's own arithmetic",
            f"{'candidate':<17}{'nrmse':>8}  registers",
        ]
        for each in self.found:
            registers = ", ".join(f"{name} {value}" for name, value in each.registers.items())
            lines.append(f"{each.candidate.name:<17}{each.errors['nrmse']:>8.4f}  {registers}")
            lines += [f"{'':<27}{note}" for note in each.notes]
        return "\n".join(lines)


def ranked(found: Sequence[SynapseFound]) -> tuple[SynapseFound, ...]:
    """Best first; of those within ``_ALIKE`` of the best, the one that takes least."""
    least = min(each.errors["nrmse"] for each in found)

    def key(each: SynapseFound) -> tuple[bool, float, float]:
        error = each.errors["nrmse"]
        worse = error > least + _ALIKE
        cost = each.costs.get("synapses", 1) + each.costs.get("currents", 1)
        return worse, 0.0 if worse else cost + each.costs.get("products", 0), error

    return tuple(sorted(found, key=key))
