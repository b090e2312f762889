"""The model in double precision: the chip's own equations without rounding."""

from __future__ import annotations

import numpy as np
import pytest

from brian2lava.chip.models import MODELS
from brian2lava.chip.profiles import LAVA
from brian2lava.chip.quantise.real_arithmetic import evaluate_real
from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.studio.real_model import NOISE, run_real
from brian2lava.studio.real_registers import real_setting, registers_of
from brian2lava.studio.runs import compared, real_unity

FRAME = Frame(dt=2e-4, reach=1.5)


def drawn(name: str, seed: int) -> dict[str, float]:
    """Values between the bounds of a candidate."""
    rng = np.random.default_rng(seed)
    values = {}
    for parameter in CANDIDATES[name].parameters:
        low, high = parameter.bounds(FRAME.reach)
        part = rng.random()
        values[parameter.name] = (
            low * (high / low) ** part if parameter.log else low + (high - low) * part
        )
    return values


@pytest.mark.parametrize("name", CANDIDATES)
def test_real_registers_are_what_the_candidate_rounds(name: str) -> None:
    candidate = CANDIDATES[name]
    for seed in range(20):
        values = drawn(name, seed)
        settings = candidate.to_settings({k: np.array([v]) for k, v in values.items()}, FRAME)
        real = real_setting(candidate, values, FRAME)
        for register, exact in real.registers.items():
            # levels follow the rounded decay; a resonator's exponent is exact, a rest has its end
            if register not in ("bias_mant", "state_exp"):
                exact = min(exact, 63) if register == "refractory" else exact
                rounded = float(settings.registers[register][0])
                # a decay of 0 would never end; the candidate takes 1 instead
                assert abs(rounded - exact) <= 0.5 + 1e-6 or rounded in (0, 1), register


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_steady_current_leads_where_the_gain_says(name: str) -> None:
    chosen = {
        "bias": 0.3, "tau_m": 5e-3, "tau_s": 2e-3, "slow": 0.0, "frequency": 20.0, "tau": 20e-3,
        "interval": 9.0, "offset": 8.0,
    }  # fmt: skip
    values = {key: chosen.get(key, value) for key, value in drawn(name, 5).items()}
    current = 0.4 / values["gain"]
    real = real_setting(CANDIDATES[name], values, FRAME)
    steps = round(0.2 / FRAME.dt)
    out = run_real(CANDIDATES[name].model, real.registers, np.full(steps, current * real.per_unit))
    membrane, _ = compared(CANDIDATES[name], out.traces, real_unity(FRAME))
    if "frequency" in {p.name for p in CANDIDATES[name].parameters}:
        assert 0 < np.abs(membrane).max() < 0.4  # the gain is that at the resonance
    else:
        assert membrane[-1] == pytest.approx(0.7, rel=1e-6)


def plainly(
    model: str, registers: dict[str, float], arriving: np.ndarray, own: float, share: float
) -> list[int]:
    """The same, step by step through the expressions themselves."""
    neuron = MODELS[model]
    values = {r.name: float(r.default) for r in neuron.registers} | registers
    for name, expression in neuron.derived(LAVA).items():
        values[name] = float(evaluate_real(expression, values))
    step = neuron.step(LAVA, NOISE)
    for state in neuron.states:
        values[state.name] = (
            0.0 if state.initial is None else float(evaluate_real(state.initial, values))
        )
    spikes: list[int] = []
    for n, amount in enumerate(arriving):
        brought = dict.fromkeys(neuron.ports, 0.0) | {neuron.ports[0]: amount}
        if len(neuron.ports) > 1:
            brought[neuron.ports[-1]] = share * amount
        brought[neuron.ports[-1]] += own * (bool(spikes) and spikes[-1] == n - 1)
        values |= brought | {"t": n + 1.0}
        for name, expression in step.assignments:
            values[name] = float(evaluate_real(expression, values))
        values["fired"] = float(evaluate_real(step.fired, values))
        if values["fired"]:
            spikes.append(n)
        after = {name: float(evaluate_real(e, values)) for name, e in step.after}
        values |= after
    return spikes


@pytest.mark.parametrize("name", CANDIDATES)
def test_compiled_and_plain_agree(name: str) -> None:
    current = np.clip(np.random.default_rng(1).normal(2.0, 2.5, 600), 0, None)
    fired = 0
    for seed in range(12):
        real = real_setting(CANDIDATES[name], drawn(name, seed), FRAME)
        registers = dict(real.registers)
        arriving = current * real.per_unit
        out = run_real(CANDIDATES[name].model, registers, arriving, real.own, real.share)
        plain = plainly(CANDIDATES[name].model, registers, arriving, real.own, real.share)
        assert out.spikes.tolist() == plain
        fired += out.spikes.size
    assert fired, "a test without spikes shows nothing"


def test_parameters_name_the_registers_that_they_decide() -> None:
    lif = CANDIDATES["LIF"]
    assert registers_of(lif.parameter("gain")) == ("weight", "exponent", "scale")
    assert registers_of(lif.parameter("tau_m")) == ("dv",)
