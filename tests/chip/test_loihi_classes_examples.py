"""The examples of examples/loihi: at small size, and, as long tests, at full size."""

from __future__ import annotations

import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "loihi"
#: Spikes a neuron in 1,000 steps, excitatory and inhibitory, that brian2-loihi's users publish.
PUBLISHED = np.array([51.8, 36.1])


@pytest.fixture(autouse=True)
def numpy_target() -> Iterator[None]:
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    brian2.start_scope()
    yield
    brian2.prefs.codegen.target = before
    brian2.restore_initial_state()


def names_of(script: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / script))


def find_the_way(rows: int) -> None:
    names = names_of("shortest_path.py")
    lattice, spikes = names["wave"](rows, 2 * rows)
    assert spikes.num_spikes == rows * rows
    assert len(lattice) == 4 * rows * (rows - 1)
    distance = np.add.outer(np.arange(rows), np.arange(rows)).ravel()
    assert np.array_equal(spikes.t, distance[spikes.i])
    way = names["way_back"](lattice, rows * rows - 1)
    assert len(way) == 2 * rows - 1 and way[-1] == 0
    assert np.array_equal(distance[way], np.arange(2 * rows - 1)[::-1])


def test_a_wave_finds_the_shortest_way() -> None:
    find_the_way(12)


@pytest.mark.long
def test_a_wave_finds_the_shortest_way_among_90000_nodes() -> None:
    """Exactly 90,000 spikes, 358,800 synapses, and the far corner in step 598."""
    find_the_way(300)


def test_a_small_anisotropic_network() -> None:
    names = names_of("anisotropic_network.py")
    made = names["network"](rows=16, steps=120, number=3)
    angles = names["landscape"](60)
    assert angles.min() == 0 and len(np.unique(angles)) == 120  # all angles equally frequent
    turns = np.angle(np.exp(1j * np.diff(angles, axis=0)))
    assert np.median(np.abs(turns)) < 0.4  # and smooth in space: at random it is pi/2
    excitation = made.synapses[0]
    assert abs(len(excitation) / 256**2 - 0.05) < 0.01
    made.net.run(120)
    assert made.e.num_spikes > 0 and made.i.num_spikes > 0


@pytest.mark.long
@pytest.mark.timeout(900)
def test_rates_of_the_anisotropic_network() -> None:
    """The published rates lie within two standard deviations over 16 seeds."""
    names = names_of("anisotropic_network.py")
    rates = []
    for number in range(16):
        made = names["network"](number=number)
        made.net.run(1000)
        rates.append([made.e.num_spikes / 3600, made.i.num_spikes / 900])
    mean, deviation = np.mean(rates, axis=0), np.std(rates, axis=0, ddof=1)
    assert np.all(np.abs(PUBLISHED - mean) <= 2 * deviation), (mean, deviation)


@pytest.mark.parametrize("script", ["shortest_path.py", "anisotropic_network.py"])
def test_an_example_has_its_picture(script: str) -> None:
    assert (EXAMPLES / script).read_text(encoding="utf-8").startswith('"""')
    assert (EXAMPLES / "pictures" / script.replace(".py", ".png")).stat().st_size > 10_000


def test_an_example_runs_as_a_script(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "shortest_path.py")],
        cwd=tmp_path, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3600 spikes; the far corner is 118 edges away" in done.stdout
    assert (tmp_path / "shortest_path.png").is_file()


def test_learning_compiled_is_learning_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spikes and weights of a wave; that rule's weights do not depend on how traces are rounded."""
    found = []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr("brian2lava.loihi.network.can_compile", lambda *_: False)
        lattice, spikes = names_of("shortest_path.py")["wave"](12, 40)
        found.append([np.array(x) for x in (spikes.t, spikes.i, lattice.w_, lattice.w_act_)])
    assert len(found[0][0]) == 144
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
