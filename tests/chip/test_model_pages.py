"""docs/what_your_model_becomes says what the code does, and its script reads the code rightly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from brian2lava.chip.arithmetic import Name, decay, select
from brian2lava.chip.models import MODELS
from tools.model_demos import DEMOS, Shown, run_all
from tools.model_pages import FOLDER, matched, pages, text
from tools.model_pictures import draw


@pytest.fixture(scope="module")
def shown() -> dict[str, Shown]:
    return run_all()


def test_the_pages_are_what_the_script_makes(shown: dict[str, Shown]) -> None:
    made = pages(shown)
    written = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert made.keys() == written.keys()
    for name, words in made.items():
        assert written[name] == words, f"{name}: run python -m tools.model_pages"


def test_each_model_has_a_demo_and_a_picture() -> None:
    assert DEMOS.keys() == MODELS.keys()
    assert {path.stem for path in (FOLDER / "pictures").glob("*.png")} == MODELS.keys()


@pytest.mark.parametrize("model", sorted(DEMOS))
def test_demos_show_neurons_that_fire_in_range(model: str, shown: dict[str, Shown]) -> None:
    floating, chip = shown[model].spikes()
    assert len(floating) > 3 and len(chip) > 3
    assert abs(len(floating) - len(chip)) <= 3
    counts = shown[model].chip.counts
    assert not any(counts.values()), "no state leaves its range"
    for state in DEMOS[model].shows:
        assert np.ptp(shown[model].states(state)[1]) > 0


def test_expressions_read_like_formulas() -> None:
    v, d = Name("v"), Name("d")
    assert text(decay(v, d + 1) + (Name("a") << 6)) == "decay(v, d + 1) + (a << 6)"
    assert text(select(v > 3, 0, v)) == "0 if v > 3 else v"
    assert text(v + select(~v, 0, d)) == "v + (0 if not v else d)"


def test_a_spike_has_one_partner() -> None:
    one = np.array([1, 2, 10, 20])
    assert matched(one, one) == 4
    assert matched(one, np.array([2, 12, 19])) == 2
    assert matched(one, np.array([], int)) == 0


def test_pictures_are_drawn(shown: dict[str, Shown], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for model in ("LIF", "ProbSpiker"):
        draw(shown[model], tmp_path / "a.png")
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
