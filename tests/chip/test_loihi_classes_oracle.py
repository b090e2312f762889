"""The classes of brian2lava.loihi against brian2-loihi 0.5.2 itself: identical integers."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

import brian2lava.loihi as ours
from brian2lava.chip.learning import RecordedTape
from tests.chip.loihi_networks import (
    by_brian2loihi,
    difference,
    learning_network,
    random_network,
    run,
)
from tests.chip.record_brian2loihi import FILE, digest, unpacked

Bits = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def theirs() -> Any:
    """The package brian2-loihi, which warns while it is imported."""
    pytest.importorskip("brian2_loihi", reason="brian2-loihi 0.5.2 is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module("brian2_loihi")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run by the plain definition, to which the compiled emulator is held elsewhere."""
    monkeypatch.setattr("brian2lava.loihi.network.find_compiler", lambda: None)
    warnings.filterwarnings("ignore", message="no C\\+\\+ compiler was found")


class Replayed(RecordedTape):
    """Bits that were drawn by brian2-loihi; what it did not draw is 0."""

    def round_up(self, trace: str, step: int, fractions: Any) -> Any:
        if trace not in self._bits:
            return np.zeros(fractions.shape, dtype=bool)
        return super().round_up(trace, step, fractions)


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch) -> Callable[[Bits], None]:
    def set_bits(bits: Bits) -> None:
        monkeypatch.setattr(
            "brian2lava.loihi.learning.draws",
            lambda synapses: Replayed(bits.get(synapses.name, {})),
        )

    return set_bits


def _agree(network: dict[str, Any], theirs: Any) -> None:
    found = difference(run(network, ours), by_brian2loihi(network, theirs))
    assert not found, found


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("seed", range(2))
def test_identical_integers(seed: int, theirs: Any) -> None:
    _agree(random_network(seed), theirs)


@pytest.mark.long
@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("seed", range(100))
def test_identical_integers_in_100_networks(seed: int, theirs: Any) -> None:
    _agree(random_network(seed), theirs)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_identical_integers_by_the_compiled_emulator(seed: int, theirs: Any) -> None:
    _agree(random_network(seed), theirs)


def _learn_alike(seed: int, theirs: Any, replay: Callable[[Bits], None]) -> None:
    network = learning_network(seed)
    bits: Bits = {}
    expected = by_brian2loihi(network, theirs, bits)
    replay(bits)
    found = difference(run(network, ours), expected)
    assert not found, found


@pytest.mark.parametrize("seed", range(2))
def test_learning_is_identical_given_the_bits(seed: int, theirs: Any, replay: Any) -> None:
    _learn_alike(seed, theirs, replay)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100))
def test_learning_is_identical_in_100_networks(seed: int, theirs: Any, replay: Any) -> None:
    _learn_alike(seed, theirs, replay)


@pytest.mark.long
def test_learning_is_alike_in_distribution(theirs: Any) -> None:
    """Final weights and traces over 50 seeds: Kolmogorov-Smirnov, p > 0.01."""
    network = learning_network(8)
    collected: dict[str, tuple[list[Any], list[Any]]] = {}
    for seed in range(50):
        for side, engine in enumerate((run, by_brian2loihi)):
            np.random.seed(seed if side else seed + 1000)
            results = engine(network, ours if side == 0 else theirs)
            for name, values in results.items():
                if name.split(".")[-1] in ("w", "x1", "y1"):
                    collected.setdefault(name, ([], []))[side].append(float(values[:, -1].mean()))
    assert any(len(set(left)) > 10 for left, _ in collected.values())
    for name, (left, right) in collected.items():
        assert ks_2samp(left, right).pvalue > 0.01, name


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("row", json.loads(FILE.read_text(encoding="utf-8")))
def test_what_brian2loihi_computed_once(row: dict[str, Any], replay: Any) -> None:
    """The same comparison with its recorded integers, where it is not installed."""
    replay(
        {
            synapses: {trace: unpacked(text) for trace, text in drawn.items()}
            for synapses, drawn in row["bits"].items()
        }
    )
    found = run(row["network"], ours)
    assert {name: digest(values) for name, values in found.items()} == row["results"]
