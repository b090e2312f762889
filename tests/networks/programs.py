"""Brian2 programs in processes of their own, for tests that could hurt the one that runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import brian2lava

_SOURCES = str(Path(brian2lava.__file__).parents[1])
_REPOSITORY = str(Path(__file__).parents[2])

#: Begins a program: a small spiking network under the device, made by ``network(size)``.
PREAMBLE = '''
from brian2 import *
import brian2lava, os, signal, sys, threading, time

def network(size=20, name="cells"):
    group = NeuronGroup(
        size, "dv/dt = (1.5 + 0.01*i - v)/(5*ms) : 1", threshold="v > 1", reset="v = 0",
        method="exact", name=name,
    )
    group.v = np.linspace(0, 0.9, size)
    return Network(group, SpikeMonitor(group, name=name + "_spikes"))

def run_for_ever(net, when_running):
    """Call ``when_running`` once, in a thread, when the loop is going."""
    net.run(5*ms)
    calls = []
    def report(elapsed, completed, start, duration):
        calls.append(completed)
        if len(calls) == 2:
            threading.Thread(target=when_running).start()
    net.run(1e6*second, report=report, report_period=100*ms)

def descendants(pid=None):
    found = []
    for task in os.listdir(f"/proc/{pid or os.getpid()}/task"):
        with open(f"/proc/{pid or os.getpid()}/task/{task}/children") as file:
            for child in file.read().split():
                found.append(int(child))
                try:
                    found += descendants(int(child))
                except FileNotFoundError:
                    pass
    return found

def shared_files():
    found = set()
    for pid in [os.getpid(), *descendants()]:
        try:
            with open(f"/proc/{pid}/maps") as file:
                found |= {line.split()[-1] for line in file if "/dev/shm/" in line}
        except FileNotFoundError:
            pass
    return found
'''


def program(body: str, device: str = 'set_device("lava")') -> str:
    """The text of a program: the preamble, the device, ``body``."""
    return f"{textwrap.dedent(PREAMBLE)}\n{device}\n{textwrap.dedent(body)}"


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a program: this process's, with the package in reach."""
    path = os.pathsep.join(filter(None, (_SOURCES, _REPOSITORY, os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1", **(extra or {})}


def run_program(
    text: str,
    *,
    folder: Path | None = None,
    extra: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Run ``text`` from standard input, to its end; fail if it ends badly.

    ``prefix`` is what the command begins with, before the interpreter.
    """
    done = subprocess.run(
        [*prefix, sys.executable, "-"],
        input=text,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(extra),
        timeout=timeout,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@contextmanager
def running_program(text: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that runs beside the test, in a session of its own; killed at the end."""
    script = folder / "program.py"
    script.write_text(text)
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for_line(process: subprocess.Popen[str], start: str, timeout: float = 90) -> str:
    """The first line of its output that begins with ``start``."""
    assert process.stdout is not None
    seen = []
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        line = process.stdout.readline()
        seen.append(line)
        if line.startswith(start):
            return line.strip()
        if not line and process.poll() is not None:
            break
    raise AssertionError(f"no line begins with {start!r}:\n{''.join(seen)}")


def still_running(pids: list[int], timeout: float = 5) -> list[int]:
    """Those of ``pids`` that still run after ``timeout`` seconds (zombies don't count)."""
    end = time.monotonic() + timeout
    while True:
        left = [pid for pid in pids if _runs(pid)]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
