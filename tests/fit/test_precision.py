"""Maps of precision: each cell against a neuron that is built by hand, and what has none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.candidates import candidate
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.metrics import gamma_factor
from brian2lava.fit.precision import PrecisionMap, decay_map, weight_map
from brian2lava.fit.target import Target
from brian2lava.fit.target.resample import resampled
from tests.studio.targets import DT, KNOWN, known_target

LIF = candidate("LIF")


def frame(drive: Any = "graded") -> Frame:
    return Frame(DT, float(known_target().sweeps[0].current.max()), drive=drive)


def settings_of(name: str = "LIF", drive: Any = "graded", **values: float) -> Settings:
    each = candidate(name)
    given = {p.name: (p.low * p.high) ** 0.5 if p.log else 0.0 for p in each.parameters}
    given |= {**KNOWN, **values}
    named = {p.name: np.array([given[p.name]]) for p in each.parameters}
    return each.to_settings(named, frame(drive))


def gammas(settings: Settings, drive: Any = "graded", target: Target | None = None) -> Any:
    """Trained and held out, by the metric itself."""
    used = target or known_target()
    out = Batch(settings.model, drive=drive).run(settings, Stimulus(used.sweeps[0].current))
    train = out.train(0) * used.dt
    return [
        gamma_factor(used.sweeps[0].spikes[0], train, spans, 2e-3)
        for spans in (used.train, used.held_out)
    ]


def cell(found: PrecisionMap, row: float, column: float) -> tuple[float, float, str]:
    i, j = list(found.rows).index(row), list(found.columns).index(column)
    return float(found.train[i, j]), float(found.held_out[i, j]), found.refused[i][j]


def test_a_weight_and_its_exponent() -> None:
    settings = settings_of()
    found = weight_map(known_target(), LIF, settings, frame())
    assert found.train.shape == found.held_out.shape == (8, 16)
    mantissa, now = int(settings.weights[0, 0]), int(settings.exponents[0, 0])
    assert found.now == (8, now) and cell(found, 8, now)[:2] == pytest.approx([1, 1])
    for bits, exponent in ((8, now + 3), (3, now), (2, now + 5), (1, now + 7)):
        grain = 1 << (8 - bits)
        # payloads make up for the exponent, and not for the mantissa
        by_hand = replace(
            settings,
            weights=np.array([[np.clip(round(mantissa / grain) * grain, -255 // grain, 255)]]),
            exponents=np.array([[exponent]]),
            scale=settings.scale / np.float32(2.0 ** (exponent - now)),
        )
        train, held_out, why = cell(found, bits, exponent)
        assert not why and [train, held_out] == pytest.approx(gammas(by_hand))
    # a payload of one bit less a column, of which there are enough at first and too few at last
    assert (np.diff(found.column_bits) <= 0).all() and found.column_bits[0] == 11
    scores = found.held_out[7][np.isfinite(found.held_out[7])]
    assert scores.max() == pytest.approx(1) and scores[-1] < 0.9
    assert found.best()[2] == pytest.approx(1)
    assert "the payload one bit less" in found.note
    assert "exponent" in str(found) and "1.000" in str(found)


def test_what_no_spike_or_current_holds_says_so() -> None:
    found = weight_map(known_target(), LIF, settings_of(gain=6000.0), frame(), exponents=[-8, 7])
    train, held_out, why = cell(found, 8, -8)
    assert np.isnan([train, held_out]).all() and "bits" in why
    few = weight_map(known_target(), LIF, settings_of(gain=1e-3), frame(), exponents=[7])
    assert (few.column_bits == 0).all() and (few.held_out <= 0).all()  # nothing arrives
    with pytest.raises(FitError, match="the map has no number: "):
        weight_map(known_target(), LIF, settings_of(gain=6000.0), frame(), exponents=[-8]).best()


def test_a_payload_for_two_synapses_moves_both() -> None:
    each = "CubaLIF2Slow"
    settings = settings_of(each, slow=-0.3)
    first, second = settings.exponents[:, 0]
    assert first != second
    found = weight_map(known_target(), candidate(each), settings, frame(), bits=[8])
    for column, why in zip(found.columns, found.refused[0]):
        beyond = not -8 <= second + (column - first) <= 7
        assert ("shares the payload would need the exponent" in why) == beyond
    assert cell(found, 8, first)[:2] == pytest.approx(gammas(settings))


def test_the_synapse_of_a_neuron_onto_itself() -> None:
    name = "CubaLIF2"
    settings = settings_of(name, jump=0.3)
    found = weight_map(known_target(), candidate(name), settings, frame(), synapse="own")
    mantissa, now = int(settings.own_weights[-1, 0]), int(settings.own_exponents[-1, 0])
    assert found.now == (8, now) and cell(found, 8, now)[:2] == pytest.approx(gammas(settings))
    own = settings.own_weights.copy()
    exponents = settings.own_exponents.copy()
    own[-1], exponents[-1] = round(round(mantissa / 8) / 16) * 16, now + 3
    by_hand = replace(settings, own_weights=own, own_exponents=exponents)
    assert cell(found, 4, now + 3)[:2] == pytest.approx(gammas(by_hand))
    assert "it has 8 bits" in cell(found, 8, -8)[2]
    with pytest.raises(FitError, match="LIF as it is has no synapse onto itself; use 'input'"):
        weight_map(known_target(), LIF, settings_of(), frame(), synapse="own")


def test_a_bias_has_no_weight() -> None:
    settings = settings_of(drive="bias")
    found = weight_map(known_target(), LIF, settings, frame("bias"))
    assert found.rows.tolist() == [13] and found.columns.tolist() == list(range(8))
    now = int(settings.registers["bias_exp"][0])
    assert found.now == (13, now)
    by_hand = replace(
        settings,
        registers={
            **settings.registers,
            "bias_exp": np.array([now + 2]),
            "bias_mant": np.array([round(int(settings.registers["bias_mant"][0]) / 4)]),
        },
        scale=settings.scale / 4,
    )
    assert cell(found, 13, now + 2)[:2] == pytest.approx(gammas(by_hand, "bias"))
    if now:
        assert "it has 13 bits with its sign" in cell(found, 13, 0)[2]
    assert "no weight brings it: bits of weights do not apply" in found.note


def test_steps_and_decays() -> None:
    found = decay_map(known_target(), LIF, KNOWN, frame(), steps=(1e-3, 2e-3), bits=(4, 12))
    assert found.now == (1e-3, 12) and cell(found, 1e-3, 12)[:2] == pytest.approx([1, 1])
    given = {n: np.array([v]) for n, v in KNOWN.items()}
    coarse = LIF.to_settings(given, replace(frame(), dt=2e-3))
    slower = resampled(known_target(), 2e-3)
    assert cell(found, 2e-3, 12)[:2] == pytest.approx(gammas(coarse, target=slower))
    dv, du = (int(coarse.registers[n][0]) for n in ("dv", "du"))
    few = replace(coarse, registers={
        **coarse.registers, "dv": np.array([round(dv / 256) * 256]),
        "du": np.array([round((du + 1) / 256) * 256 - 1]),
    })  # fmt: skip
    assert cell(found, 2e-3, 4)[:2] == pytest.approx(gammas(few, target=slower))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"bits": [9]}, "bits: 9; 1 to 8 are there"),
        ({"bits": []}, "bits: none are given"),
        ({"exponents": [8]}, "exponents: 8; -8 to 7 are there"),
        ({"synapse": "both"}, "synapse='both'; the values are 'input', 'own'"),
    ],
)
def test_what_is_no_map(given: dict[str, Any], message: str) -> None:
    with pytest.raises(FitError, match=message):
        weight_map(known_target(), LIF, settings_of(), frame(), **given)
    with pytest.raises(FitError, match="bits: 13; 1 to 12 are there"):
        decay_map(known_target(), LIF, KNOWN, frame(), bits=[13])


def test_a_target_without_held_out_spans_says_so() -> None:
    whole = replace(known_target(), train=((0.0, 3.0),), held_out=())
    found = weight_map(whole, LIF, settings_of(), frame(), bits=[8], exponents=[-1])
    assert np.isfinite(found.train).all() and "no span that is held_out" in found.refused[0][0]
