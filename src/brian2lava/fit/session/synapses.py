"""What a fit of a synapse found, in a session: numbers, of which scripts are made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np

from brian2lava.fit.synapse import (
    Curve,
    ShortTermTarget,
    StdpTarget,
    SynapseFitResult,
    SynapseFound,
    SynapseOptions,
    SynapseTarget,
    synapse_candidate,
)
from brian2lava.fit.synapse.again import made_again

#: Kinds of targets, by the name that a session has for them.
_TARGETS: dict[str, type] = {
    "response": SynapseTarget, "short_term": ShortTermTarget, "stdp": StdpTarget,
}  # fmt: skip
#: Fields of a found synapse that are numbers by names.
_NUMBERS = ("physical", "wanted", "errors", "costs")


@dataclass(frozen=True)
class KeptSynapse:
    """A fit of a synapse that is over.

    Attributes
    ----------
    result : SynapseFitResult
    options : SynapseOptions
    asked : dict
        How whoever asked calls the target, in JSON's terms.
    """

    result: SynapseFitResult
    options: SynapseOptions = field(default_factory=SynapseOptions)
    asked: Mapping[str, Any] = field(default_factory=dict)


def synapse_state(kept: KeptSynapse, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Numbers and texts for JSON, and arrays whose names begin with ``prefix``."""
    arrays: dict[str, Any] = {}
    target = kept.result.target
    kind = next(name for name, each in _TARGETS.items() if type(target) is each)
    state: dict[str, Any] = {"kind": kind, "target": {}}
    for each in fields(target):
        value = getattr(target, each.name)
        if isinstance(value, np.ndarray):
            arrays[f"{prefix}_target_{each.name}"] = value
        else:
            state["target"][each.name] = value
    found = []
    for k, one in enumerate(kept.result.found):
        curves = []
        for c, curve in enumerate(one.curves):
            for part in ("x", "target", "chip", "spread"):
                if getattr(curve, part) is not None:
                    arrays[f"{prefix}_{k}_{c}_{part}"] = getattr(curve, part)
            curves.append({
                "name": curve.name, "x": curve.x_name, "y": curve.y_name,
                "spread": curve.spread is not None,
            })  # fmt: skip
        found.append({
            "candidate": one.candidate.name,
            "registers": {name: int(value) for name, value in one.registers.items()},
            **{
                name: {n: float(value) for n, value in getattr(one, name).items()}
                for name in _NUMBERS
            },
            "notes": list(one.notes), "curves": curves, "loss": float(one.loss),
            "losses": [float(loss) for loss in one.losses], "evaluations": int(one.evaluations),
        })  # fmt: skip
    return {
        **state, "found": found, "seconds": float(kept.result.seconds),
        "options": asdict(kept.options), "asked": dict(kept.asked),
    }, arrays  # fmt: skip


def synapse_from(state: Mapping[str, Any], arrays: Mapping[str, Any], prefix: str) -> KeptSynapse:
    """The inverse of :func:`synapse_state`.

    Registers are held to the chip's limits, and scripts are made of them anew: no text of the file
    is one that somebody may run.

    Raises
    ------
    FitError
        A candidate that there is not, or registers and targets that are none.
    KeyError, TypeError, ValueError, AttributeError
        It is damaged.
    """
    options = SynapseOptions(**state["options"])
    target = _target_from(state, arrays, prefix)
    found = tuple(
        _found_from(each, target, options, arrays, f"{prefix}_{k}")
        for k, each in enumerate(state["found"])
    )
    if not found:
        raise ValueError("a synapse without candidates")
    result = SynapseFitResult(target, found, float(state["seconds"]))
    return KeptSynapse(result, options, dict(state["asked"]))


def _target_from(state: Mapping[str, Any], arrays: Mapping[str, Any], prefix: str) -> Any:
    kind = _TARGETS[state["kind"]]
    given = dict(state["target"])
    for each in fields(kind):
        if f"{prefix}_target_{each.name}" in arrays:
            given[each.name] = arrays[f"{prefix}_target_{each.name}"]
    if "parameters" in given:
        given["parameters"] = _numbers(given["parameters"])
    for name in ("name", "source", "unit"):
        if not isinstance(given.get(name, ""), str):
            raise TypeError(f"the {name} of a synapse's target is no text")
    return kind(**given)


def _found_from(
    state: Mapping[str, Any],
    target: Any,
    options: SynapseOptions,
    arrays: Mapping[str, Any],
    prefix: str,
) -> SynapseFound:
    candidate = synapse_candidate(state["candidate"])
    registers = {str(name): _whole(value) for name, value in state["registers"].items()}
    numbers = {name: _numbers(state[name]) for name in _NUMBERS}
    again = made_again(target, candidate, options, registers, numbers["physical"])
    again.brian2(), again.lava()  # numbers of which no script can be made are refused now
    return SynapseFound(
        candidate=candidate, registers=registers, **numbers,
        notes=tuple(map(str, state["notes"])),
        curves=tuple(
            _curve_from(each, arrays, f"{prefix}_{c}") for c, each in enumerate(state["curves"])
        ),
        rule=again.rule, loss=float(state["loss"]), losses=tuple(map(float, state["losses"])),
        evaluations=_whole(state["evaluations"]), brian2=again.brian2, lava=again.lava,
    )  # fmt: skip


def _curve_from(state: Mapping[str, Any], arrays: Mapping[str, Any], place: str) -> Curve:
    names = ("x", "target", "chip", *(("spread",) if state["spread"] else ()))
    parts = {name: arrays[f"{place}_{name}"] for name in names}
    if len({part.shape for part in parts.values()}) > 1:
        raise ValueError("a curve whose arrays differ in length")
    return Curve(str(state["name"]), x_name=str(state["x"]), y_name=str(state["y"]), **parts)


def _numbers(given: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in given.items()}


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value
