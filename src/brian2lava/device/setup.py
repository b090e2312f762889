"""Set-up code in compiled form, run in this process: settings, look-ups, the making of synapses.

Brian2's NumPy code objects do the rest. What is compiled is decided by sizes alone, never by what
the cache holds: the same script with the same seed draws the same numbers, wherever it runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2.core.base import BrianObjectException

from brian2lava.capture.code_object import has_native_functions
from brian2lava.capture.setup import SETUP_TEMPLATES, CapturedSetup, capture_setup, user_code
from brian2lava.device.compiler import toolchain
from brian2lava.engine.cpu import setup_call as call
from brian2lava.engine.cpu.setup_render import render_setup
from brian2lava.engine.cpu.toolchain import build
from brian2lava.engine.memory import GrowingArray
from brian2lava.errors import CompileError
from brian2lava.program import setup_program as setup
from brian2lava.program.effects import elementwise_statements
from brian2lava.program.step_program import ELEMENT

#: Elements from which on a setting is compiled. NumPy takes 17 to 30 ns and 16 to 40 bytes an
#: element. A compiler takes 0.3 to 0.5 s once; with its library in the cache the way through
#: compiled code takes about 15 ms.
ELEMENTS = 2_000_000
#: Rows (neurons) and candidate pairs from which on synapses are made by compiled code. NumPy takes
#: 60 to 100 µs a row and 30 ns a pair, compiled code 2 to 10 ns a pair.
ROWS = 3_000
PAIRS = 5_000_000

#: The first room for synapses; GrowingArray goes on in large steps.
_FIRST_ROOM = 1 << 16


def compiled_setup(
    device: Any,
    owner: Any,
    name: str,
    abstract_code: dict[str, str],
    variables: dict[str, Any],
    variable_indices: Any,
    template_name: str,
    template_kwds: dict[str, Any] | None,
    override_conditional_write: Any,
) -> SetupCode | None:
    """Compiled set-up code, or ``None`` where NumPy is to do it.

    It is compiled where a user's function brings C++ code, and where it pays.
    """
    if template_name not in SETUP_TEMPLATES or not has_native_functions(variables):
        return None
    kwds = dict(template_kwds or {})
    wanted = user_code(variables)
    if not wanted and not _pays(template_name, variables, kwds):
        return None
    captured = capture_setup(
        owner,
        name,
        abstract_code,
        variables,
        variable_indices,
        template_name,
        kwds,
        override_conditional_write,
    )
    if not wanted and not _like_numpy(captured.program.action):
        return None
    return _CODE[type(captured.program.action)](device, owner, name, captured, variables)


def _pays(template_name: str, variables: dict[str, Any], kwds: dict[str, Any]) -> bool:
    if template_name == "synapses_create_generator":
        rows, results = (_number(variables[kwds[f"{w}_index_size"]]) for w in ("outer", "result"))
        return rows >= ROWS or rows * results >= PAIRS
    return _elements(template_name, variables) >= ELEMENTS


def _elements(template_name: str, variables: dict[str, Any]) -> int:
    if template_name in ("group_variable_set", "group_variable_get"):
        return int(variables["_group_idx"].size)
    return _number(variables["N"])


def _number(variable: Any) -> int:
    """The value of a constant or of an array's only element."""
    return int(np.asarray(variable.get_value()).item())


def _like_numpy(action: setup.Action) -> bool:
    """Whether element after element gives what all at once, as in NumPy, would give."""
    if isinstance(action, setup.SetElements):
        statements = action.statements
        written = {access.array for access in statements.writes}
        read = {access.array for access in statements.reads | statements.scalar_reads}
        own = all(access.index == ELEMENT for access in statements.writes)
        return own and not statements.scalar_writes and not written & read
    if isinstance(action, setup.SetWhere):
        written = {access.array for access in action.statement.writes}
        seen = action.condition.reads | action.condition.scalar_reads
        return (
            elementwise_statements(action.statement)
            and not action.statement.scalar_writes
            and all(access.index == ELEMENT for access in seen if access.array in written)
        )
    return True


class SetupCode:
    """Compiled set-up code; calling it executes it."""

    def __init__(
        self,
        device: Any,
        owner: Any,
        name: str,
        captured: CapturedSetup,
        variables: dict[str, Any],
    ) -> None:
        self.device = device
        self.owner = owner
        self.name = name
        self.captured = captured
        self.variables = variables
        self.source = render_setup(captured.program)
        self.library = self._build()

    def _build(self) -> Any:
        exact = self.device.options.deterministic
        try:
            return build(self.source.text, toolchain(self.captured.compiler_kwds, exact)).path
        except CompileError as error:
            origin = self.captured.program.origin
            raise CompileError(
                f"the C++ code that sets up {origin.object_name!r} does not compile. Its code is\n"
                f"{origin.code}\n\nThe compiler says:\n{error}"
            ) from error

    def arguments(self) -> call.SetupCall:
        """The arguments of one execution, with random numbers of its own."""
        captured = self.captured
        storage = {
            key: self.device.arrays[variable] for key, variable in captured.variables.items()
        }
        made = call.SetupCall(
            self.source, self.library, {**storage, **captured.tables}, captured.constants
        )
        made.draw(*self.device.random.next_setup())
        return made

    def __call__(self, **kwds: Any) -> Any:
        raise NotImplementedError


class _Setting(SetupCode):
    """Values of a variable."""

    def __call__(self, **kwds: Any) -> None:
        arguments = self.arguments()
        if isinstance(self.captured.program.action, setup.SetElements):
            arguments["count"] = self.variables["_group_idx"].size
        else:
            arguments["count"] = _number(self.variables["N"])
        arguments.run()


class _LookUp(SetupCode):
    """Values of an expression, elements for which a condition holds, or both."""

    def __call__(self, **kwds: Any) -> np.ndarray:
        action = self.captured.program.action
        assert isinstance(action, setup.Evaluate)
        arguments = self.arguments()
        if action.indices is None:
            count = _number(self.variables["N"])
        else:
            count = int(self.variables["_group_idx"].size)
        arguments["count"] = count
        values, mask = np.empty(0), np.empty(0, dtype=bool)
        if action.ctype:
            values = np.empty(count, dtype=self.variables["_variable"].dtype)
            arguments.point("values", values)
        if action.conditional:
            mask = np.empty(count, dtype=bool)
            arguments.point("mask", mask)
        arguments.run()
        if not action.conditional:
            return values
        if not action.ctype:
            return np.flatnonzero(mask)
        kept: np.ndarray = values[mask]
        return kept


class _Creation(SetupCode):
    """Synapses by a generator expression."""

    def __call__(self, **kwds: Any) -> None:
        owner, own = self.owner, self.owner.variables
        action = self.captured.program.action
        assert isinstance(action, setup.CreateSynapses)
        pre: GrowingArray = self.device.arrays[own["_synaptic_pre"]]
        post: GrowingArray = self.device.arrays[own["_synaptic_post"]]
        old = _number(own["N"])
        arguments = self.arguments()
        sides = ("pre", "source"), ("post", "target")
        outer, result = sides if action.outer == "i" else sides[::-1]
        arguments["count"] = _number(self.variables[f"N_{outer[0]}"])
        arguments["offset"] = _number(self.variables[f"_{outer[1]}_offset"])
        arguments["results"] = _number(self.variables[f"N_{result[0]}"])
        arguments["results_offset"] = _number(self.variables[f"_{result[1]}_offset"])
        arguments["used"] = old
        reason = call.NO_ROOM
        while reason == call.NO_ROOM:
            used = arguments["used"]
            for array in (pre, post):
                array.resize(used)  # what was written moves along
                array.reserve(max(2 * used, arguments["needed"], old + _FIRST_ROOM))
            arguments.point("pre", pre)
            arguments.point("post", post)
            arguments["capacity"] = min(pre.capacity, post.capacity)
            reason = arguments.run()
        if reason != call.MADE:
            self._forget(old, arguments["used"], pre, post)
            raise self._error(reason, arguments) from _problem(reason, arguments, action)
        new = arguments["used"]
        if new > np.iinfo(np.int32).max:
            self._forget(old, new, pre, post)
            raise OverflowError(f"{owner.name!r}: {new} synapses are more than Brian2 can number.")
        owner._resize(new)
        self._count(arguments, old, new)

    @staticmethod
    def _forget(old: int, used: int, pre: GrowingArray, post: GrowingArray) -> None:
        """Behind the end of an array everything is zero."""
        for array in (pre, post):
            array.resize(used)
            array.resize(old)

    def _error(self, reason: int, arguments: call.SetupCall) -> BrianObjectException:
        origin = self.captured.program.origin
        return BrianObjectException(
            f"An exception occured while the synapses of row {arguments['row']} were made, by the"
            f" code\n{origin.code}\n",
            self.owner,
        )

    def _count(self, arguments: call.SetupCall, old: int, new: int) -> None:
        """N_outgoing, N_incoming and the synapse number: Brian2's ``_update_synapse_numbers``."""
        own = self.owner.variables
        arrays = self.device.arrays
        sizes = []
        for index, counts, size, offset in (
            ("_synaptic_pre", "N_outgoing", "N_pre", "_source_offset"),
            ("_synaptic_post", "N_incoming", "N_post", "_target_offset"),
        ):
            sizes.append(_number(own[size]) + _number(own[offset]))
            own[counts].resize(sizes[-1])
            addresses = arrays[own[index]].address, arrays[own[counts]].address
            arguments.call("b2l_count", addresses[0], old, new, addresses[1])
        number = self.owner.multisynaptic_index
        if number is None:
            return
        pre, post, numbers = (
            arrays[own[name]].address for name in ("_synaptic_pre", "_synaptic_post", number)
        )
        if arguments.call("b2l_number", pre, post, new, *sizes, numbers):
            raise MemoryError(f"{self.owner.name!r}: no memory to number the synapses of a pair.")


def _problem(reason: int, arguments: call.SetupCall, action: setup.CreateSynapses) -> Exception:
    """What Brian2's NumPy code raises."""
    least, most = arguments["least"], arguments["most"]
    if reason == call.OUT_OF_RANGE:
        top = arguments["results"] - 1
        index = least if least < 0 else most
        if action.condition_on_result and action.result_in_condition:
            return IndexError(
                f"index {action.result}={index} outside allowed range from 0 to {top}, and the"
                " condition refers to a post-synaptic variable"
            )
        return IndexError(f"index _{action.result}={index} outside allowed range from 0 to {top}")
    if reason == call.SAMPLE_NEGATIVE:
        return IndexError(f"Requested sample size {least} is negative.")
    if reason == call.SAMPLE_TOO_BIG:
        return IndexError(
            f"Requested sample size {least} is bigger than the population size {most}."
        )
    if reason == call.NO_STEP:
        return ZeroDivisionError("the step of the range or sample is zero")
    if reason == call.NEGATIVE_NUMBER:
        return ValueError("repeats may not contain negative values.")
    return MemoryError("no memory for a row of synapses")


_CODE: dict[type, type[SetupCode]] = {
    setup.SetElements: _Setting,
    setup.SetWhere: _Setting,
    setup.Evaluate: _LookUp,
    setup.CreateSynapses: _Creation,
}
