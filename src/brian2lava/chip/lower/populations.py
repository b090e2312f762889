"""A population's update, threshold and reset -> one Threshold operation in integers."""

from __future__ import annotations

import numpy as np

from brian2lava.chip.arithmetic import Name, as_c, support
from brian2lava.chip.lower.lowered import Valued
from brian2lava.chip.lower.payloads import keep_payload
from brian2lava.chip.lower.registers import (
    assignments,
    declare,
    names_of,
    rows_in,
    take,
)
from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.models.neuron import Step
from brian2lava.chip.network import Population
from brian2lava.chip.plain_steps import initial_states, registers_of, zero_registers
from brian2lava.program import step_program as program


def population_step(space: Workspace, population: Population) -> Valued:
    """One step of all neurons of a population."""
    name, model = population.name, population.neuron
    step = model.step(space.network.arithmetic, zero_registers(population))
    registers = registers_of(population, space.network.arithmetic)
    first = initial_states(population, space.network.arithmetic)
    used = names_of(step)
    text = Text()
    text.constant("N", "int64_t", population.size)
    if "t" in used:
        text.scalar.append(f"const T t = (T)({text.once(space.around.timestep)} + 1);")
    for register, numbers in registers.items():
        if register in used:
            declare(space, text, f"{name}_{register}", register, numbers)
    for state in model.states:
        if state.name in used:
            array_id = space.array(f"{name}_{state.name}", first[state.name])
            space.states[name, state.name] = array_id
            text.lines.append(f"T {state.name} = {text.own(array_id)};")
    take(space, text, population)
    _body(space, text, population, step)
    operation = program.Threshold(
        **space.origin(name),
        statements=text.statements(
            support(rows_in(step) | {"shift"}, space.word),
            frozenset({"rand"} if step.draws else ()),
        ),
        count="N",
        domain=name,
        events=space.events.get(name) or space.new_events(name, population.size),
    )
    return operation, tuple(text.values)


def _body(space: Workspace, text: Text, population: Population, step: Step) -> None:
    states = {state.name for state in population.neuron.states}
    for draw in step.draws:
        text.lines.append(f"const T {draw} = (T)(_rand(_vectorisation_idx) * 16777216.0);")
    text.lines += assignments(step.assignments, states)
    text.lines.append(f"const T fired = {as_c(step.fired, {})};")
    if population.name in space.depths:
        _send(space, text, population, step)
    for counter, condition in step.counters:
        array_id = space.array(f"{population.name}_{counter}", np.zeros(population.size, np.int32))
        space.counters[population.name, counter] = array_id
        text.lines.append(f"{text.own(array_id)} += (int32_t)({as_c(condition, {})});")
    _keep_reached(space, text, population, step)
    for name, expression in step.after:
        text.lines.append(f"const T {name}_after = {as_c(expression, {})};")
    after = {name for name, _ in step.after}
    for name in sorted(states):
        if (population.name, name) in space.states:
            value = f"{name}_after" if name in after else name
            text.lines.append(f"_ptr{space.states[population.name, name]}[_idx] = {value};")
    _remember(space, text, population, "blocked" in states and "blocked" in names_of(step))
    text.lines.append("const char _cond = (char)(fired != 0);")


def _keep_reached(space: Workspace, text: Text, population: Population, step: Step) -> None:
    """States as they are before the reset, where somebody reads them at spikes."""
    if population.name not in space.around.at_spikes:
        return
    wanted = {item.state for item in space.around.decodes[population.name] if not item.ahead}
    for name in sorted(wanted & {name for name, _ in step.after}):
        array = space.array(
            f"{population.name}_{name}_reached", np.zeros(population.size, space.kind)
        )
        space.reached[population.name, name] = array
        text.lines.append(f"{text.own(array)} = {name};")


def _remember(space: Workspace, text: Text, population: Population, rests: bool) -> None:
    """When each neuron fired last, and whether it rests, where the surroundings keep that."""
    arrays = space.around.refractory.get(population.name)
    if arrays is None:
        return
    text.scalar.append(f"const double _now = {text.once(arrays.time)};")
    text.lines.append(f"if (fired) {text.own(arrays.lastspike)} = _now;")
    blocked = " && blocked == 0" if rests else ""
    text.lines.append(f"{text.own(arrays.not_refractory)} = (char)(!fired{blocked});")


def _send(space: Workspace, text: Text, population: Population, step: Step) -> None:
    """Payloads, kept as long as the longest delay that they travel."""
    payload = as_c(step.payload if step.payload is not None else Name("fired"), {})
    keep_payload(space, text, population, f"fired ? {payload} : (T)0")
