"""Says what brian2lava finds on this machine, and what to do about what is missing.

Whatever could break, or change this process for good (importing Lava, asking CUDA for devices), is
tried in a process of its own.
"""

from __future__ import annotations

import ctypes
import importlib.util
import platform
import subprocess
import sys
import tempfile
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from brian2lava.engine.cpu.toolchain import compiler_version, find_compiler

#: Seconds after which a trial counts as failed.
PATIENCE = 120.0


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes
    ----------
    name
        The thing: "Python", "Lava", ...
    state
        "found", "missing" (what `set_device("lava")` does by default will not work as it should),
        or "absent" (not there and not needed for it).
    text
        What was found: versions, paths, errors.
    remedy
        What to do about it, "" where there is nothing to do.
    """

    name: str
    state: Literal["found", "missing", "absent"]
    text: str
    remedy: str = ""

    @property
    def good_enough(self) -> bool:
        return self.state != "missing"


def examine() -> list[Finding]:
    """Looks at everything; takes some seconds."""
    return [python(), brian2(), lava(), compiler(), trial_run(), gpu(), intel_extension()]


def show(findings: list[Finding]) -> str:
    """The findings as text for a terminal."""
    marks = {"found": "ok", "missing": "!!", "absent": "--"}
    lines = []
    for finding in findings:
        lines.append(f"{marks[finding.state]}  {finding.name:<18}  {finding.text}")
        if finding.remedy:
            lines += textwrap.wrap(finding.remedy, 78, initial_indent=" " * 24 + "-> ",
                                   subsequent_indent=" " * 27)  # fmt: skip
    missing = [finding.name for finding in findings if not finding.good_enough]
    lines.append("")
    lines.append(f"Missing: {', '.join(missing)}." if missing else "Nothing is missing.")
    return "\n".join(lines)


def python() -> Finding:
    text = f"{platform.python_version()} ({sys.executable})"
    if (3, 10) <= sys.version_info[:2] <= (3, 13):
        return Finding("Python", "found", text)
    return Finding("Python", "missing", text, "brian2lava is tested with Python 3.10 to 3.13.")


def brian2() -> Finding:
    trial = _try("import brian2, numpy; print(brian2.__version__, 'with NumPy', numpy.__version__)")
    if trial.worked:
        return Finding("Brian2", "found", trial.text)
    return Finding("Brian2", "missing", trial.text, "pip install 'brian2>=2.9,<2.12'")


IMPORT_LAVA = """
import lava.magma.compiler.compiler, lava.magma.core.run_configs, lava.magma.runtime.runtime
from importlib.metadata import version
print(version("lava-nc"))
"""
WITH_SHIM = "from brian2lava.processes import shim; shim.install()\n"


def lava() -> Finding:
    if importlib.util.find_spec("lava") is None:
        return Finding("Lava", "missing", "not installed", _how_to_install_lava())
    plain = _try(IMPORT_LAVA)
    if plain.worked:
        return Finding("Lava", "found", f"{plain.text}, as it is")
    with_shim = _try(WITH_SHIM + IMPORT_LAVA)
    if with_shim.worked:
        return Finding("Lava", "found", f"{with_shim.text}, with our import shim for newer Pythons")
    return Finding("Lava", "missing", with_shim.text, _how_to_install_lava())


def _how_to_install_lava() -> str:
    if sys.version_info[:2] == (3, 10):
        return "pip install lava-nc==0.10.0"
    return (
        "pip install --no-deps --ignore-requires-python lava-nc==0.10.0 "
        "(it declares Python 3.10 only; the import shim does the rest). "
        'Until then set_device("lava") runs without Lava and says so in its report.'
    )


def compiler() -> Finding:
    path = find_compiler()
    remedy = "Debian, Ubuntu: apt-get install g++. Until then the slow NumPy engine runs."
    if path is None:
        return Finding("C++ compiler", "missing", "none found", remedy)
    version = compiler_version(path)
    problem = _trial_compile(path)
    if problem:
        return Finding("C++ compiler", "missing", f"{version}, but {problem}", remedy)
    return Finding("C++ compiler", "found", f"{version} ({path}); a trial library was built")


def _trial_compile(path: str) -> str:
    """Builds and calls a small library; what went wrong, or ""."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "trial.cpp"), Path(folder, "trial.so")
        source.write_text(
            '#include <cmath>\nextern "C" double trial(double x) { return std::sqrt(x); }\n'
        )
        built = _run(
            [path, "-std=c++17", "-O1", "-shared", "-fPIC", str(source), "-o", str(library)]
        )
        if not built.worked:
            return f"it fails: {built.text}"
        trial = ctypes.CDLL(str(library)).trial
        trial.argtypes, trial.restype = [ctypes.c_double], ctypes.c_double
        return "" if trial(9.0) == 3.0 else "what it builds computes wrong results"


TRIAL_RUN = """
import brian2, brian2lava
brian2.set_device("lava")
group = brian2.NeuronGroup(10, "dv/dt = (2 - v) / (10*ms) : 1", threshold="v > 1", reset="v = 0",
                           method="exact")
spikes = brian2.SpikeMonitor(group)
brian2.Network(group, spikes).run(20 * brian2.ms)
assert spikes.num_spikes == 20, f"{spikes.num_spikes} spikes instead of 20"
report = brian2.device.report().to_dict()
print(f"10 neurons: host {report['host']}, engine {report['engine']}")
"""


def trial_run() -> Finding:
    trial = _try(TRIAL_RUN)
    state: Literal["found", "missing"] = "found" if trial.worked else "missing"
    return Finding('set_device("lava")', state, trial.text)


def gpu() -> Finding:
    listed = _run(["nvidia-smi", "-L"])
    remedy = 'Not needed for hardware="CPU".'
    if not listed.worked or not listed.text:
        return Finding("GPU", "absent", "no NVIDIA GPU found (nvidia-smi)", remedy)
    names = "; ".join(listed.text.splitlines())
    cupy = _try("import cupy; print(cupy.__version__, cupy.cuda.runtime.getDeviceCount())")
    if not cupy.worked:
        remedy += " CuPy, which drives it: pip install 'brian2lava[gpu]'"
        return Finding("GPU", "absent", f"{names}; CuPy cannot use it: {cupy.text}", remedy)
    return Finding("GPU", "found", f"{names}; CuPy {cupy.text.split()[0]}")


def intel_extension() -> Finding:
    """Intel's closed extension to Lava (lava-loihi) puts its modules beside Lava's own."""
    found = _try(
        "import lava.utils.loihi as loihi; print('found' if loihi.is_installed() else 'absent')"
    )
    if found.worked and found.text == "found":
        return Finding("Loihi extension", "found", "lava-loihi")
    return Finding(
        "Loihi extension",
        "absent",
        "lava-loihi, which reaches the chip, is not installed",
        'Not needed for hardware="CPU". Intel gives it to members of its research community.',
    )


# --- trials ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trial:
    """How a process ended: whether well, and its last words."""

    worked: bool
    text: str


def _try(code: str) -> Trial:
    """Runs Python code in a process of its own."""
    return _run([sys.executable, "-c", code])


def _run(command: list[str]) -> Trial:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        return Trial(False, f"{command[0]} not found")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Trial(False, str(error))
    if done.returncode == 0:
        return Trial(True, done.stdout.strip())
    last_words = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return Trial(False, last_words[-1] if last_words else f"exit code {done.returncode}")
