"""docs/camera_network_motor.md: its code runs as it stands, and prints what is shown."""

from __future__ import annotations

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from tests.networks.devices import Engine, needs_lava_device, under

pytestmark = needs_lava_device

_PAGE = Path(__file__).parents[1] / "docs" / "camera_network_motor.md"


def test_the_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib.use("Agg")
    page = _PAGE.read_text(encoding="utf-8")
    motor, *blocks = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    shown = re.findall(r"```text\n(.*?)```", page, flags=re.S)
    (tmp_path / "motor").mkdir()
    (tmp_path / "motor" / "process.py").write_text(motor, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = []
    try:
        with under(Engine("lava")):
            for block in blocks:
                told = io.StringIO()
                with redirect_stdout(told):
                    exec(compile(block, str(_PAGE), "exec"), names)
                printed += [told.getvalue()] if told.getvalue() else []
    finally:
        for name in ("motor", "motor.process"):
            sys.modules.pop(name, None)
    assert printed == shown
    assert (tmp_path / "camera_network_motor.png").stat().st_size > 20_000
    assert (_PAGE.parent / "pictures" / "camera_network_motor.png").is_file()
