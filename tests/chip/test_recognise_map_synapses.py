"""Synapses, learning rules and sources of spikes as maps: equal to Brian2, or refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import (
    Hz,
    Network,
    NeuronGroup,
    PoissonGroup,
    PoissonInput,
    SpikeGeneratorGroup,
    SpikeMonitor,
    Synapses,
    TimedArray,
    ms,
)

from brian2lava.chip.recognise import (
    is_plastic,
    pathway_map,
    plastic_map,
    poisson_group_map,
    poisson_input_map,
    spike_generator_map,
)
from brian2lava.chip.recognise.plastic_map import Change, PlasticMap, Polynomial
from brian2lava.errors import NotSupported
from tests.networks.devices import reference


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    with reference():
        brian2.prefs.logging.console_log_level = "ERROR"
        yield


#: Objects that never run: they stay alive, so that Brian2 does not warn of them.
KEPT: list[Any] = []


def kept(made: Any) -> Any:
    made.add_to_magic_network = False
    KEPT.append(made)
    return made


def cells(count: int = 4, model: str = "dv/dt = -v/(10*ms) : 1\nI : 1", **kwds: Any) -> Any:
    return kept(NeuronGroup(count, model, threshold="v > 1", reset="v = 0", method="exact", **kwds))


def connected(*args: Any, how: dict[str, Any] | None = None, **kwds: Any) -> Any:
    made = kept(Synapses(*args, **kwds))
    made.connect(**(how or {}))
    return made


# ---------------------------------------------------------------- static synapses
def test_jumps_one_for_each_variable() -> None:
    synapses = connected(
        cells(), cells(3, "dv/dt = -v/ms : 1\nu : 1\nk : 1"), "w : 1",
        on_pre="v_post += w*2 + k_post\nv += 0.5\nu -= 3*w", how={"i": [0, 1, 3], "j": [1, 2, 2]},
    )  # fmt: skip
    synapses.w = [1, 2, 3]
    synapses.target.k = [10, 20, 30]
    first, second = pathway_map(synapses.pre, {"ms": ms})
    assert (first.variable, second.variable) == ("v", "u")
    assert first.weights.tolist() == [22.5, 34.5, 36.5]
    assert second.weights.tolist() == [-3, -6, -9]
    assert first.ends.sources.tolist() == [0, 1, 3] and first.ends.targets.tolist() == [1, 2, 2]
    assert first.ends.source == synapses.source.name and first.side == "pre"
    assert first.text == "v_post += w * 2 + k_post; v += 0.5" and not is_plastic(synapses)
    with pytest.raises(ValueError, match="read-only"):
        first.weights[0] = 1


def test_what_spikes_add_is_what_brian2_adds() -> None:
    source = kept(SpikeGeneratorGroup(3, [0, 1, 2], [0, 0, 0] * ms))
    target = cells(model="v : 1\nu : 1")
    synapses = connected(
        source, target[1:], "w : 1\nc : 1 (shared)", on_pre="v += c*w**2 - 0.1*j\nu += w"
    )
    synapses.w, synapses.c = "0.1*i + 0.01*j", 3
    jumps = pathway_map(synapses.pre, {})
    Network(source, target, synapses).run(0.1 * ms)
    for jump in jumps:
        assert jump.ends.target == target.name
        expected = np.zeros(4)
        np.add.at(expected, jump.ends.targets, jump.weights)
        assert np.allclose(getattr(target, jump.variable)[:], expected, rtol=1e-12)


def test_on_post_is_the_mirror() -> None:
    synapses = connected(
        cells(3), cells(4), "w : 1", on_post="v_pre += w", how={"i": [0, 2], "j": [1, 3]}
    )
    synapses.w = [5, 6]
    (jump,) = pathway_map(synapses.post, {})
    assert jump.side == "post" and jump.ends.source == synapses.target.name
    assert jump.ends.sources.tolist() == [1, 3] and jump.ends.targets.tolist() == [0, 2]
    assert jump.weights.tolist() == [5, 6] and jump.order == 1


@pytest.mark.parametrize("delay", [0.0, 0.04, 0.05, 0.149, 0.15, 0.25, 0.35, 6.25])
def test_delays_are_rounded_as_brian2_does(delay: float) -> None:
    source = kept(SpikeGeneratorGroup(1, [0], [0] * ms))
    target = kept(NeuronGroup(1, "v : 1", threshold="v > 0", reset="v = 0"))
    one_delay = connected(source, target, on_pre="v += 1", delay=delay * ms)
    each = connected(source, target, on_pre="v += 1")
    each.delay = delay * ms
    steps = [pathway_map(s.pre, {})[0].ends.delays.tolist() for s in (one_delay, each)]
    spikes = SpikeMonitor(target)
    Network(source, target, one_delay, spikes).run(8 * ms)
    # a spike of step n is seen by synapses of step n, and by the threshold of step n + 1
    assert steps == [[int(np.round(spikes.t[0] / (0.1 * ms))) - 1]] * 2


REFUSED = [
    ("v_post += w*(1 - v_post)", r"adds depends on 'v_post'"),
    ("v_post *= 2", r"adds depends on 'v_post'"),
    ("v_post = 1", r"adds depends on 'v_post'"),
    ("v_post = clip(v_post + w, 0, 1)", r"contains 'clip\(v_post \+ w, 0, 1\)'"),
    ("v_pre += 1", "changes the neuron that has spiked"),
    ("v_post += rand()", r"contains 'rand\(\)'"),
    ("v_post += v_pre", "depends on 'v_pre'"),
    ("v_post += t/second", "depends on 't'"),
    ("w += 1", "changes the synapse"),
]


@pytest.mark.parametrize(("code", "message"), REFUSED, ids=[code for code, _ in REFUSED])
def test_static_synapses_refused_by_name(code: str, message: str) -> None:
    synapses = connected(cells(), cells(), "w : 1", on_pre=code, name="wires")
    synapses.w = 0.5
    with pytest.raises(NotSupported, match=f"Synapses 'wires': .*{message}"):
        pathway_map(synapses.pre, {})


def test_summed_variables_and_two_time_steps_are_refused() -> None:
    summed = connected(
        cells(), cells(), "dg/dt = -g/ms : 1 (clock-driven)\nI_post = g : 1 (summed)",
        on_pre="g += 1", method="euler",
    )  # fmt: skip
    with pytest.raises(NotSupported, match=r"I_post = g \(summed\).*on_pre"):
        pathway_map(summed.pre, {})
    slow = connected(cells(), cells(dt=0.2 * ms), on_pre="v += 1")
    with pytest.raises(NotSupported, match="joins the time steps 0.0001 s, 0.0002 s"):
        pathway_map(slow.pre, {})


# ---------------------------------------------------------------- plastic synapses
PAIR = """
w : 1
dapre/dt = -apre/taupre : 1 (event-driven)
dapost/dt = -apost/taupost : 1 (event-driven)
"""
VALUES = {"taupre": 20 * ms, "taupost": 30 * ms, "Apre": 0.01, "Apost": -0.012, "wmax": 0.9}


def terms(found: Polynomial) -> dict[str, float]:
    return {
        "*".join(name if power == 1 else f"{name}^{power}" for name, power in monomial): float(
            value[0]
        )
        for monomial, value in found.terms
    }


def change(found: PlasticMap, event: int, variable: str) -> Change:
    result = found.events[event].change(variable)
    assert result is not None
    return result


def test_pair_rule() -> None:
    synapses = connected(
        cells(), cells(), PAIR,
        on_pre="v_post += w; apre += Apre; w = clip(w + apost, 0, wmax)",
        on_post="apost += Apost; w = clip(w + apre, 0, wmax)",
    )  # fmt: skip
    synapses.w = 0.5
    assert is_plastic(synapses)
    found = plastic_map(synapses, VALUES)
    traces = {trace.name: trace for trace in found.traces}
    assert traces["apre"].side == "pre" and traces["apost"].side == "post"
    assert np.allclose(traces["apre"].decay, np.exp(-0.1 / 20), rtol=1e-14)
    assert np.allclose(traces["apost"].tau, 0.03) and traces["apre"].event_driven
    assert [event.side for event in found.events] == ["pre", "post"]
    assert terms(change(found, 0, "apre").value) == {"": 0.01}
    weight = change(found, 0, "w")
    assert weight.kind == "add" and terms(weight.value) == {"apost": 1.0}
    assert weight.low is not None and weight.low[0] == 0
    assert weight.high is not None and weight.high[0] == 0.9
    (delivery,) = found.events[0].deliveries
    assert delivery.variable == "v" and terms(delivery.value) == {"w": 1.0}
    assert found.events[0].delivered_after_change == (False,)
    assert dict(found.weights)["w"].tolist() == [0.5] * 16


def test_traces_are_named_by_their_values_before_the_event() -> None:
    synapses = connected(
        cells(), cells(), PAIR,
        on_pre="""
        apre += Apre
        w = w + 2*apre*apost
        w = clip(w, -inf, wmax)
        v_post += 3*w
        """,
        on_post="w += 2*apre*apost; apost = 1",
    )  # fmt: skip
    found = plastic_map(synapses, VALUES)
    weight = change(found, 0, "w")
    assert terms(weight.value) == {"apost": 0.02, "apost*apre": 2.0}
    assert weight.low is None and weight.high is not None
    assert found.events[0].delivered_after_change == (True,)
    assert terms(found.events[0].deliveries[0].value) == {"w": 3.0}
    assert terms(change(found, 1, "w").value) == {"apost*apre": 2.0}
    nearest = change(found, 1, "apost")
    assert nearest.kind == "set" and terms(nearest.value) == {"": 1.0}


def test_triplet_rule() -> None:
    model = """
    w : 1
    dr1/dt = -r1/(17*ms) : 1 (event-driven)
    dr2/dt = -r2/(100*ms) : 1 (event-driven)
    do1/dt = -o1/(34*ms) : 1 (event-driven)
    do2/dt = -o2/(125*ms) : 1 (event-driven)
    """
    synapses = connected(
        cells(), cells(), model,
        on_pre="w = clip(w - o1*(A2 + A3*r2), 0, 1); r1 += 1; r2 += 1",
        on_post="w = clip(w + r1*(B2 + B3*o2), 0, 1); o1 += 1; o2 += 1",
    )  # fmt: skip
    found = plastic_map(synapses, {"A2": 0.1, "A3": 0.2, "B2": 0.3, "B3": 0.4})
    assert terms(change(found, 0, "w").value) == {"o1": -0.1, "o1*r2": -0.2}
    assert terms(change(found, 1, "w").value) == {"r1": 0.3, "o2*r1": 0.4}
    assert {trace.name: trace.side for trace in found.traces} == {
        "r1": "pre", "r2": "pre", "o1": "post", "o2": "post",
    }  # fmt: skip


def test_reward_modulated_rule() -> None:
    model = PAIR + "dc/dt = -c/(500*ms) : 1 (clock-driven)\nr : 1"
    synapses = connected(
        cells(), cells(), model, method="exact",
        on_pre={"pre": "apre += Apre; c += apost", "reward": "w += r*c"},
        on_post="apost += Apost; c += apre",
    )  # fmt: skip
    synapses.r = 0.25
    found = plastic_map(synapses, VALUES)
    (eligibility,) = (trace for trace in found.traces if trace.name == "c")
    assert eligibility.side == "synapse" and not eligibility.event_driven
    assert np.allclose(eligibility.decay, np.exp(-0.1 / 500), rtol=1e-14)
    reward = next(event for event in found.events if event.name.endswith("reward"))
    weight = reward.change("w")
    assert weight is not None and terms(weight.value) == {"c": 0.25}


def test_a_weight_that_changes_in_every_step() -> None:
    model = """
    dw/dt = r_post*c/second : 1 (clock-driven)
    dc/dt = (0.5 - c)/(10*ms) : 1 (clock-driven)
    """
    target = cells(model="dv/dt = -v/ms : 1\ndr/dt = -r/ms : 1")
    synapses = connected(cells(), target, model, on_pre="c += 1; v_post += w", method="euler")
    found = plastic_map(synapses, {})
    (every,) = found.every_step
    assert every.variable == "w" and np.isclose(terms(every.value)["c*r_post"], 1e-4)
    assert [trace.name for trace in found.traces] == ["c"]
    assert np.allclose(found.traces[0].rest, 0.5) and np.allclose(found.traces[0].decay, 0.99)
    assert [name for name, _ in found.weights] == ["w"]


def test_events_change_what_brian2_changes() -> None:
    """One pre event from random values: the polynomials give Brian2's values after it."""
    source = kept(SpikeGeneratorGroup(5, range(5), np.zeros(5) * ms))
    target = cells(5, "v : 1")
    synapses = connected(
        source, target, PAIR, how={"j": "i"},
        on_pre="""
        v_post += 2*w
        apre += Apre + 0.1*apost
        x = 0.5*apre
        w = clip(w + x*apost - 0.3*w*apre**2, 0, wmax)
        apost = 0.2
        """,
    )  # fmt: skip
    draw = np.random.default_rng(3)
    before = {name: draw.uniform(0, 1, 5) for name in ("w", "apre", "apost")}
    for name, values in before.items():
        setattr(synapses, name, values)
    found = plastic_map(synapses, VALUES)
    Network(source, target, synapses).run(0.1 * ms, namespace={**VALUES})
    for made in found.events[0].changes:
        value = sum(
            coefficient * np.prod([before[n] ** p for n, p in monomial], axis=0)
            for monomial, coefficient in made.value.terms
        )
        value = value + before[made.variable] if made.kind == "add" else value
        low, high = made.low, made.high
        value = np.clip(value, low, high) if low is not None and high is not None else value
        assert np.allclose(synapses.variables[made.variable].get_value(), value, rtol=1e-12)
    assert np.allclose(target.v[:], 2 * before["w"], rtol=1e-12)


def test_traces_decay_as_in_brian2() -> None:
    synapses = connected(cells(), cells(), PAIR, on_pre="apre += 0*apost", how={"j": "i"})
    synapses.apre = 1
    Network(synapses.source, synapses.target, synapses).run(7 * ms, namespace=VALUES)
    found = plastic_map(synapses, VALUES)
    (trace,) = (trace for trace in found.traces if trace.name == "apre")
    assert np.allclose(trace.initial, np.exp(-7 / 20), rtol=1e-12)


PLASTIC_REFUSED = [
    ("w = exp(apre)", r"contains 'exp\(apre\)'"),
    ("w += apre*(w > 0.5)", "contains 'w > 0.5'"),
    ("w = clip(w + apre, 0, apost)", "bounds that change"),
    ("apre *= 0.5", "multiplies the trace apre"),
    ("w += apre*(t > 1*second)", "contains 't > 1 \\* second'"),
    ("w += t/second", "depends on 't'"),
    ("w += rand()", r"contains 'rand\(\)'"),
    ("apre = clip(apre + 1, 0, 1)", "cuts a trace"),
    ("w = clip(w + apre, 0, 1); w += 1", "after it is cut"),
    ("w = w + apre; v_post += w*v_post", "depends on 'v_post'"),
]


@pytest.mark.parametrize(("code", "message"), PLASTIC_REFUSED, ids=[c for c, _ in PLASTIC_REFUSED])
def test_rules_refused_by_name(code: str, message: str) -> None:
    synapses = connected(cells(), cells(), PAIR, on_pre=f"{code}; w += 0.1*apre" if "w" not in code
                         else code, name="rule")  # fmt: skip
    synapses.w = 0.5
    with pytest.raises(NotSupported, match=f"Synapses 'rule': .*{message}"):
        plastic_map(synapses, VALUES)


# ---------------------------------------------------------------- sources
def test_poisson_group() -> None:
    group = kept(PoissonGroup(3, rates=[10, 20, 30] * Hz))
    found = poisson_group_map(group, {})
    assert found.rates.tolist() == [10, 20, 30] and found.count == 3 and found.inputs == ()
    even = poisson_group_map(kept(PoissonGroup(3, rates="5*Hz")), {})
    assert even.rates.tolist() == [5]
    stimulus = TimedArray(np.array([[1, 2], [3, 4]]) * Hz, dt=1 * ms, name="stimulus")
    timed = kept(PoissonGroup(2, rates="4*Hz + 2*stimulus(t, i)"))
    found = poisson_group_map(timed, {"stimulus": stimulus})
    assert found.rates.tolist() == [4] and found.inputs[0].gain.tolist() == [[2]]
    assert found.inputs[0].at(5, 10)[[0, 5]].tolist() == [[1, 2], [3, 4]]
    with pytest.raises(NotSupported, match="rates depend on 't'"):
        poisson_group_map(kept(PoissonGroup(2, rates="t/second*Hz")), {})


def test_spike_generator() -> None:
    group = kept(SpikeGeneratorGroup(3, [2, 0, 1], [0.3, 0.1, 0.6] * ms, period=1 * ms))
    found = spike_generator_map(group)
    assert found.steps.tolist() == [1, 3, 6] and found.indices.tolist() == [0, 2, 1]
    assert found.period == 10 and found.count == 3
    spikes = SpikeMonitor(group)
    Network(group, spikes).run(1 * ms)
    assert np.round(spikes.t / (0.1 * ms)).tolist() == found.steps.tolist()


def test_poisson_input() -> None:
    target = cells()
    target.I = [1, 2, 3, 4]
    found = poisson_input_map(kept(PoissonInput(target[1:], "v", 100, 5 * Hz, weight="0.1*I")), {})
    assert (found.target, found.variable, found.inputs, found.rate) == (target.name, "v", 100, 5)
    assert found.targets.tolist() == [1, 2, 3] and np.allclose(found.weights, [0.2, 0.3, 0.4])
    plain = poisson_input_map(kept(PoissonInput(target, "v", 10, 5 * Hz, weight=0.5)), {})
    assert plain.weights.tolist() == [0.5]
    with pytest.raises(NotSupported, match="weight depends on 'v'"):
        poisson_input_map(kept(PoissonInput(target, "v", 10, 5 * Hz, weight="0.1*v")), {})
