"""Data loaders. The data set is the user's Python: every so many steps Lava's model takes a sample
of it, between steps that are compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brian2lava.interop.compiled.kit import Hosted, Kit, Unfit, name_of

_LOADER = "lava.proc.io.dataloader."


def _loads(kit: Kit, truth: Any, loaded: Callable[[], None]) -> None:
    """Lava's model loads a sample in its steps; afterwards ``loaded`` is called."""
    model = kit.model

    def call(step: int) -> None:
        model.time_step, model.phase = step, model.Phase.POST_MGMT
        model.run_post_mgmt()
        truth[:] = np.reshape(model.ground_truth_array(), -1)
        loaded()

    hosted = Hosted(1, 0, call)
    kit.hosted.append(hosted)

    def refresh() -> None:
        hosted.interval, hosted.offset = int(model.interval[0]), int(model.offset[0])

    refresh()
    kit.refresh.append(refresh)


def _truth(kit: Kit) -> Any:
    """What is sent beside the data; before the first sample it is one 0, whatever its shape."""
    shape = tuple(kit.member.builder.py_ports["ground_truth"].shape)
    if shape != (1,) and kit.member.outputs.get("ground_truth"):
        raise Unfit(f"its ground truth has shape {shape}, and Lava sends one number at first")
    return kit.output("ground_truth", np.float64)


def _spikes(kit: Kit) -> None:
    model = kit.model
    kit.replaced.add("data")
    sent = kit.output("s_out", model.data.dtype)
    count = np.zeros(1, np.int64)
    made = kit.add("play_on_" + name_of(sent.dtype), n=sent.size, rows=1, data=None, count=count,
                   out=sent)  # fmt: skip

    def loaded() -> None:
        steps = int(model.interval[0])
        if model.data.shape[-1] < steps:
            raise ValueError(f"its data have {model.data.shape[-1]} steps, its interval is {steps}")
        by_step = np.moveaxis(model.data[..., :steps], -1, 0).reshape(steps, -1)
        made.set("data", np.ascontiguousarray(by_step, sent.dtype).reshape(-1))
        made.set("rows", steps)
        count[0] = model.sample_time

    def refresh() -> None:
        model.sample_time = int(count[0])
        loaded()

    _loads(kit, _truth(kit), loaded)
    kit.refresh.append(refresh)


def _state(kit: Kit) -> None:
    truth = _truth(kit)
    # the ground truth stays what it is between samples; the operation stands for its being sent
    kit.add("gather_double_double", n=0, **{"in": truth}, map=None, out=truth, first=1)
    _loads(kit, truth, lambda: None)


ROWS = {
    _LOADER + "PySpikeModelFixed": _spikes,
    _LOADER + "PySpikeModelFloat": _spikes,
    _LOADER + "PyStateModelFixed": _state,
    _LOADER + "PyStateModelFloat": _state,
}
