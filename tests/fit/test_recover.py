"""Registers recovered from recordings of a chip neuron, and single bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.recordings import DT, HELD_OUT, recording, same_held_out
from brian2lava.errors import FitError
from brian2lava.fit import Sweep, Target
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.search.recover import BOUNDS, recover
from brian2lava.fit.search.registers import RegisterSearch


@pytest.mark.parametrize("seed", range(5))
def test_registers_are_found_in_a_recording_with_its_voltage(seed: int) -> None:
    known = recording(seed)
    found = recover(known.target, bounds=known.bounds, seed=seed)
    assert found.exact and found.loss < 1e-12
    assert same_held_out(found.settings, known)


def test_held_out_spikes_are_none_that_a_recovery_sees() -> None:
    known = recording(1)
    (sweep,) = known.target.sweeps
    without = Sweep(sweep.current, (sweep.spikes[0][sweep.spikes[0] < HELD_OUT[0]],), sweep.voltage)
    blind = Target("blind", DT, (without,), known.target.train, (HELD_OUT,), "1", "", (0.0, 0.0))
    found, other = (recover(t, bounds=known.bounds, seed=1) for t in (known.target, blind))
    assert found.settings.registers["vth"] == other.settings.registers["vth"]
    assert found.loss == other.loss


def test_recovery_from_spikes_alone_explains_what_it_was_shown() -> None:
    known = recording(3, voltage=False)
    found = recover(known.target, bounds=known.bounds, seed=3)
    assert found.loss < 1e-3
    out = Batch("LIF").run(found.settings, known.stimulus)
    train = known.train[known.train < 3000]
    matched, fired, _ = out.coincidences(train, 1, 0, 3000)
    assert 2 * matched[0] / (fired[0] + train.size) > 0.8


def test_what_recover_refuses() -> None:
    target = recording(0).target
    with pytest.raises(FitError, match="LIF has no register tau"):
        recover(target, bounds={"tau": (1, 2), "vth": (1, 5)})
    with pytest.raises(FitError, match="bounds of 'vth' are missing"):
        recover(target, bounds={"du": (1, 20)})
    with pytest.raises(FitError, match="the bounds 7..7 of 'du' hold nothing"):
        recover(target, bounds={**BOUNDS, "du": (7, 7)})
    silent = Target("silent", DT, (Sweep(target.sweeps[0].current, ((),)),), unit="1")
    with pytest.raises(FitError, match="no spike in its training spans"):
        recover(silent)


# ------------------------------------------------------------ single bits
def distance_to(goal: dict[str, int], weight: int) -> Any:
    def loss(settings: Settings) -> Any:
        total = np.abs(settings.weights[0] - weight).astype(float)
        for name, value in goal.items():
            total += np.abs(settings.registers[name] - value)
        return total

    return loss


def test_a_register_search_moves_single_bits_and_whole_scales() -> None:
    start = Settings("LIF", {"dv": 200, "vth": 500, "bias_mant": 40}, 100, 0, 1.0)
    loss = distance_to({"dv": 203, "vth": 1006, "bias_mant": 81}, 201)
    search = RegisterSearch(start, ("dv", "vth", "bias_mant", "weight"), loss, seed=2, size=256)
    for _ in range(30):
        search.round()
    assert search.best == 0
    found = search.centre()
    assert int(found.registers["dv"][0]) == 203 and int(found.weights[0, 0]) == 201
    assert found.registers["du"][0] == start.registers["du"][0], "what is not named stays"


def test_a_search_keeps_to_the_limits_of_registers() -> None:
    start = Settings("LIF", {"dv": 3, "vth": 2}, 1, 0, 1.0)
    search = RegisterSearch(start, ("dv", "vth", "weight"), distance_to({"dv": -9, "vth": -9}, -9),
                            spread=2.0, size=256)  # fmt: skip
    for _ in range(20):
        search.round()
    assert search.pool.settings.registers["dv"].min() == 0


def test_of_equals_the_middle_one_is_chosen() -> None:
    def flat(settings: Settings) -> Any:
        return np.maximum(np.abs(settings.registers["vth"] - 300.0) - 6, 0)

    start = Settings("LIF", {"vth": 294}, 1, 0, 1.0)
    middle = RegisterSearch(start, ("vth",), flat, size=64).centre()
    assert abs(int(middle.registers["vth"][0]) - 300) <= 2


def test_the_current_of_a_recording_is_its_payload() -> None:
    known = recording(2)
    assert np.array_equal(known.stimulus.values, np.rint(known.stimulus.values))
    assert Stimulus(known.target.sweeps[0].current).steps == 4000
