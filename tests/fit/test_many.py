"""Many cells with many candidates: the queue, what survives, the table, the command."""

from __future__ import annotations

import csv
import functools
import importlib
import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from brian2lava.cli import main
from brian2lava.errors import FitError
from brian2lava.fit import FitOptions, Many, ManyProgress, Target, fit, fit_many, pattern_cells
from brian2lava.fit.candidates import candidate
from brian2lava.fit.command import INTERRUPTED
from brian2lava.fit.many import ManyResult, Row
from brian2lava.fit.many.budget import seconds_of
from brian2lava.fit.many.cells import as_cells
from brian2lava.fit.many.work import Job, Outcome
from brian2lava.fit.target import Sweep

DT = 1e-3
#: As little as a fit can be.
LITTLE = FitOptions(evaluations=500, seeds=1)
#: So much that it is interrupted in the middle.
LONG = FitOptions(evaluations=2_000_000, seeds=1)


@functools.cache
def target(seed: int = 0) -> Target:
    """A spike whenever a noisy current has charged a capacitor."""
    noise = np.random.default_rng(seed).normal(size=900)
    current = np.clip(0.6 + np.convolve(noise, np.exp(-np.arange(40) / 8), "same") * 0.2, 0, None)
    filled = np.floor(np.cumsum(current) / 20)
    train = np.flatnonzero(np.diff(filled) > 0) * DT
    return Target(f"charge {seed}", DT, (Sweep(current, (train,)),), unit="1")


def recording(path: Path, text: str = "") -> Path:
    """A current, and a voltage with spikes, in a text file."""
    steps = np.arange(900)
    current = 100 + 60 * np.sin(steps / 40) + 30 * np.sin(steps / 9)
    voltage = np.where(steps % 53 == 0, 20.0, -65.0)
    rows = "".join(f"{n},{i:.3f},{v:.1f}\n" for n, i, v in zip(steps, current, voltage))
    path.write_text(text or "time (ms),current (pA),voltage (mV)\n" + rows)
    return path


def states(many: Many) -> list[str]:
    return [row.state for row in many.rows]


@pytest.fixture(autouse=True)
def often_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody waits for it."""
    monkeypatch.setattr("brian2lava.fit.many.work._KEEP", 0.2)


# ------------------------------------------------------------ the queue
def test_every_cell_with_every_candidate_as_a_fit_alone_finds_it() -> None:
    seen: list[ManyProgress] = []
    cells = {"a": target(0), "b": target(1)}
    result = fit_many(cells, ["LIF", "ALIF"], LITTLE, watch=seen.append)
    assert [row.key for row in result.rows] == [
        ("a", "LIF"), ("a", "ALIF"), ("b", "LIF"), ("b", "ALIF"),
    ]  # fmt: skip
    assert all(row.state == "done" and row.part == 1 for row in result.rows)
    alone = fit(target(1), ["ALIF"], LITTLE).best
    row = result["b", "ALIF"]
    assert row.held_out == alone.evaluation.gamma("held_out")
    assert row.train == alone.evaluation.gamma("train")
    assert row.physical == alone.physical and row.evaluations == alone.evaluations
    assert row.registers["du"] == int(alone.settings.registers["du"][0])
    assert row.registers["weight"] == int(alone.settings.weights[0, 0])
    parts = [each.part for each in seen]
    assert parts == sorted(parts) and parts[-1] == 1 and seen[-1].counts["done"] == 4


def test_what_was_found_can_be_taken_further() -> None:
    many = Many({"a": target()}, ["LIF"], LITTLE)
    with pytest.raises(FitError, match="nothing was found yet for 'a' with LIF"):
        many.fit_of("a", "LIF")
    row = many.run()["a", "LIF"]
    found = many.fit_of("a", "LIF")
    assert found.target.name == "a" and found.best.evaluation.gamma("held_out") == row.held_out
    assert found.best.physical == row.physical and found.best.evaluations == row.evaluations


def test_a_broken_recording_fails_its_rows_and_no_others(tmp_path: Path) -> None:
    broken = recording(tmp_path / "broken.csv", "time (ms),voltage (mV)\n0,1\n1,2\n")
    silent = Target("silent", DT, (Sweep(np.ones(300), (np.zeros(0),)),))
    many = Many([broken, silent, target()], ["LIF", "ALIF"], LITTLE, tmp_path / "many")
    result = many.run()
    assert states(many) == ["failed"] * 4 + ["done"] * 2
    assert "broken.csv: there is no current" in result["broken", "ALIF"].reason
    assert "no spike in its training spans" in result["silent", "LIF"].reason
    recording(broken)
    assert many.again("failed") == 4
    assert states(many) == ["waiting"] * 4 + ["done"] * 2
    assert [row.state for row in many.run().rows] == ["done"] * 2 + ["failed"] * 2 + ["done"] * 2


def test_an_error_that_nobody_foresaw_fails_its_row_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from brian2lava.fit.many import work as module

    def broken(target: Target, *rest: Any) -> Any:
        if target.name == "a":
            raise ZeroDivisionError("by nothing")
        return fitting(target, *rest)

    fitting = module.Fitting
    monkeypatch.setattr(module, "Fitting", broken)
    result = fit_many({"a": target(0), "b": target(1)}, ["LIF"], LITTLE)
    assert [row.state for row in result.rows] == ["failed", "done"]
    assert "please report it. ZeroDivisionError: by nothing" in result.rows[0].reason
    assert "by nothing" in caplog.text


def test_paused_in_the_middle_and_gone_on_with(tmp_path: Path) -> None:
    many = Many({"a": target(0), "b": target(1)}, ["LIF"], replace(LONG, workers=1), tmp_path / "m")

    def watch(progress: ManyProgress) -> None:
        if any(row.part for row in many.rows):
            many.pause()

    many.run(watch=watch)
    assert states(many) == ["waiting", "waiting"] and not many.running
    first = many.rows[0]
    assert 0 < first.part < 1 and first.evaluations > 500 and first.found and not many.rows[1].part
    assert many.fit_of("a", "LIF").best.evaluations == first.evaluations
    again = Many.load(tmp_path / "m")
    assert again.rows == many.rows and again.options == many.options
    again.run(watch=lambda progress: again.pause())
    assert again.rows[0].evaluations > first.evaluations
    again.stop()
    assert states(again) == ["stopped", "stopped"] == states(Many.load(tmp_path / "m"))
    assert again.run().rows == again.rows  # nothing waits
    assert again.again() == 2 and states(again) == ["waiting", "waiting"]


KILLED = """
import sys
from tests.fit.test_many import LONG, target
from brian2lava.fit import Many
Many({"a": target(0), "b": target(1)}, ["LIF"], LONG, sys.argv[1]).run()
"""


def test_a_killed_process_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    root = Path(__file__).parents[2]
    killed = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], cwd=root)
    try:
        until = time.monotonic() + 120
        while len(list(folder.glob("rows/*.json"))) < 2:
            assert killed.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        with pytest.raises(FitError, match="another process works on the fits in"):
            Many.load(folder).run()
        looked = Many.load(folder)  # looking is free
        assert all(row.state == "waiting" and row.part > 0 for row in looked.rows)
    finally:
        killed.kill()
        killed.wait()
    many = Many.load(folder)
    before = {row.key: row.evaluations for row in many.rows}
    assert all(count > 500 for count in before.values())
    many.run(watch=lambda progress: many.pause())
    assert all(row.evaluations > before[row.key] for row in many.rows)
    assert not list(folder.glob("running_*"))


def test_cells_and_candidates_change_while_rows_are_fitted(tmp_path: Path) -> None:
    many = Many({"a": target(0), "b": target(1)}, ["LIF"], replace(LITTLE, workers=1), tmp_path)
    done = False

    def watch(progress: ManyProgress) -> None:
        nonlocal done
        if not done:
            done = True
            many.remove("b")
            assert many.add({"a": target(2)})[0].name == "a (2)"
            many.set_candidates(["LIF", "ALIF"])
            with pytest.raises(FitError, match="pause or stop them first"):
                many.clear()
            with pytest.raises(FitError, match="a table has to compare like with like"):
                many.set_options(seeds=2)
            with pytest.raises(FitError, match="being fitted already"):
                many.run()

    many.run(watch=watch)
    assert [row.key for row in many.rows] == [
        ("a", "LIF"), ("a", "ALIF"), ("a (2)", "LIF"), ("a (2)", "ALIF"),
    ]  # fmt: skip
    assert set(states(many)) == {"done"}
    assert Many.load(tmp_path).rows == many.rows
    many.set_candidates(["ALIF"])
    with pytest.raises(FitError, match="clear\\(\\) forgets"):
        many.set_options(seeds=2)
    many.set_candidates(["LIF", "ALIF"])
    assert set(states(many)) == {"done"}  # what was found returns
    many.clear()
    assert set(states(many)) == {"waiting"} and not any(row.found for row in many.rows)
    many.set_options(seeds=2, workers=2)
    assert Many.load(tmp_path).options.seeds == 2


def test_stopped_while_rows_are_fitted_keeps_what_was_found() -> None:
    many = Many({"a": target(0), "b": target(1)}, ["LIF"], replace(LONG, workers=1))
    result = many.run(watch=lambda progress: many.stop() if many.rows[0].part else None)
    assert [row.state for row in result.rows] == ["stopped", "stopped"]
    assert np.isfinite(result["a", "LIF"].train) and not result["b", "LIF"].found


# ------------------------------------------------------------ executors
def test_processes_find_the_same_as_threads(tmp_path: Path) -> None:
    cells = {"a": target(0), "b": target(1)}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        elsewhere = fit_many(cells, ["LIF"], LITTLE, tmp_path / "many", executor=pool)
    here = fit_many(cells, ["LIF"], LITTLE)
    assert [row.registers for row in elsewhere.rows] == [row.registers for row in here.rows]
    assert [row.held_out for row in elsewhere.rows] == [row.held_out for row in here.rows]


class Elsewhere(Executor):
    """Runs nothing itself: what becomes of a job is said by a function."""

    def __init__(self, becomes: Any) -> None:
        self.becomes = becomes

    def submit(self, work: Any, /, *jobs: Any, **more: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.becomes(future, *jobs)
        return future


def test_workers_that_die_leave_their_rows_waiting() -> None:
    many = Many({"a": target(0), "b": target(1)}, ["LIF"], LITTLE)
    dead = Elsewhere(lambda future, job: future.set_exception(BrokenExecutor("killed")))
    with pytest.raises(FitError, match="the executor's workers died \\(killed\\)"):
        many.run(dead)
    assert states(many) == ["waiting", "waiting"] and not many.running
    assert {row.state for row in many.run().rows} == {"done"}


def test_what_is_lost_on_the_way_fails_its_row() -> None:
    def becomes(future: Future[Any], job: Job) -> None:
        if job.row.cell == "a":
            future.set_exception(TypeError("cannot pickle"))
        else:
            future.set_result(Outcome(replace(job.row, state="done", part=1.0), None))

    result = Many({"a": target(0), "b": target(1)}, ["LIF"], LITTLE).run(Elsewhere(becomes))
    assert [row.state for row in result.rows] == ["failed", "done"]
    assert "TypeError: cannot pickle" in result.rows[0].reason


def test_what_an_executor_has_not_begun_is_taken_back_by_a_pause() -> None:
    many = Many({"a": target(0), "b": target(1)}, ["LIF"], LITTLE)
    many.run(Elsewhere(lambda future, job: None), watch=lambda progress: many.pause())
    assert states(many) == ["waiting", "waiting"]


# ------------------------------------------------------------ the folder
def test_a_folder_goes_on_with_the_same_and_refuses_others(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    cells = {"a": target(0)}
    first = fit_many(cells, ["LIF"], LITTLE, folder)
    began = time.monotonic()
    assert fit_many(cells, ["LIF"], replace(LITTLE, workers=3), folder) == first
    assert time.monotonic() - began < 5
    for what, words in (
        ("cells", ({"b": target(0)}, ["LIF"], LITTLE)),
        ("candidates", (cells, ["LIF", "ALIF"], LITTLE)),
        ("options", (cells, ["LIF"], replace(LITTLE, seeds=2))),
        ("targets", ({"a": target(1)}, ["LIF"], LITTLE)),
    ):
        with pytest.raises(FitError, match=f"keeps fits of other {what}"):
            fit_many(*words, folder)
    with pytest.raises(FitError, match=r"Many.load\(...\) goes on with them"):
        Many(cells, ["LIF"], LITTLE, folder)


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("many.json", "{", "many.json is damaged"),
        ("many.json", "{}", "a file of another kind"),
        ("many.json", '{"format": "brian2lava many fits", "version": 9}', "by a newer version"),
        ("many.json", '{"format": "brian2lava many fits", "version": 1}', "is damaged"),
        ("rows/1_LIF.json", '{"state": "lost"}', "Delete it, and that row begins anew"),
        ("rows/1_LIF.json", "[]", "Delete 1_LIF.json there, and that part begins anew"),
    ],
)
def test_a_damaged_folder_is_told_and_left(
    tmp_path: Path, name: str, text: str, match: str
) -> None:
    Many({"a": target(0)}, ["LIF"], LITTLE, tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(FitError, match=match):
        Many.load(tmp_path)
    assert (tmp_path / name).read_text() == text


def test_damaged_targets_and_fits_fail_a_row_or_say_why(tmp_path: Path) -> None:
    many = Many({"a": target(0)}, ["LIF"], LITTLE, tmp_path)
    many.run()
    (tmp_path / "fits" / "1_LIF.json").write_text('{"version": 1}')
    with pytest.raises(FitError, match="1_LIF.json is damaged"):
        many.fit_of("a", "LIF")
    (tmp_path / "cells" / "1.target").write_bytes(b"PK")
    many.clear()
    row = Many.load(tmp_path).run().rows[0]
    assert row.state == "failed" and "1.target is damaged" in row.reason
    with pytest.raises(FitError, match="keeps no fits of many cells"):
        Many.load(tmp_path / "nothing")


def test_without_a_folder_nothing_stays() -> None:
    many = Many({"a": target(0)}, ["LIF"], LITTLE)
    folder = many.folder
    assert folder.exists()
    del many
    assert not folder.exists()


# ------------------------------------------------------------ cells
def test_what_stands_for_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("two.csv", "one.csv", "notes.md"):
        recording(tmp_path / name)
    assert [cell.name for cell in as_cells(str(tmp_path))] == ["one", "two"]
    cells = as_cells(["one.csv", Path("one.csv"), "AdEx", "hodgkin huxley", target()])
    assert [cell.name for cell in cells] == [
        "one", "one (2)", "AdEx", "Hodgkin-Huxley", "charge 0",
    ]  # fmt: skip
    assert cells[0].file == str(tmp_path / "one.csv")
    assert as_cells({"mine": "AdEx"})[0].target().name == "mine"
    (tonic,) = pattern_cells("adex", ["tonc".replace("c", "ic")])
    assert tonic.origin() == {"model": "AdEx", "pattern": "tonic"}
    assert len(pattern_cells("AdEx")) == 8 and pattern_cells("AdEx")[0].target().sweeps


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("Adx", "Did you mean 'AdEx'"),
        ([3], "3 is no cell"),
        ({}, "no cell was given"),
        ({"a": "."}, "has no recording"),
    ],
)
def test_what_stands_for_no_cell(
    given: Any, match: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FitError, match=match):
        Many(given)


def test_what_can_t_be_asked() -> None:
    with pytest.raises(FitError, match="LIF has no firing patterns; AdEx"):
        pattern_cells("LIF")
    with pytest.raises(FitError, match="named twice"):
        Many(target(), ["LIF", "LIF"])
    with pytest.raises(FitError, match="has no bias"):
        Many(target(), ["RF"], replace(LITTLE, drive="bias"))
    with pytest.raises(FitError, match="there is no cell 'x'; there are charge 0"):
        Many(target(), ["LIF"]).remove("x")
    with pytest.raises(FitError, match="'done' can't be put back"):
        Many(target(), ["LIF"]).again("done")


# ------------------------------------------------------------ the table
def row(cell: str, name: str, held_out: float, **more: Any) -> Row:
    return Row(cell, name, **{"state": "done", "held_out": held_out, **more})


def test_summaries_over_cells() -> None:
    scores = {"LIF": [0.1, 0.5, 0.4, np.nan], "ALIF": [0.3, 0.5, 0.2, 0.9]}
    rows = [row(f"{k}", name, scores[name][k]) for k in range(4) for name in scores]
    rows[6] = replace(rows[6], state="failed")
    rows += [row("4", "LIF", 0.9), Row("4", "ALIF", "running")]  # nobody has won yet
    best, other = ManyResult(tuple(rows)).summary()
    assert (best.candidate, best.scored, best.wins, best.failed) == ("LIF", 4, 2, 1)
    assert best.median == pytest.approx(0.45) and best.first_quartile == pytest.approx(0.325)
    assert best.third_quartile == pytest.approx(0.6)
    assert (other.candidate, other.scored, other.wins, other.failed) == ("ALIF", 4, 3, 0)


def test_parameters_over_cells_have_units() -> None:
    taus = {"a": 0.01, "b": 0.03, "c": float("nan")}
    physical = {parameter.name: 1.0 for parameter in candidate("LIF").parameters}
    result = ManyResult(
        tuple(
            row(cell, "LIF", 0.5, physical={**physical, "tau_m": tau}, registers={"du": 3})
            for cell, tau in taus.items()
        )
    )
    found = result.parameters("LIF")["tau_m"]
    assert (found.unit, found.log, found.cells) == ("s", True, ("a", "b"))
    assert found.quartiles == pytest.approx((0.015, 0.02, 0.025))
    assert result.scores("LIF").cells == ("a", "b", "c")
    with pytest.raises(FitError, match="no row has the candidate 'ALIF'"):
        result.parameters("ALIF")


def test_the_table_as_text_csv_and_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lif = row("=SUM(1)", "LIF", 1 / 3, physical={"tau_m": 0.01, "gain": 2.0}, registers={"du": 7})
    rf = row("b", "RF", float("nan"), state="failed", reason="told, why")
    result = ManyResult((lif, rf))
    text = result.to_csv(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == text
    first, second = csv.DictReader(io.StringIO(text))
    assert float(first["held_out"]) == 1 / 3 and first["tau_m [s]"] == "0.01"
    assert first["register du"] == "7" and first["gain [1/I]"] == "2.0"
    assert first["cell"] == "'=SUM(1)"  # no formula, whoever named the cell
    assert second["held_out"] == second["register du"] == "" and second["reason"] == "told, why"
    assert "failed: told, why" in str(result) and " 0.333" in str(result)
    summary = list(csv.DictReader(io.StringIO(result.summary_csv())))
    assert [line["candidate"] for line in summary] == ["LIF", "RF"]

    def imported(name: str) -> Any:
        assert name == "pandas"
        return SimpleNamespace(DataFrame=list)

    monkeypatch.setattr(importlib, "import_module", imported)
    assert result.to_frame() == result.table()

    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(FitError, match="pip install pandas"):
        result.to_frame()


def test_rows_come_back_from_json_as_they_were() -> None:
    meaning = {"tau_m": float("nan"), "gain": 2.5}
    full = row(
        "a", "LIF", 0.1, physical=meaning, part=0.25, registers={"du": 7, "scale": 0.1},
        reason="none", train_mean=float("inf"),
    )  # fmt: skip
    text = json.dumps(full.to_json(), allow_nan=False)
    back = Row.from_json(json.loads(text))
    assert repr(back) == repr(replace(full, train_mean=float("nan")))


def test_how_long_it_takes_grows_with_cells_and_falls_with_workers() -> None:
    few = seconds_of([target(0)], ["LIF"], replace(LITTLE, workers=1))
    many = seconds_of([target(k) for k in range(20)], ["LIF"], replace(LITTLE, workers=1))
    assert 0 < few < 20 and many > 4 * few
    silent = Target("silent", DT, (Sweep(np.ones(300), (np.zeros(0),)),))
    assert seconds_of([silent, target(0)], ["LIF"], LITTLE) > 0
    with pytest.raises(FitError, match="no spike in its training spans"):
        seconds_of([silent], ["LIF"], LITTLE)


# ------------------------------------------------------------ the command
WORDS = ["--candidates", "LIF", "--evaluations", "500", "--seeds", "1"]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_many_from_the_command_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording(here / "one.csv")
    recording(here / "two.csv", "nothing\n1\n")
    assert main(["fit", "one.csv", "two.csv", "--many", "out", *WORDS]) == 1
    told = capsys.readouterr()
    assert "one   LIF" in told.out and "failed: two.csv: there is no current" in told.out
    assert "Written to out: table.csv, summary.csv." in told.out
    assert "1 rows failed. When that is mended: brian2lava fit --many out --resume" in told.err
    with open(here / "out" / "table.csv") as file:
        assert [line["state"] for line in csv.DictReader(file)] == ["done", "failed"]
    recording(here / "two.csv")
    os.chdir("/")  # paths are kept whole
    assert main(["fit", "--many", str(here / "out"), "--resume"]) == 0
    assert Many.load(here / "out").progress.counts["done"] == 2


def test_patterns_from_the_command_line(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "AdEx", "--pattern", "all", "--many", "out", *WORDS, "--dt", "1ms"]
    assert main(words) == 0
    assert "AdEx, irregular " in capsys.readouterr().out
    assert len(Many.load("out").rows) == 8


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_ctrl_c_pauses(here: Path) -> None:
    recording(here / "one.csv")
    words = ["one.csv", "--many", "out", *WORDS[:2], "--evaluations", "2000000", "--seeds", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "brian2lava.cli", "fit", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while not (here / "out" / "rows" / "1_LIF.json").exists():
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == INTERRUPTED, err
    assert "Go on: brian2lava fit --many out --resume" in err and "waiting" in out
    assert 0 < Many.load("out").rows[0].part < 1


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--many", "out"], "or go on with --resume"),
        (["AdEx", "LIF"], "--many DIR fits all of them"),
        (["nothing.csv", "--many", "out"], "there is no such file or folder"),
        (["AdEx", "--many", "out", "--session", "s.b2l"], "--session is for a fit of one target"),
        (["AdEx", "--many", "out", "--no-lava"], "--no-lava is for a fit of one target"),
        (["AdEx", "--many", "out", "--resume"], "leave the others out"),
        (["--many", "out", "--resume", "--seeds", "2"], "leave options out"),
        (["--many", "out", "--resume"], "keeps no fits of many cells"),
        (["LIF", "--many", "out", "--pattern", "all"], "LIF has no firing patterns"),
        (["AdEx", "--many", "out", "--pattern", "tonc"], "Did you mean 'tonic'"),
    ],
)
def test_what_can_t_be_done_is_told(
    words: list[str], match: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["fit", *words])
    told = capsys.readouterr().err
    assert end.value.code == 2 and told.startswith("brian2lava fit: ") and match in told
    assert not list(here.iterdir())


def test_a_folder_that_is_taken_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Many(target(), ["LIF"], LITTLE, here / "out")
    with pytest.raises(SystemExit):
        main(["fit", "AdEx", "--many", "out"])
    assert "--resume goes on with them" in capsys.readouterr().err
