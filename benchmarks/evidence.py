"""What a network computed, in a few numbers: no speed is to be bought with wrong results."""

from __future__ import annotations

import hashlib
import math
from typing import Any

# The two sides draw other random numbers, so that other synapses and other initial values come
# out. Beyond the counting noise of the spikes, networks may differ by this much, relatively ...
_NETWORK_NOISE = 0.02
# ... and by this much over the square root of the number of neurons: four standard deviations of
# the difference between two seeds, as measured with Brian2's runtime at 1,000 and 10,000 neurons.
_SEED_NOISE = {
    "cuba": 11.0,
    "cuba_other_values": 11.0,
    "CUBAFixedConnectivity": 11.0,
    "COBAHHFixedConnectivity": 20.0,
}
_STANDARD_DEVIATIONS = 5.0
_STATE_TOLERANCE = 1e-3

Evidence = dict[str, Any]


def take(objects: list[Any]) -> Evidence:
    """Evidence from the objects of a network that ran.

    `spikes` is the sum over the spike monitors (None without one), `digest` stands for every spike
    of every monitor, `synapses` is the number of synapses, and `state` the sum of each variable of
    the neurons (NaN left out) over the number of synapses or, without synapses, of neurons.
    """
    import numpy as np
    from brian2 import NeuronGroup, SpikeMonitor, Synapses

    synapses = sum(len(group) for group in objects if isinstance(group, Synapses))
    monitors = sorted((o for o in objects if isinstance(o, SpikeMonitor)), key=lambda o: o.name)
    digest = hashlib.sha256()
    for monitor in monitors:
        digest.update(np.asarray(monitor.i[:]).tobytes() + np.asarray(monitor.t_[:]).tobytes())
    return {
        "spikes": sum(int(monitor.num_spikes) for monitor in monitors) if monitors else None,
        "digest": digest.hexdigest() if monitors else None,
        "synapses": synapses,
        "state": {
            f"{group.name}.{name}": float(
                np.nansum(group.variables[name].get_value()) / (synapses or len(group))
            )
            for group in objects
            if isinstance(group, NeuronGroup)
            for name in group.equations.diff_eq_names | group.equations.parameter_names
        },
    }


def agree(script: str, size: int, ours: Evidence, theirs: Evidence) -> bool:
    """Whether both may be the same network of `size` neurons: by its spikes or else by its state.

    The state of a network that draws nothing but its connections is the same number a synapse.
    """
    if ours["spikes"] is None or theirs["spikes"] is None:
        return _same_states(ours["state"], theirs["state"])
    mean = (ours["spikes"] + theirs["spikes"]) / 2
    noise = _NETWORK_NOISE + _SEED_NOISE.get(script, 0.0) / math.sqrt(size)
    allowed = noise * mean + _STANDARD_DEVIATIONS * math.sqrt(2 * mean)
    return bool(abs(ours["spikes"] - theirs["spikes"]) <= allowed)


def _same_states(ours: dict[str, float], theirs: dict[str, float]) -> bool:
    return ours.keys() == theirs.keys() and all(
        math.isclose(ours[name], theirs[name], rel_tol=_STATE_TOLERANCE) for name in ours
    )
