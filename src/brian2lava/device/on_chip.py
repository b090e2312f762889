"""A run in a chip's arithmetic: recognised, quantised, lowered, and read back in the user's units.

Brian2's own sources and monitors stay what they are. The operations of neurons and synapses are
replaced by the chip's, on arrays of integers; before a monitor reads, the integers are written
into the variables in the user's units, and so they are at the end of a run.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.network import Network
from brian2.groups.neurongroup import NeuronGroup
from brian2.input.poissoninput import PoissonInput

from brian2lava.capture.network import Captured
from brian2lava.capture.statements import array_id
from brian2lava.chip.arithmetic import evaluate
from brian2lava.chip.ideal import IdealNetwork, StateLink
from brian2lava.chip.lower import Decode, Lowered, RefractoryArrays, Surroundings, ahead, lower
from brian2lava.chip.network import ChipNetwork
from brian2lava.chip.plain import zero_registers
from brian2lava.chip.profiles import profile
from brian2lava.chip.quantise import Quantised, float_ranges, quantise, states_to_user
from brian2lava.chip.recognise.brian_network import Recognised, recognise
from brian2lava.chip.recognise.refusal import OTHERWISE
from brian2lava.chip.refractory import refuse_moved
from brian2lava.chip.resources import check_fits
from brian2lava.device.at_spikes import read_before_reset
from brian2lava.device.chip_again import again_of, variables_of
from brian2lava.device.chip_plastic import ChipSynapses, with_earlier_peaks
from brian2lava.device.chip_program import Composing
from brian2lava.device.chip_runs import Kept, refuse_lost
from brian2lava.engine.cpu import instance as cpu
from brian2lava.errors import ChipOverflow, NotSupported
from brian2lava.program import step_program as program

#: Steps of the run in floating point that shows how large states become; fewer in large networks.
#: The run's own length does not enter, so that run(20*ms) is run(10*ms) twice.
RANGE_STEPS = 1000
_RANGE_WORK = 50_000_000
#: Deliveries by synapses in that run: seconds, where there are 10 million synapses.
RANGE_EVENTS = 100_000_000
#: What a chip does in a step, by Brian2's names.
_ORDER = ("groups", "thresholds", "synapses", "resets")
#: The profile of each chip where none is asked for.
DEFAULT_PROFILE = {"Loihi1": "loihi1", "Loihi2": "lava"}


class OnChip:
    """One run of a network on a chip's emulator; see :class:`brian2lava.device.loop.ChipRun`."""

    def __init__(
        self, device: Any, net: Network, clocks: Sequence[Any], namespace: Mapping[str, Any]
    ) -> None:
        self.device = device
        self.net = net
        self.clocks = clocks
        self.namespace = namespace
        self.before = device.chip_runs.of(net)
        options = device.options
        self.arithmetic = profile(options.arithmetic or DEFAULT_PROFILE[options.hardware])
        self.kept: Kept | None = None
        self._low: Lowered | None = None
        self._recognised: Recognised | None = None
        self._synapses: ChipSynapses | None = None
        self._pathways: list[program.Pathway] = []
        self._clock: Any = None

    # ------------------------------------------------------------ before the loop
    def lowered(self, captured: Captured, objects: Sequence[BrianObject]) -> Captured:
        """The captured network with the chip's operations."""
        self._remember(objects)
        # a PoissonInput's own code is not what runs, whatever language it is in
        calls = [obj for obj in captured.calls if not isinstance(obj, PoissonInput)]
        if calls:
            names = ", ".join(sorted({f"'{obj.name}'" for obj in calls}))
            raise NotSupported(
                f"{names}: Python code in every step can't reach the registers of a chip. Take it"
                f" out, {OTHERWISE}"
            )
        _refuse_schedule(self.net)
        clock = _common_clock(objects)
        steps = max(0, int(clock._i_end - clock.variables["timestep"].get_value()[0]))
        first = int(clock.variables["timestep"].get_value()[0])
        found = self._recognised = recognise(
            objects, self.namespace, first, max(steps, RANGE_STEPS)
        )
        quantised = self._quantise(found.ideal)
        if self.before is None or self.before.objects.keys() != {obj.name for obj in objects}:
            check_fits(quantised.network, self.device.options.hardware)
        self.kept = Kept(
            quantised,
            self.device.options.hardware,
            {obj.name: weakref.ref(obj) for obj in objects},
            {one: name for name, made in found.pathways.items() for one in made},
            steps=steps,
            seed=self.device.random.given or 0,
        )
        self._synapses = ChipSynapses(objects, quantised, self.before)
        around = self._surroundings(captured, objects, clock, found, quantised)
        self._low = lower(quantised.network, around)
        self._restore_integers(quantised.network)
        self._synapses.restore(self._low)
        self.device.runs.drop(self.net)  # what its queues hold is set anew in begin()
        composed = Composing(captured, self._low, objects, found, quantised).done()
        self._pathways = [
            operation
            for operation in composed.program.operations
            if isinstance(operation, program.Pathway)
        ]
        self._clock = clock
        self.kept.again = again_of(
            self.device, captured, composed, self._low, quantised, variables_of(objects),
            around.clock, first, 0 if self.before is None else self.before.waiting,
        )  # fmt: skip
        return composed

    def _remember(self, objects: Sequence[BrianObject]) -> None:
        """What the last run left of these objects."""
        if self.before is not None:
            self.before = self.before.of_these(objects)

    def _quantise(self, ideal: IdealNetwork) -> Quantised:
        chip = self.device.options.hardware
        scales = dict(self.before.quantised.scales) if self.before is not None else {}
        names = {population.name for population in ideal.populations}
        if names - scales.keys():
            ideal = float_ranges(
                ideal, range_steps(ideal), self.device.random.given or 0, RANGE_EVENTS
            )
        if self.before is not None:
            ideal = with_earlier_peaks(ideal, self.before.quantised.ideal)
            scales = {**(self.device.options.scales or {}), **scales}
            return quantise(
                ideal, chip, self.arithmetic, scales={k: v for k, v in scales.items() if k in names}
            )
        return quantise(ideal, chip, self.arithmetic, scales=self.device.options.scales)

    def _surroundings(
        self,
        captured: Captured,
        objects: Sequence[BrianObject],
        clock: Any,
        found: Recognised,
        quantised: Quantised,
    ) -> Surroundings:
        events = {}
        for operation, owner in zip(captured.program.operations, captured.owners, strict=True):
            if isinstance(operation, program.Threshold | program.SpikeSource):
                events[owner] = operation.events
        by_group = {}
        for obj in objects:
            thresholder = getattr(obj, "thresholder", {}).get("spike", obj)
            if thresholder.name in events:
                by_group[obj.name] = events[thresholder.name]
        assert self._synapses is not None
        return Surroundings(
            clock=self.clocks.index(clock),
            timestep=array_id(clock.variables["timestep"]),
            events=by_group,
            origins=_origins(objects),
            refractory=_refractory(captured, objects),
            seed=self.device.random.key,
            traces=self._synapses.traces(),
            synaptic=self._synapses.decodes(captured),
            at_spikes=frozenset(read_before_reset(captured, objects, found).values()),
            decodes={
                obj.name: self._decodes(captured, obj, found, quantised)
                for obj in objects
                if isinstance(obj, NeuronGroup) and obj.name in found.maps
            },
        )

    def _decodes(
        self, captured: Captured, group: NeuronGroup, found: Recognised, quantised: Quantised
    ) -> list[Decode]:
        scale = quantised.scales[group.name]
        return [
            Decode(
                array_id(group.variables[link.variable]),
                link.state,
                scale * link.gain,
                link.offset,
                link.ahead,
            )
            for link in found.matched[group.name].population.links
            if array_id(group.variables[link.variable]) in captured.variables
        ]

    def _restore_integers(self, network: ChipNetwork) -> None:
        """Go on with the integers of the last run where the user has not set other values."""
        low, before, found = self._low, self.before, self._recognised
        assert low is not None and found is not None
        if before is None:
            return
        for population in network.populations:
            name = population.name
            links = {link.state: link for link in found.matched[name].population.links}
            for state in population.neuron.states:
                key = name, state.name
                link = links.get(state.name)
                touched = link is not None and not self._untouched(name, link)
                if not touched and key in low.states and key in before.states:
                    low.storage[low.states[key]][: population.size] = before.states[key]
                # what the user has set counts in what was about to arrive only if it is ahead
                if not (touched and link is not None and link.ahead):
                    arrived = before.sums.get((name, state.port), [])
                    sums = low.sums.get((name, state.port), [])
                    refuse_lost(name, state.port, arrived[len(sums) :])
                    for (array, _), values in zip(sums, arrived, strict=False):
                        low.storage[array][: population.size] = values
            if {(name, "blocked"), (name, "v")} <= low.states.keys():
                v, blocked = (
                    low.storage[low.states[name, state]][: population.size]
                    for state in ("v", "blocked")
                )
                refuse_moved(population, v, blocked, links["v"].variable)

    def _untouched(self, population: str, link: StateLink) -> bool:
        assert self.before is not None
        written = self.before.written.get((population, link.variable))
        return written is not None and np.array_equal(written, self._values(population, link))

    def _values(self, population: str, link: StateLink) -> Any:
        group = next(obj for obj in self.net.sorted_objects if obj.name == population)
        return self.device.arrays[group.variables[link.variable]]

    def begin(self, instance: cpu.Instance) -> None:
        """Put spikes that were in flight at the end of the last run back into the queues."""
        if self.before is None:
            return
        assert self._low is not None and self.kept is not None
        for which, (key, ends) in enumerate(self._delivered().items()):
            pending = self.before.flying.get(key)
            if pending is None or not len(pending.steps):
                continue
            if not _same(ends, self.before.synapses.get(key)):
                raise NotSupported(
                    f"'{key[0]}': {len(pending.steps)} spikes are on their way from the last run,"
                    " and its synapses or delays were changed. On a chip that is a new"
                    " configuration: change them before the first run, or run until nothing is in"
                    " flight."
                )
            instance.set_pending(which, pending)

    def _delivered(self) -> dict[tuple[str, int], tuple[Any, Any, Any]]:
        """By projection and its part, in the order of queues: sources, targets and delays."""
        assert self._low is not None
        storage = self._low.storage
        found: dict[tuple[str, int], tuple[Any, Any, Any]] = {}
        parts: Counter[str] = Counter()
        for operation in self._pathways:
            found[operation.name, parts[operation.name]] = (
                storage[operation.sources],
                storage[operation.targets],
                storage[operation.delays],
            )
            parts[operation.name] += 1
        return found

    # ------------------------------------------------------------ after the loop
    def end(self, instance: cpu.Instance) -> None:
        """Write states in the user's units; keep the integers for the next run."""
        low, kept, found = self._low, self.kept, self._recognised
        assert low is not None and kept is not None and found is not None
        network = kept.quantised.network
        for population in network.populations:
            name, size = population.name, population.size
            for state in population.neuron.states:
                if (name, state.name) in low.states:
                    stored = low.storage[low.states[name, state.name]]
                    kept.states[name, state.name] = stored[:size].copy()
            for port in population.neuron.ports:
                kept.sums[name, port] = [
                    low.storage[array][:size].copy() for array, _ in low.sums.get((name, port), [])
                ]
            for link in found.matched[name].population.links:
                if (name, link.state) not in low.states:
                    continue
                integers = self._present(population, link)
                place = self._values(name, link)
                place[:] = states_to_user(kept.quantised, name, link, integers)
                kept.written[name, link.variable] = np.array(place)
        if instance.host.alive:
            for which, (key, ends) in enumerate(self._delivered().items()):
                kept.flying[key] = instance.pending(which)
                kept.synapses[key] = ends
        earlier = self.before.counts if self.before else {}
        kept.counts = {
            key: int(low.storage[array].sum(dtype=np.int64)) + earlier.get(key, 0)
            for key, array in low.counters.items()
        }
        assert self._synapses is not None
        last = int(self._clock.variables["timestep"].get_value()[0]) - 1
        self._synapses.end(low, kept, last * float(self._clock.dt_))
        self.device.chip_runs.keep(self.net, kept)
        if self.device.options.overflow == "raise":
            self._raise_overflow(kept.counts)

    def _raise_overflow(self, counts: Mapping[tuple[str, str], int]) -> None:
        for (name, counter), count in counts.items():
            if count:
                raise ChipOverflow(
                    f"'{name}': states {counter} {count} times in this run. Give set_device a"
                    f" smaller scale, scales={{{name!r}: ...}}, or overflow='chip' to compute what"
                    " the chip does."
                )

    def _present(self, population: Any, link: StateLink) -> Any:
        """The integers that a variable is read from."""
        low, kept = self._low, self.kept
        assert low is not None and kept is not None
        name, size = population.name, population.size
        integers = low.storage[low.states[name, link.state]][:size]
        if not link.ahead:
            return integers
        word = self.arithmetic.word
        kind = np.int32 if word == 32 else np.int64
        values: dict[str, Any] = {
            register: np.asarray(numbers, kind)
            for register, numbers in population.registers.items()
        }
        for port in population.neuron.ports:
            total = np.zeros(size, kind)
            for array, late in low.sums.get((name, port), []):
                total = total + (low.storage[array][:size] >> -late)
            values[port] = total
        values.update(
            {state.name: low.storage[low.states[name, state.name]][:size]
             for state in population.neuron.states if (name, state.name) in low.states}
        )  # fmt: skip
        step = population.neuron.step(self.arithmetic, zero_registers(population))
        for target, expression in ahead(step, link.state):
            values[target] = evaluate(expression, values, word)
        return values[link.state]


def range_steps(ideal: IdealNetwork) -> int:
    """Steps of the run in floating point that shows how large states become."""
    size = sum(population.size for population in ideal.populations)
    return int(min(RANGE_STEPS, max(50, _RANGE_WORK // max(1, size))))


def _same(ends: tuple[Any, ...], others: tuple[Any, ...] | None) -> bool:
    return others is not None and all(
        np.array_equal(one, other) for one, other in zip(ends, others, strict=True)
    )


def _refractory(captured: Captured, objects: Sequence[BrianObject]) -> dict[str, RefractoryArrays]:
    """By group: where Brian2 keeps when its neurons fired, as far as the program has it."""
    found = {}
    for obj in objects:
        if not isinstance(obj, NeuronGroup) or "lastspike" not in obj.variables:
            continue
        arrays = RefractoryArrays(
            array_id(obj.variables["lastspike"]),
            array_id(obj.variables["not_refractory"]),
            array_id(obj.clock.variables["t"]),
        )
        if {arrays.lastspike, arrays.not_refractory, arrays.time} <= set(captured.variables):
            found[obj.name] = arrays
    return found


def _origins(objects: Sequence[BrianObject]) -> dict[str, str]:
    return {
        obj.name: str(getattr(obj, "user_equations", ""))
        for obj in objects
        if isinstance(obj, NeuronGroup)
    }


def _refuse_schedule(net: Network) -> None:
    """Neurons update, fire, and reach their targets: in this order, whatever stands between."""
    slots = [slot for slot in net.schedule if slot in _ORDER]
    if slots != [slot for slot in _ORDER if slot in slots]:
        raise NotSupported(
            f"'{net.name}' has the schedule {net.schedule}: a chip updates its neurons, lets them"
            f" fire, and then delivers spikes ({', '.join(_ORDER)}). Leave the schedule as it is,"
            f" {OTHERWISE}"
        )


def _common_clock(objects: Sequence[BrianObject]) -> Any:
    """The clock of neurons, sources and synapses: a chip has one."""
    clocks = {
        obj.clock.name: obj
        for obj in objects
        if hasattr(obj, "thresholder") or hasattr(obj, "queue") or hasattr(obj, "_spikespace")
    }
    if len(clocks) > 1:
        first, second = list(clocks.values())[:2]
        raise NotSupported(
            f"'{first.name}' and '{second.name}' have clocks of their own ('{first.clock.name}',"
            f" '{second.clock.name}'). A chip has one time step: give all of them the same dt."
        )
    return next(iter(clocks.values())).clock if clocks else objects[0].clock
