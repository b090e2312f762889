"""One code object -> one operation of the step program: a function a template.

Each function gets the code object and a :class:`Names` that registers what the operation touches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from brian2.core.variables import ArrayVariable

from brian2lava.capture.code_object import LoopCodeObject
from brian2lava.capture.statements import array_id, c_data_type
from brian2lava.program import step_program as program

Builder = Callable[[LoopCodeObject, "Names", dict[str, Any]], program.Operation]


@dataclass
class Names:
    """The arrays of a program, collected while its operations are made."""

    arrays: dict[str, program.Array] = field(default_factory=dict)
    variables: dict[str, ArrayVariable] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    kwds: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add(self, variable: ArrayVariable) -> str:
        """Register an array and return its id."""
        name = array_id(variable)
        if name not in self.arrays:
            self.arrays[name] = program.Array(
                id=name,
                ctype=c_data_type(variable.dtype),
                scalar=bool(variable.scalar),
                dynamic=bool(getattr(variable, "dynamic", False)),
            )
            self.variables[name] = variable
        return name

    def add_all(self, code_object: LoopCodeObject) -> None:
        """Register whatever a code object's statements may name."""
        for variable in code_object.variables.values():
            if isinstance(variable, ArrayVariable):
                self.add(variable)
        for key, values in code_object.tables.items():
            name = f"_table_{key}"
            self.tables[name] = values
            self.arrays[name] = program.Array(id=name, ctype=c_data_type(values.dtype))
        for key, words in code_object.compiler_kwds.items():
            self.kwds[key] += [word for word in words if word not in self.kwds[key]]


def scalar_value(names: Names, name: str, variable: Any) -> str:
    """A number in statements: the name of a constant, or the only element of an array."""
    if isinstance(variable, ArrayVariable):
        return f"_ptr{names.add(variable)}[0]"
    return name


def _count(code_object: LoopCodeObject, names: Names, name: str = "N") -> str:
    return scalar_value(names, name, code_object.variables[name])


def _stateupdate(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    return program.Elementwise(**common, count=_count(code, names), domain=code.owner.name)


def _threshold(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    refractory = code.template_kwds["_uses_refractory"]
    variables = code.variables
    return program.Threshold(
        **common,
        count=_count(code, names),
        domain=code.owner.name,
        events=names.add(code.template_kwds["eventspace_variable"]),
        not_refractory=names.add(variables["not_refractory"]) if refractory else None,
        lastspike=names.add(variables["lastspike"]) if refractory else None,
        time=names.add(variables["t"]) if refractory else None,
    )


def _reset(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    return program.Reset(**common, events=names.add(code.template_kwds["eventspace_variable"]))


def pathway(
    push: LoopCodeObject, deliver: LoopCodeObject, owner: Any, names: Names, common: dict[str, Any]
) -> program.Operation:
    """A pathway: its two code objects (queue and statements) are one operation."""
    names.add_all(push)
    variables = owner.variables
    return program.Pathway(
        **common,
        events=names.add(push.template_kwds["eventspace_variable"]),
        first=int(owner.spikes_start),
        last=int(owner.spikes_stop),
        delays=names.add(variables["delay"]),
        sources=names.add(owner.synapse_sources),
        targets=names.add(owner.synapse_targets),
        dt=names.add(variables["_source_dt"]),
        silent=not "".join(deliver.abstract_code.values()).strip(),
    )


def _summed(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    kwds = code.template_kwds
    size_name = kwds["_target_size_name"]
    return program.SummedVariable(
        **common,
        count=_count(code, names),
        target=names.add(kwds["_target_var"]),
        index=names.add(kwds["_index_var"]),
        target_start=int(kwds["_target_start"]),
        target_count=scalar_value(names, size_name, code.variables[size_name]),
    )


def _spikegenerator(
    code: LoopCodeObject, names: Names, common: dict[str, Any]
) -> program.Operation:
    variables = code.variables
    return program.SpikeSource(
        **common,
        events=names.add(variables["_spikespace"]),
        neuron_index=names.add(variables["neuron_index"]),
        timebins=names.add(variables["_timebins"]),
        period_bins=names.add(variables["_period_bins"]),
        lastindex=names.add(variables["_lastindex"]),
        timestep=names.add(variables["t_in_timesteps"]),
        count=_count(code, names),
    )


def _statemonitor(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    variables = code.variables
    recorded = code.template_kwds["_recorded_variables"]
    return program.StateRecorder(
        **common,
        indices=names.add(variables["_indices"]),
        time=names.add(variables["_clock_t"]),
        times=names.add(variables["t"]),
        recorded=tuple((name, names.add(variable)) for name, variable in sorted(recorded.items())),
        rows=names.add(variables["N"]),
    )


def _spikemonitor(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    variables = code.variables
    recorded = code.template_kwds["record_variables"]
    return program.EventRecorder(
        **common,
        events=names.add(code.template_kwds["eventspace_variable"]),
        first=int(variables["_source_start"].get_value()),
        last=int(variables["_source_stop"].get_value()),
        recorded=tuple((name, names.add(variable)) for name, variable in sorted(recorded.items())),
        rows=names.add(variables["N"]),
        counts=names.add(variables["count"]),
    )


def _ratemonitor(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    variables = code.variables
    return program.RateRecorder(
        **common,
        events=names.add(variables["_spikespace"]),
        first=int(variables["_source_start"].get_value()),
        last=int(variables["_source_stop"].get_value()),
        time=names.add(variables["_clock_t"]),
        dt=names.add(variables["_clock_dt"]),
        times=names.add(variables["t"]),
        rates=names.add(variables["rate"]),
        rows=names.add(variables["N"]),
    )


# fmt: off
_CABLE = (
    "Cm", "dt", "v", "Ic", "Ri", "_ab_star0", "_ab_star1", "_ab_star2", "_b_plus", "_b_minus",
    "_v_star", "_u_plus", "_u_minus", "_v_previous", "_gtot_all", "_I0_all", "_c", "_P_diag",
    "_P_parent", "_P_children", "_B", "_morph_parent_i", "_starts", "_ends", "_morph_children",
    "_morph_children_num", "_morph_idxchild", "_invr0", "_invrn", "_invr", "r_length_1",
    "r_length_2", "area",
)
# fmt: on


def _cable(code: LoopCodeObject, names: Names, common: dict[str, Any]) -> program.Operation:
    return program.CableEquation(
        **common,
        count=_count(code, names),
        names=tuple((name, names.add(code.variables[name])) for name in _CABLE),
    )


BUILDERS: dict[str, Builder] = {
    "stateupdate": _stateupdate,
    "threshold": _threshold,
    "reset": _reset,
    "summed_variable": _summed,
    "spikegenerator": _spikegenerator,
    "statemonitor": _statemonitor,
    "spikemonitor": _spikemonitor,
    "ratemonitor": _ratemonitor,
    "spatialstateupdate": _cable,
}
