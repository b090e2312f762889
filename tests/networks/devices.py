"""The engines that a comparison runs on, in one place, and a clean Brian2 for each of them.

A test that takes ``engine`` gets one of :data:`ENGINES`. The quick suite gives each test the
first, and a third of them one other, chosen by the test's name; ``BRIAN2LAVA_LONG=1`` gives it all.
``BRIAN2LAVA_TEST_DEVICE=runtime`` puts Brian2's runtime device in the place of ours, which checks
the comparisons themselves.
"""

from __future__ import annotations

import gc
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import brian2
import pytest
from brian2.core.names import Nameable
from brian2.devices.device import previous_devices, reset_device
from brian2.utils.logger import catch_logs

import brian2lava  # noqa: F401  (importing it registers the device)

#: Name of the device under test.
DEVICE = os.environ.get("BRIAN2LAVA_TEST_DEVICE", "lava")

#: Whether kernels run on a graphics card, and not on the processor.
CARD = os.environ.get("BRIAN2LAVA_TRY_CARD", "") not in ("", "0")

#: Whether every engine and the long variants run.
LONG = os.environ.get("BRIAN2LAVA_LONG", "") not in ("", "0")


@dataclass(frozen=True)
class Engine:
    """A name for a test's identifier, and the options that ``set_device("lava", …)`` gets."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


#: The first is the one that every comparison runs on.
ENGINES = (
    Engine("inline", {"host": "inline"}),
    Engine("lava", {"host": "lava"}),
    Engine("numpy", {"host": "inline", "engine": "numpy"}),
    Engine("threads", {"host": "inline", "threads": 2}),
    Engine("unfused", {"host": "inline", "fuse": False}),
    Engine("objects", {"granularity": "object"}),
    Engine("card", {"host": "inline", "hardware": "GPU", "emulate": not CARD}),
)

needs_lava_device = pytest.mark.skipif(
    DEVICE != "lava", reason="asks for what only this project's device has"
)


def engines_for(name: str) -> tuple[Engine, ...]:
    """The engines that the test ``name`` runs on."""
    if LONG:
        return ENGINES
    others = ENGINES[1:]
    chosen, second = divmod(zlib.crc32(name.encode()), 3)
    return (ENGINES[0], *[others[chosen % len(others)]] * (second == 0))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Test modules import this hook: it fills their ``engine`` arguments."""
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", engines_for(metafunc.function.__name__), ids=str)


@dataclass
class Session:
    """What a block under one device leaves behind."""

    #: Names of the warnings that Brian2 logged, without the modules' paths.
    warnings: set[str] = field(default_factory=set)


@contextmanager
def reference() -> Iterator[Session]:
    """Brian2's runtime mode, NumPy target."""
    with _active("runtime", {}) as session:
        yield session


@contextmanager
def under(engine: Engine) -> Iterator[Session]:
    """The device under test with the options of ``engine``."""
    options = dict(engine.options) if DEVICE == "lava" else {}
    with _active(DEVICE, options) as session:
        yield session


@contextmanager
def _active(device: str, options: Mapping[str, Any]) -> Iterator[Session]:
    session = Session()
    brian2.prefs._backup()
    depth = len(previous_devices)
    brian2.set_device(device, **options)
    try:
        _blank()
        with catch_logs() as records:
            yield session
        session.warnings = {name.rsplit(".", 1)[-1] for _, name, _ in records}
    finally:
        _blank()
        while len(previous_devices) > depth:  # a script may have chosen another, too
            reset_device()
        brian2.prefs._restore()
        gc.collect()


def _blank() -> None:
    """No objects in sight, the first clock at 0.1 ms, NumPy target, a fixed seed.

    Names that are given automatically begin anew: Brian2 orders what happens at one time by name.
    """
    Nameable.__instances__().clear()
    brian2.start_scope()
    brian2.magic_network.objects.clear()
    brian2.magic_network.schedule = None
    brian2.magic_network.t_ = 0.0
    brian2.prefs.codegen.target = "numpy"
    brian2.defaultclock.dt = 0.1 * brian2.ms
    brian2.seed(20240229)
    brian2.BrianLogger._log_messages.clear()  # what is logged once is logged again
