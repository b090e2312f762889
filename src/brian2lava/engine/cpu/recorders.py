"""Spike sources and monitors as C++."""

from __future__ import annotations

from brian2lava.engine.cpu.kernels import kernel, pointer_declarations
from brian2lava.engine.cpu.source import Tables
from brian2lava.program import step_program as program


def spike_source_kernel(k: int, operation: program.SpikeSource, tables: Tables) -> str:
    def at(name: str) -> str:
        return tables.address(name)

    return f"""
namespace operation_{k} {{
static inline void run(b2l::Context &b2l_c) {{
    int32_t *events = {at(operation.events)};
    int32_t *last = {at(operation.lastindex)};
    const int32_t *bins = {at(operation.timebins)}, *neurons = {at(operation.neuron_index)};
    const int64_t spikes = {tables.length(operation.timebins)};
    const int64_t period = {at(operation.period_bins)}[0];
    int64_t bin = {at(operation.timestep)}[0];
    if (period > 0) {{
        bin %= period;
        if (last[0] > 0 && bins[last[0] - 1] >= bin) last[0] = 0;
    }}
    int64_t count = 0, k = last[0];
    for (; k < spikes && bins[k] <= bin; k++) events[count++] = neurons[k];
    events[b2l_c.length[{tables.data(operation.events)}] - 1] = (int32_t)count;
    last[0] = (int32_t)k;
}}
}}"""


def state_recorder_kernel(k: int, operation: program.StateRecorder, tables: Tables) -> str:
    def body(vector: str) -> str:
        stores = "\n".join(
            f"(({tables.ctype(array)} *)b2l_c.data[{tables.data(array)}])"
            f"[_row * _count + _i] = _to_record_{name};"
            for name, array in operation.recorded
        )
        rows = "\n".join(
            f"b2l_c.rows[{tables.data(array)}][0] = _row + 1;"
            for array in (operation.times, *(array for _, array in operation.recorded))
        )
        indices = f"_ptr{operation.indices}"
        return f"""{pointer_declarations(tables, vector, indices)}
const int64_t _count = {tables.length(operation.indices)};
const int64_t _row = b2l_c.rows[{tables.data(operation.times)}][0];
{tables.address(operation.times)}[_row] = {tables.address(operation.time)}[0];
for (int64_t _i = 0; _i < _count; _i++) {{
const int64_t _idx = {indices}[_i], _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{stores}
}}
{rows}
{tables.address(operation.rows)}[0] = (int32_t)(_row + 1);
return 0;"""

    return kernel(k, operation, tables, body)


def event_recorder_kernel(k: int, operation: program.EventRecorder, tables: Tables) -> str:
    def body(vector: str) -> str:
        stores = "\n".join(
            f"(({tables.ctype(array)} *)b2l_c.data[{tables.data(array)}])[_row]"
            f" = _to_record_{name};"
            for name, array in operation.recorded
        )
        rows = "\n".join(
            f"b2l_c.rows[{tables.data(array)}][0] = _row;" for _, array in operation.recorded
        )
        events = tables.data(operation.events)
        return f"""{pointer_declarations(tables, vector)}
const int32_t *_events = {tables.address(operation.events)};
int64_t _low, _high;
b2l::between(_events, _events[b2l_c.length[{events}] - 1], {operation.first}, {operation.last},
             _low, _high);
if (_low == _high) return 0;
int64_t _row = {tables.address(operation.rows)}[0];
auto *_counts = {tables.address(operation.counts)};
for (int64_t _event = _low; _event < _high; _event++) {{
const int64_t _idx = _events[_event], _vectorisation_idx = _idx; (void)_vectorisation_idx;
{vector}
{stores}
_counts[_idx - {operation.first}]++;
_row++;
}}
{rows}
{tables.address(operation.rows)}[0] = (int32_t)_row;
return 0;"""

    return kernel(k, operation, tables, body)


def rate_recorder_kernel(k: int, operation: program.RateRecorder, tables: Tables) -> str:
    times, rates = tables.data(operation.times), tables.data(operation.rates)
    events = tables.data(operation.events)
    return f"""
namespace operation_{k} {{
static inline void run(b2l::Context &b2l_c) {{
    const int32_t *events = {tables.address(operation.events)};
    int64_t low, high;
    b2l::between(events, events[b2l_c.length[{events}] - 1], {operation.first}, {operation.last},
                 low, high);
    const int64_t row = b2l_c.rows[{times}][0];
    {tables.address(operation.rates)}[row] =
        1.0 * (high - low) / {tables.address(operation.dt)}[0]
        / ({operation.last} - {operation.first});
    {tables.address(operation.times)}[row] = {tables.address(operation.time)}[0];
    b2l_c.rows[{times}][0] = b2l_c.rows[{rates}][0] = row + 1;
    {tables.address(operation.rows)}[0] = (int32_t)(row + 1);
}}
}}"""


def fullness(number: int, k: int, operation: program.Operation, tables: Tables) -> str:
    """Leave before a recorder outgrows its arrays."""
    if isinstance(operation, program.StateRecorder):
        grown = [operation.times, *(array for _, array in operation.recorded)]
        more = "1"
    elif isinstance(operation, program.RateRecorder):
        grown, more = [operation.times, operation.rates], "1"
    elif isinstance(operation, program.EventRecorder):
        grown = [array for _, array in operation.recorded]
        events = tables.data(operation.events)
        more = f"{tables.address(operation.events)}[b2l_c.length[{events}] - 1]"
    else:
        return ""
    conditions = " || ".join(
        f"b2l_c.rows[{tables.data(array)}][0] + {more} > b2l_c.capacity[{tables.data(array)}]"
        for array in grown
    )
    if not conditions:
        return ""
    return (
        f"if ({conditions}) {{ b2l_c.call = {k}; b2l_c.operation = {number + 1};"
        " return leave(b2l_c, saved, FULL); }\n"
    )
