"""The report as text, HTML, data frame and picture."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from brian2lava.chip.network import ChipNetwork, Population, Projection, Stimulus
from brian2lava.chip.resources import LOIHI1, ResourceReport, resources
from brian2lava.errors import NotSupported


def report(chip: str = "Loihi1", populations: int = 2, size: int = 1500) -> ResourceReport:
    rng = np.random.default_rng(0)
    return resources(
        ChipNetwork(
            tuple(Population(f"p<{n}>", "LIF", size) for n in range(populations)), (),
            (Projection("w", "p<0>", "p<1>", rng.integers(0, size, 5000),
                        rng.integers(0, size, 5000), np.ones(5000, int)),),
            (Stimulus("i", "p<0>", [1, 2]),),
        ),
        chip,
    )  # fmt: skip


def test_the_text_says_how_much_and_how() -> None:
    text = str(report())
    assert text.startswith("Loihi1: 1 chip, 3 of 128 cores; 3,000 neurons, 5,000 synapses in ")
    for words in ("fan-in mean (max)", "p<1>", "8 weight + 10 index", "note: Partition: greedy",
                  "nengo-loihi", "Stimuli 'i'", "input axons"):  # fmt: skip
        assert words in text
    lines = text.splitlines()
    assert all(len(line) < 160 or line.startswith("note: ") for line in lines)


def test_html_is_escaped() -> None:
    html = report().to_html()
    assert "p&lt;1&gt;" in html and "p<1>" not in html
    assert html.count("<table>") == 3 == html.count("</table>")
    assert report()._repr_html_() == html


def test_rows_of_cores_say_what_they_hold() -> None:
    rows = report().rows("cores")
    assert [row["neurons"] for row in rows] == [1024, 1024, 952]
    assert rows[1]["holds"] == "p<0> (476), p<1> (548)"
    assert [row["ended_by"] for row in rows] == ["compartments", "compartments", ""]
    assert [row["name"] for row in report().rows("projections")] == ["w"]


def test_without_pandas_a_frame_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(NotSupported, match=r"needs pandas.*pip install pandas, or use rows\(\)"):
        report().to_frame()


def test_a_frame_has_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = SimpleNamespace(DataFrame=lambda rows: ("frame", rows))
    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    assert report().to_frame("cores") == ("frame", report().rows("cores"))


def test_without_matplotlib_a_picture_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(NotSupported, match="needs matplotlib.*pip install matplotlib"):
        report().picture(tmp_path / "cores.png")


@pytest.mark.parametrize("chip", ["Loihi1", "Loihi2"])
@pytest.mark.parametrize(("populations", "size"), [(2, 1500), (12, 400), (2, 80_000), (2, 300_000)])
def test_a_picture_of_any_size(chip: str, populations: int, size: int, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = report(chip, populations, size).picture(tmp_path / "cores.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_many_chips_shows_the_first(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    net = ChipNetwork((Population("a", "LIF", 1024 * 20),))
    many = resources(net, "Loihi1", replace(LOIHI1, cores=1))
    assert many.chips == 20
    assert many.picture(tmp_path / "cores.png").stat().st_size


def test_a_picture_of_nothing(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert resources(ChipNetwork(), "Loihi1").picture(tmp_path / "none.png").stat().st_size


def test_a_picture_draws_each_core_where_it_belongs() -> None:
    pytest.importorskip("matplotlib")
    from brian2lava.chip.resources.picture import _Sheet

    sheet = _Sheet(report("Loihi1", 2, 80_000), 2, 2, 1, (8, 16))
    grid = sheet._grid(np.arange(157.0))
    assert grid[0, 0] == 0 and grid[1, 0] == 16 and grid[7, 15] == 127
    assert grid[0, 17] == 128 and grid[1, 29] == 156
    assert np.isnan(grid[1, 30]) and np.isnan(grid[0, 16])
