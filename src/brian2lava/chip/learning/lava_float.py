"""The learning step of lava-nc's floating-point model.

Traces decay by exp(-1/tau) and are unbounded; each variable grows by the sum of its products;
excitatory weights and d stop at 0 from below, inhibitory ones from above; nothing else is limited.

Source: ``LearningConnectionModelFloat`` and ``LearningRuleApplierFloat``, lava-nc 0.10.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brian2lava.chip.learning.lava import LavaLearning, Values
from brian2lava.chip.learning.rule import TRACES, LearningRule, Product, RuleError
from brian2lava.chip.learning.synapses import Synapses, check_rule, clip_of, synaptic

_CLIP = {
    "MIXED": (-np.inf, np.inf),
    "EXCITATORY": (0.0, np.inf),
    "INHIBITORY": (-np.inf, 0.0),
}


class FloatLearning(LavaLearning):
    """Learning in floating point; parameters as in ``FixedLearning``, without a tape."""

    def __init__(
        self,
        rule: LearningRule,
        synapses: Synapses,
        weights: Any,
        sign_mode: str = "MIXED",
        delays: Any = 0.0,
        tags: Any = 0.0,
    ) -> None:
        super().__init__(check_rule(rule, "lava"), synapses, np.float64)
        for name in sorted(set(TRACES) & rule.used):
            if rule.traces[name].tau == 0:
                raise RuleError(
                    f"trace {name} is read and has the time constant 0; lava-nc's floating-point"
                    " model makes that not-a-number. Give it a time constant above 0."
                )
        clips = {"w": clip_of(sign_mode, _CLIP), "d": (0.0, np.inf), "t": (-np.inf, np.inf)}
        self.clips: dict[str, tuple[float, float]] = clips
        for name, given in (("w", weights), ("d", delays), ("t", tags)):
            self.variables[name] = synaptic(given, synapses, np.float64, name)

    def _draw(self) -> None:
        """Nothing is drawn."""

    def _early_impulse(self, name: str, values: Values) -> Values:
        return values + self.rule.traces[name].impulse

    _impulse = _early_impulse

    def _decayed(self, name: str, values: Values) -> Values:
        tau = self.rule.traces[name].tau
        return np.exp(-1 / tau) * values if tau else np.zeros_like(values)

    def _check_trace(self, name: str, values: Values) -> None:
        """Any number will do."""

    def _changed(
        self,
        variable: str,
        products: tuple[Product, ...],
        value: Callable[[str, Product], Values],
    ) -> Values:
        total = np.zeros(self.synapses.size)
        for term in products:
            p = term.scale * self.gate(term, value)
            for factor in term.factors:
                f = value(factor.variable, term) + factor.constant
                p = p * (np.sign(f) if factor.sign else f)
            total += p
        return np.clip(self.variables[variable] + total, *self.clips[variable])
