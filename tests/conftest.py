"""What holds for every test: no window opens, compiled code goes to a cache of the session,
hypothesis draws the same whatever ran before, and no test leaves its device to the next."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis.internal.conjecture.providers import HypothesisProvider

os.environ.setdefault("MPLBACKEND", "Agg")

_made_here = pytest.StashKey[str]()

# hypothesis mixes numbers from the source of all loaded modules into what it draws. With a fixed
# seed, too, the draws would then depend on which tests ran before in the process, and on each edit.
HypothesisProvider._maybe_draw_constant = lambda *_, **__: None  # type: ignore[method-assign]


def pytest_configure(config: pytest.Config) -> None:
    """A cache folder of our own: tests then see the cold case, and leave the user's alone."""
    if "BRIAN2LAVA_CACHE" not in os.environ:
        folder = tempfile.mkdtemp(prefix="brian2lava-tests-")
        os.environ["BRIAN2LAVA_CACHE"] = folder
        config.stash[_made_here] = folder


def pytest_unconfigure(config: pytest.Config) -> None:
    folder = config.stash.get(_made_here, None)
    if folder is not None:
        del os.environ["BRIAN2LAVA_CACHE"]
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_finish() -> None:
    """Each device, and each new network, collects garbage: what was imported is not looked through
    again each time. No test has made an object by now."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden files of generated text anew"
    )


@pytest.fixture(autouse=True)
def _no_device_is_left() -> Iterator[None]:
    yield
    devices = sys.modules.get("brian2.devices.device")
    if devices is not None and devices.get_device() is not devices.runtime_device:
        devices.reset_device(devices.runtime_device)
        pytest.fail("this test leaves its device to the tests after it")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written."""
    return bool(request.config.getoption("--update-golden"))
