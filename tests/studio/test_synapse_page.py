"""Synapses from the page: every kind has a target, a fit its rows, curves and script."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit.session import Session
from brian2lava.fit.synapse import alpha, fit_synapse
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import open_desk
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


def fitted(desk: Desk, kind: str, **parameters: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """A fit that is over, as the page has it."""
    ask(desk, "synapse_start", kind=kind, parameters=parameters)
    deadline = time.monotonic() + 120
    while desk.synapse.running and time.monotonic() < deadline:
        time.sleep(0.05)
    return ask(desk, "synapse_status")


@pytest.mark.parametrize("kind", ["exponential", "pair_stdp"])
def test_what_was_found_is_there_after_a_restart(kind: str, tmp_path: Path) -> None:
    desk = open_desk(session=tmp_path / "a.b2l")
    header, arrays = fitted(desk, kind, dt=2e-3)
    scripts = [ask(desk, "synapse_script", name=row["name"])[0]["code"] for row in header["rows"]]
    assert header["rows"] and header["of"]
    while desk.unsaved:  # as the server does now and then; it is not closed: as if it were killed
        desk.tick()
    again = open_desk(session=desk.session)
    same, shown = ask(again, "synapse_status")
    assert {**same, "id": 0, "ms": 0} == {**header, "id": 0, "ms": 0}
    assert shown.keys() == arrays.keys()
    assert all(np.array_equal(shown[name], arrays[name]) for name in arrays)
    assert scripts == [
        ask(again, "synapse_script", name=row["name"])[0]["code"] for row in same["rows"]
    ]
    assert desk.session is not None
    kept = Session.load(desk.session)  # what is downloaded is this file
    assert kept.synapse("studio").best.candidate.name == header["rows"][0]["name"]
    assert kept.synapses["studio"].asked == {"kind": kind, "parameters": {"dt": 2e-3}}
    # the next one takes its place
    header, _ = fitted(again, "exponential", tau=8e-3)
    again.close()
    last = ask(open_desk(session=desk.session), "synapse_status")[0]
    assert last["asked"] == {"kind": "exponential", "parameters": {"tau": 8e-3}}
    assert last["of"] == header["of"] and "0.008" in last["of"]


def test_what_a_session_from_python_keeps_is_shown_too(tmp_path: Path) -> None:
    session = Session(known_target(), tmp_path / "a.b2l")
    result = fit_synapse(alpha(4e-3), ["exponential"], evaluations=100, seeds=1)
    session.keep_synapse(result, name="studio")
    session.save()
    header, _ = ask(open_desk(session=tmp_path / "a.b2l"), "synapse_status")
    assert [row["name"] for row in header["rows"]] == ["exponential"]
    assert header["asked"]["kind"] == "double_exponential"  # it says nothing of the kind
