"""How far a chip's integers are from the floating-point model, on the same input.

Up to four runs: the user's own program in floating point, the map that was recognised in it in real
numbers, the emulator, and, where that is asked for, Lava's own simulation. Between the first two
nothing may differ but the chip's order of things, whose events are counted apart: anything else is
a bug of recognition, and named so. What differs between the second and the third is quantisation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.compared import Compared, PopulationCheck
from brian2lava.chip.emulate import Emulation, emulate
from brian2lava.chip.given_words import word_state
from brian2lava.chip.order_events import order_events, plastic_events
from brian2lava.chip.own import OwnRun
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.quantise import (
    Quantised,
    RealRecorded,
    replayed,
    run_real,
)
from brian2lava.chip.quantise.plastic_weights import unit_gain
from brian2lava.engine.cpu.toolchain import find_compiler
from brian2lava.errors import OptionError

#: Runs a chip network elsewhere (in Lava's simulation): (network, steps, recorded spikes).
Elsewhere = Callable[[Any, int, Recorded], Recorded]


@dataclass(frozen=True)
class WeightCheck:
    """Plastic synapses at the end, emulator against floating point, in the user's unit.

    Attributes
    ----------
    name : str
        The Synapses object.
    synapses : int
    moved : float
        How far weights went in floating point, root mean square.
    error : float
        Root mean square difference.
    largest : float
        Largest difference.
    bias : float
        Mean difference.
    correlation : float
        Of the final weights; nan where either are all the same.
    step : float
        What one unit of the mantissa means.
    """

    name: str
    synapses: int
    moved: float
    error: float
    largest: float
    bias: float
    correlation: float
    step: float

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.synapses} weights differ by {self.error:.3g} (root mean square;"
            f" {self.error / self.step:.3g} mantissas), {self.bias:+.3g} on average, at most"
            f" {self.largest:.3g}; they moved by {self.moved:.3g}; correlation"
            f" {self.correlation:.4f}"
        )


@dataclass(frozen=True)
class Verification:
    """What :func:`verify` found.

    Attributes
    ----------
    steps : int
    populations : tuple of PopulationCheck
    order_events : dict of population to int
        Spikes that arrived at a voltage in the step in which it fired: Brian2's reset erases them,
        the chip keeps them. By Synapses, if its notes say so: spikes that delivered a weight before
        its change, and synapses whose both ends spiked in one step.
    weights : tuple of WeightCheck
        Of plastic synapses.
    lava : str
        "identical integers", what differs first, or why Lava did not run.
    reference : str
        What floating point is here: "your own program", or the recognised map and why.
    recognition : str
        Whether the recognised map in real numbers is the user's own program; "" where that did not
        run. Begins with "BUG" where it is not.
    remarks : tuple of str
        What no run of the verification has.
    """

    steps: int
    populations: tuple[PopulationCheck, ...]
    order_events: Mapping[str, int]
    lava: str
    weights: tuple[WeightCheck, ...] = ()
    reference: str = "the recognised map in real numbers"
    recognition: str = ""
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.steps} steps, emulator against floating point ({self.reference})"]
        for each in self.populations:
            matched = "no spikes" if np.isnan(each.matched) else f"{each.matched:.1%}"
            states = each.states or {"v": each.error}
            differs = ", ".join(f"{name} by {error:.2%}" for name, error in states.items())
            lines.append(
                f"  {each.name}: {each.spikes} spikes, {each.expected} in floating point"
                + (
                    f" ({each.same_map} by the same map in real numbers)"
                    if self.recognition
                    else ""
                )
                + f", within one step {matched}; {differs} of its range"
                + (f"; first {each.first}" if each.first else "")
            )
        if self.recognition:
            lines.append(f"  recognition: {self.recognition}")
        lines += [f"  {remark}" for remark in self.remarks]
        lines += [f"  {each}" for each in self.weights]
        lines += [
            f"  {name}: {count} spikes concern the chip's order of things (see the notes)"
            for name, count in self.order_events.items()
        ]
        return "\n".join([*lines, f"  Lava: {self.lava}"])


def verify(
    quantised: Quantised,
    steps: int,
    seed: int = 0,
    elsewhere: Elsewhere | None = None,
    own: OwnRun | None = None,
    missing: str = "",
) -> Verification:
    """Run a quantised network in floating point, in the emulator, and ``elsewhere``.

    Parameters
    ----------
    quantised : Quantised
    steps : int
        From the network's initial states.
    seed : int
        Of Poisson sources; the other runs get the emulator's spikes.
    elsewhere : function of (ChipNetwork, steps, Recorded), optional
        Runs the same integers, as :func:`brian2lava.interop.lava_run.run_lava` does.
    own : OwnRun, optional
        What the user's own program did on the same input; it is the reference then, and the
        recognised map without it.
    missing : str
        Why there is no ``own``.
    """
    if steps < 1:
        raise OptionError(f"verify({steps}): at least one step is needed.")
    network = quantised.network
    linked = {(p.name, link.state) for p in quantised.ideal.populations for link in p.links}
    record = [
        (population.name, state.name)
        for population in network.populations
        for state in population.neuron.states
        if state.name in ("u", "v") or (own is not None and (population.name, state.name) in linked)
    ]
    words = {
        population.name: word
        for population in network.populations
        if (word := word_state(population, network.arithmetic))
    }
    record += words.items()
    emulated, mantissas = _emulated(quantised, steps, record, seed)
    real = run_real(
        replayed(quantised.ideal, emulated), steps, record, scales=quantised.scales,
        arithmetic=network.arithmetic,
        words={name: emulated.states[name, word] for name, word in words.items()},
    )  # fmt: skip
    ideal = quantised.ideal
    events = order_events(ideal, real.spikes) | plastic_events(ideal, real.spikes)
    compared = Compared(quantised, emulated, real, own, steps)
    return Verification(
        steps,
        tuple(compared.population(population.name) for population in network.populations),
        {name: len(each) for name, each in events.items()},
        _told(emulated, None if elsewhere is None else elsewhere(network, steps, emulated)),
        tuple(_weights(quantised, name, found, real, own) for name, found in mantissas.items()),
        "your own program" if own else f"the recognised map in real numbers{missing}",
        compared.recognition(),
        compared.remarks(),
    )


def _emulated(
    quantised: Quantised, steps: int, record: list[tuple[str, str]], seed: int
) -> tuple[Recorded, dict[str, Any]]:
    """A run of the emulator, and the final mantissas of plastic synapses by projection."""
    network, traces = quantised.network, quantised.initial_traces()
    if not traces:
        return emulate(network, steps, record, seed), {}
    if find_compiler() is None:
        plain = PlainChip(network, np.random.default_rng(seed), seed)
        for name, registers in traces.items():
            plain.plastic[name].begin(registers)
        recorded = plain.run(steps, record)
        return recorded, {name: np.array(plain.plastic[name].state.weights) for name in traces}
    with Emulation(network, record, seed=seed, traces=traces) as emulation:
        recorded = emulation.run(steps)
        return recorded, {
            p.name: emulation.plastic(p.name, "w")[: p.size]
            for p in network.projections
            if p.name in traces
        }


def _weights(
    quantised: Quantised, name: str, mantissas: Any, real: RealRecorded, own: OwnRun | None
) -> WeightCheck:
    learnt = quantised.learning[name]
    unit = learnt.readings[0].unit
    ideal = next(p for p in quantised.ideal.projections if p.name == name)
    ours, theirs = mantissas * unit, real.weights[name]
    if own is not None and name in own.weights:
        theirs = own.weights[name] - learnt.readings[0].offset
    first = ideal.weights / unit_gain(ideal)
    difference = ours - theirs
    varied = ours.size > 1 and np.ptp(ours) > 0 and np.ptp(theirs) > 0

    def root(values: Any) -> float:
        return float(np.sqrt(np.mean(np.square(values)))) if values.size else 0.0

    return WeightCheck(
        name=learnt.synapses,
        synapses=int(ours.size),
        moved=root(theirs - first),
        error=root(difference),
        largest=float(np.abs(difference).max(initial=0.0)),
        bias=float(difference.mean()) if ours.size else 0.0,
        correlation=float(np.corrcoef(ours, theirs)[0, 1]) if varied else np.nan,
        step=abs(unit),
    )


def _told(emulated: Recorded, other: Recorded | None) -> str:
    if other is None:
        return "not run"
    for name, (steps, who) in emulated.spikes.items():
        if not (
            np.array_equal(steps, other.spikes[name][0])
            and np.array_equal(who, other.spikes[name][1])
        ):
            return f"spikes of {name!r} differ"
    for (name, state), values in emulated.states.items():
        wrong = np.argwhere(values != other.states[name, state])
        if wrong.size:
            step, neuron = (int(x) for x in wrong[0])
            return f"{name!r}: {state} of neuron {neuron} differs in step {step}"
    return "identical integers"
