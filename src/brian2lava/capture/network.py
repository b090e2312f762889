"""A prepared Brian2 network -> StepProgram and the values that it runs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from brian2.core.base import BrianObject
from brian2.core.preferences import prefs
from brian2.core.variables import Constant
from brian2.devices.device import get_device
from brian2.synapses.synapses import SynapticPathway

from brian2lava.capture.code_object import LoopCodeObject
from brian2lava.capture.names import user_name
from brian2lava.capture.operations import BUILDERS, Names, pathway
from brian2lava.program import step_program as program


@dataclass(frozen=True)
class Captured:
    """A program with its values.

    ``constants[k]`` are those of operation k, in the order of its statements' ``constants``;
    ``calls`` are the Brian2 objects of the Python calls; ``variables`` and ``tables`` hold the
    arrays by id; ``queues`` the spike queue of each pathway by operation; ``placed`` are arrays by
    id that lie in the arena already and are no Brian2 variable.
    """

    program: program.StepProgram
    constants: tuple[tuple[float, ...], ...]
    variables: dict[str, Any]
    tables: dict[str, Any]
    calls: tuple[BrianObject, ...]
    queues: dict[int, Any]
    owners: tuple[str, ...]
    compiler_kwds: dict[str, list[str]]
    placed: dict[str, Any] = field(default_factory=dict)


def capture(objects: Sequence[BrianObject], clocks: Sequence[Any]) -> Captured:
    """The program of ``objects`` (sorted, active, prepared by ``before_run``)."""
    names = Names()
    clock_index = {id(clock): k for k, clock in enumerate(clocks)}
    program_clocks = tuple(
        program.Clock(
            clock.name,
            **{
                name: names.add(clock.variables[name])
                for name in ("timestep", "t", "dt", "times")
                if name in clock.variables
            },
        )
        for clock in clocks
    )
    operations: list[program.Operation] = []
    constants: list[tuple[float, ...]] = []
    calls: list[BrianObject] = []
    queues: dict[int, Any] = {}
    owners: list[str] = []
    for brian_object in objects:
        made = _native_operations(brian_object, names, clock_index)
        if made is None:
            common = _common(brian_object, None, clock_index)
            made = [(program.PythonCall(**common, call=len(calls)), ())]
            calls.append(brian_object)
        for operation, values in made:
            if isinstance(operation, program.Pathway):
                queues[len(operations)] = brian_object.queue
            operations.append(operation)
            constants.append(values)
            owners.append(brian_object.name)
    return Captured(
        program=program.StepProgram(
            clocks=program_clocks,
            arrays=tuple(names.arrays.values()),
            operations=tuple(operations),
            headers=tuple(dict.fromkeys([*prefs["codegen.cpp.headers"], *names.kwds["headers"]])),
        ),
        constants=tuple(constants),
        variables=names.variables,
        tables=names.tables,
        calls=tuple(calls),
        queues=queues,
        owners=tuple(owners),
        compiler_kwds=_compiler_kwds(names),
    )


def _compiler_kwds(names: Names) -> dict[str, list[str]]:
    """What user functions ask of the compiler, and the files that ``set_device`` named."""
    named = get_device().build_options.get("additional_source_files") or []
    return {**names.kwds, "sources": [*names.kwds["sources"], *named]}


def _does_something(brian_object: BrianObject) -> bool:
    """Whether a step of the object runs anything (a NeuronGroup's own step does not)."""
    if type(brian_object).run is not BrianObject.run:
        return True
    return bool(brian_object.code_objects)


def _common(
    brian_object: BrianObject, code: LoopCodeObject | None, clock_index: dict[int, int]
) -> dict[str, Any]:
    common: dict[str, Any] = {
        "name": brian_object.name,
        "clock": clock_index[id(brian_object.clock)],
        "origin": program.Origin(
            brian_object.name,
            "" if code is None else "\n".join(code.abstract_code.values()),
        ),
    }
    if code is not None and code.statements is not None:
        common["statements"] = code.statements
        common["name"] = code.name
    return common


def _native_operations(
    brian_object: BrianObject, names: Names, clock_index: dict[int, int]
) -> list[tuple[program.Operation, tuple[float, ...]]] | None:
    """Operations for the engine, or ``None`` where the object has to run in Python."""
    if not _does_something(brian_object):
        return []
    if type(brian_object).run is not BrianObject.run:
        return None
    codes = [_strong(code) for code in brian_object.code_objects]
    if not all(isinstance(code, LoopCodeObject) and code.statements is not None for code in codes):
        return None
    if isinstance(brian_object, SynapticPathway):
        push, deliver = codes
        names.add_all(deliver)
        common = _common(brian_object, deliver, clock_index)
        operation = pathway(push, deliver, brian_object, names, common)
        return [(operation, _values(deliver))]
    result = []
    for code in codes:
        names.add_all(code)
        operation = BUILDERS[code.template_name](
            code, names, _common(brian_object, code, clock_index)
        )
        result.append((operation, _values(code)))
    return result


def _strong(code: Any) -> Any:
    """The code object behind a weak proxy."""
    return code.__repr__.__self__


def _values(code: LoopCodeObject) -> tuple[float, ...]:
    assert code.statements is not None
    variables = code.variables
    result = []
    for constant in code.statements.constants:
        variable = variables[user_name(constant.name)]
        assert isinstance(variable, Constant)
        result.append(variable.get_value())
    return tuple(result)
