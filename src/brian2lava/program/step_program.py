"""The whole of a step program on one page.

::

    StepProgram = clocks, arrays, constants, operations (in the order of the schedule)
    Operation   = Elementwise        state updates, run_regularly, constant-over-dt subexpressions
                | Threshold          condition -> event list
                | Reset              statements for the elements of an event list
                | Pathway            spikes -> delays -> statements for synapses
                | SummedVariable     target = sum over synapses
                | SpikeSource        a list of times -> event list
                | StateRecorder | EventRecorder | RateRecorder
                | CableEquation      the voltage of a branched cable
                | PythonCall         leaves the engine; the host runs a Brian2 object

Statements are text in the engine's language, made by Brian2's own code generation; arrays are
named in them as ``_ptr<array id>``, constants by the name that the user gave them. Every operation
carries its :class:`Origin`, so that any later error can name the Brian2 object and equation.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Index names that mean "this element" and "the only element" in Brian2's statements.
ELEMENT, SCALAR = "_idx", "0"


@dataclass(frozen=True)
class Origin:
    """Where an operation comes from: the Brian2 object and the code that the user gave."""

    object_name: str
    code: str = ""

    def __str__(self) -> str:
        return f"'{self.object_name}'" + (f" ({self.code.strip()})" if self.code.strip() else "")


@dataclass(frozen=True)
class Array:
    """An array that operations name. ``ctype`` is its C type; ``dynamic`` arrays can grow."""

    id: str
    ctype: str
    scalar: bool = False
    dynamic: bool = False


@dataclass(frozen=True)
class Constant:
    """A number that statements name; its value is an argument of the compiled code."""

    name: str
    ctype: str


@dataclass(frozen=True)
class Access:
    """One array that statements touch, and the name of the index that they use on it."""

    array: str
    index: str


@dataclass(frozen=True)
class Statements:
    """Scalar statements run once, vector statements once an element."""

    scalar: str = ""
    vector: str = ""
    scalar_reads: frozenset[Access] = frozenset()
    scalar_writes: frozenset[Access] = frozenset()
    reads: frozenset[Access] = frozenset()
    writes: frozenset[Access] = frozenset()
    functions: frozenset[str] = frozenset()
    support: str = ""
    constants: tuple[Constant, ...] = ()
    #: Arrays that functions bring along (a TimedArray's values): name in the text -> array id.
    tables: tuple[tuple[str, str], ...] = ()

    @property
    def random(self) -> bool:
        """Whether random numbers are drawn."""
        return bool(self.functions & RANDOM_FUNCTIONS)


#: Functions whose value depends on more than their arguments.
RANDOM_FUNCTIONS = frozenset({"rand", "randn", "poisson", "binomial"})


@dataclass(frozen=True)
class Operation:
    """What all operations have. ``clock`` indexes ``StepProgram.clocks``."""

    name: str
    origin: Origin
    clock: int
    statements: Statements = field(default_factory=Statements)


@dataclass(frozen=True)
class Elementwise(Operation):
    """The vector statements for the elements 0 .. ``count`` - 1 of ``domain``."""

    count: str = ""
    domain: str = ""


@dataclass(frozen=True)
class Threshold(Operation):
    """Elements for which ``_cond`` holds go into ``events`` (their number into its last place)."""

    count: str = ""
    domain: str = ""
    events: str = ""
    not_refractory: str | None = None
    lastspike: str | None = None
    time: str | None = None


@dataclass(frozen=True)
class Reset(Operation):
    """The vector statements for the elements in ``events``."""

    events: str = ""


@dataclass(frozen=True)
class Pathway(Operation):
    """Events of sources ``first`` .. ``last`` - 1 reach their synapses after their delays."""

    events: str = ""
    first: int = 0
    last: int = 0
    delays: str = ""
    sources: str = ""
    targets: str = ""
    dt: str = ""
    #: Statement code is empty: spikes only travel.
    silent: bool = False


@dataclass(frozen=True)
class SummedVariable(Operation):
    """``target[i]`` = sum of ``_synaptic_var`` over the synapses with ``index`` i."""

    count: str = ""
    target: str = ""
    index: str = ""
    target_start: int = 0
    target_count: str = ""


@dataclass(frozen=True)
class SpikeSource(Operation):
    """Events at given time bins, possibly periodic."""

    events: str = ""
    neuron_index: str = ""
    timebins: str = ""
    period_bins: str = ""
    lastindex: str = ""
    timestep: str = ""
    count: str = ""


@dataclass(frozen=True)
class StateRecorder(Operation):
    """A row a step: ``_to_record_<name>`` for the elements in ``indices``."""

    indices: str = ""
    time: str = ""
    times: str = ""
    recorded: tuple[tuple[str, str], ...] = ()
    rows: str = ""


@dataclass(frozen=True)
class EventRecorder(Operation):
    """A row an event: ``_to_record_<name>``; ``counts`` by element."""

    events: str = ""
    first: int = 0
    last: int = 0
    recorded: tuple[tuple[str, str], ...] = ()
    rows: str = ""
    counts: str = ""


@dataclass(frozen=True)
class RateRecorder(Operation):
    """A row a step: events / elements / dt."""

    events: str = ""
    first: int = 0
    last: int = 0
    time: str = ""
    dt: str = ""
    times: str = ""
    rates: str = ""
    rows: str = ""


@dataclass(frozen=True)
class CableEquation(Operation):
    """Implicit step of the cable equation on a tree of sections (Hines, 1984).

    ``names`` maps the names of Brian2's ``spatialstateupdate`` template to arrays or constants.
    """

    count: str = ""
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class PythonCall(Operation):
    """The engine leaves; the host calls object number ``call``'s ``run`` and comes back."""

    call: int = 0


@dataclass(frozen=True)
class Clock:
    """A clock's arrays: its times are multiples of ``dt``, or those in the table ``times``."""

    name: str
    timestep: str
    t: str
    dt: str | None = None
    times: str | None = None

    def __post_init__(self) -> None:
        if (self.dt is None) == (self.times is None):
            raise ValueError(f"clock {self.name!r} needs either dt or times")


@dataclass(frozen=True)
class StepProgram:
    """All that an engine needs to know of a network, but for the values."""

    clocks: tuple[Clock, ...]
    arrays: tuple[Array, ...]
    operations: tuple[Operation, ...]
    headers: tuple[str, ...] = ()
