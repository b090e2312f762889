"""brian2modelfitting's Hodgkin-Huxley example as a float fit.

`python -m benchmarks.float_fit PATH`, where PATH is a folder with the example's
`input_traces_hh.csv` (ampere) and `output_traces_hh.csv` (millivolt): 5 traces, 0.01 ms a sample.
Model, bounds and error (mean squared difference from 5 ms on) are the example's. The result is run
once more by Brian2 itself, in NumPy, as a check.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import brian2
import numpy as np
from brian2 import mV, nS, pF, uS

from brian2lava.fit.float_fit import FloatFit, float_fit
from brian2lava.fit.target import NeuronEquations, Sweep, Target, neuron_equations

DT = 1e-5
BAR = 33.0
EQUATIONS = """
dv/dt = (gl*(El - v) - g_na*m**3*h*(v - ENa) - g_kd*n**4*(v - EK) + I)/Cm : volt
dm/dt = 0.32*4/exprel((13*mV - v + VT)/(4*mV))/ms*(1 - m)
        - 0.28*5/exprel((v - VT - 40*mV)/(5*mV))/ms*m : 1
dn/dt = 0.032*5/exprel((15*mV - v + VT)/(5*mV))/ms*(1 - n)
        - 0.5*exp((10*mV - v + VT)/(40*mV))/ms*n : 1
dh/dt = 0.128*exp((17*mV - v + VT)/(18*mV))/ms*(1 - h)
        - 4/(1 + exp((40*mV - v + VT)/(5*mV)))/ms*h : 1
"""
BOUNDS = {
    "gl": (1 * nS, 100 * nS),
    "g_na": (2 * uS, 200 * uS),
    "g_kd": (0.6 * uS, 60 * uS),
    "Cm": (20 * pF, 400 * pF),
}


def neuron() -> NeuronEquations:
    """The example's neuron; the free parameters begin anywhere."""
    constants = {"El": -65 * mV, "EK": -90 * mV, "ENa": 50 * mV, "VT": -63 * mV}
    free = {name: high for name, (_, high) in BOUNDS.items()}
    return neuron_equations(
        EQUATIONS, namespace=constants | free, initial={"v": "VT"}, method="exponential_euler",
        name="Hodgkin-Huxley of brian2modelfitting",
    )  # fmt: skip


def recorded(folder: Path) -> Target:
    """The example's data as a target."""
    current, voltage = (
        np.loadtxt(folder / f"{kind}_traces_hh.csv", delimiter=",", skiprows=1)[:, 1:]
        for kind in ("input", "output")
    )
    sweeps = tuple(Sweep(i, (), v * 1e-3) for i, v in zip(current, voltage))
    return Target("brian2modelfitting's example", DT, sweeps, train=((5e-3, len(current[0]) * DT),))


def error_in_brian2(fit: FloatFit, target: Target) -> float:
    """The error of the fitted parameters in Brian2's own run, mV²."""
    brian2.prefs.codegen.target = "numpy"
    traces = brian2.TimedArray(
        np.array([sweep.current for sweep in target.sweeps]).T * brian2.amp, DT * brian2.second
    )
    values: dict[str, Any] = {
        name: brian2.Quantity(value.number, dim=brian2.Equations(f"x : {value.unit}")["x"].dim)
        for name, value in fit.neuron.parameters.items()
    }
    group = brian2.NeuronGroup(
        len(target.sweeps), EQUATIONS + "I = traces(t, i) : amp", method="exponential_euler",
        dt=DT * brian2.second, namespace=values | {"traces": traces},
    )  # fmt: skip
    group.v = "VT"
    monitor = brian2.StateMonitor(group, "v", record=True, dt=DT * brian2.second)
    brian2.Network(group, monitor).run(target.duration * brian2.second)
    first = round(5e-3 / DT)
    recorded_voltage = np.array([sweep.voltage for sweep in target.sweeps])
    difference = np.asarray(monitor.v)[:, : recorded_voltage.shape[1]] - recorded_voltage
    return float((difference[:, first:] ** 2).mean()) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.float_fit")
    parser.add_argument("path", type=Path, help="folder of the example's data")
    parser.add_argument("--evaluations", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    target = recorded(options.path)
    for method in ("cma", "differential_evolution"):
        found = float_fit(
            target, neuron(), BOUNDS, evaluations=options.evaluations, seeds=options.seeds,
            method=method,
        )  # fmt: skip
        losses = [loss * 1e6 for loss in found.seeds]
        reached = next((n for n, loss in found.history if loss * 1e6 < BAR), None)
        print(f"{method}: median {statistics.median(losses):.2f} mV² after {found.evaluations}"
              f" evaluations (seeds: {', '.join(f'{loss:.2f}' for loss in losses)};"
              f" bar {BAR:g}, reached after {reached});"
              f" {found.evaluations * options.seeds / found.seconds:.0f} evaluations a second;"
              f" in Brian2's own run {error_in_brian2(found, target):.2f} mV²")  # fmt: skip
        print(found)


if __name__ == "__main__":
    main()
