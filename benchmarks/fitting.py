"""What is fitted by both sides of the measure `fit`, and one function a side; each in a process of
its own.

A leaky neuron with four parameters (membrane time constant, gain, steady level, refractory time)
and one noisy stimulus; every evaluation ends in a gamma factor at 2 ms. Theirs is
brian2modelfitting's SpikeFitter on Brian2's runtime with Cython, ours the batch on the chip's
arithmetic. Both have one thread, so times are the processor's: what else runs does not count.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from time import process_time
from typing import Any

import numpy as np

from brian2lava.fit import FitOptions, Fitting, Target
from brian2lava.fit.target import equations_target
from brian2lava.fit.target.stimuli import Noise

DT = 1e-4
WINDOW = 2e-3
_EQUATIONS = "dv/dt = (bias - v + gain*I)/tau_m : 1 (unless refractory)"
_TRUE = {"tau_m": 0.018, "gain": 1.1, "bias": 0.3, "tref": 0.003}
_BOUNDS = {"tau_m": (1e-3, 0.2), "gain": (0.1, 15.0), "bias": (-1.0, 0.95), "tref": (0.0, 0.006)}


def problem(steps: int) -> Target:
    """One sweep, all of it to train on."""
    stimulus = Noise(mean=0.5, sigma=0.6, tau=0.01, duration=steps * DT, seed=1)
    return equations_target(
        _EQUATIONS, "v > 1", "v = 0", stimulus, namespace=_values(), refractory="tref",
        input_unit="1", dt=DT, name="leaky", train=((0.0, steps * DT),),
    )  # fmt: skip


def _values() -> dict[str, Any]:
    from brian2 import second

    return {name: value * (second if name[0] == "t" else 1) for name, value in _TRUE.items()}


# ------------------------------------------------------------ evaluations a second
def ours(steps: int, samples: int, rounds: int) -> dict[str, Any]:
    """Seconds of each of ``rounds`` batches of ``samples`` settings, warm, on one core."""
    _one_core()
    fitting = Fitting(problem(steps), ["LIFRefractory"], FitOptions(seeds=1, workers=1))
    trial = fitting.trials[0]
    rng = np.random.default_rng(0)
    seconds = []
    for k in range(rounds + 1):
        points = rng.random((samples, trial.space.dimensions))
        begin = process_time()
        losses = trial.loss.free(trial.space.settings(points))
        if k:
            seconds.append(process_time() - begin)
    return {"seconds": seconds, "best": float(losses.min())}


def theirs(steps: int, samples: int, rounds: int) -> dict[str, Any]:
    """The same by SpikeFitter; the first round, which compiles, does not count."""
    _one_core()
    target = problem(steps)
    fitter = _spike_fitter(target, samples)
    taken = [process_time()]
    fitter.fit(
        n_rounds=rounds + 1, optimizer=_random_search(), metric=_gamma(target), **_BOUNDS,
        callback=lambda *_: taken.append(process_time()),
    )  # fmt: skip
    return {"seconds": np.diff(taken)[1:].tolist()}


# ------------------------------------------------------------ from nothing to a first result
def our_first(steps: int, samples: int) -> dict[str, Any]:
    """A whole small fit; the time of the whole process is what is wanted."""
    _one_core()
    fitting = Fitting(
        problem(steps), ["LIFRefractory"], FitOptions(seeds=1, workers=1, evaluations=500)
    )
    fitting.advance(float("inf"))
    best = fitting.result().best
    return {"cpu": _cpu(), "gamma": best.evaluation.gamma("train"), "evaluations": best.evaluations}


def their_first(steps: int, samples: int) -> dict[str, Any]:
    """One round."""
    _one_core()
    target = problem(steps)
    fitter = _spike_fitter(target, samples)
    _, error = fitter.fit(
        n_rounds=1, optimizer=_random_search(), metric=_gamma(target), callback=None, **_BOUNDS
    )
    return {"cpu": _cpu(), "error": float(error), "evaluations": samples}


def _cpu() -> float:
    """Seconds of the processor for this process from its start, with its compilers."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _spike_fitter(target: Target, samples: int) -> Any:
    from brian2 import Equations, prefs, second
    from brian2modelfitting import SpikeFitter  # type: ignore[import-not-found]

    # its cache is in the home folder; a cold one has to be possible
    prefs.codegen.runtime.cython.cache_dir = os.path.join(os.environ["XDG_CACHE_HOME"], "cython")
    (sweep,) = target.sweeps
    return SpikeFitter(
        model=Equations(_EQUATIONS + "\ntau_m : second (constant)\ngain : 1 (constant)\n"
                        "bias : 1 (constant)\ntref : second (constant)"),
        input_var="I", input=sweep.current[None], output=[sweep.spikes[0] * second],
        dt=DT * second, reset="v = 0", threshold="v > 1", refractory="tref", method="exact",
        n_samples=samples,
    )  # fmt: skip


def _gamma(target: Target) -> Any:
    from brian2 import second
    from brian2modelfitting import GammaFactor

    return GammaFactor(delta=WINDOW * second, time=target.duration * second)


def _random_search() -> Any:
    """Points all over the bounds, which costs nothing: what is compared is the evaluations.

    The release of nevergrad that it is made for needs a NumPy below 1.24, too.
    """
    from brian2modelfitting.optimizer import Optimizer  # type: ignore[import-not-found]

    class Uniform(Optimizer):  # type: ignore[misc, unused-ignore]
        def initialize(self, parameter_names: Any, popsize: int, **bounds: Any) -> None:
            self.limits = np.array([bounds[name] for name in parameter_names])
            self.rng = np.random.default_rng(0)
            self.tested_parameters: list[Any] = []
            self.errors: list[float] = []

        def ask(self, n_samples: int) -> Any:
            low, high = self.limits.T
            return (low + (high - low) * self.rng.random((n_samples, len(low)))).tolist()

        def tell(self, parameters: Any, errors: Any) -> None:
            self.tested_parameters.extend(parameters)
            self.errors.extend(errors)

        def recommend(self) -> Any:
            return self.tested_parameters[int(np.nanargmin(self.errors))]

    return Uniform()


# ------------------------------------------------------------ registers from a recording
def recovered(seeds: Sequence[int], voltage: bool, vth: Sequence[int]) -> dict[str, Any]:
    """How often the registers come back, and spikes that no search saw; and the time of each."""
    from brian2lava.fit.search.recover import recover

    from .recordings import (
        held_out_in_their_step,
        recording,
        same_held_out,
        same_registers,
    )

    rows: dict[str, list[Any]] = {
        "registers": [], "held_out": [], "in_their_step": [], "exact": [], "seconds": [],
    }  # fmt: skip
    for seed in seeds:
        known = recording(seed, voltage, (vth[0], vth[1]))
        if not rows["seconds"]:  # the first compiles
            recover(known.target, bounds=known.bounds, seed=seed, rounds=1)
        begin = process_time()
        found = recover(known.target, bounds=known.bounds, seed=seed)
        rows["seconds"].append(process_time() - begin)
        rows["registers"].append(same_registers(found.settings, known))
        rows["held_out"].append(same_held_out(found.settings, known))
        rows["in_their_step"].append(held_out_in_their_step(found.settings, known))
        rows["exact"].append(found.exact)
    return rows
