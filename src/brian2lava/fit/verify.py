"""What was found, run once more where nothing of the search is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings, Stimulus
from brian2lava.fit.batch.batch import Drive
from brian2lava.fit.network import NEURON, biases, emulated, network_of, train_of
from brian2lava.fit.search.result import Found
from brian2lava.fit.target import Target


@dataclass(frozen=True)
class Verified:
    """What :func:`verify` found to be the same; where something differs, it raises.

    Attributes
    ----------
    steps, spikes : int
        Of all sweeps together.
    emulator : str
        "emulator", or "plain definition" where the stimulus is a bias.
    lava : str
        Lava's own process that has the same spikes, or "" where none was asked.
    why_not : str
        Why Lava was not asked; "" where it was.
    """

    steps: int
    spikes: int
    emulator: str
    lava: str
    why_not: str = ""

    def __str__(self) -> str:
        by = f"the {self.emulator}" + (f" and Lava's {self.lava}" if self.lava else "")
        told = f"{self.spikes} spikes in {self.steps} steps, the same in {by}"
        return told + (f" ({self.why_not})" if self.why_not else "")


def verify(
    found: Found, target: Target, arithmetic: Arithmetic = LAVA, lava: bool = True
) -> Verified:
    """Run what a fit found in the emulator and, where it exists, in Lava's own process.

    Parameters
    ----------
    found : Found
    target : Target
        The result's: at the chip's time step.
    arithmetic : Arithmetic
        That of the fit.
    lava : bool
        Whether Lava is asked; it takes a second for some thousand steps.

    Raises
    ------
    FitError
        Spikes differ; names the sweep and the first step that does.
    """
    candidate, drive = found.candidate, found.frame.drive
    why_not = _why_not(found, arithmetic) if lava else "Lava was not asked"
    steps = spikes = 0
    for k, sweep in enumerate(target.sweeps):
        stimulus = Stimulus(sweep.current)
        own = np.rint(found.evaluation.trains[k] / target.dt).astype(np.int64)
        where = f"{candidate.name}, sweep {k}"
        recorded = emulated(found.settings, stimulus, drive, arithmetic)
        _same(where, own, train_of(recorded), "the emulator")
        if not why_not:
            _same(where, own, lava_train(found.settings, stimulus, drive), "Lava's own process")
        steps += sweep.steps
        spikes += len(own)
    return Verified(
        steps=steps,
        spikes=spikes,
        emulator="plain definition" if drive == "bias" else "emulator",
        lava="" if why_not else str(candidate.neuron.lava),
        why_not=why_not,
    )


def _why_not(found: Found, arithmetic: Arithmetic) -> str:
    """Why there is no process of Lava's that computes the same; "" where there is one."""
    if found.candidate.neuron.lava is None:
        return f"Lava has no fixed-point process {found.candidate.model}"
    if np.any(found.settings.registers.get("refractory", 0)):
        return f"Lava's {found.candidate.model} has no refractory period"
    if arithmetic != LAVA:
        return f"Lava's processes compute in the arithmetic 'lava', not {arithmetic.name!r}"
    return ""


def lava_train(settings: Settings, stimulus: Stimulus, drive: Drive = "graded") -> Any:
    """The steps in which Lava's own process fires, for settings of size 1."""
    from brian2lava.interop.lava_run import run_lava

    network = network_of(settings, stimulus, drive)
    written = {(NEURON, "bias_mant"): biases(settings, stimulus)} if drive == "bias" else {}
    recorded = run_lava(network, stimulus.steps, written=written)
    if recorded.ours:
        raise FitError(f"{settings.model}: {recorded.ours[NEURON]}.")
    return train_of(recorded)


def _same(where: str, own: Any, other: Any, what: str) -> None:
    if np.array_equal(own, other):
        return
    first = int(np.setxor1d(own, other)[0])
    only = "the fit's batch" if first in own else what
    raise FitError(
        f"{where}: {len(own)} spikes in the fit's batch and {len(other)} in {what}; the first"
        f" difference is in step {first}, where only {only} has a spike. These settings must not be"
        " exported; please report them."
    )
