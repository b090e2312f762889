"""Messages between processes keep the order of a step, whoever happens to be fast.

Without Lava: programs of random operations are cut into parts, and the parts walk in random turns.
"""

from __future__ import annotations

import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brian2lava.program import step_program as program
from brian2lava.program.effects import effects
from brian2lava.program.partition import PYTHON, Ownership, Partition, contributes, partition
from brian2lava.program.walks import Receive, Run, Send, Walks, walks

_GROUPS = ("a", "b", "c")
_ORIGIN = program.Origin("test")
_CLOCK = program.Clock("clock", "step", "t", "dt")


def _access(*arrays: str, index: str = program.ELEMENT) -> frozenset[program.Access]:
    return frozenset(program.Access(array, index) for array in arrays)


def _update(group: str) -> program.Elementwise:
    used = _access(f"v_{group}", f"u_{group}")
    return program.Elementwise(
        group, _ORIGIN, 0, program.Statements(reads=used, writes=used), "N", group
    )


def _threshold(group: str) -> program.Threshold:
    statements = program.Statements(reads=_access(f"v_{group}"))
    return program.Threshold(
        group, _ORIGIN, 0, statements, count="N", domain=group, events=f"events_{group}"
    )


def _reset(group: str) -> program.Reset:
    statements = program.Statements(writes=_access(f"v_{group}"))
    return program.Reset(group, _ORIGIN, 0, statements, events=f"events_{group}")


def _pathway(name: str, source: str, target: str, variable: str, read: str) -> program.Pathway:
    array = f"{variable}_{target}"
    text = (
        f"double x_post = _ptr{array}[_postsynaptic_idx];\n"
        f"x_post += w;\n_ptr{array}[_postsynaptic_idx] = x_post;"
    )
    own = _access(f"w_{name}")
    there = _access(array, index="_postsynaptic_idx")
    reads = own | there | _access(read, index="_presynaptic_idx")
    statements = program.Statements(vector=text, reads=reads, writes=there | own)
    return program.Pathway(
        name, _ORIGIN, 0, statements, events=f"events_{source}", first=0, last=1,
        delays=f"delay_{name}", sources=f"pre_{name}", targets=f"post_{name}", dt="dt",
    )  # fmt: skip


@st.composite
def programs(draw: st.DrawFn) -> tuple[program.StepProgram, Ownership]:
    """Groups, synapses between any of them, and Python, in any order."""
    made: list[tuple[program.Operation, str]] = []
    arrays: dict[str, tuple[str, str]] = {}
    for group in _GROUPS:
        made += [(op(group), group) for op in (_update, _threshold, _reset)]
        arrays |= {f"{name}_{group}": (group, name) for name in ("v", "u", "events")}
    for number in range(draw(st.integers(1, 5))):
        source, target = draw(st.sampled_from(_GROUPS)), draw(st.sampled_from(_GROUPS))
        name = f"s{number}"
        read = f"{draw(st.sampled_from('vu'))}_{source}"
        made.append((_pathway(name, source, target, draw(st.sampled_from("vu")), read), name))
        arrays |= {
            f"{array}_{name}": (name, variable)
            for array, variable in (("w", "w"), ("post", "_synaptic_post"))
        }
    for call in range(draw(st.integers(0, 2))):
        made.append((program.PythonCall("call", _ORIGIN, 0, call=call), PYTHON))
    made = list(draw(st.permutations(made)))
    step_program = program.StepProgram((_CLOCK,), (), tuple(each for each, _ in made))
    return step_program, Ownership(tuple(name for _, name in made), arrays)


def _plan(step_program: program.StepProgram, ownership: Ownership) -> tuple[Partition, Walks]:
    passes = [(k,) for k in range(len(step_program.operations))]
    parts = partition(step_program, ownership, passes)
    return parts, walks(step_program, ownership, parts, passes)


def _walked(plan: Walks, parts: int, chance: random.Random) -> list[int]:
    """The passes in the order in which they run, with turns taken at random."""
    waiting: dict[tuple[int, int], deque[None]] = {}
    left = [deque(plan.of(part)) for part in range(parts)]
    order = []
    while any(left):
        ready = [
            part
            for part in range(parts)
            if left[part]
            and (
                not isinstance(left[part][0], Receive) or waiting.get((left[part][0].edge, part))  # type: ignore[union-attr]
            )
        ]
        assert ready, "everybody waits"
        part = chance.choice(ready)
        item = left[part].popleft()
        if isinstance(item, Run):
            order.append(item.number)
        elif isinstance(item, Send):
            for receiver in plan.edges[item.edge].receivers:
                waiting.setdefault((item.edge, receiver), deque()).append(None)
        else:
            waiting[item.edge, part].pop()
    assert not any(waiting.values()), "a message was not received"
    return order


def _out_of_order(
    order: list[int], step_program: program.StepProgram, parts: Partition
) -> list[tuple[int, int]]:
    """Pairs of operations of which one uses what the other writes, and that changed places."""
    place = {number: k for k, number in enumerate(order)}
    what = [effects(operation) for operation in step_program.operations]
    events = {f"events_{group}" for group in _GROUPS}  # every process has a copy of its own
    wrong = []
    for late in range(len(what)):
        for early in range(late):
            first, second = what[early], what[late]
            shared = first.all_writes & (second.all_reads | second.all_writes)
            shared |= second.all_writes & first.all_reads
            if parts.part_of[early] != parts.part_of[late]:
                shared -= events
            if (shared or first.barrier or second.barrier) and place[early] > place[late]:
                wrong.append((early, late))
    return wrong


@settings(max_examples=150, derandomize=True, deadline=None)
@given(programs(), st.integers(0, 1000))
def test_processes_keep_the_order_and_none_waits_for_ever(
    drawn: tuple[program.StepProgram, Ownership], turns: int
) -> None:
    step_program, ownership = drawn
    parts, plan = _plan(step_program, ownership)
    assert len(parts.parts) >= len(_GROUPS) + 1
    chance = random.Random(turns)
    for _ in range(3):
        order = _walked(plan, len(parts.parts), chance)
        assert sorted(order) == list(range(len(step_program.operations)))
        assert not _out_of_order(order, step_program, parts)


def test_without_messages_the_order_is_lost() -> None:
    """The check above can fail."""
    operations = (_update("a"), _pathway("s0", "a", "b", "v", "u_a"), _update("b"))
    ownership = Ownership(
        ("a", "s0", "b"),
        {f"{name}_{group}": (group, name) for group in "ab" for name in ("v", "u", "events")}
        | {"post_s0": ("s0", "_synaptic_post")},
    )
    step_program = program.StepProgram((_CLOCK,), (), operations)
    parts, plan = _plan(step_program, ownership)
    assert [edge.kind for edge in plan.edges] == ["values", "contributions"]
    silent = Walks(parts, (), (), plan.runner)
    orders = [_walked(silent, 3, random.Random(turns)) for turns in range(20)]
    assert any(_out_of_order(order, step_program, parts) for order in orders)


@pytest.mark.parametrize(
    ("statements", "adds"),
    [
        ("x_post += w;", True),
        ("if(not_refractory)\n    x_post -= w * x_post;", True),
        ("x_post = w;", False),
        ("x_post *= w;", False),
        ("x_post += w;\nx_post = 0;", False),
    ],
)
def test_a_contribution_only_adds(statements: str, adds: bool) -> None:
    text = f"double x_post = _ptr_x[_post];\n{statements}\n_ptr_x[_post] = x_post;"
    assert contributes(program.Statements(vector=text), "_x", "_post") is adds
