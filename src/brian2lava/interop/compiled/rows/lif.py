"""LIF neurons: fixed and floating point, with reset, refractory period, two thresholds.

LearningLIF is LIF: Lava's model sends nothing through its further ports, and takes nothing.
Thresholds of the fixed-point models are scaled once, before the first step, and biases whenever
they are written, by the models' own methods: what Lava does with them stays true here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.interop.compiled.kit import Kit, Unfit

_MODELS = "lava.proc.lif.models."
_INT32 = np.iinfo(np.int32)


def spread(value: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A number, or an array, for every neuron."""
    return np.broadcast_to(np.asarray(value), shape).astype(dtype).reshape(-1)


def _resets(kit: Kit) -> tuple[int, int]:
    return getattr(kit.model, "reset_interval", 0), getattr(kit.model, "reset_offset", 0)


def _whole(kit: Kit, *names: str) -> None:
    for name in names:
        value = np.asarray(getattr(kit.model, name))
        if not np.issubdtype(value.dtype, np.integer):
            raise Unfit(f"{name} is {value.dtype}; the fixed-point model takes integers")


def fixed(
    kit: Kit, thresholds: tuple[str, ...], operation: str, s: Any, judges: bool = True
) -> Any:
    """Dynamics in fixed point; spikes go to ``s``. Returns the upper thresholds.

    Without ``judges`` no neuron spikes here: another operation compares with the thresholds.
    """
    model, shape, n = kit.model, kit.model.v.shape, kit.model.v.size
    _whole(kit, "du", "dv", *thresholds)
    keep_u, keep_v, bias, high, low = (np.zeros(n, np.int32) for _ in range(5))
    interval, offset = _resets(kit)
    made = kit.add(
        operation, n=n, small=0, alike=0, interval=interval, offset=offset,
        a=kit.input("a_in", np.int32), u=kit.state("u", np.int32), v=kit.state("v", np.int32),
        keep_u=keep_u, keep_v=keep_v, bias=bias,
        high=high if judges else np.full(n, _INT32.max, np.int32), low=low, s=s,
    )  # fmt: skip

    def refresh() -> None:
        _whole(kit, "du", "dv")
        kept_u = model.decay_unity - (np.asarray(model.du, np.int64) + model.ds_offset)
        kept_v = model.decay_unity - (np.asarray(model.dv, np.int64) + model.dm_offset)
        keep_u[:], keep_v[:] = (spread(kept, shape, np.int32) for kept in (kept_u, kept_v))
        made.set("small", all((k >= 0).all() and (k <= 4096).all() for k in (keep_u, keep_v)))
        model.scale_bias()
        bias[:] = spread(model.effective_bias, shape, np.int32)
        if not model.isthrscaled:
            model.scale_threshold()
        levels = [getattr(model, name.replace("vth", "effective_vth")) for name in thresholds]
        for array, level in zip((high, low), levels):
            array[:] = spread(np.clip(level, _INT32.min, _INT32.max), shape, np.int32)
        alike = (keep_u, keep_v, high, low)
        made.set("alike", n > 0 and all((array == array[0]).all() for array in alike))

    kit.refresh.append(refresh)
    return high


def _lif_fixed(kit: Kit) -> None:
    fixed(kit, ("vth",), "lif_fixed", kit.output("s_out", np.int32))


def _ternary_fixed(kit: Kit) -> None:
    fixed(kit, ("vth_hi", "vth_lo"), "lif_fixed_ternary", kit.output("s_out", np.int64))


def _float(kit: Kit, thresholds: tuple[str, ...], operation: str) -> None:
    model, shape, n = kit.model, kit.model.v.shape, kit.model.v.size
    keep_u, keep_v, high, low = (np.zeros(n) for _ in range(4))
    interval, offset = _resets(kit)
    refractory = hasattr(model, "refractory_period_end")
    made = kit.add(
        operation, n=n, alike=0, interval=interval, offset=offset,
        period=model.refractory_period if refractory else 0,
        until=kit.state("refractory_period_end", np.int64) if refractory else None,
        a=kit.input("a_in", np.float64),
        u=kit.state("u", np.float64), v=kit.state("v", np.float64),
        keep_u=keep_u, keep_v=keep_v, bias=kit.state("bias_mant", np.float64),
        high=high, low=low, s=kit.output("s_out", np.float64),
    )  # fmt: skip

    def refresh() -> None:
        keep_u[:] = spread(1 - np.asarray(model.du, np.float64), shape, np.float64)
        keep_v[:] = spread(1 - np.asarray(model.dv, np.float64), shape, np.float64)
        for array, name in zip((high, low), thresholds):
            array[:] = spread(getattr(model, name), shape, np.float64)
        alike = (keep_u, keep_v, high, low)
        made.set("alike", n > 0 and all((array == array[0]).all() for array in alike))

    refresh()
    kit.refresh.append(refresh)


def _lif_float(kit: Kit) -> None:
    _float(kit, ("vth",), "lif_float")


def _ternary_float(kit: Kit) -> None:
    _float(kit, ("vth_hi", "vth_lo"), "lif_float_ternary")


ROWS = {
    _MODELS + "PyLifModelBitAcc": _lif_fixed,
    _MODELS + "PyLifResetModelBitAcc": _lif_fixed,
    _MODELS + "PyLearningLIFModelFixed": _lif_fixed,
    _MODELS + "PyTernLifModelFixed": _ternary_fixed,
    _MODELS + "PyLifModelFloat": _lif_float,
    _MODELS + "PyLifResetModelFloat": _lif_float,
    _MODELS + "PyLearningLifModelFloat": _lif_float,
    _MODELS + "PyLifRefractoryModelFloat": _lif_float,
    _MODELS + "PyTernLifModelFloat": _ternary_float,
}
