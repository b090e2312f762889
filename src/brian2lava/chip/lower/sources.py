"""Sources of spikes and stimuli -> what the host computes in every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import support
from brian2lava.chip.lower.lowered import Valued
from brian2lava.chip.lower.text import Text
from brian2lava.chip.lower.workspace import Workspace
from brian2lava.chip.network import PoissonSpikes, SpikeTimes, Stimulus
from brian2lava.program import step_program as program
from brian2lava.program.step_program import Access

#: Index name in a stimulus' statements.
_ROW = "_row_idx"


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


#: By the class of the source.
SOURCES: Mapping[type, Callable[[Workspace, Any], Valued]] = {
    SpikeTimes: spike_times,
    PoissonSpikes: poisson_spikes,
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
