"""No card, no CuPy: what is said, and that nothing else breaks."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import brian2 as b2
import pytest

from brian2lava.engine.cuda import present
from brian2lava.errors import NotSupported, OptionError


@pytest.fixture(autouse=True)
def _look_again() -> None:
    present.why_no_card.cache_clear()


def _refused(**options: object) -> str:
    before = b2.get_device()
    with pytest.raises(NotSupported) as refusal:
        b2.set_device("lava", **options)
    assert b2.get_device() is before
    return str(refusal.value)


def test_without_a_driver(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    said = _refused(hardware="GPU")
    assert "hardware='GPU'" in said and "no NVIDIA card was found" in said and "emulate" in said
    assert "engine='cuda'" in _refused(hardware="Loihi2", engine="cuda")


def _with_a_driver(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    driver = folder / "nvidia-smi"
    driver.write_text("#!/bin/sh\n")
    driver.chmod(driver.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_without_cupy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _with_a_driver(monkeypatch, tmp_path)
    monkeypatch.setattr(present, "_LOOK", "raise ModuleNotFoundError(\"No module named 'cupy'\")")
    assert "pip install 'brian2lava[gpu]'" in _refused(hardware="GPU")


def test_a_card_that_cupy_can_not_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _with_a_driver(monkeypatch, tmp_path)
    monkeypatch.setattr(present, "_LOOK", "raise RuntimeError('the driver is too old')")
    assert "the driver is too old" in _refused(hardware="GPU")


def test_looking_for_a_card_does_not_touch_it_here(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _with_a_driver(monkeypatch, tmp_path)
    monkeypatch.setattr(present, "_LOOK", "print('found')")
    monkeypatch.delenv(present.TRY, raising=False)
    assert "BRIAN2LAVA_TRY_CARD=1" in _refused(hardware="GPU")
    present.why_no_card.cache_clear()
    monkeypatch.setenv(present.TRY, "1")
    assert present.why_no_card() is None
    assert "cupy" not in sys.modules


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"emulate": True}, "add hardware='GPU'"),
        ({"deterministic": "yes"}, "True or False"),
        ({"hardware": "GPU", "engine": "numpy"}, "its own kernels"),
        ({"hardware": "CPU", "engine": "cuda"}, "use hardware='GPU'"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        b2.set_device("lava", **options)
