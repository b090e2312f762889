"""What may go wrong around a run: killed processes, interrupts, caches, compilers, leaks."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.networks.devices import LONG, needs_lava_device
from tests.networks.programs import (
    environment,
    program,
    run_program,
    running_program,
    still_running,
    wait_for_line,
)

pytestmark = [
    needs_lava_device,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]

_INLINE = 'set_device("lava", host="inline")'


# ---------------------------------------------------------------- killed and interrupted
@pytest.mark.parametrize("victim", range(3))
def test_a_killed_lava_process_is_an_error_at_once(victim: int) -> None:
    """SIGKILL in the middle of a run: a clear error, no orphan, nothing in shared memory."""
    text = program(
        f"""
        net = network()
        facts = {{}}

        def kill():
            family = sorted(descendants())
            facts["files"], facts["family"] = shared_files(), family
            facts["killed"] = time.monotonic()
            os.kill(family[{victim} % len(family)], signal.SIGKILL)

        from brian2lava.errors import EngineDied
        try:
            run_for_ever(net, kill)
        except EngineDied as error:
            print("seconds", time.monotonic() - facts["killed"])
            print("message", str(error).replace(chr(10), " "))
        time.sleep(0.3)
        print("left", [pid for pid in descendants() if pid in facts["family"]])
        print("files", [name for name in facts["files"] if os.path.exists(name)])
        again = network(name="others")
        again.run(20*ms)
        print("spikes", again["others_spikes"].num_spikes)
        print("family", *facts["family"], *descendants())
        """
    )
    lines = dict(line.split(" ", 1) for line in run_program(text).stdout.splitlines())
    assert float(lines["seconds"]) < 2
    assert "kill" in lines["message"].lower()
    assert lines["left"] == "[]" and lines["files"] == "[]"
    assert int(lines["spikes"]) > 0
    assert still_running([int(pid) for pid in lines["family"].split()]) == []


def test_interrupt_stops_the_run_and_keeps_what_was_recorded(tmp_path: Path) -> None:
    """Ctrl-C: the run ends in order, as in Brian2; the next run goes on where it stopped."""
    text = program(
        """
        net = network()
        run_for_ever(net, lambda: print("running", flush=True))
        spikes = net["cells_spikes"]
        before, stopped = spikes.num_spikes, net.t
        print("stopped", float(stopped), before, len(spikes.t), flush=True)
        net.run(20*ms)
        print("again", spikes.num_spikes - before, abs(float(net.t - stopped) - 0.02) < 1e-6)
        print("family", *descendants(), flush=True)
        """
    )
    with running_program(text, tmp_path) as process:
        wait_for_line(process, "running")
        os.killpg(process.pid, signal.SIGINT)
        begin = time.monotonic()
        _, stopped, recorded, held = wait_for_line(process, "stopped").split()
        assert time.monotonic() - begin < 3
        again = wait_for_line(process, "again").split()
        family = [int(pid) for pid in wait_for_line(process, "family").split()[1:]]
        process.wait(20)
        assert process.returncode == 0
    assert 0 < float(stopped) < 1e6
    assert 0 < int(recorded) == int(held)
    assert int(again[1]) > 0 and again[2] == "True"
    assert still_running(family) == []


def test_interrupt_as_an_exception(tmp_path: Path) -> None:
    """With ``core.stop_on_keyboard_interrupt = False`` it is a KeyboardInterrupt."""
    text = program(
        """
        prefs.core.stop_on_keyboard_interrupt = False
        net = network()
        try:
            run_for_ever(net, lambda: print("running", flush=True))
        except KeyboardInterrupt:
            print("caught", net["cells_spikes"].num_spikes, flush=True)
        other = network(name="others")
        other.run(20*ms)
        print("again", other["others_spikes"].num_spikes, flush=True)
        """
    )
    with running_program(text, tmp_path) as process:
        wait_for_line(process, "running")
        os.killpg(process.pid, signal.SIGINT)
        assert int(wait_for_line(process, "caught").split()[1]) > 0  # what was recorded is kept
        assert int(wait_for_line(process, "again").split()[1]) > 0
        process.wait(20)
        assert process.returncode == 0


def test_a_killed_program_leaves_no_process(tmp_path: Path) -> None:
    """SIGKILL of the user's own program takes the Lava processes along."""
    text = program(
        """
        net = network()
        run_for_ever(net, lambda: print("family", *descendants(), flush=True))
        """
    )
    with running_program(text, tmp_path) as process:
        family = [int(pid) for pid in wait_for_line(process, "family").split()[1:]]
        assert family
        process.kill()
        assert still_running(family) == []


# ---------------------------------------------------------------- the cache
_COUNT = """
net = network(name="cells")
net.run(20*ms)
report = device.report()
print("spikes", net["cells_spikes"].num_spikes, "cached", report.cached, "engine", report.engine)
"""


def _count(
    cache: Path | str, *, compiler: str | None = None, prefix: tuple[str, ...] = ()
) -> list[str]:
    extra = {"BRIAN2LAVA_CACHE": str(cache)}
    if compiler is not None:
        extra["CXX"] = compiler
    done = run_program(program(_COUNT, _INLINE), extra=extra, prefix=prefix)
    return next(line for line in done.stdout.splitlines() if line.startswith("spikes")).split()


def test_a_missing_cache_folder_is_made(tmp_path: Path) -> None:
    """The second program finds the first one's code."""
    cache = tmp_path / "not" / "there yet"
    first, second = _count(cache), _count(cache)
    assert cache.is_dir() and list(cache.glob("*.so"))
    assert first[1] == second[1]
    assert (first[3], second[3]) == ("False", "True")


@pytest.mark.parametrize("damage", ("cut", "garbage", "no note", "empty"))
def test_a_damaged_cache_entry_is_built_anew(damage: str, tmp_path: Path) -> None:
    """A library or its note that is broken, cut short or gone."""
    expected = _count(tmp_path)
    for library in tmp_path.glob("*.so"):
        if damage == "cut":
            library.write_bytes(library.read_bytes()[: library.stat().st_size // 2])
        elif damage == "garbage":
            content = bytearray(library.read_bytes())
            content[100:4000] = os.urandom(3900)
            library.write_bytes(bytes(content))
        elif damage == "no note":
            library.with_suffix(".json").unlink()
        else:
            library.write_bytes(b"")
            library.with_suffix(".json").write_text("")
    for item in tmp_path.glob("*.o"):
        item.write_bytes(b"not an object file")
    again = _count(tmp_path)
    assert again[1] == expected[1] and again[3] == "False"
    assert _count(tmp_path)[3] == "True"


@pytest.mark.parametrize("folder", ("/proc/brian2lava", "a file", "no permission"))
def test_a_cache_folder_that_cannot_be_written(folder: str, tmp_path: Path) -> None:
    """Programs run without a cache, and leave nothing."""
    cache: Path | str = folder
    if folder == "a file":
        (tmp_path / "file").write_text("")
        cache = tmp_path / "file" / "cache"
    elif folder == "no permission":
        cache = tmp_path / "locked"
        cache.mkdir()
        cache.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert int(_count(cache)[1]) > 0


def test_two_programs_share_a_cache_at_once(tmp_path: Path) -> None:
    """They start together, on an empty cache, and both get the right result."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment({"BRIAN2LAVA_CACHE": str(tmp_path)}),
        )
        for _ in range(3)
    ]
    outputs = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(program(_COUNT, _INLINE))
        process.stdin.close()
        process.stdin = None
    for process in processes:
        output, problems = process.communicate(timeout=120)
        assert process.returncode == 0, problems
        outputs.append(output.split()[1])
    assert len(set(outputs)) == 1
    assert [item.name for item in tmp_path.iterdir() if item.name.startswith(".")] == []
    assert _count(tmp_path)[3] == "True"


# ---------------------------------------------------------------- the compiler
def test_a_compiler_that_fails_names_object_and_equation(tmp_path: Path) -> None:
    """The compiler's own message, the Brian2 object, and its code."""
    text = program(
        """
        @implementation("cpp", "inline double broken(double x) { return no_such_name + x; }")
        @check_units(x=1, result=1)
        def broken(x):
            return x

        group = NeuronGroup(3, "v : 1", name="unlucky")
        group.run_regularly("v = broken(v) + 0.125")
        from brian2lava.errors import CompileError
        try:
            Network(group).run(1*ms)
        except Exception as error:
            while error is not None and not isinstance(error, CompileError):
                error = error.__cause__ or error.__context__
            print(error)
        """,
        _INLINE,
    )
    said = run_program(text, extra={"BRIAN2LAVA_CACHE": str(tmp_path)}).stdout
    assert "no_such_name" in said and "unlucky" in said and "broken(v) + 0.125" in said


def test_a_broken_compiler_shows_what_it_said(tmp_path: Path) -> None:
    """A compiler that can't compile anything."""
    compiler = tmp_path / "my compiler"
    compiler.write_text(
        "#!/bin/sh\ncase \"$1\" in --version) echo 'cc 1.0'; exit 0;; esac\n"
        "echo 'fatal error: the disk is made of cheese' >&2\nexit 1\n"
    )
    compiler.chmod(0o755)
    link = tmp_path / "brokencc"
    link.symlink_to(compiler)
    text = program(
        """
        from brian2lava.errors import CompileError
        try:
            network().run(1*ms)
        except Exception as error:
            while error is not None and not isinstance(error, CompileError):
                error = error.__cause__ or error.__context__
            print(error)
        """,
        _INLINE,
    )
    cache = tmp_path / "cache"
    said = run_program(text, extra={"BRIAN2LAVA_CACHE": str(cache), "CXX": str(link)}).stdout
    assert "the disk is made of cheese" in said and "brokencc" in said


def test_without_a_compiler_numpy_runs_with_one_warning(tmp_path: Path) -> None:
    """The warning says what to install."""
    text = program(
        """
        import warnings
        warnings.simplefilter("always")
        for name in ("one", "two"):
            net = network(name=name)
            net.run(20*ms)
        print("spikes", net["two_spikes"].num_spikes, device.report().engine)
        """,
        _INLINE,
    )
    done = run_program(text, extra={"PATH": str(tmp_path), "CXX": ""})
    _, spikes, engine = done.stdout.split()
    assert int(spikes) > 0 and engine == "numpy"
    assert done.stderr.count("No C++ compiler was found") == 1
    assert "g++" in done.stderr


# ---------------------------------------------------------------- shared memory
def test_full_shared_memory_is_a_clear_error() -> None:
    """Lava needs some room in /dev/shm; the message says what is full and what to do."""
    own_mounts = ("unshare", "-Urm", "sh", "-c")
    try:
        possible = subprocess.run([*own_mounts, "mount -t tmpfs none /dev/shm"], timeout=20)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if possible.returncode:
        pytest.skip("this system doesn't let a test mount a small /dev/shm")
    text = program(
        """
        try:
            network().run(1*ms)
        except BaseException as error:
            print(type(error).__name__, error)
        print("left", descendants())
        """
    )
    fill = "mount -t tmpfs -o size=8k none /dev/shm && head -c 8k /dev/zero > /dev/shm/full; "
    done = run_program(text, prefix=(*own_mounts, fill + 'exec "$@"', "sh"), timeout=90)
    assert "/dev/shm" in done.stdout
    assert "inline" in done.stdout or "free" in done.stdout.lower()
    assert "left []" in done.stdout


# ---------------------------------------------------------------- leaks
@pytest.mark.timeout(900)
@pytest.mark.parametrize("host", ("lava", "inline"))
def test_many_runs_leak_nothing(host: str) -> None:
    """Memory, processes, threads, files and log handlers stay as they are."""
    runs = 1000 if LONG else 90
    text = program(
        f"""
        import gc, logging

        def held():
            gc.collect()
            with open("/proc/self/statm") as file:
                pages = int(file.read().split()[1])
            family = descendants()
            for pid in family:
                with open(f"/proc/{{pid}}/statm") as file:
                    pages += int(file.read().split()[1]) - int(open(
                        f"/proc/{{pid}}/statm").read().split()[2])
            return [pages*4096/2**20, len(family), threading.active_count(),
                    len(os.listdir("/proc/self/fd")), len(logging.getLogger().handlers)]

        def some(number):
            for _ in range(number // 3):
                net = network(size=50)
                for _ in range(3):
                    net.run(2*ms)
                assert net["cells_spikes"].num_spikes > 0

        some({runs} // 3)
        before = held()
        some({runs})
        print(*before, *held())
        """,
        f'set_device("lava", host="{host}")',
    )
    numbers = [float(word) for word in run_program(text, timeout=800).stdout.split()]
    before, after = numbers[:5], numbers[5:]
    assert after[0] - before[0] < (30 if LONG else 12), "memory (MiB)"
    assert after[1:] == before[1:]


def test_a_program_ends_at_once_and_in_silence() -> None:
    """No message at exit, no waiting, no orphan."""
    text = program(
        """
        net = network()
        net.run(5*ms)
        print("family", *descendants())
        print("end", time.time())
        """
    )
    done = run_program(text)
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert time.time() - float(lines["end"]) < 5
    assert done.stderr == ""
    assert still_running([int(pid) for pid in lines["family"].split()]) == []
