"""Neurons that are no LIF: sigma-delta, ATRLIF, resonators, thresholds, products, roots."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.proc.graded.models import make_fpinv_table

from brian2lava.interop.compiled.kit import Kit, Unfit, name_of
from brian2lava.interop.compiled.rows.lif import spread

_PROC = "lava.proc."
#: Bits after the point in Lava's inverse root, whatever its ``fp_base`` says.
_FRACTION = 12


def _single(kit: Kit, name: str) -> int:
    """A parameter that Lava keeps as an array of one element."""
    value = np.asarray(getattr(kit.model, name))
    if value.size != 1:
        raise Unfit(f"{name} has {value.size} values")
    return int(value.reshape(-1)[0])


def _filled(kit: Kit, shape: tuple[int, ...], dtype: Any, *names: str) -> dict[str, Any]:
    """Parameters, a value for every neuron, kept up to date."""
    arrays = {name: np.zeros(int(np.prod(shape, dtype=int)), dtype) for name in names}

    def refresh() -> None:
        for name, array in arrays.items():
            array[:] = spread(getattr(kit.model, name), shape, dtype)

    refresh()
    kit.refresh.append(refresh)
    return arrays


def _sigma(kit: Kit) -> None:
    state = kit.model.sigma
    kit.add(
        "sigma_" + name_of(state.dtype), n=state.size, a=kit.input("a_in", state.dtype),
        sigma=kit.state("sigma"), s=kit.output("s_out", state.dtype),
    )  # fmt: skip


def _delta(kit: Kit, fixed: bool, integrates: bool) -> None:
    model, dtype = kit.model, np.dtype(np.int32 if fixed else np.float64)
    shape, n = model.act.shape, model.act.size
    given = _filled(kit, shape, dtype, "vth")
    made = kit.add(
        "delta_" + name_of(dtype), n=n, up=0, down=0, relu=0, cumulative=0,
        a=kit.input("a_in", dtype), vth=given["vth"],
        bias=kit.state("bias", dtype) if integrates else None,
        sigma=kit.state("sigma", dtype) if integrates else None,
        act=kit.state("act", dtype), residue=kit.state("residue", dtype),
        error=kit.state("error", dtype), s=kit.output("s_out", dtype),
    )  # fmt: skip

    def refresh() -> None:
        spike, state = _single(kit, "spike_exp"), _single(kit, "state_exp")
        made.set("up", 0 if integrates else spike + state)
        made.set("down", state)
        made.set("cumulative", bool(_single(kit, "cum_error")))
        made.set("relu", integrates and _rectifies(model.act_mode))

    refresh()
    kit.refresh.append(refresh)


def _rectifies(mode: Any) -> bool:
    if mode.name not in ("UNIT", "RELU"):
        raise Unfit(f"its activation is {mode}")
    return bool(mode.name == "RELU")


def _atrlif(kit: Kit, fixed: bool) -> None:
    model = kit.model
    shape, n = model.v.shape, model.v.size
    state = np.dtype(np.int32 if fixed else np.float64)
    decays = ("delta_i", "delta_v", "delta_theta", "delta_r")
    if fixed and any(np.asarray(getattr(model, name)).dtype != np.float64 for name in decays):
        raise Unfit("an integer among its decays, with which Lava's own products overflow")
    kinds = (np.float64, *(3 * [np.int64 if fixed else np.float64]))
    names = ("keep_i", "keep_v", "keep_theta", "keep_r")
    keep: dict[str, Any] = {name: np.zeros(n, kind) for name, kind in zip(names, kinds)}
    levels: dict[str, Any] = {name: np.zeros(n, state) for name in ("theta_0", "theta_step")}
    bias: Any = np.zeros(n, state) if fixed else kit.state("bias_mant", np.float64)
    theta = kit.state("theta", state)
    kit.add(
        "atrlif_fixed" if fixed else "atrlif_float", n=n, a=kit.input("a_in", state),
        i=kit.state("i", state), v=kit.state("v", state), theta=theta,
        r=kit.state("r", state), fired=kit.state("s", np.bool_), bias=bias, **keep, **levels,
        s=kit.output("s_out", state),
    )  # fmt: skip

    def refresh() -> None:
        if fixed:
            _scale(model)
            bias[:] = spread(model.effective_bias, shape, np.int32)
        for (name, array), decay in zip(keep.items(), decays):
            delta = np.asarray(getattr(model, decay))
            offset = model.ds_offset if fixed and name == "keep_i" else 0
            kept = model.decay_unity - (delta * model.decay_unity + offset) if fixed else 1 - delta
            array[:] = spread(kept, shape, array.dtype)
        for name, array in levels.items():
            array[:] = spread(getattr(model, name), shape, state)

    kit.refresh.append(refresh)


def _scale(model: Any) -> None:
    """What the model does before its first step; theta stays the array that it is."""
    model.scale_bias()
    if model.isthrscaled:
        return
    theta = model.theta
    model.scale_threshold()
    theta[...] = model.theta
    model.theta = theta


def _resonator(kit: Kit, fixed: bool, resets: bool) -> None:
    model = kit.model
    shape, n = model.real.shape, model.real.size
    state = np.dtype(np.int32 if fixed else np.float64)
    if fixed:
        for name in ("sin_decay", "cos_decay"):
            value = np.asarray(getattr(model, name))
            if not np.issubdtype(value.dtype, np.integer):
                raise Unfit(f"{name} is {value.dtype}; give decay_bits of 1 or more")
    kind = np.int64 if fixed else np.float64
    given = _filled(kit, shape, kind, "sin_decay", "cos_decay", "vth")
    made = kit.add(
        "resonator_fixed" if fixed else "resonator_float", n=n, resets=resets,
        **({"up": 0, "down": 0} if fixed else {}),
        a_real=kit.input("a_real_in", state), a_imag=kit.input("a_imag_in", state),
        real=kit.state("real", state), imag=kit.state("imag", state),
        sine=given["sin_decay"], cosine=given["cos_decay"], vth=given["vth"],
        s=kit.output("s_out", np.int32 if fixed else np.bool_),
    )  # fmt: skip

    def refresh() -> None:
        made.set("up", _single(kit, "state_exp"))
        made.set("down", _single(kit, "decay_bits"))

    if fixed:
        kit.refresh.append(refresh)


def _zero_crossing(kit: Kit) -> None:
    model = kit.model
    given = _filled(kit, model.u.shape, np.int32, "lst", "lct", "uth")
    kit.add(
        "zero_crossing", n=model.u.size, a_u=kit.input("u_in", np.int32),
        a_v=kit.input("v_in", np.int32), u=kit.state("u", np.int32), v=kit.state("v", np.int32),
        sine=given["lst"], cosine=given["lct"], uth=given["uth"],
        s=kit.output("s_out", np.int32),
    )  # fmt: skip


def _graded(kit: Kit, relu: bool) -> None:
    given = _filled(kit, kit.model.v.shape, np.int32, "vth")
    kit.add(
        "graded", n=kit.model.v.size, relu=relu, a=kit.input("a_in", np.int32), vth=given["vth"],
        v=kit.state("v", np.int32), s=kit.output("s_out", np.int32),
    )  # fmt: skip


def _product(kit: Kit) -> None:
    given = _filled(kit, kit.model.v.shape, np.int32, "vth", "exp")
    kit.add(
        "product", n=kit.model.v.size, a_1=kit.input("a_in1", np.int32),
        a_2=kit.input("a_in2", np.int32), vth=given["vth"], exponent=given["exp"],
        s=kit.output("s_out", np.int32),
    )  # fmt: skip


def _normalise(kit: Kit) -> None:
    given = _filled(kit, kit.model.v.shape, np.int32, "vth")
    kit.add(
        "normalise", n=kit.model.v.size, a_1=kit.input("a_in1", np.int32),
        a_2=kit.input("a_in2", np.int32), vth=given["vth"], v=kit.state("v", np.int32),
        v_2=kit.state("v2", np.int32), square=kit.output("s2_out", np.int32),
        s=kit.output("s_out", np.int32),
    )  # fmt: skip


def _inverse_root(kit: Kit) -> None:
    a = kit.input("a_in", np.float64)
    kit.add("inverse_root", n=a.size, a=a, s=kit.output("s_out", np.float64))


def _inverse_root_fixed(kit: Kit) -> None:
    a = kit.input("a_in", np.int32)
    if a.size != 1:
        raise Unfit(f"it has {a.size} elements; Lava's own model has no more than one")
    kit.add(
        "inverse_root_fixed", a=a, start=make_fpinv_table(_FRACTION).astype(np.int64),
        s=kit.output("s_out", np.int32), fault=kit.fault("a negative number has no square root."),
    )  # fmt: skip


def _delta_encoder(kit: Kit) -> None:
    model = kit.model
    sent = kit.output("s_out", np.int32)
    for name in ("act", "residue"):  # integers of 64 bits from the first step on
        setattr(model, name, np.ascontiguousarray(getattr(model, name), np.int64))
    out = np.zeros(model.act.size, np.int64)
    kit.add("send_int64_int32", n=out.size, **{"in": out}, out=sent)
    kit.then()
    given = _filled(kit, model.act.shape, np.int64, "vth")
    a = kit.input("a_in", np.int32, np.int64)
    made = kit.add(
        "delta_encoder_" + name_of(a.dtype), n=out.size, up=0, limited=0, low=0, high=0, a=a,
        vth=given["vth"], act=kit.state("act"), residue=kit.state("residue"), out=out,
    )  # fmt: skip

    def refresh() -> None:
        made.set("up", _single(kit, "spike_exp"))
        made.set("limited", _single(kit, "a_max") > 0)
        made.set("low", _single(kit, "a_min"))
        made.set("high", _single(kit, "a_max"))

    refresh()
    kit.refresh.append(refresh)


def _spiker(kit: Kit) -> None:
    model = kit.model
    kit.add(
        "spiker", n=model.counter.size, rate=kit.state("rate", np.int64),
        payload=kit.state("payload", np.int64), counter=kit.state("counter", np.int64),
        s=kit.output("s_out", np.int64),
    )  # fmt: skip


ROWS = {
    _PROC + "graded.models.InvSqrtModelFloat": _inverse_root,
    _PROC + "graded.models.InvSqrtModelFP": _inverse_root_fixed,
    _PROC + "io.encoder.PyDeltaEncoderModelDense": _delta_encoder,
    _PROC + "sdn.models.PySigmaModelFixed": _sigma,
    _PROC + "sdn.models.PySigmaModelFloat": _sigma,
    _PROC + "sdn.models.PyDeltaModelFixed": lambda kit: _delta(kit, True, False),
    _PROC + "sdn.models.PyDeltaModelFloat": lambda kit: _delta(kit, False, False),
    _PROC + "sdn.models.PySigmaDeltaModelFixed": lambda kit: _delta(kit, True, True),
    _PROC + "sdn.models.PySigmaDeltaModelFloat": lambda kit: _delta(kit, False, True),
    _PROC + "atrlif.models.PyATRLIFModelFixed": lambda kit: _atrlif(kit, True),
    _PROC + "atrlif.models.PyATRLIFModelFloat": lambda kit: _atrlif(kit, False),
    _PROC + "rf.models.PyRFModelFixed": lambda kit: _resonator(kit, True, False),
    _PROC + "rf.models.PyRFModelFloat": lambda kit: _resonator(kit, False, False),
    _PROC + "rf_iz.models.PyRF_IZModelFixed": lambda kit: _resonator(kit, True, True),
    _PROC + "rf_iz.models.PyRF_IZModelFloat": lambda kit: _resonator(kit, False, True),
    _PROC + "resfire.models.PyRFZeroModelFixed": _zero_crossing,
    _PROC + "graded.models.PyGradedVecModelFixed": lambda kit: _graded(kit, False),
    _PROC + "graded.models.PyGradedReluVecModelFixed": lambda kit: _graded(kit, True),
    _PROC + "graded.models.NormVecDelayModel": _normalise,
    _PROC + "prodneuron.models.PyProdNeuronModelFixed": _product,
    _PROC + "spiker.models.SpikerModel": _spiker,
}
