"""The bench: what is set, what follows from it, and the way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import ChipLimit, FitError
from brian2lava.fit.candidates import CANDIDATES
from brian2lava.fit.session import Session
from brian2lava.studio import protocols, scores, variations
from brian2lava.studio.decimate import least_and_largest, positions
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import open_desk
from brian2lava.studio.operations import OPERATIONS
from brian2lava.studio.runs import run_pair
from brian2lava.studio.setup import Setup, reach
from brian2lava.studio.view import Window, panel, traces
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import KNOWN, known_target


@pytest.fixture
def bench() -> Workbench:
    return Workbench(known_target(), "LIF", KNOWN)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    session = Session(path=tmp_path / "session.b2l")
    return Desk(Workbench(known_target(), "LIF", KNOWN, session=session))


def ask(desk: Desk, op: str, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return unpack(desk.respond(pack({"id": 1, "op": op, "given": given})))


# --- what is set ---------------------------------------------------------------------------------


def test_the_registers_that_made_the_target_score_one(bench: Workbench) -> None:
    header = panel(bench, run_pair(bench.setup))
    assert header["chip_scores"]["train"]["gamma"] == pytest.approx(1)
    assert header["chip_scores"]["held_out"]["gamma"] == pytest.approx(1)


def test_a_value_moves_its_register_and_no_other(bench: Workbench) -> None:
    before = bench.registers()
    bench.set_value("tau_m", 40e-3)
    after = bench.registers()
    changed = {name for name in before if before[name] != after[name]}
    # the gain in physical terms stays, so what comes in has to follow the membrane
    assert changed <= {"dv", "weight", "exponent", "scale", "bias_mant", "bias_exp"}
    assert after["dv"] == round(4096 * (1 - np.exp(-1 / 40)))


def middle(name: str) -> dict[str, float]:
    """Values in the middle between the bounds of a candidate."""
    ends = {p.name: (*p.bounds(reach(known_target())), p.log) for p in CANDIDATES[name].parameters}
    return {
        name: (low * high) ** 0.5 if log else (low + high) / 2
        for name, (low, high, log) in ends.items()
    }


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_register_can_be_stepped_and_its_meaning_is_shown(name: str) -> None:
    bench = Workbench(known_target(), name, middle(name))
    for register in bench.registers():
        if register == "scale":
            continue
        value = bench.registers()[register]  # what came before may have moved it
        try:
            bench.step_register(register, 1)
        except ChipLimit:
            continue
        assert bench.registers()[register] == value + 1
        for parameter in bench.setup.candidate.parameters:
            if parameter.register == register and register != "bias_mant":
                meaning = bench.setup.meaning()[parameter.name]
                assert bench.setup.tuning.values[parameter.name] == pytest.approx(
                    meaning, rel=1e-3, abs=1e-4
                )


def test_arrow_keys_step_a_bit_upward_in_physical_terms(bench: Workbench) -> None:
    register, value = bench.registers()["dv"], bench.setup.tuning.values["tau_m"]
    bench.step_parameter("tau_m", 1)
    assert bench.registers()["dv"] == register - 1
    assert bench.setup.tuning.values["tau_m"] > value


def test_a_value_takes_back_the_register_that_was_set(bench: Workbench) -> None:
    bench.set_register("dv", 500)
    bench.set_value("tau_m", KNOWN["tau_m"])
    assert bench.registers()["dv"] == 200  # 4096 * (1 - exp(-1/20)) = 199.8


def test_what_is_locked_does_not_move(bench: Workbench) -> None:
    bench.lock("tau_m", True)
    with pytest.raises(FitError, match="tau_m is locked; unlock it first"):
        bench.set_value("tau_m", 0.01)
    with pytest.raises(FitError, match="locked"):
        bench.step_register("dv", 1)
    bench.set_value("bias", 0.4)
    bench.reset()
    assert bench.setup.tuning.values == KNOWN
    bench.lock("tau_m", False)
    bench.set_value("tau_m", 0.01)


def test_undo_and_redo(bench: Workbench) -> None:
    first = bench.setup
    for value in (0.011, 0.012, 0.013):  # one drag of a slider is one step back
        bench.set_value("tau_m", value)
    bench.set_value("bias", 0.1)
    last = bench.setup
    bench.undo()
    assert bench.setup.tuning.values["bias"] == KNOWN["bias"]
    bench.undo()
    assert bench.setup.tunings == first.tunings and not bench.can_undo
    bench.redo()
    bench.redo()
    assert bench.setup.tunings == last.tunings and not bench.can_redo


def test_a_candidate_is_found_again_as_it_was_left(bench: Workbench) -> None:
    bench.set_value("tau_m", 0.017)
    bench.choose("ATRLIF")
    bench.choose("LIF")
    assert bench.setup.tuning.values["tau_m"] == 0.017


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b.set_value("tau_x", 1.0), "has no parameter 'tau_x'"),
        (lambda b: b.set_value("tau_m", -1.0), "a positive number is needed"),
        (lambda b: b.set_value("tau_m", float("nan")), "a number is needed"),
        (lambda b: b.set_register("dx", 1), "has no register 'dx'"),
        (lambda b: b.set_register("dv", 4096), "outside 0..4095"),
        (lambda b: b.choose("LIFF"), "Did you mean"),
        (lambda b: b.set_option("dt", 1.0), "0.01 to 10 ms are possible"),
        (lambda b: b.set_option("sweep", 3), "the target has 1"),
        (lambda b: b.set_option("colour", 1), "there is no option 'colour'"),
        (lambda b: b.set_spans([(0, 1)], [(0.5, 2)]), "overlap"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    bench: Workbench, change: Any, message: str
) -> None:
    before = bench.setup
    with pytest.raises((FitError, ChipLimit), match=message):
        change(bench)
    assert bench.setup is before


def test_a_longer_step_keeps_the_charge(bench: Workbench) -> None:
    bench.set_option("dt", 2e-3)
    assert bench.setup.stimulus().steps == 1500
    total = bench.setup.target.sweeps[0].current.sum() * 1e-3
    assert bench.setup.stimulus().values.sum() * 2e-3 == pytest.approx(total, rel=1e-5)


def test_floating_point_is_near_the_chip_where_words_are_wide(bench: Workbench) -> None:
    bench.set_option("threshold", 100_000)
    pair = run_pair(bench.setup.tuned(values=bench.setup.meaning()))
    assert pair.chip.counters == {"wrapped": 0, "saturated": 0}
    assert abs(len(pair.chip.spikes) - len(pair.real.spikes)) <= 1
    assert len(pair.real.spikes) > 20


# --- what is drawn -------------------------------------------------------------------------------


def test_decimation_keeps_the_least_and_the_largest() -> None:
    trace = np.zeros(10_000)
    trace[1234], trace[777] = 5, -3
    shown = least_and_largest(trace, 0, 10_000, 100)
    assert shown.size == positions(0, 10_000, 100).size == 200
    assert shown.max() == 5 and shown.min() == -3
    assert least_and_largest(trace, 1230, 1240, 100).tolist() == trace[1230:1240].tolist()
    # in the order in which they come
    assert least_and_largest(np.array([0.0, 9, 1, 2] * 2), 0, 8, 2).tolist() == [0, 9, 0, 9]
    assert least_and_largest(np.array([9.0, 1, 5, 0] * 2), 0, 8, 2).tolist() == [9, 0, 9, 0]


def test_spikes_are_hit_missed_or_extra(bench: Workbench) -> None:
    shown = traces(bench.setup, run_pair(bench.setup), Window(width=100))
    assert not shown["missed"].any() and not shown["extra"].any()
    bench.set_value("gain", 1.0)
    shown = traces(bench.setup, run_pair(bench.setup), Window(width=100))
    assert shown["missed"].any()
    assert shown["missed"].size == shown["target_spikes"].size


def test_a_window_may_lie_anywhere() -> None:
    assert Window(-5.0, 99.0).samples(100, 0.1) == (0, 100)
    assert Window(50.0, 60.0).samples(100, 0.1) == (98, 100)
    assert Window(1.0, 2.0).samples(100, 0.1) == (10, 21)
    assert Window().samples(1, 0.1) == (0, 1)


# --- tabs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["LIFReset", "ALIF2", "CubaLIF2Slow", "ATRLIF", "RF_IZ"])
def test_every_tab_has_an_answer(name: str) -> None:
    desk = Desk(Workbench(known_target(), name))
    asked: dict[str, dict[str, Any]] = {
        "hello": {}, "tiles": {}, "fi": {}, "response": {"kind": "ramp"}, "bits": {},
        "what_if": {}, "dt_scan": {}, "phase": {"current": 0.5}, "code": {"page": "tune"},
    }  # fmt: skip
    for op, given in asked.items():
        header, _ = ask(desk, op, **given)
        assert "error" not in header, header


def test_rates_rise_with_the_current(bench: Workbench) -> None:
    found = protocols.fi_curve(bench.setup)
    assert found["chip"][0] == 0 and found["chip"][-1] > 20
    assert np.abs(found["chip"] - found["real"]).max() < 0.15 * found["real"].max()


def test_all_twelve_bits_are_what_the_chip_has(bench: Workbench) -> None:
    found = variations.what_if(bench.setup)
    assert found["decays_held_out"][-1] == pytest.approx(1)
    assert found["weight_held_out"][-1] == pytest.approx(1)
    assert found["decays_held_out"][0] < 0.9


def test_a_bit_at_its_limit_has_no_neighbour(bench: Workbench) -> None:
    found = variations.neighbours(bench.setup)
    du = found["names"].index("bias_exp")
    assert np.isnan(found["train_down"][du]) == (bench.registers()["bias_exp"] == 0)
    assert found["train_up"][found["names"].index("dv")] <= 0


def test_step_ramp_and_chirp() -> None:
    for kind in ("step", "ramp", "chirp"):
        made = protocols.shape(kind, 1000, 1e-3)
        assert made.min() >= 0 and made.max() <= 1
    chirp = protocols.shape("chirp", 10_000, 1e-4) - 0.4
    crossings = np.flatnonzero(np.diff(np.sign(chirp)) > 0) * 1e-4
    assert np.diff(crossings)[-1] == pytest.approx(1 / 50, rel=0.15)


def test_scores_cover_all_sweeps(bench: Workbench) -> None:
    target = known_target()
    silent = replace(target.sweeps[0], spikes=(np.array([]),))
    two = replace(target, sweeps=(*target.sweeps, silent))
    one = scores.full(Setup(target, "LIF", bench.setup.tunings, target.dt))
    both = scores.full(Setup(two, "LIF", bench.setup.tunings, target.dt))
    assert one["chip"]["held_out"]["precision"][0] == pytest.approx(1)
    assert both["chip"]["held_out"]["precision"][0] == pytest.approx(0.5)


# --- what is kept --------------------------------------------------------------------------------


def test_all_is_there_again_and_the_way_back_too(desk: Desk) -> None:
    ask(desk, "set_value", name="tau_m", value=0.0123)
    ask(desk, "set_register", name="bias_mant", value=77)
    ask(desk, "lock", name="bias", locked=True)
    ask(desk, "spans", train=[[0.5, 1.5]], held_out=[[0.0, 0.5]])
    ask(desk, "choose", name="RF")
    ask(desk, "option", name="window", value=0.004)
    desk.save()
    again = open_desk(session=desk.session)
    before, after = desk.bench.setup, again.bench.setup
    assert after.tunings == before.tunings and after.window == 0.004
    assert after.target.train == ((0.5, 1.5),)
    sweep, kept = before.target.sweeps[0], after.target.sweeps[0]
    assert np.array_equal(sweep.current, kept.current)
    assert np.array_equal(sweep.spikes[0], kept.spikes[0])
    for _ in range(6):
        ask(again, "undo")
    assert not again.bench.can_undo
    assert again.bench.setup.tuning.values == KNOWN
    assert again.bench.setup.target.train == known_target().train


def test_a_target_can_be_taken_back(desk: Desk) -> None:
    ask(desk, "from_model", model="AdEx", dt=2e-4)
    assert desk.bench.setup.target.name == "AdEx"
    ask(desk, "undo")
    assert desk.bench.setup.target.name == "known LIF"
    assert desk.bench.setup.tuning.values == KNOWN
    assert not desk.bench.can_undo
    ask(desk, "redo")
    assert desk.bench.setup.target.name == "AdEx"


def test_a_session_without_a_bench_gets_one(tmp_path: Path) -> None:
    session = Session(known_target(), tmp_path / "from the command line.b2l")
    session.save()
    desk = open_desk(session=session.path)
    assert desk.bench.setup.target.name == "known LIF" and not desk.bench.can_undo


def test_what_is_no_session_is_refused_and_left(tmp_path: Path) -> None:
    path = tmp_path / "session.b2l"
    path.write_bytes(b"not a zip")
    with pytest.raises(FitError):
        open_desk(session=path)
    assert path.read_bytes() == b"not a zip"


def test_where_nothing_can_be_kept_it_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FitError, match="can't be written.*Choose another file"):
        open_desk(known_target(), session=tmp_path / "file" / "session.b2l")


def test_a_damaged_bench_is_refused(desk: Desk) -> None:
    document = dict(desk.bench.session.document["studio"])
    damages: list[dict[str, Any]] = [
        {"candidate": "LIFF"},
        {"dt": 9.0},
        {"tunings": {}},
        {"tunings": [1]},
    ]
    for wrong in damages:
        desk.bench.session.edit("broken", studio={**document, **wrong})
        with pytest.raises(FitError):
            Workbench.resumed(desk.bench.session)


def test_a_file_that_another_studio_wrote_is_told_of(desk: Desk) -> None:
    desk.save()
    assert desk.session is not None
    other = open_desk(session=desk.session)
    ask(other, "set_value", name="gain", value=1.5)
    other.save()
    ask(desk, "set_value", name="gain", value=1.6)
    desk._changed_at = desk._first_at = -1e9  # long ago
    header, _ = unpack(desk.tick() or b"")
    assert "something else made or changed it" in header["error"]


# --- messages ------------------------------------------------------------------------------------


def test_messages_there_and_back() -> None:
    arrays = {"a": np.arange(3, dtype=np.float32), "b": np.array([1.5]), "c": np.array([7], "u1")}
    header, found = unpack(pack({"x": np.float64("nan"), "y": (1, "ü")}, arrays))
    assert header == {"x": None, "y": [1, "ü"]}
    for name, values in arrays.items():
        assert found[name].dtype == values.dtype and np.array_equal(found[name], values)


@pytest.mark.parametrize("message", [b"", b"\x05\0\0\0", b"\x02\0\0\0[]", b"\xff\xff\xff\xff{}"])
def test_a_message_that_is_none(desk: Desk, message: bytes) -> None:
    header, _ = unpack(desk.respond(message))
    assert "can't be read" in header["error"]


def test_errors_are_answers(desk: Desk) -> None:
    assert "does not know" in ask(desk, "sing")[0]["error"]
    assert "missing" in ask(desk, "set_value", name="tau_m")[0]["error"]
    assert "outside" in ask(desk, "set_register", name="dv", value=9999)[0]["error"]


def test_an_error_of_ours_does_not_end_the_talk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(desk: Desk, given: Any) -> Any:
        raise ZeroDivisionError("by zero")

    monkeypatch.setitem(OPERATIONS, "tiles", broken)
    header, _ = ask(desk, "tiles")
    assert "an error in brian2lava itself" in header["error"]
    assert "error" not in ask(desk, "hello")[0]


def test_the_code_of_the_page_gives_the_score_of_the_page(desk: Desk) -> None:
    ask(desk, "set_value", name="gain", value=1.7)
    ask(desk, "set_register", name="dv", value=190)
    header, _ = ask(desk, "code", page="tune")
    names: dict[str, Any] = {"target": desk.bench.setup.target}
    exec(header["code"].replace("print(score(", "found = (score("), names)
    shown = ask(desk, "tiles")[0]["scores"]["chip"]["held_out"]
    assert names["found"].gamma[0] == pytest.approx(shown["gamma"][0])
