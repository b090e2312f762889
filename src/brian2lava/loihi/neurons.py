"""Leaky integrate-and-fire neurons of the chip as a Brian2 group."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from brian2 import NeuronGroup, ms
from brian2.equations.equations import PARAMETER, SUBEXPRESSION, Equations
from numpy.typing import NDArray

from brian2lava.errors import ChipLimit, NotSupported
from brian2lava.loihi.constants import given_name, whole

_MODEL = "v : 1\nI : 1\n"
#: A whole-number float beyond this has lost its last bit.
_EXACT = 1 << 53


class LoihiNeuronGroup(NeuronGroup):
    """``N`` neurons: I decays by decay_I/4096 a step, v by decay_v/4096 and is driven by I.

    In a step: I += weights of arrived spikes; v = dec(v, decay_v) + I unless refractory;
    I = dec(I, decay_I); a spike where v > 64 threshold_v_mant, and then v = 0. dec rounds toward
    zero. v and I are whole numbers without limits, as in brian2-loihi 0.5.2.

    Parameters
    ----------
    N : int
    refractory : int
        1 to 64 steps; 1 lets a neuron spike in every step.
    threshold_v_mant : int
        0 to 131071, in units of 64 of v.
    decay_v, decay_I : int
        0 (no decay) to 4096 (nothing is left after a step).
    name : str
    eqn_str : str
        Parameters and subexpressions of one's own, as Brian2 equations (positions, for instance);
        brian2-loihi has this argument in its repository, not in 0.5.2.

    Raises
    ------
    ChipLimit
        A parameter lies outside its range.
    """

    def __init__(
        self,
        N: int,
        refractory: int = 1,
        threshold_v_mant: int = 100,
        decay_v: int = 0,
        decay_I: int = 4096,
        name: str = "loihi_neurongroup*",
        eqn_str: str = "",
    ) -> None:
        this = given_name("LoihiNeuronGroup", name)
        decay_v = whole(this, "decay_v", decay_v, 0, 4096)
        decay_I = whole(this, "decay_I", decay_I, 0, 4096)
        refractory = whole(this, "refractory", refractory, 1, 64)
        threshold_v_mant = whole(this, "threshold_v_mant", threshold_v_mant, 0, 131071)
        _check_added(eqn_str)
        self.loihi_parameters: dict[str, Any] = {
            "1_tau_v": decay_v / 4096,
            "1_tau_I": decay_I / 4096,
            "v_th": threshold_v_mant * 64,
            "decay_v": decay_v,
            "decay_I": decay_I,
            "tau_v": 4096 / decay_v if decay_v else "inf",
            "tau_I": 4096 / decay_I if decay_I else "inf",
            "refractory": refractory,
            "threshold_v_mant": threshold_v_mant,
            "reset_v": 0,
        }
        #: who fired in the last step; their spikes set out in the next
        self._fired = np.zeros(0, np.int64)
        super().__init__(
            N,
            _MODEL + eqn_str,
            threshold=f"v > {threshold_v_mant * 64}",
            reset="v = 0",
            refractory=refractory * ms,
            name=name,
        )
        self.set_states({"v": 0})

    def __str__(self) -> str:
        return described("neuron group", self.name, self.loihi_parameters)

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

    def whole_state(self, variable: str) -> NDArray[np.int64]:
        """v or I as integers, shape (N,).

        What is no whole number is rounded toward zero, with a warning: a chip has no fractions.

        Raises
        ------
        ChipLimit
            A value is not finite, or beyond 2**53.
        """
        values = np.asarray(self.variables[variable].get_value())
        wrong = ~(np.abs(values) <= _EXACT)
        if wrong.any():
            raise ChipLimit(
                f"{self.name!r}: {variable}[{int(np.argmax(wrong))}] is {values[wrong][0]}; whole"
                " numbers up to 2**53 can be held. Check what was assigned, or use smaller weights."
            )
        integers = values.astype(np.int64)
        fractions = values != integers
        if fractions.any():
            warnings.warn(
                f"{self.name!r}: {int(fractions.sum())} values of {variable} have a fraction (the"
                f" first is {values[fractions][0]}). The chip has none, so they are rounded toward"
                f" zero; brian2-loihi would carry the fraction along. Assign whole numbers, for"
                f" instance group.{variable} = 'int(...)'.",
                stacklevel=4,
            )
        return integers

    def _full_state(self) -> dict[str, Any]:
        return {**super()._full_state(), "_fired": self._fired.copy()}

    def _restore_from_full_state(self, state: dict[str, Any]) -> None:
        kept = dict(state)
        self._fired = kept.pop("_fired").copy()
        super()._restore_from_full_state(kept)


def _check_added(eqn_str: str) -> None:
    for equation in Equations(eqn_str).values():
        if equation.type not in (PARAMETER, SUBEXPRESSION):
            raise NotSupported(
                f"eqn_str: {equation.varname!r} follows a differential equation, which the chip's"
                " neuron can't compute. Parameters and subexpressions can be added."
            )


def described(kind: str, name: str, parameters: dict[str, Any]) -> str:
    """A table of parameters as text."""
    rows = "".join(f"{key:18} {value}\n" for key, value in parameters.items())
    return f"Parameters of {kind} {name!r}:\n\n{rows}"
