"""Sources of spikes and stimuli -> what the host computes in every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import support
from brian2lava.chip.lower.lowered import Valued
from brian2lava.chip.lower.payloads import keep_payload
from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.network import (
    BinomialCounts,
    GivenCounts,
    PoissonSpikes,
    SpikeTimes,
    Stimulus,
)
from brian2lava.program import step_program as program
from brian2lava.program.step_program import Access

#: Index names: a row of what is given, and an entry of a table.
_ROW, _ENTRY = "_row_idx", "_entry_idx"
#: Above all random numbers.
_NEVER = 2.0


def spike_times(space: Workspace, source: SpikeTimes) -> Valued:
    """Spikes that are known beforehand."""
    name = source.name
    operation = program.SpikeSource(
        **space.origin(name),
        events=space.new_events(name, source.size),
        neuron_index=space.array(f"{name}_indices", source.indices.astype(np.int32)),
        timebins=space.array(f"{name}_bins", source.steps.astype(np.int32)),
        period_bins=space.array(f"{name}_period", np.array([source.period], np.int64), True),
        lastindex=space.array(f"{name}_last", np.zeros(1, np.int32), True),
        timestep=space.around.timestep,
    )
    space.storage[operation.timebins] = space.storage[operation.timebins][: source.steps.size]
    return operation, ()


def poisson_spikes(space: Workspace, source: PoissonSpikes) -> Valued:
    """A spike where a counted random number is below the source's probability."""
    name, text = source.name, Text()
    text.constant("N", "int64_t", source.size)
    if source.probability.ndim == 0:
        text.constant("probability", "double", float(source.probability))
        chance = "probability"
    else:
        chance = text.read(space.array(f"{name}_probability", source.probability))
    text.lines.append(f"const char _cond = _rand(_vectorisation_idx) < {chance};")
    operation = program.Threshold(
        **space.origin(name),
        statements=text.statements(functions=frozenset({"rand"})),
        count="N",
        domain=name,
        events=space.new_events(name, source.size),
    )
    return operation, tuple(text.values)


def binomial_counts(space: Workspace, source: BinomialCounts) -> Valued:
    """The count for which the cumulative distribution reaches a counted random number."""
    name, text = source.name, Text()
    text.constant("N", "int64_t", source.size)
    text.constant("least", "int64_t", source.first)
    # entries that are not above the number, by bisection without branches: 2**k - 1 entries
    entries = 1 << len(source.cumulative).bit_length()
    table = np.full(entries, _NEVER)
    table[: len(source.cumulative)] = source.cumulative
    array_id = space.array(f"{name}_cumulative", table)
    text.constant("half", "int64_t", entries // 2)
    text.reads.add(Access(array_id, _ENTRY))
    text.lines += [
        "const double _chance = _rand(_vectorisation_idx);",
        "int64_t _found = 0;",
        "for (int64_t _span = half; _span > 0; _span >>= 1) {",
        f"const int64_t {_ENTRY} = _found + _span - 1;",
        f"_found += _ptr{array_id}[{_ENTRY}] <= _chance ? _span : 0;",
        "}",
        "const T count = (T)(least + _found);",
    ]
    return _counted(space, source, text, frozenset({"rand"}))


def given_counts(space: Workspace, source: GivenCounts) -> Valued:
    """The row of this step."""
    name, text = source.name, Text()
    text.constant("N", "int64_t", source.size)
    text.constant("rows", "int64_t", len(source.counts))
    values = space.array(f"{name}_counts", source.counts.astype(space.kind))
    text.reads.add(Access(values, _ROW))
    text.scalar.append(f"const int64_t _row = {text.once(space.around.timestep)};")
    text.lines += [
        f"const int64_t {_ROW} = _row < rows ? _row * N + _idx : 0;",
        f"const T count = _row < rows ? _ptr{values}[{_ROW}] : (T)0;",
    ]
    return _counted(space, source, text, frozenset())


def _counted(
    space: Workspace, source: BinomialCounts | GivenCounts, text: Text, functions: frozenset[str]
) -> Valued:
    """A spike that carries ``count``, where that is not 0."""
    keep_payload(space, text, source, "count")
    text.lines.append("const char _cond = (char)(count != 0);")
    operation = program.Threshold(
        **space.origin(source.name),
        statements=text.statements(support(frozenset(), space.word), functions),
        count="N",
        domain=source.name,
        events=space.new_events(source.name, source.size),
    )
    return operation, tuple(text.values)


#: By the class of the source.
SOURCES: Mapping[type, Callable[[Workspace, Any], Valued]] = {
    SpikeTimes: spike_times,
    PoissonSpikes: poisson_spikes,
    BinomialCounts: binomial_counts,
    GivenCounts: given_counts,
}


def stimulus_rows(space: Workspace, stimulus: Stimulus) -> Valued:
    """Adds the row of this step to what has arrived at a port."""
    text = Text()
    text.constant("N", "int64_t", space.network.population(stimulus.target).size)
    text.constant("rows", "int64_t", len(stimulus.values))
    target = text.own(space.sum_of(stimulus.target, stimulus.port))
    values = space.array(f"{stimulus.name}_values", stimulus.values.astype(space.kind))
    text.reads.add(Access(values, _ROW))
    column = "* N + _idx" if stimulus.values.ndim == 2 else ""
    turn = " % rows" if stimulus.repeat else ""
    text.scalar.append(f"const int64_t _row = {text.once(space.around.timestep)}{turn};")
    text.lines += [
        f"const int64_t {_ROW} = _row < rows ? _row {column} : 0;",
        f"{target} = (T)((U){target} + (_row < rows ? (U)_ptr{values}[{_ROW}] : (U)0));",
    ]
    operation = program.Elementwise(
        **space.origin(stimulus.name),
        statements=text.statements(support(frozenset(), space.word)),
        count="N",
        domain=stimulus.target,
    )
    return operation, tuple(text.values)
