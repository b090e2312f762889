"""A neuron's step in C++ -> a library that runs many neurons, each with parameters of its own.

The loop over time is innermost: a neuron's state stays in registers, and what depends on its
parameters alone is computed once a neuron.

In a *forced* run a recording's spikes reset the neuron, beside its own: after each of them it is
where the recording is, so that one error does not shift all that follows, and what a search sees is
smoother.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.engine.cpu.toolchain import Toolchain, build, find_compiler
from brian2lava.errors import CompileError, FitError

FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")
#: Spikes kept of a neuron unless asked otherwise.
CAPACITY = 1 << 16


@dataclass(frozen=True)
class NeuronCode:
    """The blocks of a neuron's step. Every variable is called ``v_`` and its name.

    Attributes
    ----------
    parameters : tuple of str
        Constants of a neuron, in the order in which they are given.
    states : tuple of (name, type, first value)
    input : str
        What the stimulus sets before each step.
    support : str
        Functions that the blocks call.
    initial, before, update, threshold, reset : str
        C++; ``threshold`` sets ``b2l_fired``. ``before`` runs at the beginning of each step.
    margin : str
        C++ that sets ``b2l_margin``, by how much the neuron is above its threshold; empty where the
        threshold is no comparison of two values.
    observed : str
        The state that errors are measured of; empty for none.
    """

    parameters: tuple[str, ...]
    states: tuple[tuple[str, str, str], ...]
    input: str
    support: str
    initial: str
    before: str
    update: str
    threshold: str
    margin: str
    reset: str
    observed: str


@dataclass(frozen=True)
class Run:
    """What neurons did.

    Attributes
    ----------
    spikes : array of int32, shape (size, capacity)
        Steps of spikes; the first ``counts`` of a row are valid.
    counts : array of int64, shape (size,)
        All spikes, also those that were not kept.
    traces : dict of str to array of float64, shape (size, steps)
        Values at the beginning of each step.
    errors : array of float64, shape (size,)
        Weighted mean of squared differences from the reference, in the variable's unit squared.
    penalties : array of float64, shape (size,)
        Forced runs: 1 for every spike of its own that the recording does not have, and for every
        spike of the recording by how far, in ``scale``, the neuron was below its threshold, at most
        1.
    """

    spikes: Any
    counts: Any
    traces: Mapping[str, Any]
    errors: Any
    penalties: Any

    def train(self, k: int) -> Any:
        """Steps in which neuron ``k`` fired."""
        return self.spikes[k, : min(int(self.counts[k]), self.spikes.shape[1])]


class _Job(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("size", "first", "last", "steps", "capacity")),
        ("dt", ctypes.c_double),
        ("scale", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in
          ("parameters", "current", "spikes", "counts", "wanted", "traces", "reference", "weight",
           "errors", "due", "penalties")),
    ]  # fmt: skip


class NeuronKernel:
    """A compiled neuron.

    Raises
    ------
    CompileError
        There is no C++ compiler, or it refused the text.
    """

    def __init__(self, code: NeuronCode) -> None:
        compiler = find_compiler()
        if compiler is None:
            raise CompileError(
                "equations are compiled for fits, and no C++ compiler was found; install g++"
                " (Debian: apt install g++)."
            )
        self.code = code
        self._library = ctypes.CDLL(str(build(render(code), Toolchain(compiler, FLAGS)).path))
        self._library.b2l_neurons.restype = None

    def run(
        self,
        parameters: Mapping[str, Any],
        current: Any,
        dt: float,
        record: Sequence[str] = (),
        reference: Any = None,
        weight: Any = None,
        forced: Any = None,
        scale: float = 1.0,
        capacity: int = CAPACITY,
        workers: int = 1,
    ) -> Run:
        """Run all neurons through one stimulus.

        Parameters
        ----------
        parameters : dict of str to float or array, shape (size,)
            All of them, in SI base units.
        current : array, shape (steps,)
        dt : float
            Seconds.
        record : sequence of str
            States whose traces are wanted.
        reference, weight : arrays, shape (steps,), optional
            What the observed state is compared with, and how much each sample counts.
        forced : array of int, optional
            Steps of a recording's spikes, which reset the neuron.
        scale : float
            How far below its threshold a neuron is off by a whole spike.
        capacity : int
            Spikes kept of a neuron.
        workers : int
            Threads.
        """
        current = np.ascontiguousarray(current, np.float64)
        rows = np.broadcast_arrays(
            *(np.atleast_1d(np.asarray(parameters[n], np.float64)) for n in self.code.parameters)
        )
        size = rows[0].size if rows else 1
        names = [name for name, _, _ in self.code.states]
        for name in record:
            if name not in names:
                raise FitError(f"there is no state {name!r} to record; there are {names}.")
        wanted = np.array([name in record for name in names], np.uint8)
        steps = current.size
        arrays: dict[str, Any] = {
            "parameters": np.ascontiguousarray(np.stack(rows)) if rows else np.zeros((1, 1)),
            "current": current,
            "spikes": np.empty((size, max(1, min(capacity, steps))), np.int32),
            "counts": np.zeros(size, np.int64),
            "wanted": wanted,
            "traces": np.empty((int(wanted.sum()), size, steps)) if record else None,
            "reference": _samples(reference, steps),
            "weight": None,
            "errors": np.zeros(size),
            "due": _marks(forced, steps),
            "penalties": np.zeros(size),
        }
        if reference is not None:
            arrays["weight"] = _samples(np.ones(steps) if weight is None else weight, steps)
        bounds = np.linspace(0, size, min(workers, size) + 1).astype(int)
        jobs = [
            _Job(size, first, last, steps, arrays["spikes"].shape[1], dt, scale,
                 *(None if a is None else a.ctypes.data for a in arrays.values()))
            for first, last in zip(bounds[:-1], bounds[1:])
        ]  # fmt: skip
        if len(jobs) == 1:
            self._library.b2l_neurons(ctypes.byref(jobs[0]))
        else:
            with ThreadPoolExecutor(len(jobs)) as pool:
                list(pool.map(lambda job: self._library.b2l_neurons(ctypes.byref(job)), jobs))
        kept = [name for name in names if name in record]
        total = 1.0 if arrays["weight"] is None else float(arrays["weight"].sum())
        return Run(
            spikes=arrays["spikes"],
            counts=arrays["counts"],
            traces={name: arrays["traces"][k] for k, name in enumerate(kept)},
            errors=arrays["errors"] / total,
            penalties=arrays["penalties"],
        )


def _samples(values: Any, steps: int) -> Any:
    if values is None:
        return None
    array = np.ascontiguousarray(values, np.float64)
    if array.shape != (steps,):
        raise FitError(f"{steps} samples of current and {array.shape} of what it is compared with.")
    return array


def _marks(forced: Any, steps: int) -> Any:
    if forced is None:
        return None
    marks = np.zeros(steps, np.uint8)
    places = np.asarray(forced, np.int64)
    marks[places[(places >= 0) & (places < steps)]] = 1
    return marks


def render(code: NeuronCode) -> str:
    """The whole text."""
    declare = [
        f"const double v_{name} = job.parameters[{k} * job.size + i];"
        for k, name in enumerate(code.parameters)
    ]
    declare += [f"{kind} v_{name} = {first};" for name, kind, first in code.states]
    declare.append(f"double v_{code.input} = job.current[0];")
    record = [
        f"if (job.wanted[{k}]) job.traces[(b2l_row++ * job.size + i) * job.steps + n] = v_{name};"
        for k, (name, _, _) in enumerate(code.states)
    ]
    return _TEXT.format(
        support=code.support,
        declare="\n".join(declare),
        initial=code.initial,
        input=f"v_{code.input}",
        before=code.before,
        record="\n".join(record),
        observed=f"v_{code.observed}" if code.observed else "0.0",
        update=code.update,
        threshold=code.threshold,
        margin=code.margin or "b2l_margin = -INFINITY;",
        reset=code.reset,
    )


_TEXT = """
#include <cstdint>
#include <cmath>
#include <cstdlib>
using namespace std;
template <int N> static inline double b2l_power(double x) {{
    double y = x;
    for (int k = 1; k < N; k++) y *= x;
    return y;
}}
{support}
struct Job {{
    int64_t size, first, last, steps, capacity;
    double dt, scale;
    const double *parameters, *current;
    int32_t *spikes; int64_t *counts;
    const uint8_t *wanted; double *traces;
    const double *reference, *weight; double *errors;
    const uint8_t *due; double *penalties;
}};

extern "C" void b2l_neurons(const Job *given) {{
    const Job job = *given;
    const double v_dt = job.dt;
    const int64_t v_N = 1, v_i = 0;
    (void)v_N, (void)v_i;
    for (int64_t i = job.first; i < job.last; i++) {{
        {declare}
        {{ const double v_t = 0.0; const int64_t v_t_in_timesteps = 0; {initial} }}
        double b2l_error = 0.0, b2l_penalty = 0.0;
        int64_t b2l_count = 0;
        for (int64_t n = 0; n < job.steps; n++) {{
            const double v_t = n * v_dt;
            const int64_t v_t_in_timesteps = n;
            (void)v_t, (void)v_t_in_timesteps;
            if (job.reference) {{
                const double difference = {observed} - job.reference[n];
                b2l_error += job.weight[n] * difference * difference;
            }}
            if (job.traces) {{
                int64_t b2l_row = 0;
                {record}
            }}
            {input} = job.current[n];
            {{ {before} }}
            {{ {update} }}
            bool b2l_fired;
            {{ {threshold} }}
            if (job.due) {{
                if (job.due[n] && !b2l_fired) {{
                    double b2l_margin;
                    {{ {margin} }}
                    const double b2l_below = -b2l_margin / job.scale;
                    b2l_penalty += b2l_below < 1.0 ? b2l_below : 1.0;
                }}
                b2l_penalty += b2l_fired && !job.due[n];
                b2l_fired |= (bool)job.due[n];
            }}
            if (b2l_fired) {{
                if (b2l_count < job.capacity) job.spikes[i * job.capacity + b2l_count] = (int32_t)n;
                b2l_count++;
                {reset}
            }}
        }}
        job.counts[i] = b2l_count;
        job.errors[i] = b2l_error;
        job.penalties[i] = b2l_penalty;
    }}
}}
"""
