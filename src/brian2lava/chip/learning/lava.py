"""The learning step of lava-nc: epochs, spike times within them, traces at those times.

lava-nc keeps the last spike of an epoch as a time tx (ty), 1 .. t_epoch, and 0 for none; an earlier
one adds its impulse at once. At the end of an epoch it lets traces decay step by step, adds the
impulse at tx, and evaluates x0 products with the traces at tx, y0 products with those at ty and u
products with those at the end. The impulse of a spike is part of the trace at its own time: a
triplet rule that needs the value before writes ``(y2 - impulse)``.

Source: ``PyLearningConnection`` of lava-nc 0.10.0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.learning.rule import POST_TRACES, PRE_TRACES, LearningRule, Product
from brian2lava.chip.learning.synapses import Spikes, Synapses, spikes
from brian2lava.errors import ChipLimit

Values = NDArray[Any]


class LavaLearning(ABC):
    """Traces by neuron, weights and tags by synapse.

    Attributes
    ----------
    variables : dict
        ``"w"``, ``"d"``, ``"t"`` -> array of shape (synapses,).
    traces : dict
        ``"x1"``, ``"x2"`` -> (n_pre,), ``"y1"`` .. ``"y3"`` -> (n_post,).
    time_step : int
        Steps made; lava-nc's ``time_step``.
    """

    def __init__(self, rule: LearningRule, synapses: Synapses, kind: Any) -> None:
        self.rule = rule
        self.synapses = synapses
        self.time_step = 0
        self.variables: dict[str, Values] = {}
        self.traces: dict[str, Values] = {
            name: np.zeros(synapses.n_pre if name in PRE_TRACES else synapses.n_post, dtype=kind)
            for name in PRE_TRACES + POST_TRACES
        }
        self.tx = np.zeros(synapses.n_pre, dtype=np.int64)
        self.ty = np.zeros(synapses.n_post, dtype=np.int64)

    @property
    def weights(self) -> Values:
        """The weights, shape (synapses,)."""
        return self.variables["w"]

    def step(
        self,
        pre_spikes: Spikes,
        post_spikes: Spikes,
        post_traces: dict[str, Values] | None = None,
    ) -> None:
        """One time step; ``post_traces`` (y1, y2, y3 by target) is for third-factor rules."""
        pre_spikes = spikes(pre_spikes, self.synapses.n_pre, "pre_spikes")
        post_spikes = spikes(post_spikes, self.synapses.n_post, "post_spikes")
        self.time_step += 1
        within = (self.time_step - 1) % self.rule.t_epoch + 1
        self._draw()
        for names, spiked, times in (
            (PRE_TRACES, pre_spikes, self.tx),
            (POST_TRACES, post_spikes, self.ty),
        ):
            again = spiked & (times > 0)
            for name in names:
                self.traces[name][again] = self._early_impulse(name, self.traces[name][again])
            times[spiked] = within
        self._take(post_traces)
        if within == self.rule.t_epoch:
            self._learn()
            self.tx[:] = self.ty[:] = 0

    def _take(self, post_traces: dict[str, Values] | None) -> None:
        if (post_traces is not None) != self.rule.third_factor:
            raise ChipLimit(
                "post_traces are given for rules with third_factor=True, and for those only."
            )
        for name, values in (post_traces or {}).items():
            self._check_trace(name, np.asarray(values))
            self.traces[name][:] = values

    def _learn(self) -> None:
        histories = {name: self._history(name) for name in self.traces}
        for name, history in histories.items():
            if not (self.rule.third_factor and name in POST_TRACES):
                self.traces[name] = history[-1].copy()
        times = {"x0": self.tx[self.synapses.pre], "y0": self.ty[self.synapses.post]}
        old = {name: values.copy() for name, values in self.variables.items()}

        def value(variable: str, term: Product) -> Values:
            """A variable of a product, by synapse."""
            if variable in old:
                return old[variable]
            if variable in times:
                return times[variable] > 0
            side = self.synapses.pre if variable in PRE_TRACES else self.synapses.post
            if term.dependency in times:
                return histories[variable][times[term.dependency], side]
            return histories[variable][-1][side]

        for variable, products in self.rule.changes.items():
            self.variables[variable] = self._changed(variable, products, value)

    def gate(self, term: Product, value: Callable[[str, Product], Values]) -> Values:
        """Where a product counts: booleans by synapse."""
        k = term.decimation
        if k is None:
            return value(term.dependency, term)
        due = self.time_step // self.rule.t_epoch % 2**k == 0
        return np.full(self.synapses.size, due)

    def _history(self, name: str) -> Values:
        """The trace at the times 0 .. t_epoch of this epoch, shape (t_epoch + 1, neurons)."""
        times = self.tx if name in PRE_TRACES else self.ty
        history = [self.traces[name]]
        for time in range(1, self.rule.t_epoch + 1):
            values = self._decayed(name, history[-1])
            spiked = times == time
            values[spiked] = self._impulse(name, values[spiked])
            history.append(values)
        return np.stack(history)

    @abstractmethod
    def _draw(self) -> None:
        """Fetch the random numbers of this step."""

    @abstractmethod
    def _early_impulse(self, name: str, values: Values) -> Values:
        """Traces after a spike that is followed by another in its epoch."""

    @abstractmethod
    def _impulse(self, name: str, values: Values) -> Values:
        """Traces after the last spike of an epoch."""

    @abstractmethod
    def _decayed(self, name: str, values: Values) -> Values:
        """Traces one step later; a new array."""

    @abstractmethod
    def _check_trace(self, name: str, values: Values) -> None:
        """Whether a neuron may supply these."""

    @abstractmethod
    def _changed(
        self,
        variable: str,
        products: tuple[Product, ...],
        value: Callable[[str, Product], Values],
    ) -> Values:
        """A synaptic variable after its rule."""
