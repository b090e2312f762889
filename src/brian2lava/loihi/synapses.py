"""Synapses of the chip as Brian2 synapses."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Synapses, ms
from numpy.typing import NDArray

from brian2lava.chip.learning import LearningRule, Product, Trace, learning_rule
from brian2lava.chip.limits import ALIGNMENT, SCALED_WEIGHT, WEIGHT_BITS
from brian2lava.errors import ChipLimit, NotSupported
from brian2lava.loihi.constants import given_name, synapse_sign_mode, whole
from brian2lava.loihi.neurons import described

#: Mantissas that can be assigned, by sign mode. Those of mixed signs are even on the chip.
_RANGE = {1: (-256, 254), 2: (0, 255), 3: (-256, 0)}
_NAMES = {number: name for name, number in vars(synapse_sign_mode).items()}


@dataclass(frozen=True)
class InFlight:
    """Spikes on their way: numbers of synapses, and the steps in which they will act."""

    synapses: NDArray[np.int64]
    steps: NDArray[np.int64]


_NOTHING = InFlight(np.zeros(0, np.int64), np.zeros(0, np.int64))


class LoihiSynapses(Synapses):
    """Synapses with 8-bit weights, a delay, and a learning rule.

    A spike adds w_act = 64 floor(2**w_exp trunc(w)) to I of its target, where trunc brings w
    toward zero to multiples of 2**(8 - num_weight_bits), twice that with mixed signs; w_act stays
    within 2**21 - 64.

    Parameters
    ----------
    source, target : LoihiNeuronGroup, LoihiSpikeGeneratorGroup or a part of one
    delay : int
        0 to 62 steps.
    dw : str
        A learning rule: a sum of products of x0, x1, x2, y0, y1, y2, y3, u0 .. u9, w and powers
        ``2^n``, each with x0, y0 or u.
    w_exp : int
        -8 to 7.
    sign_mode : int
        1 (mixed), 2 (excitatory), 3 (inhibitory).
    num_weight_bits : int
        0 to 8.
    imp_x1, tau_x1, ..., imp_y3, tau_y3 : int
        Impulse (0 to 127) and time constant (steps) of a trace; a trace exists where both are given
        and not 0.
    name : str

    Raises
    ------
    ChipLimit
        A parameter lies outside its range.
    RuleError
        ``dw`` can't be read, or is no rule that brian2-loihi computes; names the term.
    """

    def __init__(
        self,
        source: Any,
        target: Any = None,
        delay: int = 0,
        dw: str = "",
        w_exp: int = 0,
        sign_mode: int = 2,
        num_weight_bits: int = 8,
        imp_x1: int = False,
        tau_x1: int = False,
        imp_x2: int = False,
        tau_x2: int = False,
        imp_y1: int = False,
        tau_y1: int = False,
        imp_y2: int = False,
        tau_y2: int = False,
        imp_y3: int = False,
        tau_y3: int = False,
        name: str = "loihi_synapses*",
    ) -> None:
        this = given_name("LoihiSynapses", name)
        self.sign_mode = whole(this, "sign_mode", sign_mode, 1, 3)
        self.w_exp = whole(this, "w_exp", w_exp, -8, 7)
        self.num_weight_bits = whole(this, "num_weight_bits", num_weight_bits, 0, 8)
        delay = whole(this, "delay", delay, 0, 62)
        given = {
            "x1": (imp_x1, tau_x1), "x2": (imp_x2, tau_x2), "y1": (imp_y1, tau_y1),
            "y2": (imp_y2, tau_y2), "y3": (imp_y3, tau_y3),
        }  # fmt: skip
        #: impulse and time constant of each trace that exists
        self.traces = {
            trace: (
                whole(this, f"imp_{trace}", impulse, 0, 127),
                whole(this, f"tau_{trace}", tau, 0),
            )
            for trace, (impulse, tau) in given.items()
            if impulse and tau
        }
        self.loihi_parameters: dict[str, Any] = {
            "delay": delay, "dw": dw, "w_exp": w_exp, "sign_mode": sign_mode,
            "num_weight_bits": num_weight_bits,
        }  # fmt: skip
        for trace, (impulse, tau) in given.items():
            self.loihi_parameters |= {f"imp_{trace}": impulse, f"tau_{trace}": tau}
        self.dw = dw
        self.rule = _rule(dw, self.traces)
        self._w: NDArray[Any] | None = None
        self._assigned: NDArray[Any] | None = None
        self._in_flight = _NOTHING
        super().__init__(
            source,
            target,
            model=self._model(),
            on_pre="I_post += w_act",
            delay=delay * ms,
            name=name,
        )

    def _model(self) -> str:
        low, high = _RANGE[self.sign_mode]
        current = f"clip(w, {low}, {high})" if self.dw else "w_act"
        traces = "".join(f"{trace} : 1\n" for trace in self.traces)
        return f"w : 1\nw_act : 1\nw_clipped = {current} : 1\n{traces}"

    @property
    def learns(self) -> bool:
        """Whether weights or traces change while the network runs."""
        return self.rule is not None

    # ------------------------------------------------------------ weights
    @property
    def w(self) -> Any:
        """The mantissas as they were assigned; what learning has made of them is ``w_``."""
        return self._w

    @w.setter
    def w(self, weights: Any) -> None:
        given = np.array(weights)
        if given.dtype.kind != "i":
            raise ChipLimit(
                f"{self.name!r}: weights of type {given.dtype}; integers are needed, for instance"
                " synapses.w = np.array(...).astype(int)."
            )
        low, high = _RANGE[self.sign_mode]
        if np.any(given < low) or np.any(given > high):
            raise ChipLimit(
                f"{self.name!r}: weights from {given.min()} to {given.max()}; {low} to {high} are"
                f" possible with sign mode {_NAMES[self.sign_mode]}. Use w_exp, or scale them."
            )
        self._w, self._assigned = given, given.copy()
        self.set_states({"w": given, "w_act": self.calcActualWeights(given)})

    @property
    def w_act(self) -> Any:
        """What a spike adds to I of its target, by the assigned mantissas."""
        if self._w is None:
            raise ChipLimit(f"{self.name!r}: no weights were assigned; synapses.w = ... does that.")
        return self.calcActualWeights(self._w)

    @property
    def grid(self) -> int:
        """Weights are multiples of this power of two."""
        mixed = self.sign_mode == synapse_sign_mode.MIXED
        return 1 << (WEIGHT_BITS - self.num_weight_bits + int(mixed))

    def calcActualWeights(self, weights: Any) -> NDArray[np.int64]:
        """What a spike adds to I, for mantissas ``weights`` (same shape)."""
        mantissas = self.truncated(weights)
        exponent = self.w_exp
        shifted = mantissas << exponent if exponent >= 0 else mantissas >> -exponent
        actual: NDArray[np.int64] = np.clip(
            shifted << ALIGNMENT, -SCALED_WEIGHT.high, SCALED_WEIGHT.high
        )
        return actual

    def truncated(self, weights: Any) -> NDArray[np.int64]:
        """Mantissas brought toward zero to the grid of the weight's bits."""
        mantissas: NDArray[np.int64] = np.trunc(np.asarray(weights) / self.grid).astype(np.int64)
        return mantissas * self.grid

    def mantissas(self) -> NDArray[np.int64]:
        """The present mantissas, shape (synapses,).

        Warns where ``w`` was changed in place, which neither brian2-loihi nor this class sees.
        """
        values = np.asarray(self.variables["w"].get_value()).astype(np.int64)
        if self._w is not None and self._assigned is not None:
            unseen = not np.array_equal(self._w, self._assigned)
            early = self._w.ndim == 0 and not self.dw and bool(np.any(values != self._w))
            if unseen or early:
                warnings.warn(
                    f"{self.name!r}: w was changed in place, or assigned before connect(), and"
                    " that has no effect on the synapses. Assign it after connect():"
                    " synapses.w = ...",
                    stacklevel=4,
                )
        return values

    # ------------------------------------------------------------ what Brian2 asks for
    def __str__(self) -> str:
        return described("synapses", self.name, self.loihi_parameters)

    def before_run(self, run_namespace: Any) -> None:
        """Only a LoihiNetwork knows how to run this.

        Raises
        ------
        NotSupported
            Always.
        """
        raise NotSupported(
            f"{self.name!r} is run by another network than a LoihiNetwork, which does not compute"
            " in the chip's integers. Put it into LoihiNetwork(...) and call that network's run()."
        )

    def _full_state(self) -> dict[str, Any]:
        kept = {"_w": self._w, "_assigned": self._assigned, "_in_flight": self._in_flight}
        return {**super()._full_state(), **kept}

    def _restore_from_full_state(self, state: dict[str, Any]) -> None:
        kept = dict(state)
        for name in ("_w", "_assigned", "_in_flight"):
            object.__setattr__(self, name, kept.pop(name))
        super()._restore_from_full_state(kept)


def _rule(dw: str, traces: dict[str, tuple[int, int]]) -> LearningRule | None:
    """The learning rule; where only traces were asked for, one that changes nothing."""
    given: dict[str, Any] = {name: Trace(*values) for name, values in traces.items()}
    if dw:
        return learning_rule(dw, dialect="brian2loihi", **given)
    return LearningRule(dw=(Product(0, 0, "u0"),), **given) if traces else None
