"""Registers, states and ports of a population as names in an operation's statements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brian2lava.chip.arithmetic import (
    Expression,
    Name,
    as_c,
    names_in,
    number,
    rows_of,
    shift,
)
from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.models.neuron import Step
from brian2lava.chip.network import Integers, Population


def declare(space: Workspace, text: Text, array_name: str, name: str, numbers: Integers) -> None:
    """A register: a constant where all neurons have the same, else an array."""
    if np.ndim(numbers) == 0 or np.all(numbers == np.ravel(numbers)[:1]):
        value = int(np.ravel(numbers)[0]) if np.size(numbers) else 0
        text.constant(name, f"int{space.word}_t", value)
        return
    element = text.read(space.array(array_name, np.asarray(numbers, space.kind)))
    text.lines.append(f"const T {name} = {element};")


def peek(space: Workspace, text: Text, population: Population, port: str) -> None:
    """What has arrived at a port by now."""
    parts = []
    for array_id, exponent in space.sums.get((population.name, port), []):
        part = text.read(array_id)
        parts.append(as_c(shift(Name(part), exponent), {}) if exponent else part)
    text.lines.append(f"const T {port} = {_sum(parts)};")


def take(space: Workspace, text: Text, population: Population) -> None:
    """What has arrived at all ports, which are empty then."""
    for port in population.neuron.ports:
        peek(space, text, population, port)
        for array_id, _ in space.sums.get((population.name, port), []):
            text.lines.append(f"{text.own(array_id)} = 0;")


def ahead(step: Step, state: str) -> tuple[tuple[str, Expression], ...]:
    """The assignments of a step that lead to the new value of ``state``, and no others."""
    needed, kept = {state}, []
    for name, expression in reversed(step.assignments):
        if name in needed:
            kept.append((name, expression))
            needed = (needed - {name}) | names_in(expression)
    return tuple(reversed(kept))


def names_of(step: Step) -> frozenset[str]:
    """All names that a step's statements use."""
    assigned = {name for name, _ in (*step.assignments, *step.after)}
    return frozenset(assigned).union(*map(names_in, _expressions(step)))


def rows_in(step: Step) -> frozenset[str]:
    """The rows of the chip's arithmetic that a step needs."""
    return frozenset().union(*map(rows_of, _expressions(step)))


def assignments(pairs: Sequence[tuple[str, Expression]], known: set[str]) -> list[str]:
    """Lines that assign; a name is declared where it is new."""
    declared, lines = set(known), []
    for name, expression in pairs:
        kind = "" if name in declared else "T "
        declared.add(name)
        lines.append(f"{kind}{name} = {as_c(expression, {})};")
    return lines


def _expressions(step: Step) -> Sequence[Expression]:
    pairs = (*step.assignments, *step.after, *step.counters)
    more = () if step.payload is None else (step.payload,)
    return (*(expression for _, expression in pairs), step.fired, *more)


def _sum(parts: Sequence[str]) -> str:
    if not parts:
        return as_c(number(0), {})
    return "(T)(" + " + ".join(f"(U){part}" for part in parts) + ")"
