"""One ``run()`` of a Brian2 network: prepare, loop, finish."""

from __future__ import annotations

import functools
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from brian2.core.base import BrianObject
from brian2.core.network import Network
from brian2.core.preferences import prefs
from brian2.core.variables import ArrayVariable
from brian2.groups.group import Group

from brian2lava.capture.integrators import remembered_integrators
from brian2lava.device.chip_report import chip_part
from brian2lava.device.chip_warnings import tell
from brian2lava.device.compiler import toolchain
from brian2lava.device.loop import Finished, engine_loop, python_loop
from brian2lava.device.on_lava import chip_run, computed
from brian2lava.device.other_steps import OtherSteps
from brian2lava.device.parts import refuse_without_compiler
from brian2lava.device.progress import Reporter, Stopwatch
from brian2lava.engine.cpu.toolchain import start_runtime
from brian2lava.errors import ForeignArray
from brian2lava.options import CHIPS
from brian2lava.report import Report


def run_network(
    device: Any,
    net: Network,
    duration: Any,
    report: Any,
    report_period: Any,
    namespace: Any,
    profile: bool,
) -> None:
    """Run ``net``, as ``Network.run`` does."""
    if duration < 0:
        raise ValueError(f"Function 'run' expected a non-negative duration but got '{duration}'")
    watch = Stopwatch()
    if device.engine != "numpy":
        start_runtime(
            toolchain(exact=device.options.deterministic)
        )  # compiles beside Brian2's code generation
    objects = net.sorted_objects
    device.runs.collect_garbage(net, objects)
    t_start, t_end = net.t, net.t + duration
    net._clocks = {obj.clock for obj in objects}
    clocks = sorted(net._clocks, key=lambda clock: clock.name)
    for clock in clocks:
        clock.set_interval(t_start, t_end)
    refuse_foreign(device, objects)
    with remembered_integrators():
        net.before_run(namespace)
    if not objects:
        return
    reporter = Reporter(report, report_period, net, t_start, duration)
    reporter.first()
    if device.options.hardware in CHIPS:
        chip, notes = chip_run(device, net, clocks, namespace)
        before = device.chip_runs.of(net)
        finished = engine_loop(device, net, objects, clocks, reporter, profile, watch, chip)
        finished.notes += notes
        kept = device.chip_runs.of(net)
        if kept is not None:
            tell(kept, before)
    elif device.engine == "numpy":
        refuse_without_compiler(device.options)
        finished = python_loop(device, net, objects, clocks, reporter, profile, watch)
    else:
        finished = engine_loop(device, net, objects, clocks, reporter, profile, watch)
    _finish(device, net, objects, clocks, finished, t_start, t_end, duration)
    reporter.last(device)
    net.after_run()
    watch.lap("read")
    again = functools.partial(
        OtherSteps, objects, namespace, start=float(t_start), duration=float(duration)
    )
    device._last_report = _report(device, net, duration, finished, watch, again)


def _finish(
    device: Any,
    net: Network,
    objects: Sequence[BrianObject],
    clocks: Sequence[Any],
    finished: Finished,
    t_start: Any,
    t_end: Any,
    duration: Any,
) -> None:
    if net._stopped or Network._globally_stopped:
        net.t_ = float(finished.leader.variables["t"].get_value()[0])
    else:
        net.t_ = float(t_end)
    device._last_run_time = finished.seconds
    device._last_run_completed_fraction = (
        float((net.t - t_start) / duration) if duration > 0 else 1.0
    )
    for obj in objects:
        if isinstance(obj, Group):
            obj._check_for_invalid_states()
    net._profiling_info = finished.profile


def _report(
    device: Any,
    net: Network,
    duration: Any,
    finished: Finished,
    watch: Stopwatch,
    again: Callable[..., OtherSteps],
) -> Report:
    phases = {
        name: watch.phases.get(name, 0.0)
        for name in ("capture", "compile", "start", "tables", "loop", "read")
    }
    kept = device.chip_runs.of(net) if device.options.hardware in CHIPS else None
    kind = np.dtype(prefs["core.default_float_dtype"]).name
    arithmetic = f"floating point ({kind})"
    if kept is not None:
        profile = kept.quantised.network.arithmetic
        arithmetic = f"integers of {device.options.hardware}, profile {profile.name!r},"
        arithmetic += f" {computed(device.options)}"
    return Report(
        network=net.name,
        biological=float(duration),
        steps=finished.steps,
        host=finished.host,
        engine=device.engine,
        arithmetic=arithmetic,
        chip=None
        if kept is None
        else chip_part(kept, again(ran=kept.quantised.ideal, seed=kept.seed)),
        threads=device.options.threads if device.engine == "cpu" else 1,
        phases=phases,
        compiler=finished.compiler,
        cached=finished.cached,
        versions=versions(),
        seed=device.random.given,
        notes=tuple(finished.notes),
    )


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what takes part."""
    found = {"python": platform.python_version()}
    for name in ("brian2lava", "brian2", "lava-nc", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def refuse_foreign(device: Any, objects: Sequence[BrianObject]) -> None:
    """Objects that were made for another device have their arrays elsewhere.

    Raises
    ------
    ForeignArray
        Names the objects.
    """
    foreign = [
        obj.name
        for obj in objects
        if any(
            isinstance(variable, ArrayVariable) and variable.device is not device
            for variable in getattr(obj, "variables", {}).values()
        )
    ]
    if foreign:
        raise ForeignArray(
            f"{', '.join(repr(name) for name in foreign)}: made before set_device('lava') was"
            " called, so the values are not where this device can reach them. Call"
            " set_device('lava') before the first Brian2 object is made (with"
            " set_device('runtime') the network runs as it is)."
        )
