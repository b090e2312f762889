"""The traces of a connection that learns, and the random numbers that Lava rounds them with."""

from __future__ import annotations

import copy
import ctypes
import functools
from typing import Any

import numpy as np
from lava.magma.core.learning.learning_rule import Loihi2FLearningRule, Loihi3FLearningRule

from brian2lava.interop.compiled.kit import Kit, Unfit, name_of
from brian2lava.interop.compiled.library import Operation
from brian2lava.interop.compiled.rows.connections import is_graded
from brian2lava.interop.compiled.rows.rules import Rules


class Traces:
    """The traces of one connection: their operations, and arrays that the rules read.

    Attributes
    ----------
    inputs, outputs : int
        Numbers of neurons.
    epoch : int
        Steps in an epoch.
    fields : dict of str to array
        Of the operations that apply rules.
    flags : array of 3 int64
        For each rule, whether it has to look at all synapses in the next epoch.
    """

    def __init__(self, kit: Kit, fixed: bool) -> None:
        model = kit.model
        rule = model._learning_rule
        if not isinstance(rule, (Loihi2FLearningRule, Loihi3FLearningRule)):
            raise Unfit(f"its learning rule is a {type(rule).__name__}")
        self.epoch = int(rule.t_epoch)
        self.outputs, self.inputs = (int(size) for size in model._shape)
        self.flags = np.ones(3, np.int64)
        self._kit, self._fixed = kit, fixed
        self._sent = isinstance(rule, Loihi3FLearningRule)
        self._kind = np.dtype(np.int64 if fixed else np.float64)
        self._impulse, self._part = np.zeros(5, self._kind), np.zeros(5, np.int64)
        self._kept = np.zeros(5)
        self._decay, self._random = np.zeros(2), np.zeros(2, np.int64)
        steps = self.epoch + 1
        self.fields: dict[str, Any] = {
            "x_history": np.zeros(2 * steps * self.inputs, self._kind),
            "y_history": np.zeros(3 * steps * self.outputs, self._kind),
            "x_at": np.zeros(2 * self.inputs, self._kind),
            "y_at": np.zeros(3 * self.outputs, self._kind),
            "tx": kit.array("tx", np.int64),
            "ty": kit.array("ty", np.int64),
            "rounding": np.zeros(1),
        }
        kit.refresh.append(self._refresh)

    @property
    def _name(self) -> str:
        return "fixed" if self._fixed else "float"

    def add_spikes(self, s: Any) -> None:
        """Of senders (``s``) and receivers, in the spiking phase."""
        kit = self._kit
        drawn = [Operation("draw_traces", **self._generators())] if self._fixed else []
        impulse = (
            {"whole": self._impulse[:2], "part": self._part[:2]}
            if self._fixed
            else {"impulse": self._impulse[:2]}
        )
        pre = kit.add(
            f"pre_{self._name}_{name_of(s.dtype)}", n=self.inputs, epoch=self.epoch,
            graded=is_graded(kit), mode=int(kit.model._graded_spike_cfg), s=s, **impulse,
            tx=self.fields["tx"], x1=kit.state("x1", self._kind), x2=kit.state("x2", self._kind),
        )  # fmt: skip
        kit.refresh.append(lambda: pre.set("graded", is_graded(kit)))
        fired = kit.converted(kit.input("s_in_bap"), np.bool_)
        given = {f"in_{k}": None for k in (1, 2, 3)}
        if self._sent:
            for k in (1, 2, 3):
                given[f"in_{k}"] = kit.converted(kit.input(f"s_in_y{k}"), self._kind)
        kit.units[-1].operations += drawn
        kit.add(
            f"post_{self._name}", n=self.outputs, epoch=self.epoch, sent=self._sent, s=fired,
            **given, impulse=self._impulse[2:], part=self._part[2:], random=self._random,
            y0=kit.state("y0", np.bool_), ty=self.fields["ty"], **self._y(),
        )  # fmt: skip
        kit.units[-1].operations += drawn

    def _y(self) -> dict[str, Any]:
        return {name: self._kit.state(name, self._kind) for name in ("y1", "y2", "y3")}

    def _generators(self) -> dict[str, Any]:
        """Where Lava's generators of the traces are, and what they have drawn last."""
        if not _draws_alike():
            raise Unfit("this NumPy draws its numbers in another way")
        made: dict[str, Any] = {"decay": self._decay, "impulse": self._random}
        for place, name in enumerate("xy"):
            random = getattr(self._kit.model, f"_{name}_random")
            made[f"{name}_decay"] = _address(random._rng_trace_decay)
            made[f"{name}_impulse"] = _address(random._rng_impulse_addition)
            self._decay[place] = random.random_trace_decay
            self._random[place] = random.random_impulse_addition
        return made

    def add_learning(self, rules: Rules, operations: list[Operation]) -> None:
        """The learning phase: courses of traces, what ``operations`` make of them, and its end."""
        kit, sizes = self._kit, {"inputs": self.inputs, "outputs": self.outputs,
                                 "epoch": self.epoch}  # fmt: skip
        generator = _address(kit.model._conn_var_random._rng) if self._fixed else 0
        history = Operation(
            f"history_{self._name}", **sizes, sent=self._sent, watched=0, generator=generator,
            kept=self._kept, impulse=self._impulse, part=self._part, decay=self._decay,
            random=self._random, x1=kit.state("x1"), x2=kit.state("x2"), **self._y(),
            **self.fields, strange=self.flags,
        )  # fmt: skip
        kit.refresh.append(lambda: history.set("watched", rules.watched))
        forget = Operation(
            "forget", **sizes, x0=kit.state("x0", np.bool_), y0=kit.state("y0", np.bool_),
            tx=self.fields["tx"], ty=self.fields["ty"],
        )  # fmt: skip
        kit.learn += [history, *operations, forget]

    def _refresh(self) -> None:
        """Parameters, as the model has them."""
        model = self._kit.model
        for name, first in (("x", 0), ("y", 2)):
            taus = np.asarray(getattr(model, f"_{name}_taus"))
            place = slice(first, first + len(taus))
            lasting = taus != 0
            kept = np.full(len(taus), np.nan)
            kept[lasting] = np.exp(-1 / taus[lasting][:, np.newaxis])[:, 0]
            self._kept[place] = kept
            if self._fixed:
                self._impulse[place] = getattr(model, f"_{name}_impulses_int")
                self._part[place] = getattr(model, f"_{name}_impulses_frac")
            else:
                self._impulse[place] = getattr(model, f"_{name}_impulses")
        for name in ("tx", "ty"):
            times = self.fields[name]
            if times.size and not 0 <= times.min() <= times.max() <= self.epoch:
                raise ValueError(
                    f"{self._kit.member.name}: {name} is the step of a spike in the epoch, 0 to"
                    f" {self.epoch}; it was set to values from {times.min()} to {times.max()}."
                )
        self.flags[:] = 1


def _address(generator: Any) -> int:
    """Of NumPy's C interface to a generator."""
    return int(generator.bit_generator.ctypes.bit_generator.value)


@functools.cache
def _draws_alike() -> bool:
    """Whether single numbers are drawn from a generator as ``operations/learning.hpp`` says."""
    first = np.random.default_rng(5)
    second = copy.deepcopy(first)
    interface = first.bit_generator.ctypes
    state = ctypes.c_void_p(interface.state_address)
    for _ in range(3):
        real, bits = interface.next_double(state), interface.next_uint32(state) >> 25
        if real != second.random(1)[0] or bits != second.integers(0, 128, size=1, dtype=int)[0]:
            return False
    return True
