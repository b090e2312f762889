"""Small chip networks for the tests of the Lava graph: many side by side in one network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brian2lava.chip.models import MODELS
from brian2lava.chip.models.resonator import rotation
from brian2lava.chip.network import (
    ChipNetwork,
    Population,
    Projection,
    SignMode,
    SpikeTimes,
    Stimulus,
)
from brian2lava.chip.profiles import LAVA, Arithmetic

SIZE = 6
SOURCES = 4
#: Models of Lava's own library.
LIBRARY = tuple(name for name, model in MODELS.items() if model.lava is not None)


def registers(model: str, rng: np.random.Generator) -> dict[str, Any]:
    """Registers with which the model fires now and then; one value for all where Lava has one."""
    bias = {"bias_mant": rng.integers(0, 200, SIZE), "bias_exp": rng.integers(0, 4, SIZE)}
    decays = {"du": int(rng.integers(0, 4096)), "dv": int(rng.integers(0, 2000))}
    if model in ("LIF", "LIFReset"):
        given = {**bias, **decays, "vth": int(rng.integers(1, 100))}
        if model == "LIFReset":
            given.update(reset_interval=int(rng.integers(2, 9)), reset_offset=11)
        return given
    if model == "TernaryLIF":
        low = -int(rng.integers(1, 50))
        return {**bias, **decays, "vth_hi": int(rng.integers(1, 100)), "vth_lo": low}
    if model == "ATRLIF":
        names = ("delta_i", "delta_v", "delta_theta", "delta_r")
        fractions = {name: int(rng.integers(0, 4096)) for name in names}
        return {**bias, **fractions, "theta_0": 5, "theta_step": 3}
    if model == "ALIF":
        steps = {f"step{k}": rng.integers(-400, 900, SIZE) for k in "12"}
        parts = {f"dtheta{k}": rng.integers(1, 900, SIZE) for k in "12"}
        return {**bias, **decays, **steps, **parts, "vth": int(rng.integers(1, 100))}
    if model in ("RF", "RF_IZ"):
        return dict(rotation(float(rng.uniform(3, 20)), 0.05, state_exp=6, vth=3))
    return {}


def drawn_part(
    name: str, model: str, seed: int, exponents: tuple[int, int] = (-2, 5)
) -> tuple[list[Population], list[SpikeTimes], list[Projection], list[Stimulus]]:
    """A recurrent population with a source and a stimulus; several synapses a pair, delays."""
    rng = np.random.default_rng(seed)
    ports = MODELS[model].ports
    initial: dict[str, Any] = {
        state: rng.integers(-900, 900, SIZE)
        for state in ("u", "v", "i", "r", "real", "imag")
        if state in [item.name for item in MODELS[model].states]
    }
    population = Population(name, model, SIZE, registers(model, rng), initial)
    period = 9
    places = rng.permutation(SOURCES * period)[:12]
    source = SpikeTimes(f"{name}.s", SOURCES, places % SOURCES, places // SOURCES, period)
    projections, stimuli = [], []
    for number, port in enumerate(ports):
        for origin, sources in ((source.name, SOURCES), (name, SIZE)):
            count, mode = 25, list(SignMode)[int(rng.integers(0, 3))]
            low = {SignMode.EXCITATORY: 0}.get(mode, -255)
            high = {SignMode.INHIBITORY: 0}.get(mode, 255)
            projections.append(
                Projection(
                    f"{origin}->{name}.{port}",
                    origin,
                    name,
                    rng.integers(0, sources, count),
                    rng.integers(0, SIZE, count),
                    rng.integers(low, high + 1, count),
                    exponent=int(rng.integers(*exponents)),
                    sign_mode=mode if rng.integers(0, 2) else None,
                    num_weight_bits=int(rng.choice([1, 3, 5, 8])),
                    delays=rng.choice([0, 0, 1, 5, 9], count) if rng.integers(0, 2) else 0,
                    port=port,
                    message_bits=int(rng.integers(0, 2)) * 8,
                )
            )
        values = rng.integers(-60, 120, (7, SIZE))
        stimuli.append(Stimulus(f"{name}.{number}", name, values, port, repeat=bool(seed % 2)))
    return [population], [source], projections, stimuli


def side_by_side(
    parts: Sequence[tuple[list[Any], ...]], arithmetic: Arithmetic = LAVA
) -> ChipNetwork:
    """Several networks, which nothing joins, as one."""
    joined = [[item for part in parts for item in part[place]] for place in range(4)]
    populations, sources, projections, stimuli = map(tuple, joined)
    return ChipNetwork(populations, sources, projections, stimuli, arithmetic)


def every_state(network: ChipNetwork) -> tuple[tuple[str, str], ...]:
    """All states of all populations."""
    return tuple(
        (population.name, state.name)
        for population in network.populations
        for state in population.neuron.states
    )
