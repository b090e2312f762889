"""What the chip's integers cost, and eFEL's features."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from brian2lava.errors import BrianLavaError, FitError, NotSupported
from brian2lava.fit.metrics import quantisation_loss, rounding_errors, state_bits
from brian2lava.fit.metrics.efel_features import features, in_standard_deviations


@pytest.mark.parametrize(
    ("values", "largest", "used"),
    [
        ([0, 0], 0, 0), ([1], 1, 1), ([-1, 0], 1, 1), ([255], 255, 8), ([256, -3], 256, 9),
        ([-(2**23) + 1, 5], 2**23 - 1, 23), ([2**23], 2**23, 24),
    ],
)  # fmt: skip
def test_bits_of_a_state(values: list[int], largest: int, used: int) -> None:
    found = state_bits(np.array(values))
    assert (found.largest, found.used, found.available) == (largest, used, 23)
    if largest:
        assert found.headroom == pytest.approx(np.log2((2**23 - 1) / largest))
        assert (found.headroom < 0) == (used > 23)
    else:
        assert found.headroom == np.inf


def test_the_least_integer_has_a_magnitude() -> None:
    assert state_bits(np.array([-(2**31)], dtype=np.int32), bits=32).largest == 2**31


def test_states_are_integers() -> None:
    with pytest.raises(FitError, match="of type float64"):
        state_bits(np.array([0.5]))
    with pytest.raises(FitError, match="0 values"):
        state_bits(np.zeros(0, dtype=np.int64))
    with pytest.raises(FitError, match="words of 1 bits"):
        state_bits([1], bits=1)


def test_what_rounding_loses() -> None:
    assert quantisation_loss({"gamma": 0.9}, {"gamma": 0.75}) == {"gamma": pytest.approx(0.15)}
    with pytest.raises(FitError, match="only one of the scores has f1"):
        quantisation_loss({"gamma": 0.9, "f1": 1.0}, {"gamma": 0.75})


def test_rounding_of_registers() -> None:
    found = rounding_errors({"tau": 20.0, "vth": -4.0, "a": 0.0, "b": 0.0},
                            {"tau": 21.0, "vth": -4.2, "a": 0.0, "b": -1.0})  # fmt: skip
    assert found["tau"].relative == pytest.approx(0.05)
    assert found["vth"].relative == pytest.approx(-0.05)
    assert (found["a"].relative, found["b"].relative) == (0, -np.inf)
    with pytest.raises(FitError, match="only one side has vth"):
        rounding_errors({"vth": 1.0}, {})
    with pytest.raises(FitError, match="rounding error of vth: nan"):
        rounding_errors({"vth": np.nan}, {"vth": 1.0})


def test_the_error_is_in_the_tree() -> None:
    assert issubclass(FitError, BrianLavaError) and issubclass(FitError, ValueError)


def test_distances_in_standard_deviations() -> None:
    repeats = [{"a": 1.0, "b": 2.0, "c": np.nan}, {"a": 3.0, "b": 2.0, "c": 1.0}]
    found = in_standard_deviations({"a": 4.0, "b": 2.0, "c": 1.0}, repeats)
    assert found["a"] == pytest.approx(2 / np.sqrt(2)) and found["b"] == 0
    assert np.isnan(found["c"])
    assert in_standard_deviations({"b": 1.0}, repeats)["b"] == -np.inf
    with pytest.raises(FitError, match="needs two or more"):
        in_standard_deviations({"a": 1.0}, repeats[:1])


def test_without_efel_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efel", None)
    with pytest.raises(NotSupported, match=r"brian2lava\[efel\]"):
        features([0.0], [0.0], 0.0, 1.0)


@pytest.mark.filterwarnings("ignore")  # eFEL's own
def test_features_of_efel() -> None:
    pytest.importorskip("efel", reason="eFEL is not installed (extra efel)")
    time = np.arange(0, 1000, 0.1)
    voltage = np.full_like(time, -70.0)
    for spike in range(150, 900, 50):
        lag = np.abs(time - spike)
        voltage += np.where(lag < 1, 100 * (1 - lag), 0)
    found = features(time, voltage, 100, 900)
    assert found["Spikecount"] == 15
    assert found["ISI_CV"] == pytest.approx(0, abs=1e-6)
    assert found["time_to_first_spike"] == pytest.approx(50, abs=1)
    with pytest.raises(FitError, match="eFEL has no feature sharpness"):
        features(time, voltage, 100, 900, ["sharpness"])
    with pytest.raises(FitError, match="times of shape"):
        features(time, voltage[:5], 100, 900)
    silent = features(time, np.full_like(time, -70.0), 100, 900)
    assert silent["Spikecount"] == 0 and np.isnan(silent["ISI_CV"])
