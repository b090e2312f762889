"""Packages that build on Brian2: they run on the device if they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from brian2 import (
    Equations,
    Network,
    NeuronGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    device,
    get_device,
    ms,
    mV,
    nA,
    restore_initial_state,
    set_device,
)
from brian2.devices.device import reset_device

import brian2lava  # noqa: F401

pytestmark = pytest.mark.filterwarnings("ignore")  # these packages' own


@pytest.fixture(autouse=True)
def lava() -> Iterator[None]:
    set_device("lava", host="inline")
    yield
    device.reinit()
    reset_device("runtime")
    restore_initial_state()


def _import(name: str) -> Any:
    try:
        return __import__(name)
    except (ImportError, AttributeError) as problem:  # also of what it imports itself
        pytest.skip(f"{name} is not installed, or does not work here: {problem}")


def test_the_device_goes_by_the_name_of_a_runtime_device() -> None:
    assert get_device().__class__.__name__ == "RuntimeDevice"


def test_brian2modelfitting_fits_a_trace() -> None:
    fitting = _import("brian2modelfitting")
    fitter = fitting.TraceFitter(
        model=Equations(
            """dv/dt = (E - v) / (5*ms) + drive * 0 * mV / nA / ms : volt
               E : volt (constant)"""
        ),
        input_var="drive",
        input=np.ones((1, 100)) * nA,
        output_var="v",
        output=np.ones((1, 100)) * 5 * mV,
        dt=0.1 * ms,
        n_samples=6,
        method="euler",
        param_init={"v": 5 * mV},
    )
    try:
        best, error = fitter.fit(
            n_rounds=3,
            optimizer=fitting.NevergradOptimizer("DE"),
            metric=fitting.MSEMetric(),
            E=[0 * mV, 10 * mV],
            callback=None,
        )
    except AttributeError as problem:  # an old nevergrad beside a new NumPy
        pytest.skip(f"nevergrad does not work here: {problem}")
    assert 0 <= best["E"] <= 0.01
    assert np.isfinite(error)
    assert np.shape(fitter.generate_traces()) == (1, 100)


def test_brian2tools_plots_and_describes() -> None:
    tools = _import("brian2tools")
    group = NeuronGroup(
        5, "dv/dt = (2 - v) / (10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    synapses = Synapses(group, group, "w : 1", on_pre="v += w")
    synapses.connect(condition="i != j")
    spikes = SpikeMonitor(group)
    trace = StateMonitor(group, "v", record=True)
    Network(group, synapses, spikes, trace).run(20 * ms)
    assert spikes.num_spikes > 0
    for drawn in (spikes, trace, synapses):
        assert tools.brian_plot(drawn) is not None
