"""``brian2lava fit``: what it prints, what it writes, how it stops and goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from brian2lava.cli import main
from brian2lava.errors import FitError
from brian2lava.fit.command import INTERRUPTED, seconds
from brian2lava.fit.session import Session

#: As little as a fit can be.
LITTLE = ["--evaluations", "500", "--seeds", "1", "--candidates", "LIF,ALIF", "--dt", "1ms"]
FILES = {"input.npz", "on_loihi2.py", "in_lava.py", "neuron.json", "spikes.txt", "report.html",
         "response.svg", "search.svg", "ranking.svg", "again.py", "again.sh"}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def recording(path: Path) -> Path:
    """A current, and a voltage with spikes, in a text file."""
    steps = np.arange(2000)
    current = 100 + 60 * np.sin(steps / 40) + 30 * np.sin(steps / 9)
    voltage = np.where(steps % 53 == 0, 20.0, -65.0)
    rows = "".join(f"{n},{i:.3f},{v:.1f}\n" for n, i, v in zip(steps, current, voltage))
    path.write_text("time (ms),current (pA),voltage (mV)\n" + rows)
    return path


def test_a_model_is_fitted_and_exported(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", "AdEx", "--pattern", "tonic", *LITTLE]) == 0
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[1].split()[:4] == ["candidate", "held", "out", "mean"]
    assert {lines[2].split()[0], lines[3].split()[0]} == {"LIF", "ALIF"}
    assert "spikes in" in lines[4] and "the same in the emulator" in lines[4]
    (folder,) = [each for each in here.iterdir() if each.is_dir()]
    assert folder.name == "fit_AdEx_tonic" and {p.name for p in folder.iterdir()} == FILES
    assert (folder / "again.sh").read_text() == (
        "brian2lava fit AdEx --pattern tonic --candidates LIF,ALIF --evaluations 500 --seeds 1"
        " --dt 0.001\n"
    )
    assert told.err == ""


def test_a_recording_is_fitted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = recording(here / "cell.csv")
    words = ["fit", str(path), *LITTLE[:4], "--candidates", "LIF", "--output", "made", "--no-lava"]
    assert main(words) == 0
    assert (
        "cell" in capsys.readouterr().out and {p.name for p in (here / "made").iterdir()} == FILES
    )


def test_a_session_is_kept_and_gone_on_with(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fit", "AdEx", *LITTLE, "--session", "s.b2l", "--output", "made", "--no-lava"]
    assert main(words) == 0
    first = capsys.readouterr().out
    session = Session.load("s.b2l")
    assert session.fits["fit"].options.evaluations == 500
    assert session.document["request"] == {"source": "AdEx", "pattern": None}
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "s.b2l exists. --resume goes on with it" in capsys.readouterr().err
    assert main(["fit", "--session", "s.b2l", "--resume", "--output", "more", "--no-lava"]) == 0
    assert capsys.readouterr().out.splitlines()[:4] == first.splitlines()[:4]
    assert (here / "more" / "again.py").read_text() == (here / "made" / "again.py").read_text()


@pytest.mark.skipif(os.name != "posix", reason="needs SIGINT")
def test_ctrl_c_stops_and_keeps_and_resume_goes_on(here: Path) -> None:
    start = [sys.executable, "-m", "brian2lava.cli", "fit"]
    words = ["AdEx", "--candidates", "LIF", "--seeds", "2", "--evaluations", "200000"]
    process = subprocess.Popen(
        [*start, *words, "--session", "s.b2l", "--output", "made", "--no-lava"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while not _searched("s.b2l"):
            assert process.poll() is None and time.monotonic() < until
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == INTERRUPTED, err
    assert "LIF" in out and "Go on: brian2lava fit --session s.b2l --resume" in err
    assert (here / "made" / "on_loihi2.py").exists()
    kept = Session.load("s.b2l").fits["fit"].state["trials"]
    assert 0 < sum(trial["spent"] for trial in kept) < 400_000
    fitting = Session.load("s.b2l").resumed()
    assert [trial.spent for trial in fitting.trials] == [trial["spent"] for trial in kept]


def _searched(path: str) -> bool:
    """Whether a session was saved after something was found."""
    if not Path(path).exists():
        return False
    return any(t["best"] is not None for t in Session.load(path).fits["fit"].state["trials"])


@pytest.mark.parametrize(
    ("words", "match"),
    [
        ([], "name a model or the file of a recording"),
        (["Adx"], "Did you mean 'AdEx'"),
        (["nothing.csv"], "nothing.csv: No such file"),
        (["AdEx", "--pattern", "tonc"], "tonic"),
        (["AdEx", "--candidates", "LIFF"], "there is no candidate 'LIFF'"),
        (["AdEx", "--dt", "soon"], "'soon' is no duration"),
        (["AdEx", "--drive", "wire"], "drive"),
        (["AdEx", "--evaluations", "5"], "evaluations=5"),
        (["--resume"], "say which by --session FILE"),
        (["--resume", "--session", "none.b2l"], "none.b2l can't be read"),
        (["AdEx", "--resume", "--session", "s.b2l"], "leave the target and its options out"),
        (["--resume", "--session", "s.b2l", "--evaluations", "900"], "--evaluations is for a new"),
        (["--candidates", "LIF"], "--candidates is for a new fit"),
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


@pytest.mark.parametrize(
    ("text", "value"), [("0.0005", 5e-4), ("0.5ms", 5e-4), ("500 us", 5e-4), ("2s", 2.0)]
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "ms", "1 h", "1,5ms", "--1"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(FitError, match="no duration"):
        seconds(text)
