"""Precision from the page: maps of what is on the bench, and cells that are put there."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.fit.session import Session
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import open_desk
from brian2lava.studio.wire import pack, unpack
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import KNOWN, known_target


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    session = Session(path=tmp_path / "session.b2l")
    return Desk(Workbench(known_target(), "LIF", KNOWN, session=session))


def ask(desk: Desk, op: str, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    header, arrays = unpack(desk.respond(pack({"id": 1, "op": op, "given": given})))
    return header, arrays


def place(arrays: dict[str, Any], row: float, column: float) -> int:
    columns = arrays["columns"].tolist()
    return int(arrays["rows"].tolist().index(row) * len(columns) + columns.index(column))


def test_the_map_of_weights_is_that_of_the_bench(desk: Desk) -> None:
    header, arrays = ask(desk, "weight_map")
    registers = desk.bench.registers()
    assert header["now"] == [8, registers["exponent"]] and not header["own"]
    assert header["synapse"] == "input" and "payload" in header["note"]
    now = place(arrays, *header["now"])
    assert arrays["held_out"][now] == pytest.approx(1) and header["refused"][now] == ""
    refused = [bool(text) for text in header["refused"]]
    assert refused == np.isnan(arrays["held_out"]).tolist()


def test_a_cell_is_put_on_the_bench_and_taken_back(desk: Desk) -> None:
    header, arrays = ask(desk, "weight_map")
    before = desk.bench.registers()
    exponent = int(before["exponent"]) + 3
    shown, _ = ask(desk, "weight_cell", synapse="input", bits=3, exponent=exponent)
    after = desk.bench.registers()
    assert after["exponent"] == exponent and after["scale"] == before["scale"] / 8
    assert after["weight"] % 32 == 0 and after["dv"] == before["dv"]
    gamma = shown["chip_scores"]["held_out"]["gamma"]
    assert gamma == pytest.approx(arrays["held_out"][place(arrays, 3, exponent)])
    ask(desk, "undo")
    assert desk.bench.registers() == before


def test_a_bias_and_a_synapse_onto_itself(desk: Desk) -> None:
    ask(desk, "option", name="drive", value="bias")
    header, arrays = ask(desk, "weight_map")
    assert "bits of weights do not apply" in header["note"] and arrays["rows"].tolist() == [13]
    exponent = int(header["now"][1]) + 1
    ask(desk, "weight_cell", synapse="input", bits=13, exponent=exponent)
    assert desk.bench.registers()["bias_exp"] == exponent
    ask(desk, "option", name="drive", value="graded")
    ask(desk, "choose", name="CubaLIF2")
    ask(desk, "set_value", name="jump", value=0.5)
    header, arrays = ask(desk, "weight_map", synapse="own")
    assert header["own"] and header["synapse"] == "own"
    exponent = int(header["now"][1]) + 2
    ask(desk, "weight_cell", synapse="own", bits=8, exponent=exponent)
    assert desk.bench.registers()["own_exponent"] == exponent


def test_what_can_t_be_put_there_says_why(desk: Desk) -> None:
    before = desk.bench.setup
    told = ask(desk, "weight_cell", synapse="own", bits=8, exponent=0)[0]["error"]
    assert "has no synapse onto itself" in told
    ask(desk, "set_value", name="gain", value=6000.0)
    before = desk.bench.setup
    told = ask(desk, "weight_cell", synapse="input", bits=8, exponent=-8)[0]["error"]
    assert "bits" in told and desk.bench.setup is before
    ask(desk, "lock", name="gain", locked=True)
    told = ask(desk, "weight_cell", synapse="input", bits=3, exponent=2)[0]["error"]
    assert "gain is locked" in told


def test_its_python_prints_the_same_maps(tmp_path: Path) -> None:
    desk = open_desk(session=tmp_path / "a.b2l")
    code = ask(desk, "code", page="precision")[0]["code"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "shown", "exec"), {})
    printed = re.findall(r"^ +8((?: +(?:-?[0-9.]+|-))+)$", out.getvalue(), re.MULTILINE)
    _, arrays = ask(desk, "weight_map")
    row = arrays["held_out"].reshape(8, -1)[-1]
    told = [np.nan if x == "-" else float(x) for x in printed[-1].split()]
    assert told == pytest.approx(np.round(row, 3).tolist(), abs=6e-4, nan_ok=True)
