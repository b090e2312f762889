"""What the page Export gives away, and that it says so when a script does not keep its word."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.fit.session import Session
from brian2lava.studio import export_page
from brian2lava.studio.desk import Desk
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import KNOWN, known_target


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    session = Session(path=tmp_path / "session.b2l")
    return Desk(Workbench(known_target(), "LIF", KNOWN, session=session))


def ask(desk: Desk, op: str, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return unpack(desk.respond(pack({"id": 1, "op": op, "given": given})))


def test_the_neuron_on_the_bench_is_exported_as_it_is(desk: Desk) -> None:
    ask(desk, "set_register", name="dv", value=222)
    header, arrays = ask(desk, "export", name="bench")
    assert header["fitted"] == [] and {"on_loihi2.py", "in_lava.py", "input.npz"} <= set(arrays)
    entry = json.loads(arrays["neuron.json"].tobytes())
    assert entry["settings"]["registers"]["dv"] == [222]
    lines = arrays["spikes.txt"].tobytes().decode().split()
    shown = ask(desk, "hello")[1]["chip_spikes"]
    assert [int(word) for word in lines[lines.index("steps") + 1 :]] == (
        np.rint(shown / 1e-3).astype(int).tolist()
    )
    with zipfile.ZipFile(io.BytesIO(arrays["all.zip"].tobytes())) as archive:
        assert archive.testzip() is None
        assert {"on_loihi2.py", "input.npz", "report.html"} <= set(archive.namelist())


def test_the_script_prints_the_same_spikes(desk: Desk) -> None:
    files = export_page.files(desk, "bench")
    found = export_page.proof("on_loihi2.py", files)
    assert found["same"] and "step for step" in found["said"], found
    other = files.texts["spikes.txt"].replace("steps ", "steps 1 ", 1)
    wrong = replace(files, texts={**files.texts, "spikes.txt": other})
    assert not export_page.proof("on_loihi2.py", wrong)["same"]
    broken = replace(files, texts={**files.texts, "on_loihi2.py": "raise SystemExit('no')"})
    assert "It failed: no" in export_page.proof("on_loihi2.py", broken)["said"]


def test_nothing_else_is_run(desk: Desk) -> None:
    for script in ("again.py", "../x.py", "neuron.json"):
        header, _ = ask(desk, "prove", name="bench", script=script)
        assert "there is no script" in header["error"]


def test_the_session_as_a_file_opens_again(desk: Desk, tmp_path: Path) -> None:
    ask(desk, "set_value", name="gain", value=1.25)
    header, arrays = ask(desk, "session_file")
    assert header["name"] == "session.b2l"
    copy = tmp_path / "copy.b2l"
    copy.write_bytes(arrays["file"].tobytes())
    again = Workbench.resumed(Session.load(copy))
    assert again.setup.tuning.values["gain"] == 1.25
