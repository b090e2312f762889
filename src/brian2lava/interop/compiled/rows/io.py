"""Sources, sinks and probes: RingBuffer, Monitor, Read.

A RingBuffer holds its time last; here it is kept a second time with the time first, and put back
before somebody reads it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.interop.compiled.kit import Kit, Unfit, name_of
from brian2lava.interop.compiled.library import Operation, has

_SOURCE = "lava.proc.io.source."
_SINK = "lava.proc.io.sink."


def _source(kit: Kit) -> None:
    data = kit.model.data
    steps = data.shape[-1]
    rows = np.zeros((steps, data.size // max(1, steps)), data.dtype)
    sent = kit.output("s_out", data.dtype)
    kit.add(
        "play_" + name_of(data.dtype), n=rows.shape[1], rows=steps, data=rows.reshape(-1), out=sent
    )

    def refresh() -> None:
        rows[:] = np.moveaxis(kit.model.data, -1, 0).reshape(rows.shape)

    kit.refresh.append(refresh)


def _sink(kit: Kit) -> None:
    data = kit.model.data
    if kit.member.referred:
        raise Unfit("its data are read by another process")
    steps = data.shape[-1]
    rows = np.zeros((steps, data.size // max(1, steps)), data.dtype)
    received = kit.input("a_in")
    kit.add(
        "record_" + name_of(received.dtype, received.dtype, data.dtype), n=rows.shape[1],
        rows=steps, interval=1, offset=0, data=rows.reshape(-1),
        count=np.zeros(1, np.int64), **{"in": received},
    )  # fmt: skip

    def refresh() -> None:
        rows[:] = np.moveaxis(kit.model.data, -1, 0).reshape(rows.shape)

    def store() -> None:
        shape = (steps, *data.shape[:-1])
        kit.model.data[...] = np.moveaxis(rows.reshape(shape), 0, -1)

    kit.refresh.append(refresh)
    kit.store.append(store)


def _monitor(kit: Kit) -> None:
    parameters = kit.model.proc_params
    for k in range(parameters["n_in_ports"]):
        received = kit.input(parameters["InPorts"][k])
        data = _monitored(kit, parameters["VarsData2"][k])
        kit.add(
            "record_" + name_of(received.dtype, received.dtype, data.dtype),
            **_row_by_row(data, received),
        )
    for k in range(parameters["n_ref_ports"]):
        seen, via = kit.observed(parameters["RefPorts"][k])
        data = _monitored(kit, parameters["VarsData1"][k])
        name = "record_" + name_of(seen.dtype, via, data.dtype)
        kit.after.append(_recorder(name, **_row_by_row(data, seen)))


def _monitored(kit: Kit, name: str) -> Any:
    """The array of a Monitor, which has room for so many steps."""
    data = getattr(kit.model, name)
    kit.room = data.shape[0] if kit.room is None else min(kit.room, data.shape[0])
    return data


def _row_by_row(data: Any, seen: Any) -> dict[str, Any]:
    return {
        "n": data.size // max(1, data.shape[0]), "rows": max(1, data.shape[0]), "interval": 1,
        "offset": 0, "in": seen, "data": data.reshape(-1), "count": np.zeros(1, np.int64),
    }  # fmt: skip


def _read(kit: Kit) -> None:
    """A sink that reads a Var every so many steps."""
    model, data = kit.model, kit.model.data
    seen, via = kit.observed("state")
    steps = data.shape[-1]
    rows = np.zeros((steps, data.size // max(1, steps)), data.dtype)
    made = _recorder(
        "record_" + name_of(seen.dtype, via, data.dtype), n=rows.shape[1], rows=steps, interval=1,
        offset=0, data=rows.reshape(-1), count=np.array([model.counter]), **{"in": seen},
    )  # fmt: skip
    kit.after.append(made)

    def refresh() -> None:
        rows[:] = np.moveaxis(model.data, -1, 0).reshape(rows.shape)
        made.set("interval", model.interval[0])
        made.set("offset", model.offset[0])

    def store() -> None:
        model.data[...] = np.moveaxis(rows.reshape((steps, *data.shape[:-1])), 0, -1)

    kit.refresh.append(refresh)
    kit.store.append(store)


def _recorder(name: str, **fields: Any) -> Operation:
    if not has(name):
        raise Unfit(f"there is no compiled operation {name}")
    return Operation(name, **fields)


def _check(kit: Kit) -> None:
    """BitCheck: reads a Var in each step."""
    model = kit.model
    seen, via = kit.observed("state")
    if not 1 <= model.bits <= 32:
        raise Unfit(f"it checks for {model.bits} bits")
    if model.debug == 1:
        raise Unfit("it prints what it reads (debug=1)")
    over = np.zeros(1, np.int64)
    made = _recorder("check_" + name_of(seen.dtype, via), n=seen.size, unused=0, over=over,
                     **{"in": seen})  # fmt: skip
    kit.after.append(made)

    def refresh() -> None:
        over[0] = model._overflowed
        made.set("unused", 32 - model.bits)

    def store() -> None:
        model._overflowed = int(over[0])

    kit.refresh.append(refresh)
    kit.store.append(store)


def _receiver(kit: Kit) -> None:
    payload = kit.model.payload
    received = kit.input("a_in", np.int64)
    kit.add("gather_int64_int64", n=payload.size, map=None, first=1, **{"in": received},
            out=kit.state("payload", np.int64))  # fmt: skip


def _reset(kit: Kit) -> None:
    model = kit.model
    seen, via = kit.observed("state")
    target, name = kit.member.references["state"]
    if not kit.is_state(target, name):
        raise Unfit(f"{name} of {target.name} is more than a state")
    value = np.zeros(1, seen.dtype)
    kit.after.append(
        Operation(
            "fill_" + name_of(seen.dtype),
            n=seen.size,
            interval=int(model.interval[0]),
            offset=int(model.offset[0]),
            value=value,
            out=seen,
        )  # fmt: skip
    )

    def refresh() -> None:
        value[0] = model.reset_value[0]

    kit.refresh.append(refresh)


ROWS = {
    "lava.proc.receiver.models.ReceiverModel": _receiver,
    "lava.proc.io.reset.PyResetFixed": _reset,
    "lava.proc.io.reset.PyResetFloat": _reset,
    _SOURCE + "PySendModelFixed": _source,
    _SOURCE + "PySendModelFloat": _source,
    "lava.proc.bit_check.models.LoihiBitCheckModel": _check,
    _SINK + "PyReadFixed": _read,
    _SINK + "PyReadFloat": _read,
    _SINK + "PyReceiveModelFixed": _sink,
    _SINK + "PyReceiveModelFloat": _sink,
    "lava.proc.monitor.models.PyMonitorModel": _monitor,
}
