"""What runs in the fresh processes: one script on one device.

All functions take and return what JSON can hold. Times are wall times in seconds.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import brian2
from brian2 import Network, collect
from brian2.core.namespace import get_local_namespace

from . import evidence
from .scripts import SCRIPTS

_SEED = 20070101

# Brian2's own `_last_run_time` is processor time; these lines around its run loop tell wall time.
_LOOP_FILE = "loop_seconds"
_BEFORE_LOOP = """
struct timespec _loop_begin, _loop_end;
clock_gettime(CLOCK_MONOTONIC, &_loop_begin);
"""
_AFTER_LOOP = f"""
clock_gettime(CLOCK_MONOTONIC, &_loop_end);
std::ofstream(results_dir + "{_LOOP_FILE}") << std::fixed
    << (_loop_end.tv_sec - _loop_begin.tv_sec) + 1e-9 * (_loop_end.tv_nsec - _loop_begin.tv_nsec);
"""


def _network(duration: Any, shorter: float) -> tuple[Network, dict[str, Any], Any]:
    """The network, namespace and duration of the script that calls the caller."""
    return Network(collect(level=2)), get_local_namespace(level=2), duration * shorter


def _run_script(script: str, size: int, run: Any) -> None:
    brian2.seed(_SEED)
    SCRIPTS[script](size, run)


def ours(script: str, size: int, shorter: float = 1.0, threads: int = 1) -> dict[str, Any]:
    """Run a script on the lava device.

    `call` is the time from the call of `run()` to results in hand, `loop` that from the first step
    to the last with table building, `script` that of the whole script without imports.
    """
    import brian2lava  # noqa: F401

    brian2.set_device("lava", threads=threads)
    answer: dict[str, Any] = {}

    def run(duration: Any) -> None:
        network, namespace, duration = _network(duration, shorter)
        begin = perf_counter()
        network.run(duration, namespace=namespace)
        answer["evidence"] = evidence.take(list(network.objects))
        answer["call"] = perf_counter() - begin

    begin = perf_counter()
    _run_script(script, size, run)
    answer["script"] = perf_counter() - begin
    answer["loop"] = brian2.get_device()._last_run_time
    answer["phases"] = dict(brian2.get_device().report().phases)
    return answer


def theirs(script: str, size: int, project: str, shorter: float = 1.0) -> dict[str, Any]:
    """Build and run a script in `cpp_standalone`; its project stays in the folder `project`.

    `call` is the time from the call of `run()`, the build included, to results in hand.
    """
    brian2.set_device("cpp_standalone", directory=project, with_output=False)
    device = brian2.get_device()
    device.insert_code("before_network_run", _BEFORE_LOOP)
    device.insert_code("after_network_run", _AFTER_LOOP)
    answer: dict[str, Any] = {}

    def run(duration: Any) -> None:
        network, namespace, duration = _network(duration, shorter)
        begin = perf_counter()
        network.run(duration, namespace=namespace)
        answer["evidence"] = evidence.take(list(network.objects))
        answer["call"] = perf_counter() - begin

    _run_script(script, size, run)
    return {**answer, "loop": loop_seconds(Path(project)), "binary": device.timers["run_binary"]}


def loop_seconds(project: Path) -> float:
    """Wall time of the run loop of the last run of a `cpp_standalone` project."""
    return float((project / "results" / _LOOP_FILE).read_text())


def second_run(size: int, shorter: float) -> dict[str, Any]:
    """Time of a second `run()`, of a single step, of the same explicit network on our device."""
    import brian2lava  # noqa: F401

    brian2.set_device("lava")
    answer: dict[str, Any] = {}

    def run(duration: Any) -> None:
        network, namespace, duration = _network(duration, shorter)
        network.run(duration, namespace=namespace)
        begin = perf_counter()
        network.run(brian2.defaultclock.dt, namespace=namespace)
        answer["second"] = perf_counter() - begin
        answer["phases"] = dict(brian2.get_device().report().phases)

    _run_script("cuba", size, run)
    return answer
