"""Random networks of brian2-loihi's classes, run with any package that has those classes."""

from __future__ import annotations

import warnings
from typing import Any

import brian2
import numpy as np

Results = dict[str, Any]

#: Decays from none to all, with those next to the ends.
_DECAYS = (0, 1, 7, 100, 409, 1000, 2048, 3000, 4095, 4096)


def _group(rng: np.random.Generator) -> dict[str, int]:
    return {
        "N": int(rng.integers(1, 20)),
        "refractory": int(rng.choice([1, 1, 2, 3, 10, 64])),
        "threshold_v_mant": int(rng.choice([0, 1, 50, 400, 3000, 131071])),
        "decay_v": int(rng.choice(_DECAYS)),
        "decay_I": int(rng.choice(_DECAYS)),
    }


def _generator(rng: np.random.Generator, steps: int) -> dict[str, Any]:
    size = int(rng.integers(1, 8))
    chosen = rng.random((size, steps)) < rng.choice([0.02, 0.2, 0.6])
    indices, times = np.nonzero(chosen)
    return {"N": size, "indices": indices.tolist(), "times": times.tolist()}


def _weights(rng: np.random.Generator, sign_mode: int, count: int) -> list[int]:
    low, high = {1: (-256, 255), 2: (0, 256), 3: (-256, 1)}[sign_mode]
    return [int(w) for w in rng.integers(low, high, count)]


def _synapses(rng: np.random.Generator, sizes: list[int], groups: int) -> dict[str, Any]:
    source = int(rng.integers(len(sizes)))
    target = int(rng.integers(groups))
    part = bool(rng.random() < 0.2) and sizes[target] > 2
    sign_mode = int(rng.integers(1, 4))
    count = int(rng.integers(1, 60))
    reach = sizes[target] - int(part)
    return {
        "source": source,
        "target": target,
        "part": part,
        "pre": [int(i) for i in rng.integers(0, sizes[source], count)],
        "post": [int(j) for j in rng.integers(0, reach, count)],
        "w": _weights(rng, sign_mode, count),
        "options": {
            "delay": int(rng.choice([0, 0, 1, 2, 7, 62])),
            "w_exp": int(rng.choice([-8, -3, -1, 0, 0, 0, 2, 5])),
            "sign_mode": sign_mode,
            "num_weight_bits": int(rng.choice([0, 1, 4, 6, 7, 8, 8, 8])),
        },
    }


def random_network(seed: int) -> dict[str, Any]:
    """A network as plain values: groups, generators, synapses, and runs with changes between."""
    rng = np.random.default_rng(seed)
    runs = [int(n) for n in rng.integers(1, 60, int(rng.integers(1, 4)))]
    groups = [_group(rng) for _ in range(int(rng.integers(1, 4)))]
    generators = [_generator(rng, sum(runs)) for _ in range(int(rng.integers(1, 3)))]
    sizes = [item["N"] for item in (*groups, *generators)]
    synapses = [_synapses(rng, sizes, len(groups)) for _ in range(int(rng.integers(1, 6)))]
    changes = []
    for _ in runs:
        group = int(rng.integers(len(groups)))
        path = int(rng.integers(len(synapses)))
        options = synapses[path]["options"]
        scale = int(rng.choice([0, 100, 10_000]))
        changes.append(
            {
                "group": group,
                "v": [int(v) for v in rng.integers(-scale, scale + 1, sizes[group])],
                "I": [int(i) for i in rng.integers(-scale, scale + 1, sizes[group])],
                "set": [bool(b) for b in rng.random(3) < 0.4],
                "synapses": path,
                "w": _weights(rng, options["sign_mode"], len(synapses[path]["w"])),
            }
        )
    return {
        "groups": groups,
        "generators": generators,
        "synapses": synapses,
        "runs": runs,
        "changes": changes,
    }


#: Learning rules with the traces that they need; a trace is impulse and time constant.
_RULES: tuple[tuple[str, dict[str, tuple[int, int]]], ...] = (
    ("x0*y1 - y0*x1", {"x1": (127, 10), "y1": (127, 10)}),
    ("2^-2*y0*x1 - 2^-3*x0*y1", {"x1": (100, 7), "y1": (30, 5)}),
    ("2^-3*y0*x1 - u2*w*2^-4", {"x1": (60, 20), "y1": (1, 1)}),
    ("2^-6*y0*x1*y2 - 2^-4*x0*y1 + 2^1*x0*y0", {"x1": (50, 16), "y1": (20, 33), "y2": (9, 60)}),
    ("", {"x1": (120, 4), "x2": (30, 100), "y3": (90, 12)}),
)


def learning_network(seed: int) -> dict[str, Any]:
    """As :func:`random_network`, with a rule for each of the synapses, and lively neurons."""
    network = random_network(seed)
    rng = np.random.default_rng(seed + 1_000_000)
    for group in network["groups"]:
        group["threshold_v_mant"] = int(rng.choice([1, 20, 100]))
    for item in network["synapses"]:
        rule, traces = _RULES[int(rng.integers(len(_RULES)))]
        options = item["options"] | {"dw": rule, "num_weight_bits": int(rng.choice([5, 8]))}
        for name, (impulse, tau) in traces.items():
            options |= {f"imp_{name}": impulse, f"tau_{name}": tau}
        item["options"] = options
    return network


def run(
    network: dict[str, Any], package: Any, bits: dict[str, dict[str, Any]] | None = None
) -> Results:
    """Spikes, states and weights, as integers; ``package`` has the classes.

    ``bits``, where given, is filled: synapses -> trace (or ``w``) -> drawn bits (steps, synapses).
    """
    brian2.start_scope()
    net = package.LoihiNetwork()
    # Under its schedule, brian2-loihi forgets the spikes of the last step of a run: Brian2 empties
    # the list of spikes after each run. Without that, run(10) twice is run(20), as on the chip.
    net.after_run = lambda: None
    groups = [
        package.LoihiNeuronGroup(**options, name=f"group{n}")
        for n, options in enumerate(network["groups"])
    ]
    generators = [
        package.LoihiSpikeGeneratorGroup(**options, name=f"generator{n}")
        for n, options in enumerate(network["generators"])
    ]
    sources = [*groups, *generators]
    synapses = [
        _made(item, sources, package, f"synapses{n}") for n, item in enumerate(network["synapses"])
    ]
    recorded: dict[str, Any] = {}
    for n, group in enumerate(groups):
        for variable in ("v", "I"):
            recorded[f"group{n}.{variable}"] = package.LoihiStateMonitor(group, variable)
    for n, item in enumerate(network["synapses"]):
        for variable in ("w", "w_act", *_traces(item)):
            recorded[f"synapses{n}.{variable}"] = package.LoihiStateMonitor(synapses[n], variable)
    spikes = {f"spikes{n}": package.LoihiSpikeMonitor(source) for n, source in enumerate(sources)}
    drawn = {} if bits is None else _bit_monitors(network, synapses)
    net.add(groups, generators, synapses, recorded, spikes, drawn)
    for steps, change in zip(network["runs"], network["changes"]):
        group = groups[change["group"]]
        if change["set"][0]:
            group.v = change["v"]
        if change["set"][1]:
            group.I = change["I"]
        if change["set"][2]:
            synapses[change["synapses"]].w = change["w"]
        net.run(steps)
    if bits is not None:
        for name, monitor in drawn.items():
            bits[name] = {
                "w" if variable == "add_or_not" else variable[:2]: getattr(monitor, variable).T != 0
                for variable in monitor.record_variables
            }
    results = {f"{name}.i": integers(m.i) for name, m in spikes.items()}
    results |= {f"{name}.t": integers(np.asarray(m.t_) * 1000) for name, m in spikes.items()}
    for name, monitor in recorded.items():
        results[name] = integers(getattr(monitor, name.split(".")[1]))
    for n, group in enumerate(groups):
        results[f"group{n}.v at the end"] = integers(group.v)
        results[f"group{n}.I at the end"] = integers(group.I)
        results[f"group{n}.lastspike"] = integers(np.asarray(group.lastspike_) * 1000)
        results[f"group{n}.ready"] = integers(group.not_refractory)
    for n, made in enumerate(synapses):
        results[f"synapses{n}.w at the end"] = integers(made.w_)
    return results


def _made(item: dict[str, Any], sources: list[Any], package: Any, name: str) -> Any:
    target = sources[item["target"]]
    made = package.LoihiSynapses(
        sources[item["source"]],
        target[1:] if item["part"] else target,
        **item["options"],
        name=name,
    )
    made.connect(i=item["pre"], j=item["post"])
    made.w = item["w"]
    return made


def _traces(item: dict[str, Any]) -> list[str]:
    return [name.removeprefix("imp_") for name in item["options"] if name.startswith("imp_")]


def _bit_monitors(network: dict[str, Any], synapses: list[Any]) -> dict[str, Any]:
    """Monitors of the bits that brian2-loihi draws."""
    monitors = {}
    for item, made in zip(network["synapses"], synapses):
        names = [f"{trace}_add_or_not" for trace in _traces(item)]
        if item["options"].get("dw"):
            names.append("add_or_not")
        if names:
            monitors[made.name] = brian2.StateMonitor(made, names, record=True, when="end")
    return monitors


def integers(values: Any) -> Any:
    """Nearest integers; refuses what is further than 1e-6 (relative) from one."""
    array = np.asarray(values, dtype=float)
    nearest = np.round(array)
    assert np.all(np.abs(array - nearest) <= 1e-6 * np.maximum(1, np.abs(array)))
    return nearest.astype(np.int64)


def difference(ours: Results, theirs: Results) -> str:
    """The first difference as text; empty where there is none."""
    assert ours.keys() == theirs.keys()
    for name in ours:
        if ours[name].shape != theirs[name].shape:
            return f"{name}: shapes {ours[name].shape} and {theirs[name].shape}"
        if not np.array_equal(ours[name], theirs[name]):
            place = tuple(int(n) for n in np.argwhere(ours[name] != theirs[name])[0])
            return f"{name}{list(place)}: {ours[name][place]} and {theirs[name][place]}"
    return ""


def by_brian2loihi(
    network: dict[str, Any], package: Any, bits: dict[str, dict[str, Any]] | None = None
) -> Results:
    """What brian2-loihi itself computes, through Brian2's NumPy target."""
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return run(network, package, bits)
    finally:
        brian2.prefs.codegen.target = before
