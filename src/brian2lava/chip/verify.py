"""How far a chip's integers are from the floating-point model, on the same input.

Three runs: the chip's steps in floating point, the emulator, and, where that is asked for, Lava's
own simulation. What differs between the first two is quantisation; where the chip's order of things
differs from Brian2's, the events that this concerns are counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.emulate import Emulation, emulate
from brian2lava.chip.ideal import IdealNetwork, IdealProjection
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.quantise import Quantised, RealRecorded, replayed, run_real
from brian2lava.chip.quantise.plastic_weights import unit_gain
from brian2lava.engine.cpu.toolchain import find_compiler
from brian2lava.errors import OptionError

#: Runs a chip network elsewhere (in Lava's simulation): (network, steps, recorded spikes).
Elsewhere = Callable[[Any, int, Recorded], Recorded]


@dataclass(frozen=True)
class PopulationCheck:
    """One population, emulator against floating point.

    Attributes
    ----------
    name : str
    spikes, expected : int
        Spikes of the emulator, and in floating point.
    matched : float
        The part of the spikes in floating point that the emulator has within one step, 0..1; nan
        without spikes.
    first : str
        The first difference in words: neuron and step; "" where there is none.
    error : float
        Root mean square difference of the voltage over its range in floating point, until the
        first spike of either differs.
    """

    name: str
    spikes: int
    expected: int
    matched: float
    first: str
    error: float


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
    """

    steps: int
    populations: tuple[PopulationCheck, ...]
    order_events: Mapping[str, int]
    lava: str
    weights: tuple[WeightCheck, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.steps} steps, emulator against floating point"]
        for each in self.populations:
            matched = "no spikes" if np.isnan(each.matched) else f"{each.matched:.1%}"
            lines.append(
                f"  {each.name}: {each.spikes} spikes, {each.expected} in floating point,"
                f" within one step {matched}; v differs by {each.error:.2%} of its range"
                + (f"; first {each.first}" if each.first else "")
            )
        lines += [f"  {each}" for each in self.weights]
        lines += [
            f"  {name}: {count} spikes concern the chip's order of things (see the notes)"
            for name, count in self.order_events.items()
        ]
        return "\n".join([*lines, f"  Lava: {self.lava}"])


def verify(
    quantised: Quantised, steps: int, seed: int = 0, elsewhere: Elsewhere | None = None
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
    """
    if steps < 1:
        raise OptionError(f"verify({steps}): at least one step is needed.")
    network = quantised.network
    record = [
        (population.name, state.name)
        for population in network.populations
        for state in population.neuron.states
        if state.name in ("u", "v")
    ]
    emulated, mantissas = _emulated(quantised, steps, record, seed)
    real = run_real(
        replayed(quantised.ideal, emulated), steps, record, scales=quantised.scales,
        arithmetic=network.arithmetic,
    )  # fmt: skip
    return Verification(
        steps,
        tuple(
            _population(quantised, emulated, real, population.name, steps)
            for population in network.populations
        ),
        _order_events(quantised.ideal, real),
        _told(emulated, None if elsewhere is None else elsewhere(network, steps, emulated)),
        tuple(_weights(quantised, name, found, real) for name, found in mantissas.items()),
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


def _weights(quantised: Quantised, name: str, mantissas: Any, real: RealRecorded) -> WeightCheck:
    learnt = quantised.learning[name]
    unit = learnt.readings[0].unit
    ideal = next(p for p in quantised.ideal.projections if p.name == name)
    ours, theirs = mantissas * unit, real.weights[name]
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


def _population(
    quantised: Quantised, emulated: Recorded, real: RealRecorded, name: str, steps: int
) -> PopulationCheck:
    ours, theirs = _keys(emulated.spikes[name], steps), _keys(real.spikes[name], steps)
    near = np.union1d(np.union1d(ours, ours - 1), ours + 1)
    matched = float(np.isin(theirs, near).mean()) if theirs.size else np.nan
    missed = np.setxor1d(ours, theirs)
    first, until = "", steps
    if missed.size:
        at = int(missed[np.argmin(missed % (steps + 2))])
        neuron, step = divmod(at, steps + 2)
        until = step - 1
        only = "the emulator" if at in ours else "floating point"
        first = f"in step {step - 1}, neuron {neuron}: a spike in {only} only"
    error = 0.0
    if (name, "v") in emulated.states and until:
        expected = real.states[name, "v"][:until]
        present = emulated.states[name, "v"][:until] / quantised.scales[name]
        span = float(np.ptp(expected)) if expected.size else 0.0
        error = float(np.sqrt(np.mean((present - expected) ** 2))) / span if span else 0.0
    return PopulationCheck(name, len(ours), len(theirs), matched, first, error)


def _keys(spikes: tuple[Any, Any], steps: int) -> Any:
    """One sorted number a spike: neurons far enough apart for steps to be moved by one."""
    when, who = spikes
    return np.sort(np.asarray(who) * (steps + 2) + np.asarray(when) + 1)


def _order_events(ideal: IdealNetwork, real: RealRecorded) -> dict[str, int]:
    """By population with notes: arrivals at the voltage in the step of a spike of the target."""
    counts: dict[str, int] = {}
    for projection in ideal.projections:
        if projection.learning is not None:
            counts |= _plastic_events(ideal, projection, real)
        population = next(p for p in ideal.populations if p.name == projection.target)
        decay = population.quantity("du" + projection.port.removeprefix("a_in"))
        if not population.notes or decay is None or np.any(decay.value < 1):
            continue
        fired = np.stack(real.spikes[population.name]).T @ [population.size, 1]
        arrived = _arrivals(projection, real.spikes[projection.source]) @ [population.size, 1]
        counts[population.name] = counts.get(population.name, 0) + int(
            np.isin(arrived, fired).sum()
        )
    return counts


def _plastic_events(
    ideal: IdealNetwork, projection: IdealProjection, real: RealRecorded
) -> dict[str, int]:
    """Events at plastic synapses for which the chip's order differs from the equations'."""
    learning = projection.learning
    assert learning is not None
    if not (learning.late or learning.coincident):
        return {}
    size = next(p.size for p in ideal.populations if p.name == projection.target)
    arrived = _arrivals(projection, real.spikes[projection.source])
    if learning.late:
        return {learning.synapses: len(arrived)}
    fired = np.stack(real.spikes[projection.target]).T @ [size, 1]
    return {learning.synapses: int(np.isin(arrived @ [size, 1], fired).sum())}


def _arrivals(projection: IdealProjection, spikes: tuple[Any, Any]) -> Any:
    """Step and target of each arrival, shape (arrivals, 2)."""
    when, who = spikes
    order = np.argsort(projection.pre, kind="stable")
    first = np.searchsorted(projection.pre[order], [who, who + 1])
    count = first[1] - first[0]
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    synapses = order[np.arange(total) - np.repeat(ends - count - first[0], count)]
    delays = np.broadcast_to(projection.delays, projection.pre.shape)
    return np.stack([np.repeat(when, count) + delays[synapses], projection.post[synapses]], 1)


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
