"""User functions that exist in Python only, or for another target, are called back."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import (
    NeuronGroup,
    StateMonitor,
    Synapses,
    check_units,
    implementation,
    ms,
    mV,
    run,
    volt,
)

from tests.networks.compare import same_as_runtime
from tests.networks.devices import Engine, pytest_generate_tests, under  # noqa: F401


@same_as_runtime
def test_in_every_place() -> Any:
    """Equations, subexpressions, thresholds, pathways, `run_regularly`, `connect`, values."""

    @check_units(x=volt, result=volt)
    def shifted(x: Any) -> Any:
        return 42 * mV + x * 2

    @check_units(x=1, result=1)
    def doubled(x: Any) -> Any:
        return x * 2 + 1

    group = NeuronGroup(
        5,
        """v : volt
        du/dt = doubled(u)/(10*ms) : 1
        w = doubled(u) : 1 (constant over dt)""",
        threshold="doubled(u) > 4",
        reset="u = 0",
        method="euler",
    )
    group.u = "0.1*doubled(i)"
    group.run_regularly("v = shifted(v)", dt=0.5 * ms)
    synapses = Synapses(
        group,
        group,
        "q : 1",
        on_pre="q = doubled(q); u_post += 0.01*doubled(i)",
        delay=0.2 * ms,
    )
    synapses.connect("doubled(i) > doubled(j)")
    trace = StateMonitor(group, "w", record=True)
    run(3 * ms)
    return group, synapses, trace


def test_code_for_cython_alone(engine: Engine) -> None:
    """The Python function is what runs."""

    @implementation("cython", "cdef double answer(double x):\n    return 1")
    @check_units(x=1, result=1)
    def answer(x: Any) -> Any:
        return np.full_like(x, 42.0)

    with under(engine):
        group = NeuronGroup(3, "v : 1")
        group.run_regularly("v = answer(v)")
        run(0.1 * ms)
        assert list(group.v) == [42, 42, 42]
