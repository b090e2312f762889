"""Learning in compiled code against its plain definition, integer by integer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from brian2lava.chip.emulate import _library
from brian2lava.chip.learning import (
    Brian2LoihiLearning,
    Factor,
    FixedLearning,
    LavaTape,
    LearningRule,
    PhiloxTape,
    Product,
    RuleError,
    Synapses,
    Trace,
    actual_weights,
    learning_operations,
    learning_rule,
    learning_state,
)
from brian2lava.chip.learning.compiled import Compiled, Projecting
from brian2lava.chip.learning.compiled_brian2loihi import compile_brian2loihi
from brian2lava.chip.learning.compiled_lava import compile_lava, fill
from brian2lava.chip.learning.tape import stream_key
from brian2lava.engine.cpu import instance as cpu
from brian2lava.engine.cpu.render import render
from brian2lava.engine.host import choose_host
from brian2lava.engine.memory import arena
from brian2lava.errors import ChipLimit, NotSupported
from brian2lava.program import step_program as program
from brian2lava.program.check import check

N_PRE, N_POST, STEPS = 19, 11, 120
KEY = stream_key(9, 4)
_CTYPES = {
    "int8": "int8_t", "int16": "int16_t", "int32": "int32_t", "int64": "int64_t",
    "float64": "double",
}  # fmt: skip


class Loop:
    """Two spike sources and a projection that learns, in the engine."""

    def __init__(self, pre: Any, post: Any) -> None:
        self.arrays: dict[str, program.Array] = {}
        self.storage: dict[str, Any] = {}
        self.operations: list[tuple[program.Operation, tuple[float, ...]]] = []
        self.timestep = self.allocate("timestep", np.zeros(1, np.int64), True)
        self.t = self.allocate("t", np.zeros(1), True)
        self.dt = self.allocate("dt", np.ones(1), True)
        self.events = [self.source(f"source{k}", fired) for k, fired in enumerate((pre, post))]
        self.now = 0

    def allocate(self, name: str, values: Any, scalar: bool = False) -> str:
        values = np.asarray(values)
        array_id = f"_array_{name}"
        assert array_id not in self.arrays
        place = arena().allocate(max(8, values.nbytes)).array(values.dtype, max(1, values.size))
        place[: values.size] = values.ravel()
        self.arrays[array_id] = program.Array(array_id, _CTYPES[values.dtype.name], scalar)
        self.storage[array_id] = place
        return array_id

    def source(self, name: str, fired: Any) -> str:
        steps, who = np.nonzero(fired)
        operation = program.SpikeSource(
            name=name,
            origin=program.Origin(name),
            clock=0,
            events=self.allocate(f"{name}_events", np.zeros(fired.shape[1] + 1, np.int32)),
            neuron_index=self.allocate(f"{name}_who", who.astype(np.int32)),
            timebins=self.allocate(f"{name}_steps", steps.astype(np.int32)),
            period_bins=self.allocate(f"{name}_period", np.zeros(1, np.int64), True),
            lastindex=self.allocate(f"{name}_last", np.zeros(1, np.int32), True),
            timestep=self.timestep,
        )
        self.operations.append((operation, ()))
        return operation.events

    def start(self) -> None:
        made = program.StepProgram(
            clocks=(program.Clock("chip", self.timestep, self.t, dt=self.dt),),
            arrays=tuple(self.arrays.values()),
            operations=tuple(operation for operation, _ in self.operations),
        )
        source = render(check(made))
        self.host: Any = choose_host("inline")[0]
        self.instance = cpu.Instance(
            source, _library(source), self.storage, [values for _, values in self.operations],
            clocks=1, operations=len(self.operations), threads=1, host=self.host,
        )  # fmt: skip

    def step(self, steps: int = 1) -> None:
        self.now += steps
        self.instance.i_end[0] = self.now
        self.host.begin(max(1, steps))
        self.instance.begin()
        while self.instance.advance(1 << 62, 1.0) != cpu.DONE:
            pass
        self.host.end()

    def close(self) -> None:
        self.instance.unload()


def fire(seed: int, rate: float = 0.2) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    return rng.random((STEPS, N_PRE)) < rate, rng.random((STEPS, N_POST)) < rate


def connected(seed: int) -> Synapses:
    """Some pairs, one of them twice, in no order."""
    rng = np.random.default_rng(seed)
    pre, post = np.nonzero(rng.random((N_PRE, N_POST)) < 0.3)
    pre, post = np.append(pre, pre[0]), np.append(post, post[0])
    order = rng.permutation(pre.size)
    return Synapses(pre[order], post[order], N_PRE, N_POST)


def projecting(
    loop: Loop, rule: LearningRule, synapses: Synapses, weights: Any, sign_mode: str, **more: Any
) -> Projecting:
    values: dict[str, Any] = {"name": "p", "num_weight_bits": 8, "exponent": 0, **more}
    return Projecting(
        rule=rule, synapses=synapses, weights=weights, sign_mode=sign_mode,
        delivered=loop.allocate(f"{values['name']}_delivered", np.zeros(synapses.size, np.int32)),
        delivered_ctype="int32_t", pre_events=loop.events[0], post_events=loop.events[1],
        timestep=loop.timestep, key=KEY, **values,
    )  # fmt: skip


def start_weights(sign_mode: str, size: int) -> Any:
    low, high = {"MIXED": (-128, 128), "EXCITATORY": (0, 128), "INHIBITORY": (-127, 1)}[sign_mode]
    return 2 * np.random.default_rng(2).integers(low, high, size)


BOTH: dict[str, Any] = {"x1": Trace(40, 8), "y1": Trace(33.4, 12.5)}
LAVA_RULES: dict[str, LearningRule] = {
    "pair": learning_rule("-2^-2*x0*y1 + 2^-2*y0*x1", **BOTH),
    "one side": learning_rule("3*2^-3*y0*(x1-20)", **BOTH),
    "both": learning_rule("2^3*x0*y0 - 2^-1*x0*w", **BOTH),
    "clock": learning_rule("3*2^-3*y0*(x1-20) - u2*sgn(w) + 2^-5*u2*y2*x0", **BOTH, y2=Trace(9, 9)),
    "delays and tags": learning_rule(
        "u1*t*2^-4", dd="2^-1*x0*(y1-3) - u1*2^0", dt="y0*x1 - 2^-2*u1*t - 2^8*x0*y1", **BOTH,
        t_epoch=3,
    ),
    "epochs": learning_rule(
        "-2^-3*x0*y1 + 2^-1*y0*x1 + 2^-1*y0*x2*y3", **BOTH, x2=Trace(5.7, 0), y3=Trace(9.5, 30),
        t_epoch=5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAVA_RULES)
@pytest.mark.parametrize("sign_mode", ["MIXED", "EXCITATORY"])
def test_lava_fixed(name: str, sign_mode: str) -> None:
    rule, synapses = LAVA_RULES[name], connected(1)
    pre, post = fire(3)
    weights = start_weights(sign_mode, synapses.size)
    replayed = sign_mode == "MIXED"
    loop = Loop(pre, post)
    given = projecting(loop, rule, synapses, weights, sign_mode, exponent=2)
    loop.storage[given.delivered][: synapses.size] = 4 * weights
    made = compile_lava(given, loop.allocate, replayed=16 if replayed else 0)
    loop.operations += made.operations
    loop.start()
    tape: Any = PhiloxTape(9, 4)
    if replayed:
        tape, filling = LavaTape(5), LavaTape(5)
    plain = FixedLearning(rule, synapses, weights, tape, sign_mode)
    for step in range(STEPS):
        if replayed:
            fill(loop.storage[made.draws], filling, step, step + 1, rule.t_epoch)
        plain.step(pre[step], post[step])
        loop.step()
        same(loop, made, plain.variables, plain.traces, step)
        delivered = loop.storage[given.delivered][: synapses.size]
        np.testing.assert_array_equal(delivered, 4 * plain.weights)
    loop.close()
    assert np.any(plain.weights != weights)


def same(loop: Loop, made: Compiled, variables: Any, traces: Any, step: int) -> None:
    for ids, values in ((made.variables, variables), (made.traces, traces)):
        for name, array_id in ids.items():
            own = loop.storage[array_id][: len(values[name])]
            np.testing.assert_array_equal(own, values[name], err_msg=f"{name}, step {step}")


def delivery(loop: Loop, synapses: Synapses, delay: int, name: str) -> program.Pathway:
    """The pathway through which a projection delivers its weights."""
    return program.Pathway(
        name=name, origin=program.Origin(name), clock=0, events=loop.events[0], first=0,
        last=N_PRE, delays=loop.allocate(f"{name}_delays", np.array([float(delay)])),
        sources=loop.allocate(f"{name}_i", synapses.pre.astype(np.int32)),
        targets=loop.allocate(f"{name}_j_synaptic_post", synapses.post.astype(np.int32)),
        dt=loop.dt,
    )  # fmt: skip


WHOLE: dict[str, Any] = {"x1": Trace(100, 7), "y1": Trace(30, 5)}
B2L_RULES: dict[str, tuple[str, dict[str, Any], str, int]] = {
    "pair": ("2^-2*x0*y1 - 2^-3*y0*x1", WHOLE, "MIXED", 8),
    "anti-hebbian": ("x0*y1 - y0*x1", {"x1": Trace(127, 10), "y1": Trace(127, 10)}, "MIXED", 8),
    "clock": ("2^-3*y0*x1 - u1*w*2^-4 + 3*u1*sign(w-40) - u1*y1", WHOLE, "EXCITATORY", 6),
    "triplet": (
        "-2^-3*x0*y1 + 2^-6*y0*x1*(y2-10) - 2^-7*y0*(x2+y3)",
        {"x1": Trace(20, 16), "y1": Trace(20, 33), "y2": Trace(10, 60), "x2": Trace(127, 200),
         "y3": Trace(127, 1)},
        "INHIBITORY", 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", B2L_RULES)
@pytest.mark.parametrize("delay", [0, 3])
def test_brian2loihi(name: str, delay: int) -> None:
    text, traces, sign_mode, bits = B2L_RULES[name]
    rule = learning_rule(text, dialect="brian2loihi", **traces)
    synapses = connected(1)
    pre, post = fire(3)
    weights = start_weights(sign_mode, synapses.size) // 2
    exponent = -2 if delay else 1
    loop = Loop(pre, post)
    given = projecting(
        loop, rule, synapses, weights, sign_mode, num_weight_bits=bits, exponent=exponent
    )
    arriving = delivery(loop, synapses, delay, "p")
    first_time = 1990 if delay else 0
    made = compile_brian2loihi(given, loop.allocate, arriving, first_time)
    loop.operations += made.operations
    loop.start()
    plain = Brian2LoihiLearning(rule, synapses, weights, PhiloxTape(9, 4), sign_mode, bits)
    plain.time = first_time
    arrived = np.zeros_like(pre)
    arrived[delay:] = pre[: STEPS - delay]
    for step in range(STEPS):
        plain.step(arrived[step], post[step])
        loop.step()
        same(loop, made, {"w": plain.weights}, plain.traces, step)
        expected = actual_weights(plain.weights, sign_mode, bits, exponent, learned=True) >> 6
        delivered = loop.storage[given.delivered][: synapses.size]
        np.testing.assert_array_equal(delivered, expected)
    loop.close()
    assert np.any(plain.weights != weights)


def random_rule(rng: Any, dialect: str) -> LearningRule:
    """Up to three products a change, of any variables that the dialect has."""
    lava = dialect == "lava"
    k, variables = rng.integers(4), ["x0", "x1", "x2", "y0", "y1", "y2", "y3", "w"]
    variables += ["d", "t"] if lava else []

    def product() -> Product:
        factors = tuple(
            Factor(str(name), int(rng.integers(-30, 30)), name in ("w", "d", "t") and k % 2 == 0)
            for name in rng.choice(variables, rng.integers(0, 4))
        )
        dependency = str(rng.choice(["x0", "y0", f"u{k}"], p=[0.4, 0.4, 0.2]))
        return Product(int(rng.integers(-7, 8)), int(rng.integers(-7, 2)), dependency, factors)

    def change(chance: float) -> tuple[Product, ...]:
        return tuple(product() for _ in range(rng.integers(1, 4))) if rng.random() < chance else ()

    def trace() -> Trace:
        impulse, tau = rng.uniform(1, 127), rng.uniform(1, 60)
        return Trace(impulse, tau) if lava else Trace(int(impulse), int(tau))

    traces: dict[str, Any] = {name: trace() for name in ("x1", "x2", "y1", "y2", "y3")}
    if not lava:
        return LearningRule(dw=change(1), **traces)
    return LearningRule(
        change(1), change(0.3), change(0.3), t_epoch=int(rng.choice([1, 1, 3])), **traces
    )


def test_random_rules_side_by_side_in_lava_fixed() -> None:
    rng, (pre, post) = np.random.default_rng(21), fire(6)
    loop = Loop(pre, post)
    pairs: list[tuple[Compiled, Any]] = []
    for k in range(12):
        rule, synapses = random_rule(rng, "lava"), connected(k)
        sign_mode = ("MIXED", "EXCITATORY", "INHIBITORY")[k % 3]
        weights = start_weights(sign_mode, synapses.size)
        made = learning_operations(
            "nearest_draw",
            projecting(loop, rule, synapses, weights, sign_mode, name=f"p{k}"),
            loop.allocate,
            delivery(loop, synapses, 0, f"p{k}"),
        )
        loop.operations += made.operations
        tape = PhiloxTape(9, 4)
        pairs.append(
            (made, learning_state("nearest_draw", rule, synapses, weights, tape, sign_mode))
        )
    loop.start()
    for step in range(60):
        loop.step()
        for made, plain in pairs:
            plain.step(pre[step], post[step])
            same(loop, made, plain.variables, plain.traces, step)
    loop.close()


def test_random_rules_side_by_side_in_brian2loihi() -> None:
    rng, (pre, post) = np.random.default_rng(22), fire(7)
    loop = Loop(pre, post)
    pairs: list[tuple[Compiled, Any]] = []
    for k in range(8):
        rule, synapses = random_rule(rng, "brian2loihi"), connected(k)
        sign_mode, bits = ("MIXED", "EXCITATORY", "INHIBITORY")[k % 3], (8, 5)[k % 2]
        weights = start_weights(sign_mode, synapses.size)
        given = projecting(
            loop, rule, synapses, weights, sign_mode, name=f"p{k}", num_weight_bits=bits
        )
        made = learning_operations(
            "grid_draw", given, loop.allocate, delivery(loop, synapses, 0, f"p{k}")
        )
        loop.operations += made.operations
        tape = PhiloxTape(9, 4)
        plain = learning_state("grid_draw", rule, synapses, weights, tape, sign_mode, bits)
        pairs.append((made, plain))
    loop.start()
    for step in range(60):
        loop.step()
        for made, plain in pairs:
            plain.step(pre[step], post[step])
            same(loop, made, {"w": plain.weights}, plain.traces, step)
    loop.close()


@pytest.mark.parametrize("kind", ["lava", "brian2loihi"])
def test_a_run_goes_on_where_another_ended(kind: str) -> None:
    synapses, (pre, post) = connected(1), fire(5, rate=0.05)
    weights, middle = start_weights("MIXED", synapses.size), 60
    plain: Any
    if kind == "lava":
        rule = learning_rule("-2^-2*x0*y1 + 2^-2*y0*x1 - u1*t*2^-4", dt="y0*x1 - x0*y1", **BOTH)
        plain = FixedLearning(rule, synapses, weights, PhiloxTape(9, 4))
    else:
        rule = learning_rule(B2L_RULES["pair"][0], dialect="brian2loihi", **WHOLE)
        plain = Brian2LoihiLearning(rule, synapses, weights, PhiloxTape(9, 4), "MIXED")
    for step in range(middle):
        plain.step(pre[step], post[step])
    assert any(np.any(values) for values in plain.traces.values())
    loop = Loop(pre[middle:], post[middle:])
    initial = {name: values.copy() for name, values in plain.traces.items()}
    if kind == "lava":
        initial["t"] = plain.variables["t"]
    given = projecting(loop, rule, synapses, plain.weights.copy(), "MIXED", initial=initial)
    if kind == "lava":
        made = compile_lava(given, loop.allocate, first_step=middle)
    else:
        made = compile_brian2loihi(
            given, loop.allocate, delivery(loop, synapses, 0, "p"), first_time=middle
        )
    loop.operations += made.operations
    loop.start()
    for step in range(middle, STEPS):
        plain.step(pre[step], post[step])
        loop.step()
        variables = plain.variables if kind == "lava" else {"w": plain.weights}
        same(loop, made, variables, plain.traces, step)
    loop.close()


def test_a_third_factor_is_taken_from_the_targets() -> None:
    rule = learning_rule(
        "u0*t*y2*2^-5", dt="2^-1*x0*y1 + 2^-2*y0*x1 - u0*t*2^-3", x1=Trace(20, 10),
        third_factor=True,
    )  # fmt: skip
    synapses, (pre, post) = connected(1), fire(4)
    weights = start_weights("MIXED", synapses.size)
    loop = Loop(pre, post)
    states = {
        name: loop.allocate(f"state_{name}", np.zeros(N_POST, np.int32)) for name in ("y1", "y2")
    }
    given = projecting(loop, rule, synapses, weights, "MIXED", post_traces=states)
    made = compile_lava(given, loop.allocate)
    loop.operations += made.operations
    loop.start()
    plain = FixedLearning(rule, synapses, weights, PhiloxTape(9, 4))
    rng = np.random.default_rng(8)
    for step in range(STEPS):
        supplied = {name: rng.integers(0, 128, N_POST) for name in states}
        for name, array_id in states.items():
            loop.storage[array_id][:N_POST] = supplied[name]
        plain.step(pre[step], post[step], supplied)
        loop.step()
        same(loop, made, plain.variables, plain.traces, step)
    assert loop.storage[made.beyond][0] == 0
    loop.storage[states["y1"]][:6] = [128, -1, 3, 127, 0, 300]
    loop.step()
    assert loop.storage[made.beyond][0] == 3
    loop.close()
    assert np.any(plain.weights != weights)


def test_what_can_not_be_compiled() -> None:
    loop, synapses = Loop(*fire(1)), connected(1)
    third = learning_rule("x0*y1", third_factor=True)
    epochs = projecting(
        loop, LAVA_RULES["epochs"], synapses, np.zeros(synapses.size), "MIXED", name="q"
    )
    with pytest.raises(RuleError, match="in the middle of an epoch of 5"):
        compile_lava(epochs, loop.allocate, first_step=3)
    with pytest.raises(NotSupported, match="projection 'p': a third-factor rule takes y1 from"):
        compile_lava(projecting(loop, third, synapses, np.zeros(synapses.size), "MIXED"),
                     loop.allocate)  # fmt: skip


def test_weights_are_held_to_their_sign() -> None:
    loop, synapses = Loop(*fire(1)), connected(1)
    rule = LAVA_RULES["pair"]
    given = projecting(loop, rule, synapses, np.full(synapses.size, -2), "EXCITATORY")
    with pytest.raises(ChipLimit, match="p, weights: -2 at 0"):
        compile_lava(given, loop.allocate)
