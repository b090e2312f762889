"""What runs in the fresh processes of the accuracy measure: CUBA in both arithmetics."""

from __future__ import annotations

from typing import Any

import brian2
import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, ms, mV, second

#: Seconds that are left out before statistics begin.
_SETTLING = 0.1
#: Interspike intervals that a neuron needs for a coefficient of variation.
_INTERVALS = 3
_BIN, _SAMPLE = 5e-3, 500


def cuba(number: int, size: int, duration: float) -> dict[str, Any]:
    """CUBA, the same connections and voltages: ``floating`` and ``chip`` statistics, and rows.

    ``number`` is the seed of both. ``parameters`` are name, register and relative error (None: no
    bound) of each of the report's rows, ``flagged`` those beyond 1 %, ``warnings`` the report's.
    """
    import brian2lava

    found: dict[str, Any] = {}
    for side, hardware in (("floating", "CPU"), ("chip", "Loihi2")):
        brian2.set_device("lava", hardware=hardware)
        network, spikes = _network(number, size)
        network.run(duration * second)
        found[side] = statistics(np.asarray(spikes.t_), np.asarray(spikes.i), size, duration)
    chip: Any = brian2lava.report().chip
    rows = chip.quantised.rows
    found["parameters"] = [
        (f"{row.object}: {row.parameter}", row.register,
         float(row.error) if np.isfinite(row.error) else None)
        for row in rows
    ]  # fmt: skip
    found["flagged"] = [f"{row.object}: {row.parameter}" for row in rows if row.flagged]
    found["warnings"] = list(chip.quantised.warnings)
    found["bounds"] = {name: cost.bound_share for name, cost in chip.quantised.costs.items()}
    return found


def _network(number: int, size: int) -> tuple[Network, SpikeMonitor]:
    """Vogels and Abbott (2005) as in :func:`benchmarks.scripts.cuba`, drawn by NumPy."""
    rng = np.random.default_rng(number)
    neurons = NeuronGroup(
        size,
        """
        dv/dt = (ge + gi - (v + 49*mV)) / (20*ms) : volt (unless refractory)
        dge/dt = -ge / (5*ms) : volt
        dgi/dt = -gi / (10*ms) : volt
        """,
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * ms,
        method="exact",
        name="neurons",
    )
    neurons.v = (-60 + 10 * rng.random(size)) * mV
    number_of_synapses = rng.binomial(size * size, min(1.0, 80.0 / size))
    pre, post = np.divmod(np.unique(rng.integers(0, size * size, number_of_synapses)), size)
    excitatory = pre < 0.8 * size
    excite = Synapses(neurons, neurons, on_pre="ge += 1.62*mV", name="excite")
    inhibit = Synapses(neurons, neurons, on_pre="gi -= 9*mV", name="inhibit")
    excite.connect(i=pre[excitatory], j=post[excitatory])
    inhibit.connect(i=pre[~excitatory], j=post[~excitatory])
    spikes = SpikeMonitor(neurons)
    return Network(neurons, excite, inhibit, spikes), spikes


def statistics(times: Any, indices: Any, size: int, duration: float) -> dict[str, float]:
    """``rate`` (Hz), ``cv`` of interspike intervals, ``correlation`` of pairs; after settling.

    ``cv`` is the mean over neurons with at least three intervals, ``correlation`` the mean of
    Pearson's over all pairs of the first 500 active of neurons in random order, counts in 5 ms.
    """
    kept = times >= _SETTLING
    times, indices = times[kept], indices[kept]
    rate = len(times) / size / (duration - _SETTLING)
    order = np.lexsort((times, indices))
    sorted_times, sorted_indices = times[order], indices[order]
    inside = sorted_indices[1:] == sorted_indices[:-1]
    intervals, owner = np.diff(sorted_times)[inside], sorted_indices[1:][inside]
    count = np.maximum(np.bincount(owner, minlength=size), 1)
    mean = np.bincount(owner, intervals, size) / count
    square = np.bincount(owner, intervals**2, size) / count
    enough = np.bincount(owner, minlength=size) >= _INTERVALS
    cv = np.sqrt(np.maximum(square - mean**2, 0)[enough]) / mean[enough]
    return {
        "rate": float(rate),
        "cv": float(cv.mean()) if cv.size else float("nan"),
        "correlation": _correlation(times, indices, size, duration),
    }


def _correlation(times: Any, indices: Any, size: int, duration: float) -> float:
    bins = int(np.ceil((duration - _SETTLING) / _BIN))
    place = np.minimum(((times - _SETTLING) / _BIN).astype(int), bins - 1)
    counts = np.zeros((size, bins))
    np.add.at(counts, (indices, place), 1)
    active = np.flatnonzero(counts.any(axis=1))
    chosen = np.random.default_rng(0).permutation(active)[:_SAMPLE]
    if len(chosen) < 2:
        return float("nan")
    matrix = np.corrcoef(counts[chosen])
    return float(matrix[np.triu_indices(len(chosen), 1)].mean())
