"""The command `brian2lava`: scripts run as Python would run them, only on Lava."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from brian2lava import doctor
from brian2lava.cli import split_at_script
from brian2lava.demo import agreement
from brian2lava.demo.network import Outcome
from brian2lava.run_script import lava_in_place_of

PLAIN = """
from brian2 import *
group = NeuronGroup(3, "dv/dt = (2 - v) / (10*ms) : 1", threshold="v > 1", reset="v = 0",
                    method="exact")
spikes = SpikeMonitor(group)
run(20*ms)
print(spikes.num_spikes, device.report().to_dict()["host"])
"""

Done = subprocess.CompletedProcess


def command(*words: str, text: str = "", folder: Path | None = None) -> Done[str]:
    return subprocess.run(
        [sys.executable, "-m", "brian2lava.cli", *words],
        input=text, cwd=folder, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def python(*words: str, text: str = "", folder: Path | None = None) -> Done[str]:
    return subprocess.run(
        [sys.executable, *words],
        input=text,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def write(folder: Path, text: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "script.py").write_text(text)
    return str(folder / "script.py")


# --- run ---------------------------------------------------------------------------------------


def test_a_script_that_never_mentions_lava_runs_on_it(tmp_path: Path) -> None:
    done = command("run", write(tmp_path / "a folder", PLAIN), "--report")
    assert (done.returncode, done.stdout) == (0, "6 lava\n"), done.stderr
    assert "a Lava process" in done.stderr


def test_a_script_from_standard_input_runs(tmp_path: Path) -> None:
    done = command("run", "--host", "inline", "-", text=PLAIN)
    assert (done.returncode, done.stdout) == (0, "6 inline\n"), done.stderr


SELF = """
import sys
import beside
print(__name__, __file__, sys.argv, sys.path[0], beside.x, sys.modules["__main__"].beside.x)
"""


def test_a_script_finds_itself_as_python_shows_it(tmp_path: Path) -> None:
    write(tmp_path, SELF)
    (tmp_path / "beside.py").write_text("x = 1")
    ours = command("run", "script.py", "--host=inline", "a", "--report", "-x", folder=tmp_path)
    theirs = python("script.py", "a", "--report", "-x", folder=tmp_path)
    assert ours.stdout == theirs.stdout != "", ours.stderr


@pytest.mark.parametrize(
    "ending",
    [
        "import sys; sys.exit(7)",
        "import sys; sys.exit('words')",
        "def broken():\n    return 1 / 0\nbroken()",
        "raise KeyboardInterrupt",
        "x = (",
        "import no_such_module",
    ],
    ids=["exit code", "exit text", "exception", "interrupt", "syntax error", "import error"],
)
def test_a_script_ends_as_under_python(ending: str, tmp_path: Path) -> None:
    script = write(tmp_path, f"import sys; sys.excepthook = sys.__excepthook__\n{ending}\n")
    ours, theirs = command("run", script), python(script)
    assert ours.returncode == theirs.returncode
    if "x = (" in ending:  # Brian2, already imported, adds its own line to uncaught errors
        assert theirs.stderr in ours.stderr
    else:
        assert ours.stderr == theirs.stderr


def test_ctrl_c_ends_by_the_signal_as_python_does(tmp_path: Path) -> None:
    done = command("run", write(tmp_path, "raise KeyboardInterrupt"))
    assert done.returncode == -signal.SIGINT


def test_a_missing_file_and_an_unknown_option_are_said_in_a_line(tmp_path: Path) -> None:
    missing = command("run", "nowhere.py", folder=tmp_path)
    assert missing.returncode == 2
    assert (
        missing.stderr
        == "brian2lava run: can't open file 'nowhere.py': No such file or directory\n"
    )
    unknown = command("run", "--hardware", "CPUU", write(tmp_path, PLAIN))
    assert unknown.returncode == 2
    assert "Did you mean 'CPU'?" in unknown.stderr
    assert "Traceback" not in unknown.stderr


def test_a_standalone_script_gets_lava_and_is_told(tmp_path: Path) -> None:
    ritual = PLAIN.replace(
        "group =", "set_device('cpp_standalone', directory='made', build_on_run=False)\ngroup =", 1
    ).replace("print(", "device.build()\nprint(")
    done = command("run", "--host", "inline", write(tmp_path, ritual), folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "6 inline\n"), done.stderr
    assert "script.py:3: the script asks for the device 'cpp_standalone'" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_a_script_that_names_lava_keeps_its_options_below_the_command_line() -> None:
    chosen = lava_in_place_of("lava", {"threads": 2, "host": "lava"}, {"host": "inline"})
    assert chosen == ("lava", {"threads": 2, "host": "inline"}, None)


def test_runtime_stays_and_another_device_loses_what_no_standalone_build_knows() -> None:
    device, settings, message = lava_in_place_of("runtime", {}, {"host": "inline"})
    assert (device, settings) == ("runtime", {})
    assert message is not None and "not on Lava" in message
    device, settings, message = lava_in_place_of("genn", {"directory": "x", "use_GPU": True}, {})
    assert (device, settings) == ("lava", {"directory": "x"})
    assert message is not None and "without use_GPU" in message


def test_options_stand_before_or_directly_behind_the_script() -> None:
    def split(words: str) -> tuple[str, str]:
        ours, scripts = split_at_script(words.split())
        return " ".join(ours), " ".join(scripts)

    assert split("run s.py --hardware CPU --seed=3 x --seed 4") == (
        "run s.py --hardware CPU --seed=3",
        "x --seed 4",
    )
    assert split("run --threads 2 s.py -- --host h") == ("run --threads 2 s.py", "--host h")
    assert split("run s.py a -- b") == ("run s.py", "a -- b")
    assert split("run --report - --report -v") == ("run --report - --report", "-v")
    assert split("run --no-such s.py") == ("run --no-such s.py", "")
    assert split("run --host") == ("run --host", "")
    assert split("demo --seconds 1 --") == ("demo --seconds 1 --", "")


# --- doctor ------------------------------------------------------------------------------------


def test_doctor_finds_what_the_tests_themselves_need() -> None:
    done = command("doctor")
    assert done.returncode == 0, done.stdout
    for name in ("Python", "Brian2", "Lava", "C++ compiler", 'set_device("lava")'):
        assert f"ok  {name}" in done.stdout
    assert done.stdout.endswith("Nothing is missing.\n")


def test_doctor_says_what_to_do_without_a_compiler(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    found = doctor.compiler()
    assert not found.good_enough
    assert "apt-get install g++" in found.remedy
    assert "Missing: C++ compiler." in doctor.show([found])


def test_doctor_tries_the_compiler_and_shows_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "g++"
    broken.write_text("#!/bin/sh\necho broken to bits >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    found = doctor.compiler()
    assert found.state == "missing"
    assert "broken to bits" in found.text


def test_doctor_does_not_need_a_gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor.gpu()
    assert found.state == "absent"
    assert found.good_enough


# --- demo --------------------------------------------------------------------------------------


def test_demo_says_what_ran_and_draws_it(tmp_path: Path) -> None:
    done = command("demo", "--seconds", "0.1", "--picture", "p.png", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    for words in ("4,000 neurons", "a Lava process", "compile", "loop", "own runtime", "p.png"):
        assert words in done.stdout
    rates = [line.split()[3] for line in done.stdout.splitlines() if line.startswith("  spikes")]
    assert len(rates) == 2
    assert rates[0] == rates[1]
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_demo_says_how_long_two_runs_agree() -> None:
    import numpy as np

    def outcome(*spikes: tuple[int, int]) -> Outcome:
        steps, neurons = np.array(spikes).T
        return Outcome(steps, neurons, 0.0, 0.0)

    full = outcome((1, 5), (3, 2), (9, 9))
    assert "All 3 spikes are the same" in agreement(full, full)
    assert "first 2 spikes, up to 0.9 ms" in agreement(full, outcome((1, 5), (3, 2)))
    assert "first 1 spikes, up to 0.3 ms" in agreement(full, outcome((1, 5), (4, 2), (9, 9)))
