"""Runs settings of a chip neuron, compiled; identical to the chip's emulator, neuron by neuron."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from brian2lava.chip.arithmetic import evaluate
from brian2lava.chip.models import MODELS
from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.engine.cpu.toolchain import Toolchain, build, find_compiler
from brian2lava.errors import CompileError, FitError
from brian2lava.fit.batch.kernel import FLAGS, LANES, Kernel, kernel
from brian2lava.fit.batch.own import added_by_own
from brian2lava.fit.batch.settings import Settings
from brian2lava.fit.batch.stimulus import Stimulus

Drive = Literal["graded", "bias"]
#: What a model can leave out where it is 0: only that is worth a kernel of its own.
_LEFT_OUT = {"refractory", "noise_exp", "noise_at_u"}


class _Job(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in
          ("size", "first", "last", "steps", "origin", "capacity")),
        *((name, ctypes.c_void_p) for name in
          ("parameters", "states", "stimulus", "scale", "weights", "exponents", "own", "due",
           "compared", "voltage", "spikes", "counts", "counters", "outside", "missed",
           "extra", "sum", "square", "product", "traces")),
    ]  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a batch did.

    Attributes
    ----------
    spikes : array of int32, shape (size, capacity)
        Steps in which each neuron fired, counted from 0; the first ``counts`` of a row are valid.
    counts : array of int64, shape (size,)
        Spikes of each neuron; more than ``capacity`` means that the rest was not kept.
    counters : dict of str to array of int32, shape (size,)
        How often a state wrapped or saturated.
    outside : array of int32, shape (size,)
        Steps in which the bias left its 13 bits; such a setting is none that the chip can take.
    missed, extra : arrays of float64, shape (size,)
        Forced runs only: by how much, summed over steps, the neuron was below its threshold where
        the recording has a spike, and above it where there is none. In units of the state.
    unlike : array of float64, shape (size,)
        Runs with a voltage: the part of its variance that the neuron's own does not explain
        (1 - r**2, over the steps that are compared); otherwise 0.
    traces : dict of str to array of int32, shape (size, steps), or empty
    """

    spikes: Any
    counts: Any
    counters: Mapping[str, Any]
    outside: Any
    missed: Any
    extra: Any
    unlike: Any
    traces: Mapping[str, Any]
    library: Any

    def train(self, k: int) -> Any:
        """The steps in which neuron ``k`` fired."""
        kept = min(int(self.counts[k]), self.spikes.shape[1])
        return self.spikes[k, :kept]

    def coincidences(self, train: Any, window: int, first: int, last: int) -> tuple[Any, Any, Any]:
        """Matched spikes (one to one, at most ``window`` steps apart), own spikes, summed distance.

        Each of shape (size,); spikes and train are counted where first <= step < last.
        """
        train = np.ascontiguousarray(train, np.int32)
        train = train[(train >= first) & (train < last)]
        size, capacity = self.spikes.shape
        matched, fired = np.empty(size, np.int64), np.empty(size, np.int64)
        distance = np.empty(size)
        self.library.b2l_coincidences(
            *(ctypes.c_int64(n) for n in (size, capacity)), _at(self.spikes), _at(self.counts),
            ctypes.c_int64(train.size), _at(train),
            *(ctypes.c_int64(n) for n in (window, first, last)),
            _at(matched), _at(fired), _at(distance),
        )  # fmt: skip
        return matched, fired, distance


class Batch:
    """A compiled chip neuron that runs many settings at once.

    Parameters
    ----------
    model : str
        A name in ``brian2lava.chip.models.MODELS``.
    arithmetic : Arithmetic
        One with words of 32 bits.
    drive : "graded" or "bias"
        The stimulus arrives in graded spikes (Loihi 2), or is a bias that the host sets whenever it
        changes (also Loihi 1).
    workers : int
        Threads.
    """

    def __init__(
        self,
        model: str,
        arithmetic: Arithmetic = LAVA,
        drive: Drive = "graded",
        workers: int = 1,
    ) -> None:
        if arithmetic.word != 32:
            raise FitError(
                f"arithmetic {arithmetic.name!r} computes in words of {arithmetic.word} bits; fits"
                " are made for chips, whose words have 32: 'lava' or 'loihi1'."
            )
        if drive not in ("graded", "bias"):
            raise FitError(f"drive={drive!r}: the values are 'graded', 'bias'.")
        self.model = MODELS[model]
        self.arithmetic = arithmetic
        self.drive: Drive = drive
        self.workers = workers

    def run(
        self,
        settings: Settings,
        stimulus: Stimulus,
        forced: Any = None,
        voltage: Any = None,
        compared: Any = None,
        traces: bool = False,
        capacity: int | None = None,
    ) -> Outcome:
        """Run all settings from rest through the stimulus.

        Parameters
        ----------
        settings : Settings
        stimulus : Stimulus
        forced : array of int, optional
            Steps of the recording's spikes: the forced kernel runs, and no spikes are returned.
        voltage : array of float32, shape (steps,), optional
            The recording's, in any unit.
        compared : array of bool, shape (steps,), optional
            The steps in which voltages are compared; all, where it is left out.
        traces : bool
            Return every state after every step.
        capacity : int, optional
            Spikes that are kept of each neuron; else as many as there are steps, at most 4096.
        """
        if settings.model != self.model.name:
            raise FitError(f"settings of {settings.model} for a batch of {self.model.name}.")
        if self.drive == "graded":
            _check_payload(settings, stimulus)
        padded = -(-len(settings) // LANES) * LANES
        made, library = self._library(settings, forced is not None)
        parameters, states = self._numbers(settings, made, padded)
        keep = 1 if forced is not None else capacity or min(stimulus.steps, 4096)
        arrays = {
            "parameters": parameters,
            "states": states,
            "stimulus": np.ascontiguousarray(stimulus.values, np.float32),
            "scale": _padded(settings.scale, padded),
            "weights": _padded(settings.weights, padded),
            "exponents": _padded(settings.exponents, padded),
            "own": _padded(added_by_own(settings, self.arithmetic), padded),
            "due": _due(forced, stimulus.steps),
            "compared": _compared(compared, stimulus.steps),
            "voltage": np.ascontiguousarray(_centred(voltage, compared), np.float32),
            "spikes": np.empty((padded, keep), np.int32),
            "counts": np.empty(padded, np.int64),
            "counters": np.zeros((max(1, len(made.counters)), padded), np.int32),
            "outside": np.empty(padded, np.int32),
            "missed": np.empty(padded),
            "extra": np.empty(padded),
            "sum": np.empty(padded),
            "square": np.empty(padded),
            "product": np.empty(padded),
            "traces": np.empty(
                (padded, len(made.states), stimulus.steps) if traces else (1, 1, 1), np.int32
            ),
        }
        self._run(library, arrays, padded, stimulus.steps, keep, traces)
        size = len(settings)
        return Outcome(
            spikes=arrays["spikes"][:size],
            counts=arrays["counts"][:size],
            counters={name: arrays["counters"][k, :size] for k, name in enumerate(made.counters)},
            outside=arrays["outside"][:size],
            missed=arrays["missed"][:size],
            extra=arrays["extra"][:size],
            unlike=_unlike(arrays)[:size],
            traces=(
                {name: arrays["traces"][:size, k] for k, name in enumerate(made.states)}
                if traces
                else {}
            ),
            library=library,
        )

    def _run(
        self,
        library: Any,
        arrays: Mapping[str, Any],
        padded: int,
        steps: int,
        keep: int,
        traces: bool,
    ) -> None:
        places = {name: _at(array) for name, array in arrays.items()}
        if not traces:
            places["traces"] = ctypes.c_void_p(None)
        if arrays["voltage"].size != steps:
            places["voltage"] = ctypes.c_void_p(None)
        jobs = [
            _Job(
                size=padded, first=first, last=last, steps=steps, origin=0, capacity=keep, **places
            )
            for first, last in _shares(padded, self.workers)
        ]
        if len(jobs) == 1:
            library.b2l_batch(ctypes.byref(jobs[0]))
            return
        with ThreadPoolExecutor(len(jobs)) as pool:
            list(pool.map(lambda job: library.b2l_batch(ctypes.byref(job)), jobs))

    def _library(self, settings: Settings, forced: bool) -> tuple[Kernel, Any]:
        given = settings.registers
        zero = frozenset(name for name in _LEFT_OUT if name not in given or not given[name].any())
        return _compiled(self.model.name, self.arithmetic, zero, self.drive == "bias", forced,
                         settings.recurrent)  # fmt: skip

    def _numbers(self, settings: Settings, made: Kernel, padded: int) -> tuple[Any, Any]:
        values: dict[str, Any] = dict(settings.registers)
        for name, expression in self.model.derived(self.arithmetic).items():
            values[name] = evaluate(expression, settings.registers, 32)
        parameters = np.zeros((max(1, len(made.parameters)), padded), np.int32)
        for k, name in enumerate(made.parameters):
            parameters[k] = _padded(values[name], padded)
        states = np.zeros((len(made.states), padded), np.int32)
        first = {state.name: state.initial for state in self.model.states}
        for k, name in enumerate(made.states):
            initial = first[name]
            if initial is not None:
                states[k] = _padded(np.broadcast_to(evaluate(initial, values, 32), len(settings)),
                                    padded)  # fmt: skip
        return parameters, states


@functools.lru_cache(maxsize=256)
def _compiled(
    model: str,
    arithmetic: Arithmetic,
    zero: frozenset[str],
    bias: bool,
    forced: bool,
    recurrent: bool,
) -> tuple[Kernel, Any]:
    compiler = find_compiler()
    if compiler is None:
        raise CompileError(
            "fits need a C++ compiler, and none was found; install g++ (Debian: apt install g++)."
        )
    made = kernel(MODELS[model], arithmetic, zero, bias, forced, recurrent)
    library = ctypes.CDLL(str(build(made.text, Toolchain(compiler, FLAGS)).path))
    library.b2l_batch.restype = None
    library.b2l_coincidences.restype = None
    return made, library


def _at(array: Any) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _padded(values: Any, size: int) -> Any:
    """The last column again and again, up to ``size`` columns."""
    values = np.asarray(values)
    missing = size - values.shape[-1]
    if not missing:
        return np.ascontiguousarray(values)
    return np.concatenate([values, np.repeat(values[..., -1:], missing, axis=-1)], axis=-1)


def _due(forced: Any, steps: int) -> Any:
    due = np.zeros(steps, np.uint8)
    if forced is not None:
        due[np.asarray(forced, np.int64)] = 1
    return due


def _compared(compared: Any, steps: int) -> Any:
    if compared is None:
        return np.ones(steps, np.uint8)
    return np.ascontiguousarray(compared, np.uint8)


def _centred(voltage: Any, compared: Any) -> Any:
    """The voltage around its mean: sums of products then lose no digits."""
    if voltage is None:
        return np.zeros(0)
    voltage = np.asarray(voltage, np.float64)
    return voltage - voltage[slice(None) if compared is None else np.asarray(compared, bool)].mean()


def _unlike(arrays: Mapping[str, Any]) -> Any:
    """1 - r**2 of the regression of the recorded voltage on the neurons' own."""
    chosen = arrays["compared"].astype(bool)
    recorded = arrays["voltage"].astype(np.float64)
    if recorded.size != chosen.size:
        return np.zeros_like(arrays["sum"])
    recorded = recorded[chosen]
    count = max(1, recorded.size)
    own = arrays["square"] - arrays["sum"] ** 2 / count
    both = arrays["product"] - arrays["sum"] * recorded.mean()
    variance = float(((recorded - recorded.mean()) ** 2).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = np.where((own > 0) & (both > 0), both**2 / (own * max(variance, 1e-300)), 0.0)
    return np.clip(1 - explained, 0.0, 1.0)


def _shares(size: int, workers: int) -> Sequence[tuple[int, int]]:
    blocks = size // LANES
    cuts = np.linspace(0, blocks, min(max(1, workers), blocks) + 1).astype(int) * LANES
    return list(zip(cuts[:-1].tolist(), cuts[1:].tolist()))


def _check_payload(settings: Settings, stimulus: Stimulus) -> None:
    """A payload times its weight has to stay in a word, as it does on the chip."""
    most = float(np.abs(stimulus.values).max()) * np.abs(settings.scale.astype(np.float64))
    product = most[None] * np.maximum(np.abs(settings.weights), 1)
    shifted = product * np.exp2(np.maximum(settings.exponents, 0))
    if (shifted >= 1 << 25).any():
        k = int(np.argmax(shifted.max(axis=0)))
        raise FitError(
            f"setting {k}: the stimulus reaches {most[k]:.3g} after scaling and"
            f" {shifted[:, k].max():.3g} after its weight; a current has 24 bits. Scale it down."
        )
