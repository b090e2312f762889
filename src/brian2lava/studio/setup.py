"""What is on the bench: a target, a candidate, and what is set; values that stay as they are."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings, Stimulus
from brian2lava.fit.candidates import CANDIDATES, Candidate, candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.target import Target
from brian2lava.fit.target.resample import resampled
from brian2lava.studio.identity import Same
from brian2lava.studio.real_model import NOISE
from brian2lava.studio.real_registers import parameters_of, registers_of

#: Steps of the chip that may be longer or shorter than the target's, in seconds.
SHORTEST_STEP, LONGEST_STEP = 1e-5, 1e-2
#: Steps that the bench runs and shows of a longer recording; a fit sees all of it.
MOST_SHOWN = 400_000


@dataclass(frozen=True)
class Tuning:
    """How a candidate is set.

    Attributes
    ----------
    values : dict of str to float
        Physical parameters.
    overrides : dict of str to number
        Registers that were set themselves, by bits or by a fit; they win over the values.
    locked : frozenset of str
        Parameters that nothing moves.
    """

    values: Mapping[str, float]
    overrides: Mapping[str, float] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Setup:
    """Everything that a picture of the bench depends on.

    Attributes
    ----------
    target : Target
    candidate_name : str
    tunings : dict of str to Tuning
        By candidate: one returns to what one left.
    dt : float
        Seconds a step of the chip.
    threshold : int
        Mantissa of the resting threshold.
    drive : "graded" or "bias"
    sweep : int
        The one that is shown.
    window : float
        Seconds that matched spikes may lie apart.
    origin : dict
        What a model's target was made of: "model", "pattern", "parameters", "noise", "dt"; or of
        typed equations: "equations" (see :mod:`brian2lava.studio.typed_equations`), "stimulus",
        "dt"; empty for a recording, or a target from Python.
    """

    target: Target
    candidate_name: str
    tunings: Mapping[str, Tuning]
    dt: float
    threshold: int = 8192
    drive: Any = "graded"
    sweep: int = 0
    window: float = 2e-3
    origin: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        candidate(self.candidate_name)
        if not SHORTEST_STEP <= self.dt <= LONGEST_STEP:
            raise FitError(
                f"a step of {self.dt * 1e3:g} ms; {SHORTEST_STEP * 1e3:g} to"
                f" {LONGEST_STEP * 1e3:g} ms are possible. Time constants need many steps, spike"
                " times short ones."
            )
        if not 16 <= self.threshold < 1 << 17:
            raise FitError(f"a threshold mantissa of {self.threshold}; 16 to 131071 are possible.")
        if not 0 <= self.sweep < len(self.target.sweeps):
            raise FitError(f"sweep {self.sweep}; the target has {len(self.target.sweeps)}.")

    @property
    def candidate(self) -> Candidate:
        """The chosen one."""
        return CANDIDATES[self.candidate_name]

    @property
    def tuning(self) -> Tuning:
        """Of the chosen candidate."""
        return self.tunings[self.candidate_name]

    @property
    def frame(self) -> Frame:
        """What turns physical values into integers."""
        return Frame(self.dt, reach(self.target), self.threshold, drive=self.drive)

    @functools.cached_property
    def _settings(self) -> Settings:
        given = {name: np.array([value]) for name, value in self.tuning.values.items()}
        made = self.candidate.to_settings(given, self.frame)
        return with_registers(made, self.tuning.overrides) if self.tuning.overrides else made

    @functools.cached_property
    def _meaning(self) -> dict[str, float]:
        found = self.candidate.to_physical(self._settings, self.frame)
        return {name: float(np.ravel(value)[0]) for name, value in found.items()}

    def settings(self) -> Settings:
        """The registers, as a batch of one."""
        return self._settings

    def meaning(self) -> dict[str, float]:
        """What the registers stand for, in physical terms."""
        return dict(self._meaning)

    def stimulus(self, sweep: int | None = None) -> Stimulus:
        """A sweep's current, a sample a step of the chip: the mean where steps are longer."""
        chosen = self.sweep if sweep is None else sweep
        return _stimulus(Same(self.target.sweeps), self.target.dt, chosen, self.dt)

    def tuned(self, **changes: Any) -> Setup:
        """Another tuning of the chosen candidate."""
        tunings = dict(self.tunings)
        tunings[self.candidate_name] = replace(self.tuning, **changes)
        return replace(self, tunings=tunings)

    def with_value(self, name: str, value: float) -> Setup:
        """A physical parameter set; registers that it decides follow."""
        parameter = self.candidate.parameter(name)
        _free(self, name)
        if not np.isfinite(value):
            raise FitError(f"{parameter.meaning}: {value}; a number is needed.")
        if value <= 0 and (parameter.log or parameter.unit in ("s", "Hz")) and parameter.low > 0:
            raise FitError(f"{parameter.meaning}: {value}; a positive number is needed.")
        decided = registers_of(parameter)
        overrides = {k: v for k, v in self.tuning.overrides.items() if k not in decided}
        return self.tuned(values={**self.tuning.values, name: float(value)}, overrides=overrides)

    def with_register(self, name: str, value: float) -> Setup:
        """A register set; the parameters that it decides follow."""
        affected = parameters_of(self.candidate, name)
        for parameter in affected:
            _free(self, parameter.name)
        number = float(value) if name == "scale" else int(value)
        # what is decided together stays as it is: a new weight must not bring another exponent
        kept = numbers_of(self.candidate, self.settings())
        beside = {each: kept[each] for p in affected for each in registers_of(p) if each in kept}
        changed = self.tuned(overrides={**self.tuning.overrides, **beside, name: number})
        meaning = changed.meaning()
        values = dict(changed.tuning.values)
        for parameter in affected:
            value = meaning[parameter.name]
            if parameter.log and value == 0:
                value = self.dt / 20  # nothing is left after a step
            if np.isfinite(value):
                values[parameter.name] = value
        return changed.tuned(values=values)


def _free(setup: Setup, name: str) -> None:
    if name in setup.tuning.locked:
        raise FitError(f"{name} is locked; unlock it first.")


def with_registers(settings: Settings, overrides: Mapping[str, float]) -> Settings:
    """Settings of which some registers, or what ``SYNAPSES`` and "scale" name, are others.

    Raises
    ------
    ChipLimit
        A register that can't hold the value.
    """
    registers: dict[str, Any] = dict(settings.registers)
    registers |= {name: np.array([int(v)]) for name, v in overrides.items() if name in registers}
    changed: dict[str, Any] = {"registers": registers}
    for name, (attribute, port) in SYNAPSES.items():
        if name in overrides:
            rows = getattr(settings, attribute).copy()
            rows[port] = int(overrides[name])
            changed[attribute] = rows
    if "scale" in overrides:
        changed["scale"] = np.array([overrides["scale"]], np.float32)
    return replace(settings, **changed)


#: What is set of synapses: the array of ``Settings``, and the port.
SYNAPSES = {
    "weight": ("weights", 0), "exponent": ("exponents", 0),
    "weight2": ("weights", -1), "exponent2": ("exponents", -1),
    "own_weight": ("own_weights", -1), "own_exponent": ("own_exponents", -1),
}  # fmt: skip


def numbers_of(candidate: Candidate, settings: Settings) -> dict[str, float]:
    """Registers and synapses of a candidate's batch of one, by name; without those of noise."""
    decided = {each for p in candidate.parameters for each in registers_of(p)}
    return {
        **{n: int(v[0]) for n, v in settings.registers.items() if n not in NOISE},
        **{
            name: int(getattr(settings, attribute)[port, 0])
            for name, (attribute, port) in SYNAPSES.items()
            if name in decided
        },
        "scale": float(settings.scale[0]),
    }


def reach(target: Target) -> float:
    """The largest absolute value of the stimulus."""
    return _reach(Same(target.sweeps))


@functools.lru_cache(maxsize=64)
def _reach(sweeps: Same) -> float:
    return max(float(np.abs(sweep.current).max()) for sweep in sweeps.value)


@functools.lru_cache(maxsize=32)
def _at_step(sweeps: Same, given: float, dt: float) -> Target:
    return resampled(Target("target", given, sweeps.value), dt)


@functools.lru_cache(maxsize=64)
def _stimulus(sweeps: Same, given: float, sweep: int, dt: float) -> Stimulus:
    return Stimulus(_at_step(sweeps, given, dt).sweeps[sweep].current[:MOST_SHOWN])
