"""Continual learning with prototypes: PrototypeLIF and what surrounds it."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.interop.compiled.kit import Kit, Unfit
from brian2lava.interop.compiled.rows import lif

_CLP = "lava.proc.clp."


def _single(kit: Kit, port: str) -> Any:
    """What arrives at a port of one element."""
    array = kit.input(port, np.int32)
    if array.size != 1:
        raise Unfit(f"its port {port} has {array.size} elements")
    return array


def _prototype(kit: Kit) -> None:
    model = kit.model
    n = model.v.size
    high = lif.fixed(kit, ("vth",), "lif_fixed", np.zeros(n, np.int32), judges=False)
    model.y1 = np.ascontiguousarray(model.y1, np.int32)
    kit.add(
        "prototype", n=n, reset=kit.input("reset_in", np.int32),
        third=kit.input("a_third_factor_in", np.int32), high=high, u=kit.state("u"),
        v=kit.state("v"), y1=kit.state("y1"), s=kit.output("s_out", np.int32),
        bap=kit.output("s_out_bap", np.bool_), y1_out=kit.output("s_out_y1", np.int32),
        fault=kit.fault(f"the third factor names a neuron that is none of the {n}."),
    )  # fmt: skip


def _novelty(kit: Kit) -> None:
    model = kit.model
    waiting, passed = np.zeros(1, np.int64), np.zeros(1, np.int64)
    waiting[0], passed[0] = model.waiting, model.t_passed
    kit.add(
        "novelty", input=_single(kit, "input_aval_in"), output=_single(kit, "output_aval_in"),
        patience=kit.state("t_wait", np.int32), waiting=waiting, passed=passed,
        s=kit.output("novelty_detected_out", np.int32),
    )  # fmt: skip


def _readout(kit: Kit) -> None:
    n = kit.model.proto_labels.size
    last = kit.array("last_winner_id", np.int32)
    kit.add(
        "readout", n=n, winners=kit.input("inference_in", np.int32),
        label=_single(kit, "label_in"), labels=kit.state("proto_labels", np.int32), last=last,
        told=kit.output("user_output", np.int32), feedback=kit.output("feedback", np.int32),
        allocate=kit.output("trigger_alloc", np.int32),
    )  # fmt: skip

    def refresh() -> None:
        if not 0 <= last[0] < n:
            raise ValueError(
                f"{kit.member.name}: last_winner_id is the index of a prototype, 0 to {n - 1}; it"
                f" was set to {last[0]}."
            )

    kit.refresh.append(refresh)


def _allocator(kit: Kit) -> None:
    kit.add(
        "allocator", trigger=_single(kit, "trigger_in"), next=kit.state("next_alloc_id", np.int32),
        s=kit.output("allocate_out", np.int32),
    )  # fmt: skip


def _broadcast(kit: Kit) -> None:
    model = kit.model
    a = kit.converted(kit.input("a_in", np.int32, np.int64), np.int64)
    model.val = np.zeros(model.val.shape, np.int64)  # as it arrives, from the first step on
    for out in (kit.state("val"), kit.output("s_out", np.int64)):
        kit.add("gather_int64_int64", n=a.size, map=None, first=1, **{"in": a}, out=out)


ROWS = {
    _CLP + "prototype_lif.models.PrototypeLIFBitAcc": _prototype,
    _CLP + "novelty_detector.models.PyNoveltyDetectorModel": _novelty,
    _CLP + "nsm.models.PyReadoutModel": _readout,
    _CLP + "nsm.models.PyAllocatorModel": _allocator,
    _CLP + "id_broadcast.models.IdBroadcastModel": _broadcast,
}
