"""The map is compared with the code that it was read from, at random points, in plain NumPy."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np
from brian2.codegen.runtime.numpy_rt import NumpyCodeObject
from brian2.core.functions import Function
from brian2.core.variables import Subexpression
from brian2.parsing.rendering import NumpyNodeRenderer

from brian2lava.chip.recognise.earlier import drawn_of
from brian2lava.chip.recognise.expression import assignments
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.step_map import Array, PopulationMap

#: Relative to the sum of the magnitudes of all terms.
TOLERANCE = 1e-9


class _Names(dict[str, Any]):
    """Values of a group's names, looked up when the code asks for them."""

    def __init__(self, group: Any, namespace: Mapping[str, Any]) -> None:
        super().__init__(not_refractory=True)
        self._group, self._namespace = group, namespace

    def __missing__(self, identifier: str) -> Any:
        if identifier == "_numpy":
            return np
        found = self._group._resolve(identifier, self._namespace, user_identifier=False)
        if isinstance(found, Function):
            return found.implementations[NumpyCodeObject].get_code(self._group)
        if isinstance(found, Subexpression):
            return eval(NumpyNodeRenderer().render_expr(found.expr), {}, self)
        return np.asarray(found.get_value())


def confirm(group: Any, namespace: Mapping[str, Any], found: PopulationMap, code: str) -> None:
    """Run ``code`` (of the state update) at three points and compare.

    Raises
    ------
    NotSupported
        The step is not the map that it seemed to be.
    """
    draw = np.random.default_rng(20240229)
    updater, drawn = group.subexpression_updater, drawn_of(group)
    statements = (assignments(updater.abstract_code) if updater is not None else []) + assignments(
        code
    )
    step = int(round(float(np.ravel(group.variables["t"].get_value())[0]) / found.dt))
    initial = found.initial()
    noises = [noise.name for noise in found.noises]
    scale = np.maximum(np.abs(initial).max(axis=1, initial=0), np.abs(found.bias).max(axis=1))
    scale = np.where(scale > 0, scale, 1.0)[:, None]
    for _ in range(3):
        x = scale * draw.standard_normal(initial.shape)
        expected, size = stepped(found, x, step)
        z = draw.standard_normal((len(found.noises), initial.shape[1]))
        for noise, drawn_now in zip(found.noises, z, strict=True):
            expected, size = expected + noise.gain * drawn_now, size + np.abs(noise.gain)
        names = _Names(group, namespace)
        names["t"] = step * found.dt
        names.update(zip((state.name for state in found.states), x, strict=True))
        names.update(zip(noises, np.sqrt(found.dt) * z, strict=True))
        names.update(dict.fromkeys(drawn, np.nan))  # no state may depend on these
        for name, node, _text in statements:
            if name in drawn or name in noises:
                continue
            rendered = NumpyNodeRenderer().render_node(ast.fix_missing_locations(node))
            with np.errstate(all="ignore"):
                names[name] = eval(rendered, {}, names)
        for k, state in enumerate(found.states):
            wrong = ~(np.abs(names[state.name] - expected[k]) <= TOLERANCE * size[k])
            if np.any(wrong):
                refuse(
                    group,
                    f"a step of {state.name} is not the linear map that its terms add up to"
                    f" (neuron {int(np.flatnonzero(wrong)[0])})",
                    "A chip neuron steps as x' = Phi x + b",
                    "simplify the equations",
                )


def stepped(found: PopulationMap, x: Array, step: int) -> tuple[Array, Array]:
    """The states after a state update from ``x`` (n, N) in ``step``, and the terms' magnitudes."""
    phi = np.broadcast_to(found.phi, (*found.phi.shape[:2], x.shape[1]))
    result = np.einsum("kmn,mn->kn", phi, x)
    size = np.einsum("kmn,mn->kn", np.abs(phi), np.abs(x))
    result = result + found.bias
    size = size + np.abs(found.bias)
    for source in found.inputs:
        given = source.gain * source.at(step, 1)
        result, size = result + given, size + np.abs(given)
    return result, size
