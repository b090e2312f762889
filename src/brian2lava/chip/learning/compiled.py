"""Learning rules as operations of a step program.

A projection's learning is one operation that runs once a step, behind the deliveries, and goes
through lists: the neurons that fired, their synapses, the synapses with a live trace. Nothing else
is touched, but where a rule has u<k> terms (all synapses, each 2^k-th epoch) and for traces by
neuron. It computes what :class:`~brian2lava.chip.learning.FixedLearning` and
:class:`~brian2lava.chip.learning.Brian2LoihiLearning` define, integer by integer, with the draws of
:class:`~brian2lava.chip.learning.PhiloxTape`, or with draws that lava-nc would make.

The statements are C++ with loops of their own; the indices of what they touch are named ``_any``,
which to the engine means: any element.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brian2lava.chip.learning.rule import LearningRule
from brian2lava.chip.learning.synapses import Synapses, hold
from brian2lava.program import step_program as program
from brian2lava.program.step_program import SCALAR, Access

Values = tuple[float, ...]
#: The index of what statements touch anywhere.
ANY = "_any"


class Allocate(Protocol):
    """Makes an array of the program with these values, and gives its id."""

    def __call__(self, name: str, values: Any, scalar: bool = False) -> str: ...


@dataclass(frozen=True)
class Projecting:
    """What a learning projection is, and what it finds in the program.

    Attributes
    ----------
    name : str
    rule : LearningRule
    synapses : Synapses
        In the order of the pathway that delivers; draws by synapse go by it.
    weights : array of shape (synapses,)
        Initial mantissas: on the grid of their bits for lava-nc, as given for brian2-loihi.
    sign_mode : {"MIXED", "EXCITATORY", "INHIBITORY"}
    num_weight_bits : int
    exponent : int
    delivered : str
        Id of the array (synapses,) of what a spike adds; kept up to date.
    delivered_ctype : str
        Its C type.
    pre_events, post_events : str
        Ids of arrays of who fired in this step; their last element (n_pre, n_post) says how many.
    timestep : str
        Id of the clock's array of steps, counted from 0.
    clock : int
    key : int
        Of the random numbers: ``tape.stream_key(seed, stream)``.
    origin : Origin
    post_traces : dict of str to str
        For third-factor rules: y1, y2, y3 -> id of the array of that state of the targets.
    initial : dict of str to array
        Traces (by neuron in lava-nc's arithmetic, by synapse in brian2-loihi's), d and t before the
        first step; those that are left out are 0.
    """

    name: str
    rule: LearningRule
    synapses: Synapses
    weights: NDArray[np.int64]
    sign_mode: str
    num_weight_bits: int
    exponent: int
    delivered: str
    delivered_ctype: str
    pre_events: str
    post_events: str
    timestep: str
    key: int
    clock: int = 0
    origin: program.Origin = program.Origin("learning")
    post_traces: Mapping[str, str] = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)

    def first(self, name: str, size: int, limit: tuple[int, int], kind: Any) -> NDArray[Any]:
        """Initial values, shape (size,)."""
        values = np.array(np.broadcast_to(self.initial.get(name, 0), (size,)))
        hold(values, *limit, f"{self.name}, initial {name}")
        return values.astype(kind)


@dataclass(frozen=True)
class Compiled:
    """A projection's learning as operations, in their order, behind all deliveries.

    Attributes
    ----------
    operations : tuple of (Operation, values of its constants)
    variables : dict
        ``"w"``, ``"d"``, ``"t"`` -> array id, (synapses,).
    traces : dict
        Those that the rule reads -> array id, by neuron (lava-nc) or synapse (brian2-loihi).
    key : str
        Id of the array (int64, one element) that holds the random numbers' key.
    draws : str
        Id of the array of replayed draws, shape (capacity, 6), or empty.
    beyond : str
        Id of the number (int64) of times that a target supplied a trace outside 0 .. 127, which is
        then taken as 0 or 127; empty but for third-factor rules.
    """

    operations: tuple[tuple[program.Operation, Values], ...]
    variables: Mapping[str, str]
    traces: Mapping[str, str]
    key: str
    draws: str = ""
    beyond: str = ""


@dataclass
class Text:
    """Statements while they are made: C++ lines, arrays, accesses, constants."""

    projecting: Projecting
    allocate: Allocate
    lines: list[str] = field(default_factory=list)
    support: list[str] = field(default_factory=list)
    reads: set[Access] = field(default_factory=set)
    writes: set[Access] = field(default_factory=set)
    constants: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.constants["one"] = 1

    def array(self, name: str, values: Any, written: bool = True) -> str:
        """A new array of this projection; its id."""
        array_id = self.allocate(f"{self.projecting.name}_{name}", values)
        return self.touch(array_id, written)

    def counter(self, name: str, first: int = 0) -> str:
        """A number that stays between steps; its id."""
        values = np.array([first], np.int64)
        array_id = self.allocate(f"{self.projecting.name}_{name}", values, True)
        return self.touch(array_id, True, SCALAR)

    def touch(self, array_id: str, written: bool, index: str = ANY) -> str:
        """Say that an array is read, and perhaps written."""
        self.reads.add(Access(array_id, index))
        if written:
            self.writes.add(Access(array_id, index))
        return array_id

    def add(self, *lines: str) -> None:
        """Lines behind those that are there."""
        self.lines += lines

    def rows(self, name: str, neurons: NDArray[np.int64], size: int) -> tuple[str, str]:
        """Ids of (first place by neuron, synapses by place) of a side's table."""
        start = np.concatenate([[0], np.cumsum(np.bincount(neurons, minlength=size))])
        order = np.argsort(neurons, kind="stable")
        return (
            self.array(f"{name}_start", start.astype(np.int32), written=False),
            self.array(f"{name}_synapses", order.astype(np.int32), written=False),
        )

    def operation(self) -> tuple[program.Operation, Values]:
        """All lines as one operation that runs once a step."""
        name = f"{self.projecting.name}_learning"
        statements = program.Statements(
            vector="\n".join(self.lines),
            reads=frozenset(self.reads),
            writes=frozenset(self.writes),
            support="\n".join(self.support),
            constants=tuple(program.Constant(name, "int64_t") for name in self.constants),
        )
        made = program.Elementwise(
            name=name,
            origin=self.projecting.origin,
            clock=self.projecting.clock,
            statements=statements,
            count="one",
            domain=name,
        )
        return made, tuple(self.constants.values())


def signed(key: int) -> int:
    """A key of 64 bits as the int64 with the same bits."""
    return key - (1 << 64) if key >= 1 << 63 else key


def clipped(value: str, low: int, high: int) -> str:
    """C text: ``value`` between two numbers."""
    return f"b2l_clip({value}, {low}, {high})"


#: C functions that every learning operation has.
CLIP = """static inline int64_t b2l_clip(int64_t x, int64_t low, int64_t high) {
return x < low ? low : x > high ? high : x;
}"""


def factor_texts(
    term: Any, value: Callable[[str], str], bits: Mapping[str, int] | None = None
) -> list[str]:
    """C texts of a product's factors, saturated to ``bits`` by variable if these are given."""
    texts = []
    for factor in term.factors:
        text = f"({value(factor.variable)} + ({factor.constant}))"
        if factor.sign:
            text = f"(({text} > 0) - ({text} < 0))"
        if bits is not None:
            width = bits[factor.variable]
            text = clipped(text, -(1 << width), (1 << width) - 1)
        texts.append(text)
    return texts
