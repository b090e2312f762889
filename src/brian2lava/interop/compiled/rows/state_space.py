"""S4D neurons: S4d, and SigmaS4dDelta between sigma and delta."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.interop.compiled.kit import Kit, Unfit

_MODELS = "lava.proc.s4d.models."
_KINDS = (np.dtype(np.float64), np.dtype(np.complex128))


def _kind(kit: Kit) -> Any:
    """Real or complex: what Lava's state is after the first step."""
    model = kit.model
    given = [np.asarray(getattr(model, name)) for name in ("a", "b", "s4_state")]
    kind = np.result_type(np.float64, *given)
    if kind not in _KINDS or np.result_type(kind, np.asarray(model.c)) != kind:
        raise Unfit("c is complex, and a and b are not")
    return kind


def _doubles(array: Any) -> Any:
    """The same numbers, complex ones as two."""
    return array.reshape(-1).view(np.float64)


def _system(kit: Kit) -> tuple[Any, dict[str, Any]]:
    """The type of its numbers, and the fields of the linear system."""
    model, kind, shape = kit.model, _kind(kit), kit.member.builder.py_ports["a_in"].shape
    model.s4_state = np.array(np.broadcast_to(model.s4_state, shape), kind)
    kit.replaced.add("s4_state")
    given = {name: np.zeros(shape, kind) for name in ("a", "b", "c")}

    def refresh() -> None:
        for name, array in given.items():
            array[...] = getattr(model, name)

    refresh()
    kit.refresh.append(refresh)
    fields = {name: _doubles(array) for name, array in given.items()}
    return kind, fields | {
        "n": model.s4_state.size, "real": kind == np.float64, "x": _doubles(model.s4_state),
    }  # fmt: skip


def _state_space(kit: Kit) -> None:
    _, fields = _system(kit)
    kit.add(
        "state_space", **fields, input=kit.input("a_in", np.float64),
        s=kit.output("s_out", np.float64),
    )  # fmt: skip


def _sigma_state_space(kit: Kit) -> None:
    model = kit.model
    if np.any(model.cum_error):
        raise Unfit("cum_error is set")
    kind, fields = _system(kit)
    for name in ("act", "residue"):
        setattr(model, name, np.array(getattr(model, name), kind))
        kit.replaced.add(name)
    vth = np.zeros(model.act.size)

    def refresh() -> None:
        vth[:] = np.broadcast_to(model.vth, model.act.shape).reshape(-1)

    refresh()
    kit.refresh.append(refresh)
    kit.add(
        "sigma_state_space", **fields, input=kit.input("a_in", np.float64), vth=vth,
        sigma=kit.state("sigma", np.float64), act=_doubles(model.act),
        residue=_doubles(model.residue), s=kit.output("s_out", np.float64),
    )  # fmt: skip


ROWS = {
    _MODELS + "S4dModel": _state_space,
    _MODELS + "PySigmaS4dDeltaModelFloat": _sigma_state_space,
}
