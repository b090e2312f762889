"""Networks that learn: the plain definition of a chip's step, joined by that of a learning step.

In brian2-loihi's order a step is: spikes arrive and pass on w_act; traces of the x kind grow;
spikes that the targets fired in the step before let traces of the y kind grow; weights change;
traces decay. A weight that changes while a spike is under way counts when the spike arrives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from brian2 import StateMonitor
from numpy.typing import NDArray

from brian2lava.chip.learning import (
    Brian2LoihiLearning,
    Synapses,
    actual_weights,
)
from brian2lava.chip.learning.tape import SynapseDraws
from brian2lava.chip.learning.widths import TRACE_MAX
from brian2lava.chip.limits import ALIGNMENT
from brian2lava.chip.network import ChipNetwork, SignMode
from brian2lava.chip.plain import PlainChip
from brian2lava.errors import NotSupported
from brian2lava.loihi.describe import arriving, delays, ends
from brian2lava.loihi.members import owner
from brian2lava.loihi.synapses import LoihiSynapses

Numbers = NDArray[Any]


class Draws:
    """Rounding bits of traces, from a generator that ``brian2.seed`` governs."""

    def __init__(self) -> None:
        self._generator = np.random.default_rng(np.random.randint(0, 1 << 32, 4, dtype=np.uint64))

    def round_up(self, trace: str, step: int, fractions: Numbers) -> NDArray[np.bool_]:
        """Which synapses' ``trace`` is rounded up; numbers are drawn where there is a fraction."""
        up = np.zeros(fractions.shape, dtype=bool)
        broken = np.flatnonzero(fractions)
        up[broken] = fractions[broken] > self._generator.random(broken.size)
        return up


def draws(synapses: LoihiSynapses) -> SynapseDraws:
    """Where the rounding bits of the synapses' traces come from."""
    return Draws()


@dataclass
class Learner:
    """Synapses in the middle of a run.

    ``coming`` holds, by step, the sources whose spikes arrive then; ``rows`` what monitors saw.
    """

    synapses: LoihiSynapses
    state: Brian2LoihiLearning
    actual: Numbers
    delay: int
    coming: dict[int, list[Numbers]] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[Numbers]] = field(default_factory=dict)

    @classmethod
    def begin(cls, synapses: LoihiSynapses, first: int) -> Learner:
        """From the values in Brian2's variables, before step ``first``."""
        assert synapses.rule is not None
        pre, post = ends(synapses)
        sizes = len(owner(synapses.source)[0]), len(owner(synapses.target)[0])
        state = Brian2LoihiLearning(
            synapses.rule,
            Synapses(pre, post, *sizes),
            synapses.mantissas(),
            draws(synapses),
            SignMode(synapses.sign_mode).name,
            synapses.num_weight_bits,
        )
        state.time = first
        for name in state.traces:
            state.traces[name] = _values(synapses, name).astype(np.int64)
        learner = cls(
            synapses, state, _values(synapses, "w_act").astype(np.int64), int(delays(synapses))
        )
        learner._take_what_flies(first)
        return learner

    def _take_what_flies(self, first: int) -> None:
        flight = arriving(self.synapses, first)
        pre = ends(self.synapses)[0]
        for step in np.unique(flight.steps):
            flying = np.unique(flight.synapses[flight.steps == step])
            sources = np.unique(pre[flying])
            if np.isin(pre, sources).sum() != flying.size:
                raise NotSupported(
                    f"{self.synapses.name!r}: synapses were made while spikes of their sources are"
                    " under way. Make them before the first run, or run the delay to its end first."
                )
            self.coming.setdefault(int(step), []).append(sources)

    def arrive(self, step: int) -> tuple[Numbers, Numbers]:
        """Sources whose spikes arrive (boolean), and what is added to I of each target / 64."""
        synapses = self.state.synapses
        arrived = np.zeros(synapses.n_pre, bool)
        for sources in self.coming.pop(step, ()):
            arrived[sources] = True
        added = np.zeros(synapses.n_post, np.int64)
        active = np.flatnonzero(arrived[synapses.pre])
        np.add.at(added, synapses.post[active], self.actual[active] >> ALIGNMENT)
        return arrived, added

    def learn(self, arrived: Numbers, fired: Numbers, monitors: list[StateMonitor]) -> None:
        """The rest of the step: monitors look, and traces and weights change."""
        for monitor in monitors:
            for name in monitor.record_variables:
                if name in self.state.traces:
                    self._look(monitor, name, self._grown(name, arrived))
        self.state.step(arrived, fired)
        if self.synapses.dw:
            self.actual = actual_weights(
                self.state.weights,
                SignMode(self.synapses.sign_mode).name,
                self.synapses.num_weight_bits,
                self.synapses.w_exp,
                learned=True,
            )
        for monitor in monitors:
            for name, values in (("w", self.state.weights), ("w_act", self.actual)):
                if name in monitor.record_variables:
                    self._look(monitor, name, values)

    def _grown(self, name: str, arrived: Numbers) -> Numbers:
        """A trace as monitors see it: x after this step's impulse, y before."""
        values = self.state.traces[name]
        if name[0] == "y":
            return values
        grown = values + self.state.rule.traces[name].whole * arrived[self.state.synapses.pre]
        return np.minimum(grown, TRACE_MAX)

    def _look(self, monitor: StateMonitor, name: str, values: Numbers) -> None:
        seen = values[np.asarray(monitor.record)].copy()
        self.rows.setdefault((monitor.name, name), []).append(seen)

    def send(self, step: int, sent: Numbers) -> None:
        """Spikes that set out before ``step`` will arrive after the delay."""
        sources = np.flatnonzero(sent)
        if sources.size:
            self.coming.setdefault(step + self.delay, []).append(sources)

    def end(self) -> None:
        """Writes weights and traces into Brian2's variables."""
        variables = self.synapses.variables
        variables["w"].set_value(self.state.weights.astype(float))
        variables["w_act"].set_value(self.actual.astype(float))
        for name, values in self.state.traces.items():
            variables[name].set_value(values.astype(float))


def _values(synapses: LoihiSynapses, name: str) -> Numbers:
    return np.asarray(synapses.variables[name].get_value())


class LearningChip(PlainChip):
    """A chip network, without the synapses that learn, and these beside it.

    Parameters
    ----------
    network : ChipNetwork
    first : int
        The step that comes next, as Brian2 counts.
    synapses : list of LoihiSynapses
        Those that learn.
    fired : dict of str to array of int
        Who fired in the step before, by group.
    monitors : list of StateMonitor
        Those of the synapses.
    """

    def __init__(
        self,
        network: ChipNetwork,
        first: int,
        synapses: list[LoihiSynapses],
        fired: Mapping[str, Numbers],
        monitors: list[StateMonitor],
    ) -> None:
        super().__init__(network)
        self.first = first
        self.learners = [Learner.begin(item, first) for item in synapses]
        self._monitors = {
            item.name: [m for m in monitors if owner(m.source)[0].name == item.name]
            for item in synapses
        }
        self._fired = {
            population.name: np.zeros(population.size, bool) for population in network.populations
        }
        for name, indices in fired.items():
            self._fired[name][indices] = True

    def step(self) -> dict[str, Numbers]:
        """One time step; returns what each population and source sends."""
        now = self.first + self.now
        self._arrived_now = [learner.arrive(now) for learner in self.learners]
        sent = super().step()
        for learner, (arrived, _) in zip(self.learners, self._arrived_now):
            target = owner(learner.synapses.target)[0].name
            learner.learn(arrived, self._fired[target], self._monitors[learner.synapses.name])
            learner.send(now + 1, sent[owner(learner.synapses.source)[0].name])
        self._fired = {name: sent[name] != 0 for name in self._fired}
        return sent

    def _take_arrived(self) -> dict[tuple[str, str], Numbers]:
        arrived = super()._take_arrived()
        for learner, (_, added) in zip(self.learners, self._arrived_now):
            place = owner(learner.synapses.target)[0].name, "a_in"
            arrived[place] = arrived[place] + added
        return arrived
