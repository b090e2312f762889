"""Fits from the page: in the background, paused, gone on with, stopped, and kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.fit.session import Session
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import open_desk
from brian2lava.studio.python_code import whole_fit
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import KNOWN, known_target

GIVEN = {"candidates": ["LIF"], "evaluations": 500, "seeds": 1}
#: A resonator never comes so near to a LIF that the search would end by itself.
LONG = {"candidates": ["RF"], "evaluations": 200_000, "seeds": 1}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    session = Session(path=tmp_path / "session.b2l")
    return Desk(Workbench(known_target(), "LIF", KNOWN, session=session))


def ask(desk: Desk, op: str, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return unpack(desk.respond(pack({"id": 1, "op": op, "given": given})))


def wait(desk: Desk) -> dict[str, Any]:
    """Until the fit is over."""
    deadline = time.monotonic() + 60
    while desk.fit.running and time.monotonic() < deadline:
        time.sleep(0.02)
    report: dict[str, Any] = ask(desk, "fit_status")[0]["fit"]
    assert not report["error"]
    return report


def test_a_fit_finds_compares_and_is_adopted(desk: Desk) -> None:
    ask(desk, "set_value", name="tau_m", value=5e-3)
    header, _ = ask(desk, "fit_start", **{**GIVEN, "evaluations": 4000})
    assert header["fit"]["running"] or header["fit"]["rows"]
    report = wait(desk)
    assert report["done"] == 1 and report["rows"][0]["candidate"] == "LIF"
    assert report["rows"][0]["held_out"] > 0.5
    _, curves = ask(desk, "fit_status")
    assert (np.diff(curves["LIF_loss"]) <= 0).all()
    header, arrays = ask(desk, "compare")
    assert len(header["rows"]) == 1 and arrays["LIF_spikes"].size > 20
    header, arrays = ask(desk, "inspect", name="LIF", time=1.0)
    assert arrays["t"][0] == pytest.approx(0.94) and arrays["t"][-1] == pytest.approx(1.059)
    assert "error" not in ask(desk, "sensitivity", name="LIF")[0]
    header, _ = ask(desk, "adopt", name="LIF")
    shown = header["chip_scores"]["held_out"]["gamma"]
    assert shown == pytest.approx(report["rows"][0]["held_out"])


def test_compare_looks_at_what_was_fitted_whatever_lies_on_the_bench(desk: Desk) -> None:
    ask(desk, "fit_start", **GIVEN)
    wait(desk)
    near, before = ask(desk, "inspect", name="LIF", time=2.5)
    bits, changes = ask(desk, "sensitivity", name="LIF")
    desk.bench.set_target(known_target(steps=1000))  # 2.5 s are beyond its end
    again, after = ask(desk, "inspect", name="LIF", time=2.5)
    assert again["distance"] == near["distance"]
    assert np.array_equal(before["membrane"], after["membrane"])
    same, other = ask(desk, "sensitivity", name="LIF")
    assert same["names"] == bits["names"]
    assert np.array_equal(changes["train_up"], other["train_up"], equal_nan=True)


def test_a_paused_fit_goes_on_after_a_restart(desk: Desk) -> None:
    ask(desk, "fit_start", **LONG)
    time.sleep(0.5)
    header, _ = ask(desk, "fit_pause")
    assert header["fit"]["can_resume"] and 0 < header["fit"]["done"] < 1
    desk.close()
    again = open_desk(session=desk.session)
    report = ask(again, "fit_status")[0]["fit"]
    assert report["can_resume"] and report["done"] == pytest.approx(header["fit"]["done"])
    assert report["rows"]
    ask(again, "fit_resume")
    time.sleep(0.4)
    header, _ = ask(again, "fit_stop")
    assert header["fit"]["done"] > report["done"]
    assert not header["fit"]["running"] and not header["fit"]["can_resume"]
    assert header["fit"]["rows"]


def test_locks_and_bounds_hold(desk: Desk) -> None:
    ask(desk, "lock", name="tau_m", locked=True)
    ask(desk, "fit_start", **GIVEN, bounds={"LIF": {"bias": [0.1, 0.3]}})
    wait(desk)
    assert desk.fit.fitting is not None
    options = desk.fit.fitting.options
    assert options.fixed == {"LIF": {"tau_m": KNOWN["tau_m"]}}
    assert options.bounds == {"LIF": {"bias": (0.1, 0.3)}}


def test_how_long_it_takes_comes_as_news(desk: Desk) -> None:
    ask(desk, "fit_estimate", **GIVEN)
    deadline = time.monotonic() + 60
    while desk.fit.estimate is None and time.monotonic() < deadline:
        time.sleep(0.02)
    desk.unsaved = False
    header, _ = unpack(desk.tick() or b"")
    assert header["news"] == "fit" and 0 < header["fit"]["estimate"] < 60


@pytest.mark.parametrize(
    ("op", "given", "message"),
    [
        ("fit_start", {"candidates": []}, "no candidate is chosen"),
        ("fit_start", {**GIVEN, "candidates": ["LIFF"]}, "Did you mean"),
        ("fit_start", {**GIVEN, "evaluations": 3}, "500, or more|500 or more"),
        ("fit_start", {**GIVEN, "bounds": {"LIF": {"bias": [3, 1]}}}, "has to be below"),
        ("fit_resume", {}, "there is no fit to go on with"),
        ("adopt", {"name": "LIF"}, "fit it first"),
        ("inspect", {"name": "nothing", "time": 0}, "fit it first"),
    ],
)
def test_what_cannot_be_fitted_says_why(
    desk: Desk, op: str, given: dict[str, Any], message: str
) -> None:
    header, _ = ask(desk, op, **given)
    assert any(part in header["error"] for part in message.split("|")), header["error"]


def test_one_fit_at_a_time(desk: Desk) -> None:
    ask(desk, "fit_start", **LONG)
    try:
        header, _ = ask(desk, "fit_start", **GIVEN)
        assert "a fit is running; pause or stop it" in header["error"]
    finally:
        ask(desk, "fit_pause")


def test_recordings_come_as_files(desk: Desk) -> None:
    t = np.arange(0, 1, 1e-3)
    voltage = np.where(np.arange(t.size) % 50 == 25, 30.0, -65.0)
    rows = "\n".join(f"{a * 1e3:g},{200 + 50 * (a > 0.5):g},{v:g}" for a, v in zip(t, voltage))
    data = np.frombuffer(f"t (ms),I (pA),V (mV)\n{rows}\n".encode(), np.uint8)

    def upload(name: str, data: Any, **given: Any) -> dict[str, Any]:
        message = pack(
            {"id": 1, "op": "from_file", "given": {"name": name, **given}}, {"file": data}
        )
        header: dict[str, Any] = unpack(desk.respond(message))[0]
        return header

    header = upload("cell.csv", data)
    assert header["target"]["name"] == "cell" and header["target"]["repeats"] == [1]
    found, arrays = ask(desk, "overview")
    assert found["range"]["current"] == pytest.approx([200e-12, 250e-12])
    assert found["kinds"]["train"]["spikes"] > 5 and arrays["spikes0"].size == 20
    before = desk.bench.setup
    assert "can't be read; there are .csv" in upload("cell.exe", data)["error"]
    assert "UTF-8" in upload("cell.csv", np.array([255, 254, 0], np.uint8))["error"]
    assert "is empty" in upload("cell.csv", data[:0])["error"]
    assert "never crosses 90 mV" in upload("cell.csv", data, spike_threshold=0.09)["error"]
    assert desk.bench.setup is before
    code = ask(desk, "code", page="target")[0]["code"]
    assert "read_recording('cell.csv'" in code


def test_repeats_have_a_reliability(tmp_path: Path) -> None:
    desk = Desk(Workbench(known_target(repeats=3), "LIF", KNOWN))
    found, arrays = ask(desk, "overview")
    assert found["repeats"] == 3 and "spikes2" in arrays
    assert found["kinds"]["held_out"]["reliability"] == pytest.approx([1, 1])


def test_what_the_page_is_set_to_is_kept_and_undone(desk: Desk) -> None:
    assert ask(desk, "hello")[0]["fitting"]["chosen"]["weights"] == {}
    names = [each["name"] for each in ask(desk, "hello")[0]["fitting"]["weights"]]
    assert names[0] == "f1" and "gamma_2ms" in names and "voltage" in names
    given = {
        **GIVEN, "optimiser": "cma", "weights": {"gamma_2ms": 2, "f1": 0},
        "bounds": {"LIF": {"bias": [0.1, 0.3]}},
    }  # fmt: skip
    header, _ = ask(desk, "fit_choose", **given)
    assert header["undo"]
    code = ask(desk, "code", page="fit")[0]["code"]
    compile(code, "shown", "exec")
    assert "weights={'gamma_2ms': 2.0, 'f1': 0.0}" in code and "['LIF']" in code
    assert "bounds={'LIF': {'bias': (0.1, 0.3)}}" in code and "evaluations=500" in code
    desk.close()
    again = open_desk(session=desk.session)
    assert ask(again, "hello")[0]["fitting"]["chosen"] == given
    header, _ = ask(again, "undo")
    assert header["fitting"]["chosen"]["weights"] == {} and not header["undo"]
    header, _ = ask(again, "redo")
    assert header["fitting"]["chosen"] == given
    again.bench.set_target(known_target(steps=2000))  # other bounds, the same weights
    chosen = ask(again, "hello")[0]["fitting"]["chosen"]
    assert chosen["bounds"] == {} and chosen["weights"] == given["weights"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": {"gamma": 1}}, "there is no score 'gamma'"),
        ({"weights": {"f1": -1}}, "a number of 0 or more is needed"),
        ({"weights": {"f1": "1"}}, "f1='1'; a number of 0 or more is needed"),
        ({"bounds": {"LIF": {"bias": [3, 1]}}}, "has to be below"),
        ({"candidates": ["LIFF"]}, "Did you mean"),
        ({"evaluations": 3}, "a whole number, 500"),
    ],
)
def test_what_the_page_can_t_be_set_to(desk: Desk, given: dict[str, Any], message: str) -> None:
    before = ask(desk, "hello")[0]["fitting"]["chosen"]
    assert message in ask(desk, "fit_choose", **{**GIVEN, **given})[0]["error"]
    assert ask(desk, "hello")[0]["fitting"]["chosen"] == before


def test_a_session_written_by_hand_leaves_the_page_as_it_is_at_first(desk: Desk) -> None:
    wrongs: tuple[Any, ...] = (
        {"weights": 3},
        {"weights": {"f1": -1}},
        {"candidates": 4},
        [],
        {"seeds": None},
    )
    for wrong in wrongs:
        desk.bench.session.edit("by hand", fit_page=wrong)
        assert ask(desk, "hello")[0]["fitting"]["chosen"]["seeds"] == 3


def test_weights_are_what_the_fit_counts_and_its_script_has(desk: Desk) -> None:
    weights = {"gamma_4ms": 1.0, "rate": 0.5}
    ask(desk, "fit_start", **GIVEN, weights=weights)
    wait(desk)
    assert desk.fit.fitting is not None and desk.fit.fitting.options.weights == weights
    script = whole_fit(desk)
    compile(script, "again.py", "exec")
    assert f"weights={weights!r}" in script


def test_a_score_that_the_target_lacks_is_told_and_forgotten(desk: Desk) -> None:
    """The estimate says it before the fit would; with other weights nothing is left of it."""

    def told(**weights: float) -> str:
        ask(desk, "fit_estimate", **GIVEN, weights=weights)
        deadline = time.monotonic() + 60
        while desk.fit.estimate is None and time.monotonic() < deadline:
            time.sleep(0.02)
        return str(ask(desk, "fit_status")[0]["fit"]["error"])

    assert "no voltage between the spikes" in told(voltage=1.0)
    assert told(rate=1.0) == ""
    header, _ = ask(desk, "fit_start", **GIVEN, weights={"voltage": 1.0})
    assert "Give it the weight 0, or record the voltage" in header["error"]
