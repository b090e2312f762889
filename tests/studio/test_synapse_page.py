"""Synapses from the page: every kind has a target, a fit its rows, curves and script."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.studio.desk import Desk
from brian2lava.studio.synapse_page import KINDS, synapse_code, target_of
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import KNOWN, known_target


@pytest.fixture
def desk() -> Desk:
    return Desk(Workbench(known_target(), "LIF", KNOWN))


def ask(desk: Desk, op: str, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return unpack(desk.respond(pack({"id": 1, "op": op, "given": given})))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_target_as_its_code_says(kind: str) -> None:
    assert target_of(kind, {}) is not None
    code = synapse_code({"kind": kind, "parameters": {}})
    compile(code, "shown", "exec")
    assert f"fit_synapse({kind}(" in code


def test_what_no_synapse_has_is_refused() -> None:
    with pytest.raises(FitError, match="there is no synapse 'gap'"):
        target_of("gap", {})
    with pytest.raises(FitError, match="alpha has no 'rise'; it has tau"):
        target_of("alpha", {"rise": 1e-3})
    with pytest.raises(FitError, match="dt"):
        target_of("alpha", {"dt": -1.0})


def test_a_synapse_is_fitted_in_the_background(desk: Desk) -> None:
    header, _ = ask(desk, "synapse_start", kind="exponential", parameters={"tau": 8e-3})
    assert header["running"]
    deadline = time.monotonic() + 120
    while desk.synapse.running and time.monotonic() < deadline:
        time.sleep(0.05)
    header, arrays = ask(desk, "synapse_status")
    assert header["asked"] == {"kind": "exponential", "parameters": {"tau": 8e-3}}
    assert header["rows"][0]["errors"]["nrmse"] < 0.01
    assert np.abs(arrays["0_0_chip"] - arrays["0_0_target"]).max() < 0.02 * np.abs(
        arrays["0_0_target"]
    ).max()  # fmt: skip
    header, _ = ask(desk, "synapse_script", name=header["rows"][0]["name"])
    compile(header["code"], "shown", "exec")
    assert "fit it first" in ask(desk, "synapse_script", name="none")[0]["error"]
