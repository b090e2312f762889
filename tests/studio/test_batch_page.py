"""Many cells from the page: added, queued, paused, kept, shown, and taken to Tune."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.fit import Many
from brian2lava.fit.session import Session
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import open_desk
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import KNOWN, known_target


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("brian2lava.fit.many.work._KEEP", 0.2)
    session = Session(path=tmp_path / "session.b2l")
    made = Desk(Workbench(known_target(), "LIF", KNOWN, session=session))
    made.save()
    return made


def ask(desk: Desk, op: str, **given: Any) -> dict[str, Any]:
    return unpack(desk.respond(pack({"id": 1, "op": op, "given": given})))[0]


def dropped(desk: Desk, name: str, text: str = "", **given: Any) -> dict[str, Any]:
    """A recording that is dropped; its name has no unit, so that it may have to be given."""
    steps = np.arange(900)
    current = 100 + 60 * np.sin(steps / 40) + 30 * np.sin(steps / 9)
    voltage = np.where(steps % 53 == 0, 20.0, -65.0)
    rows = "".join(f"{n},{i:.3f},{v:.1f}\n" for n, i, v in zip(steps, current, voltage))
    data = (text or "time (ms),current (pA),voltage (mV)\n" + rows).encode()
    message = {"id": 1, "op": "batch_add_file", "given": {"name": name, **given}}
    return unpack(desk.respond(pack(message, {"file": np.frombuffer(data, np.uint8)})))[0]


def little(desk: Desk, evaluations: int = 500, names: tuple[str, ...] = ("LIF",)) -> None:
    ask(desk, "batch_candidates", candidates=names)
    ask(desk, "batch_options", options={"evaluations": evaluations, "seeds": 1, "dt": 1e-3})


def until(desk: Desk, test: Any) -> dict[str, Any]:
    """The status as soon as something is so."""
    deadline = time.monotonic() + 60
    while not test(status := ask(desk, "batch_status")):
        assert time.monotonic() < deadline, status
        time.sleep(0.05)
    return status


def done(desk: Desk) -> dict[str, Any]:
    return until(desk, lambda status: not status["running"])


def test_cells_are_dropped_fitted_shown_and_tuned(desk: Desk, tmp_path: Path) -> None:
    assert not ask(desk, "batch_status")["cells"]
    assert not dropped(desk, "one.csv")["wrong"]
    wrong = dropped(desk, "two.csv", "nothing\n1\n")
    assert "two.csv: there is no current" in wrong["wrong"] and len(wrong["cells"]) == 2
    ask(desk, "batch_add_bench")
    header = ask(desk, "batch_add_models", model="AdEx", patterns=["tonic"], dt=1e-3)
    assert [cell["name"] for cell in header["cells"]] == ["one", "two", "known LIF", "AdEx, tonic"]
    assert header["cells"][0]["spikes"] == 16 and header["cells"][1]["error"] == wrong["wrong"]
    little(desk)
    header = ask(desk, "batch_start")
    assert header["running"] and header["fixed"]
    status = done(desk)
    assert [row["state"] for row in status["rows"]] == ["done", "failed", "done", "done"]
    assert status["part"] == 1 and status["summary"][0]["scored"] == 3 and not status["error"]
    row = status["rows"][3]
    assert row["held_out"] is not None and row["evaluations"] > 500
    # to Tune, with the same score there
    for _ in range(2):
        bench = ask(desk, "batch_tune", cell="AdEx, tonic", candidate="LIF")
    assert bench["target"]["name"] == "AdEx, tonic" and bench["candidate"] == "LIF"
    assert bench["chip_scores"]["held_out"]["gamma"] == pytest.approx(row["held_out"])
    assert desk.bench.setup.origin["pattern"] == "tonic"
    assert len(desk.bench.session.targets) == 2  # kept once, however often one goes there
    meaning = ask(desk, "batch_details", cell="one", candidate="LIF")
    assert meaning["registers"]["weight"] and meaning["physical"]["tau_m"] > 0
    found = ask(desk, "batch_distribution", name="tau_m")
    (group,) = found["groups"]
    assert found["unit"] == "s" and found["log"] and len(group["values"]) == 3
    assert group["quartiles"][1] == sorted(group["values"])[1]
    scores = ask(desk, "batch_distribution", name="held_out")["groups"][0]
    assert scores["cells"] == ["one", "known LIF", "AdEx, tonic"]
    files = unpack(desk.respond(pack({"id": 1, "op": "batch_tables", "given": {}})))[1]
    lines = list(csv.DictReader(io.StringIO(files["table.csv"].tobytes().decode())))
    assert [line["cell"] for line in lines] == ["one", "two", "known LIF", "AdEx, tonic"]
    code = ask(desk, "code", page="batch")["code"]
    assert "Cell('one', file='one.csv')" in code and "pattern='tonic'" in code
    assert str(tmp_path) not in code
    compile(code, "shown", "exec")


def test_a_recording_that_was_mended_takes_the_place_of_the_broken_one(desk: Desk) -> None:
    dropped(desk, "one.csv", "nothing\n1\n")
    assert not dropped(desk, "one.csv")["wrong"]
    header = dropped(desk, "../../one.csv")  # of a name only what is one
    assert [cell["name"] for cell in header["cells"]] == ["one", "one (2)"]
    folder = desk.batch.many.folder / "files"
    assert sorted(path.name for path in folder.rglob("*.csv")) == ["one.csv", "one.csv"]
    header = ask(desk, "batch_remove", cells=["one", "one (2)"])
    assert not header["cells"] and not list(folder.iterdir())
    plain = "a,b\n" + "".join(f"{100 + n % 7},{(n % 50 == 0) * 90 - 65}\n" for n in range(900))
    assert dropped(desk, "plain.csv", plain)["wrong"]
    plain = plain.replace("a,b", "I,V")
    units = {"current": "pA", "voltage": "mV", "time": ""}
    assert not dropped(desk, "plain.csv", plain, dt=1e-3, units=units)["wrong"]
    assert Many.load(desk.batch.many.folder).cells[0].reading["dt"] == 1e-3


def test_paused_kept_and_gone_on_with_after_a_restart(desk: Desk) -> None:
    ask(desk, "batch_add_bench")
    little(desk, 2_000_000)
    ask(desk, "batch_start")
    until(desk, lambda status: status["rows"][0]["part"] > 0)
    assert "pause or stop them first" in ask(desk, "batch_clear")["error"]
    assert "like with like" in ask(desk, "batch_options", options={"seeds": 2})["error"]
    ask(desk, "batch_pause")
    status = done(desk)
    assert [row["state"] for row in status["rows"]] == ["waiting"] and 0 < status["part"] < 1
    desk.close()
    again = open_desk(session=desk.session)
    kept = ask(again, "batch_status")
    assert kept["rows"] == status["rows"] and kept["cells"] == status["cells"]
    ask(again, "batch_start")
    ask(again, "batch_pause")
    ask(again, "batch_start")  # at once: the rows that are stopping are waited for
    assert until(again, lambda status: status["part"] > kept["part"])["running"]
    other = Desk(Workbench(known_target(), "LIF", KNOWN, session=Session(path=desk.session)))
    assert "another process works on the fits" in ask(other, "batch_start")["error"]
    ask(again, "batch_stop")
    status = done(again)
    assert [row["state"] for row in status["rows"]] == ["stopped"]
    assert status["rows"][0]["train"] is not None
    header = ask(again, "batch_clear")
    assert [row["part"] for row in header["rows"]] == [0] and not header["fixed"]


def test_failed_rows_are_tried_again(desk: Desk) -> None:
    dropped(desk, "one.csv", "nothing\n1\n")
    little(desk)
    ask(desk, "batch_start")
    assert done(desk)["counts"]["failed"] == 1
    assert "nothing waits" in ask(desk, "batch_start")["error"]
    path = Path(desk.batch.many.cells[0].file)
    path.write_text("time (ms),current (pA),spikes (ms)\n0,100,\n1,120,0.5\n")
    ask(desk, "batch_start", failed=True)
    assert "there is no current" not in done(desk)["rows"][0]["reason"]


def test_how_long_it_takes_comes_as_news(desk: Desk) -> None:
    ask(desk, "batch_add_bench")
    little(desk)
    ask(desk, "batch_estimate")
    status = until(desk, lambda status: status["estimate"] is not None)
    assert 0 < status["estimate"] < 60
    desk.unsaved = False
    assert unpack(desk.tick() or b"")[0]["news"] == "batch"


@pytest.mark.parametrize(
    ("op", "given", "message"),
    [
        ("batch_start", {}, "there is no cell; drop recordings"),
        ("batch_add_models", {"model": "Adx"}, "Did you mean 'AdEx'"),
        ("batch_add_models", {"model": "AdEx", "patterns": ["tonc"]}, "Did you mean 'tonic'"),
        ("batch_add_file", {"name": "a.csv"}, "did not arrive"),
        ("batch_candidates", {"candidates": ["LIFF"]}, "Did you mean"),
        ("batch_options", {"options": {"evaluations": 3}}, "whole number, 500 or more"),
        ("batch_tune", {"cell": "x", "candidate": "LIF"}, "there is no row"),
        ("batch_remove", {"cells": ["x"]}, "there is no cell 'x'"),
    ],
)
def test_what_can_t_be_done_says_why(
    desk: Desk, op: str, given: dict[str, Any], message: str
) -> None:
    assert message in ask(desk, op, **given)["error"]


def test_without_a_candidate_nothing_begins(desk: Desk) -> None:
    ask(desk, "batch_add_bench")
    ask(desk, "batch_candidates", candidates=[])
    assert "no candidate is chosen" in ask(desk, "batch_start")["error"]
    assert (
        "nothing was found yet"
        in ask(desk, "batch_candidates", candidates=["LIF"]).get("error", "")
        or ask(desk, "batch_tune", cell="known LIF", candidate="LIF")["error"]
    )
