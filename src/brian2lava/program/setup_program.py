"""What set-up code does, on one page: code that runs once, between the making of objects and runs.

::

    SetupProgram = arrays, headers, one action
    Action       = SetElements        statements for the elements of an index array
                 | SetWhere           statements for the elements for which a condition holds
                 | Evaluate           values or a condition for elements -> new arrays
                 | CreateSynapses     a generator expression -> pairs of indices

The statements are Brian2's own C++, as in :mod:`brian2lava.program.step_program`.
"""

from __future__ import annotations

from dataclasses import dataclass

from brian2lava.program.step_program import Array, Origin, Statements


@dataclass(frozen=True)
class SetElements:
    """``statements`` for the elements whose numbers ``indices`` (an array) holds."""

    statements: Statements
    indices: str


@dataclass(frozen=True)
class SetWhere:
    """``statement`` for the elements for which ``condition``'s ``_cond`` holds."""

    condition: Statements
    statement: Statements
    #: The condition is ``True``.
    everywhere: bool


@dataclass(frozen=True)
class Evaluate:
    """``_variable`` and ``_cond``, as far as the statements give them, for each element.

    The elements are those in ``indices`` (an array), or all where that is ``None``.
    ``ctype`` is the C type of ``_variable``; empty where only the condition is asked for.
    """

    statements: Statements
    indices: str | None
    ctype: str
    conditional: bool


@dataclass(frozen=True)
class CreateSynapses:
    """Synapses by a generator expression, as ``j='k for k in range(0, N_post) if k != i'``.

    ``outer`` is the index that runs over all neurons (``"i"``) and ``result`` the one that the
    expression gives (``"j"``), or the other way round. ``inner`` is the iterator's name.

    ``condition_on_result`` says whether the condition depends on the result or the iterator,
    ``result_in_condition`` whether it reads variables of the neuron that the result names.
    ``probability`` holds if the last factor of the condition was ``rand() < p``: then the
    condition's statements give ``_probability`` besides ``_cond`` and draw nothing.
    """

    iterator: Statements
    element: Statements
    condition: Statements
    update: Statements
    outer: str
    result: str
    inner: str
    #: "range", "sample" (with a probability) or "sample_size" (a fixed number)
    function: str
    condition_on_result: bool
    result_in_condition: bool
    probability: bool
    skip_if_invalid: bool
    #: Every accepted pair gets just one synapse.
    single: bool


Action = SetElements | SetWhere | Evaluate | CreateSynapses


@dataclass(frozen=True)
class SetupProgram:
    """All that an engine needs to know of a piece of set-up code, but for the values."""

    action: Action
    arrays: tuple[Array, ...]
    origin: Origin
    headers: tuple[str, ...] = ()


def blocks(action: Action) -> tuple[Statements, ...]:
    """All statements of an action."""
    if isinstance(action, SetWhere):
        return (action.condition, action.statement)
    if isinstance(action, CreateSynapses):
        return (action.iterator, action.element, action.condition, action.update)
    return (action.statements,)
