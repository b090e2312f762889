"""States of a population, in the user's units, where Brian2 reads them in the middle of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import names_in, support
from brian2lava.chip.lower.lowered import Valued
from brian2lava.chip.lower.registers import (
    ahead,
    assignments,
    declare,
    peek,
    rows_in,
)
from brian2lava.chip.lower.surroundings import Decode
from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.models.neuron import Step
from brian2lava.chip.network import Population
from brian2lava.chip.plain_steps import registers_of, zero_registers
from brian2lava.program import step_program as program
from brian2lava.program.step_program import ELEMENT, Access


def decode(
    space: Workspace,
    population: Population,
    wanted: Sequence[Decode],
    kept: Mapping[tuple[str, str], str],
) -> Valued:
    """An operation that writes the wanted states; ``kept``: the arrays that they lie in."""
    name, model = population.name, population.neuron
    step = model.step(space.network.arithmetic, zero_registers(population))
    text = Text()
    text.constant("N", "int64_t", population.size)
    needed = [ahead(step, item.state) for item in wanted if item.ahead]
    used = frozenset().union(*(names_in(e) for part in needed for _, e in part))
    for register, numbers in registers_of(population, space.network.arithmetic).items():
        if register in used:
            declare(space, text, f"{name}_{register}", register, numbers)
    states = {state.name for state in model.states} & (used | {d.state for d in wanted})
    for state in sorted(states):
        text.lines.append(f"T {state} = {text.read(kept[name, state])};")
    for port in sorted(set(model.ports) & used):
        peek(space, text, population, port)
    for item in sorted(wanted, key=lambda item: item.ahead):
        text.lines += _written(space, text, population, step, states, item)
    operation = program.Elementwise(
        **space.origin(name),
        statements=text.statements(support(rows_in(step) | {"shift"}, space.word)),
        count="N",
        domain=name,
    )
    return operation, tuple(text.values)


def _written(
    space: Workspace,
    text: Text,
    population: Population,
    step: Step,
    states: set[str],
    item: Decode,
) -> list[str]:
    number = len(text.constants)
    scale = _real(space, text, f"{population.name}_scale", f"scale_{number}", item.scale)
    offset = _real(space, text, f"{population.name}_offset", f"offset_{number}", item.offset)
    text.writes.add(Access(item.target, ELEMENT))
    line = f"_ptr{item.target}[_idx] = {offset} + (double){item.state} / {scale};"
    if not item.ahead:
        return [line]
    return ["{", *assignments(ahead(step, item.state), states), line, "}"]


def _real(space: Workspace, text: Text, array_name: str, name: str, values: Any) -> str:
    """A number of type double: a constant, or an array."""
    values = np.asarray(values, np.float64)
    if values.ndim == 0:
        text.constant(name, "double", float(values))
        return name
    return text.read(space.array(array_name, values))
