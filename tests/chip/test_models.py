"""Models of our own, and what we add to Lava's, against formulas in Python's integers."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.emulate import emulate
from brian2lava.chip.models import MODELS
from brian2lava.chip.models.resonator import rotation
from brian2lava.chip.network import (
    ChipNetwork,
    Population,
    Projection,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.profiles import BRIAN2LOIHI, LAVA, PROFILES, Arithmetic
from brian2lava.errors import ChipLimit
from tests.chip.drawn_networks import assert_identical

STEPS = 400
TOP = 2**23 - 1


# ------------------------------------------------------------------ formulas, one neuron at a time
def decayed(x: int, d: int) -> int:
    size = abs(x) * (4096 - d) // 4096
    return -size if x < 0 else size


def clipped(x: int, profile: Arithmetic) -> int:
    return max(-TOP, min(TOP, x)) if profile.saturate else x


def in_24_bits(x: int, profile: Arithmetic) -> int:
    if profile.wrap == "modulo":
        return (x + 2**23) % 2**24 - 2**23
    if profile.wrap == "once":
        return x - 2**24 if x > 2**23 else x + 2**24 if x <= -(2**23) else x
    return x


class Formula:
    """One neuron: registers as attributes of ``r``, states in ``s``."""

    def __init__(self, registers: dict[str, int], profile: Arithmetic, states: str) -> None:
        self.r, self.profile = registers, profile
        self.s = dict.fromkeys(states.split(), 0)
        self.blocked = 0

    def current(self, name: str, register: str, arrived: int) -> int:
        offset = self.profile.decay_offset
        input_ = arrived * 64
        if self.profile.accumulator_bits is not None:
            half = 2**self.profile.accumulator_bits
            input_ = (input_ + half) % (2 * half) - half
        x = decayed(self.s[name], self.r[register] + offset) + input_
        self.s[name] = in_24_bits(x, self.profile)
        return self.s[name]

    def charge(self, drive: int) -> None:
        bias = self.r["bias_mant"] * 2 ** self.r["bias_exp"]
        v = decayed(self.s["v"], self.r["dv"]) + drive + bias
        self.s["v"] = clipped(v, self.profile)

    def step(self, arrived: list[int]) -> bool:
        """One step; whether the neuron fires."""
        waits = self.blocked > 0
        fires = self.move(arrived, waits)
        self.blocked = self.r["refractory"] if fires else max(0, self.blocked - 1)
        return fires

    def move(self, arrived: list[int], waits: bool) -> bool:
        raise NotImplementedError


class Lif(Formula):
    def move(self, arrived: list[int], waits: bool) -> bool:
        drive = self.current("u", "du", arrived[0])
        if not waits:
            self.charge(drive)
        if waits or self.s["v"] <= self.r["vth"] * 64:
            return False
        self.s["v"] = 0
        return True


class CubaLif2(Formula):
    def move(self, arrived: list[int], waits: bool) -> bool:
        drive = self.current("u", "du", arrived[0]) + self.current("u2", "du2", arrived[1])
        if not waits:
            self.charge(drive)
        if waits or self.s["v"] <= self.r["vth"] * 64:
            return False
        self.s["v"] = 0
        return True


class Alif(Formula):
    def move(self, arrived: list[int], waits: bool) -> bool:
        drive = self.current("u", "du", arrived[0])
        if not waits:
            self.charge(drive)
        parts = ("1", "2")
        for k in parts:
            self.s[f"theta{k}"] = decayed(self.s[f"theta{k}"], self.r[f"dtheta{k}"])
        threshold = self.r["vth"] * 64 + self.s["theta1"] + self.s["theta2"]
        if waits or self.s["v"] <= threshold:
            return False
        self.s["v"] = 0
        for k in parts:
            moved = self.s[f"theta{k}"] + self.r[f"step{k}"]
            self.s[f"theta{k}"] = min(TOP, max(-TOP, moved))
        return True


class LifSoft(Formula):
    def move(self, arrived: list[int], waits: bool) -> bool:
        drive = self.current("u", "du", arrived[0])
        if not waits:
            self.charge(drive)
        threshold = self.r["vth"] * 64
        if waits or self.s["v"] < threshold + (not self.r["inclusive"]):
            return False
        self.s["v"] -= threshold
        return True


OURS: dict[str, tuple[type[Formula], str]] = {
    "LIF": (Lif, "u v"),
    "CubaLIF2": (CubaLif2, "u u2 v"),
    "ALIF": (Alif, "u v theta1 theta2"),
    "LIFSoft": (LifSoft, "u v"),
}


def drawn_registers(model: str, rng: np.random.Generator, n: int) -> dict[str, Any]:
    """Registers with which neurons fire, some often and some at the limits of their states."""
    drawn: dict[str, Any] = {
        "bias_mant": rng.integers(-300, 600, n),
        "bias_exp": rng.integers(0, 8, n),
        "vth": rng.choice([0, 20, 100, 1000, 131071], n),
        "refractory": rng.choice([0, 1, 2, 5, 63], n),
        "step1": rng.choice([0, 640, -640, TOP, -TOP], n),
        "step2": rng.integers(0, 5000, n),
        "inclusive": np.arange(n) % 2,
    }
    for register in MODELS[model].registers:
        if register.name.startswith("d"):
            drawn[register.name] = np.where(
                rng.random(n) < 0.2, rng.choice([0, 4095], n), rng.integers(1, 900, n)
            )
    known = {register.name for register in MODELS[model].registers}
    return {name: values for name, values in drawn.items() if name in known}


def driven(model: str, registers: dict[str, Any], n: int, profile: Arithmetic) -> ChipNetwork:
    """A population whose ports get numbers of all magnitudes."""
    rng = np.random.default_rng(7)
    stimuli = tuple(
        Stimulus(
            f"i{k}", "a",
            rng.integers(-300, 400, (STEPS, n)) * 2 ** rng.integers(0, 10, (STEPS, 1)), port,
        )
        for k, port in enumerate(MODELS[model].ports)
    )  # fmt: skip
    return ChipNetwork((Population("a", model, n, registers),), (), (), stimuli, profile)


def record(network: ChipNetwork) -> list[tuple[str, str]]:
    return [("a", state.name) for state in network.population("a").neuron.states]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
@pytest.mark.parametrize("model", OURS)
def test_models_follow_their_formulas(model: str, profile: Arithmetic) -> None:
    n = 40
    registers = drawn_registers(model, np.random.default_rng(1), n)
    network = driven(model, registers, n, profile)
    recorded = PlainChip(network).run(STEPS, record(network))
    formula, states = OURS[model]
    spikes = set(zip(recorded.spikes["a"][0].tolist(), recorded.spikes["a"][1].tolist()))
    assert 20 * n < len(spikes) < STEPS * n / 2
    assert all(count > 20 for count in recorded.counts.values()), recorded.counts
    for neuron in range(n):
        one = formula({k: int(v[neuron]) for k, v in registers.items()}, profile, states)
        for step in range(STEPS):
            arrived = [int(stimulus.values[step, neuron]) for stimulus in network.stimuli]
            assert one.step(arrived) == ((step, neuron) in spikes), (neuron, step)
            for state, value in one.s.items():
                assert recorded.states["a", state][step, neuron] == value, (neuron, step, state)


def _every_model(profile: Arithmetic) -> ChipNetwork:
    """A population of each model, all in one network, driven and joined."""
    rng = np.random.default_rng(4)
    n, populations, stimuli, projections = 12, [], [], []
    for name, model in MODELS.items():
        registers = drawn_registers(name, rng, n)
        if name.startswith("RF"):
            registers = {**rotation(17, 0.05, 3), "vth": 4000}
        elif name == "ProbSpiker":
            registers = {"p_spike": [0, 1 << 24] * (n // 2)}
        elif name == "ATRLIF":
            registers |= {"delta_i": 500, "delta_v": 300, "theta_0": rng.integers(1, 90, n)}
            registers |= {"theta_step": 7, "delta_r": 400, "delta_theta": rng.integers(0, 900, n)}
        elif name == "TernaryLIF":
            registers |= {"vth_hi": rng.integers(0, 90, n), "vth_lo": -40}
        populations.append(Population(name, name, n, registers))
        for port in model.ports:
            stimuli.append(
                Stimulus(f"i_{name}_{port}", name, rng.integers(-100, 300, (50, n)), port, True)
            )
    names = list(MODELS)
    for k, (source, target) in enumerate(zip(names, names[1:] + names[:1])):
        if not MODELS[target].ports:
            continue
        projections.append(
            Projection(
                f"w{k}", source, target, rng.integers(0, n, 30), rng.integers(0, n, 30),
                rng.integers(-200, 200, 30), delays=rng.integers(0, 9, 30),
                port=MODELS[target].ports[-1], message_bits=8 * (k % 2),
            )
        )  # fmt: skip
    return ChipNetwork(tuple(populations), (), tuple(projections), tuple(stimuli), profile)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_model_compiled_is_the_plain_one(profile: Arithmetic) -> None:
    network = _every_model(profile)
    states = [
        (population.name, state.name)
        for population in network.populations
        for state in population.neuron.states
        if not (population.model == "ProbSpiker" or state.name in ("blocked", "word"))
    ]
    plain = PlainChip(network, np.random.default_rng(0)).run(200, states)
    for name in MODELS:
        assert len(plain.spikes[name][0]) > 20, name
    compiled = emulate(network, 200, states)
    assert_identical(compiled, plain)
    assert compiled.counts == plain.counts


# ------------------------------------------------------------------ refractoriness
def _intervals(recorded: Recorded) -> np.ndarray:
    return np.diff(recorded.spikes["a"][0])


@pytest.mark.parametrize("period", [1, 2, 5, 63])
def test_refractory_steps_are_those_of_lavas_float_model(period: int) -> None:
    """With du = 4095 and dv = 0 nothing is rounded: Lava's LIFRefractory has the same integers."""
    pytest.importorskip("lava")
    from tests.chip.lava_oracle import LIFRefractory, model, quiet_processes

    rng = np.random.default_rng(period)
    n, steps = 8, 400
    arriving = rng.integers(-20, 60, (steps, n))
    bias = rng.integers(0, 200, n)
    with quiet_processes():
        process = LIFRefractory(
            shape=(n,), du=1.0, dv=0.0, bias_mant=bias, vth=30.0 * 64, refractory_period=period
        )
    lava = model(process)
    registers = {"du": 4095, "vth": 30, "bias_mant": bias, "refractory": period}
    network = ChipNetwork(
        (Population("a", "LIF", n, registers),), (), (), (Stimulus("i", "a", arriving),)
    )
    recorded = PlainChip(network).run(steps, [("a", "u"), ("a", "v")])
    fired = np.zeros((steps, n))
    fired[recorded.spikes["a"]] = 1
    assert fired.sum() > 10
    for step in range(steps):
        lava.time_step = step + 1
        lava.a_in.put(arriving[step] * 64)
        lava.run_spk()
        np.testing.assert_array_equal(lava.s_out.sent, fired[step])
        np.testing.assert_array_equal(lava.u, recorded.states["a", "u"][step])
        np.testing.assert_array_equal(lava.v, recorded.states["a", "v"][step])


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
@pytest.mark.parametrize("model", ["LIF", "LIFReset", "TernaryLIF", "CubaLIF2", "ALIF", "LIFSoft"])
def test_a_blocked_neuron_waits(model: str, profile: Arithmetic) -> None:
    """Driven beyond its threshold in each step, a neuron fires every refractory + 1 steps."""
    more = {"reset_interval": 1 << 20, "reset_offset": 1 << 19} if model == "LIFReset" else {}
    for blocked in (0, 1, 62, 63):
        registers = {"bias_mant": 4095, "dv": 4095, "refractory": blocked, **more}
        network = ChipNetwork((Population("a", model, 1, registers),), arithmetic=profile)
        recorded = PlainChip(network).run(200)
        assert set(_intervals(recorded).tolist()) == {blocked + 1}


# ------------------------------------------------------------------ chance
@pytest.mark.parametrize("compiled", [False, True])
def test_probspiker_fires_where_its_word_is_below_the_register(compiled: bool) -> None:
    chance = np.array([0, 1, 1 << 20, 1 << 23, (1 << 24) - 1, 1 << 24])
    network = ChipNetwork((Population("a", "ProbSpiker", 6, {"p_spike": chance}),))
    steps, states = 4000, [("a", "rnd")]
    if compiled:
        recorded = emulate(network, steps, states, seed=5)
    else:
        recorded = PlainChip(network, np.random.default_rng(5)).run(steps, states)
    words = recorded.states["a", "rnd"]
    assert words.min() >= 0 and words.max() < 1 << 24
    fired = np.zeros((steps, 6), bool)
    fired[recorded.spikes["a"]] = True
    np.testing.assert_array_equal(fired, words < chance)
    p = chance / 2**24
    assert np.all(np.abs(fired.sum(0) - steps * p) <= 4.5 * np.sqrt(steps * p * (1 - p)))
    bins = np.histogram(words, 64, (0, 1 << 24))[0]
    assert np.all(np.abs(bins - words.size / 64) < 6 * np.sqrt(words.size / 64))


# ------------------------------------------------------------------ resonators
@pytest.mark.parametrize("seed", range(20))
def test_rotation_computes_what_lavas_constructor_computes(seed: int) -> None:
    pytest.importorskip("lava")
    from tests.chip.lava_oracle import RF, quiet_processes

    rng = np.random.default_rng(seed)
    arguments: dict[str, Any] = {
        "period": float(rng.uniform(1, 200)),
        "alpha": float(rng.random() ** 2),
        "state_exp": int(rng.integers(0, 8)),
        "decay_bits": int(rng.integers(1, 13)),
        "vth": float(rng.uniform(-3, 100)) if seed % 2 else int(rng.integers(1, 90)),
    }
    with quiet_processes():
        process = RF(shape=(1,), **arguments)
    for name, value in rotation(**arguments).items():
        assert int(getattr(process, name).init) == value, name


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rotation(0, 0.1), "period 0; a number of steps other than 0"),
        (lambda: rotation(np.nan, 0.1), "period nan"),
        (lambda: rotation(np.inf, 0.1), "period inf"),
        (lambda: rotation(10, 1.5), "alpha 1.5 is outside 0..1"),
        (lambda: rotation(10, 0.1, decay_bits=0), "decay_bits: 0 is outside 1..12"),
        (lambda: rotation(10, 0.1, state_exp=8), "state_exp: 8 is outside 0..7"),
    ],
)
def test_bad_rotations_raise(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ChipLimit, match=message):
        call()


# ------------------------------------------------------------------ what every model says of itself
@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_complete(name: str) -> None:
    model = MODELS[name]
    assert model.name == name
    assert model.equations
    ChipNetwork((Population("a", name, 2),))  # defaults are within limits
    for register in model.registers:
        assert register.meaning and register.limit.source
        for wrong in (register.limit.low - 1, register.limit.high + 1):
            with pytest.raises(ChipLimit, match=f"register '{register.name}'.*{wrong} is outside"):
                ChipNetwork((Population("a", name, 2, {register.name: wrong}),))


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.lava])
def test_lavas_process_has_the_models_names(name: str) -> None:
    """States, registers and ports are called what Lava calls them; what is ours is not there."""
    pytest.importorskip("lava")
    from tests.chip.lava_oracle import neurons, quiet_processes

    model = MODELS[name]
    assert model.lava is not None
    module, class_name = model.lava.rsplit(".", 1)
    with quiet_processes():
        process = neurons(Population("a", name, 2))
    assert type(process) is getattr(importlib.import_module(module), class_name)
    variables = {variable.name for variable in process.vars}
    ours = {"refractory", "blocked", "noise_exp", "noise_at_u", "word"}
    timing = {"reset_interval", "reset_offset"}  # arguments that Lava keeps elsewhere
    names = {register.name for register in model.registers}
    names |= {state.name for state in model.states}
    assert names - ours - timing <= variables
    assert set(model.ports) == {port.name for port in process.in_ports}


def test_a_ternary_spike_has_a_sign() -> None:
    """+1 and -1 multiply weights where messages have bits; else both are spikes."""
    network = ChipNetwork(
        (
            Population("t", "TernaryLIF", 2, {"bias_mant": [100, -100], "vth_hi": 1, "vth_lo": -1}),
            Population("graded", "LIF", 2, {"vth": 131071}),
            Population("plain", "LIF", 2, {"vth": 131071}),
        ),
        (SpikeTimes("s", 1, [0], [0]),),
        (
            Projection("g", "t", "graded", [0, 1], [0, 1], [9, 9], message_bits=2),
            Projection("p", "t", "plain", [0, 1], [0, 1], [9, 9]),
        ),
    )
    recorded = emulate(network, 2, [("graded", "u"), ("plain", "u")])
    assert recorded.states["graded", "u"][1].tolist() == [9 * 64, -9 * 64]
    assert recorded.states["plain", "u"][1].tolist() == [9 * 64, 9 * 64]


def test_decays_of_brian2loihi_reach_one() -> None:
    """du = 4096 forgets at once in this profile; in Lava's the register ends one earlier."""
    population = Population("a", "LIF", 1, {"du": 4096, "dv": 4096})
    ChipNetwork((population,), arithmetic=BRIAN2LOIHI)
    with pytest.raises(ChipLimit, match="4096 is outside 0..4095"):
        ChipNetwork((population,), arithmetic=LAVA)
