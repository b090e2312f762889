"""What the engine asks of CuPy, of a stand-in for it: launches, copies, memory, and errors."""

from __future__ import annotations

import sys
from typing import Any

import brian2 as b2
import numpy as np
import pytest

from brian2lava.engine.cuda import nvidia, present
from brian2lava.engine.cuda.arrays import CardArrays
from brian2lava.errors import CompileError, NotSupported
from tests.cuda import stand_in
from tests.cuda.networks import NETWORKS, cells, on, results


def _card(monkeypatch: pytest.MonkeyPatch, **named: Any) -> Any:
    cupy = stand_in.make(**named)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(nvidia.NvidiaCard, "threads", 64)  # those of emulate.hpp
    monkeypatch.setattr(present, "why_no_card", lambda: None)
    return cupy


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_run_as_on_the_processor(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cupy = _card(monkeypatch)
    found, expected = results(name, hardware="GPU"), results(name)
    for key, value in expected.items():
        np.testing.assert_allclose(found[key], value, rtol=1e-9, atol=1e-12, err_msg=key)
    assert len(expected["i"]) > 50
    assert not cupy.used, "memory of the card is left"


def _run(**options: Any) -> None:
    with on(hardware="GPU", **options):
        group = cells(50)
        b2.Network(group).run(1 * b2.ms)


def test_memory_that_is_not_there_is_told_with_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    _card(monkeypatch, whole=2000)
    with pytest.raises(MemoryError, match=r"has 1.\d kB free, and the network's arrays need \d"):
        _run()


def test_memory_that_ends_later_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CardArrays, "check_room", lambda *_: None)
    _card(monkeypatch, whole=2000)
    with pytest.raises(MemoryError, match=r"has \d+ of 2000 bytes free, and \d+ more are needed"):
        _run()


def test_a_card_that_goes_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _card(monkeypatch, devices=0)
    with pytest.raises(NotSupported, match="CuPy finds no card .no CUDA-capable device"):
        _run()


def test_what_nvrtc_says_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _card(monkeypatch, broken='operation_0_vector(1): error: identifier "x" is undefined')
    with pytest.raises(CompileError, match='(?s)of \'cells_.*identifier "x" is undefined'):
        _run()


def test_without_cupy_after_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(present, "why_no_card", lambda: None)
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(NotSupported, match=r"pip install brian2lava\[gpu\]"):
        _run()
