"""Synapses in a session: what a fit found is there again, scripts and all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import FitError
from brian2lava.fit.session import KeptSynapse, Session
from brian2lava.fit.synapse import (
    SynapseFitResult,
    SynapseOptions,
    alpha,
    double_exponential,
    fit_synapse,
    pair_stdp,
    recorded_trains,
    triplet_stdp,
    tsodyks_markram,
)
from tests.fit.test_session import assert_refused, changed, in_json

LITTLE = SynapseOptions(evaluations=100, seeds=1, draws=2)
#: Targets of every kind, and candidates of each.
KINDS: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "response": (
        lambda: double_exponential(2e-3, 8e-3), ("exponential", "two_currents", "delayed")
    ),
    "potential": (lambda: alpha(4e-3, peak=1e-3, tau_m=0.02), ("exponential", "two_currents")),
    "trains": (
        lambda: tsodyks_markram(0.5, 0.2, rates=(10.0, 40.0), pulses=4),
        ("constant", "relaxing_weight", "two_factors", "graded_spikes"),
    ),
    "recorded trains": (
        lambda: recorded_trains([20.0], [[2.0, 1.5, 1.2]]), ("constant", "relaxing_weight")
    ),
    "pairs": (lambda: pair_stdp(0.01, 0.012, 20e-3, 20e-3), ("pair",)),
    "triplets": (
        lambda: triplet_stdp(5e-10, 6.2e-3, 7e-3, 2.3e-4, 16.8e-3, 33.7e-3, 0.101, 0.125),
        ("pair", "triplet"),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def results() -> dict[str, SynapseFitResult]:
    return {kind: fit_synapse(make(), names, LITTLE) for kind, (make, names) in KINDS.items()}


def same(a: Any, b: Any) -> None:
    """Two results, in all that somebody may see."""
    assert type(a.target) is type(b.target)
    for name, value in vars(a.target).items():
        assert np.array_equal(value, getattr(b.target, name)), name
    assert [f.candidate for f in a.found] == [f.candidate for f in b.found]
    assert a.seconds == b.seconds and str(a) == str(b)
    for one, other in zip(a.found, b.found):
        assert dict(one.registers) == dict(other.registers)
        for name in ("physical", "wanted", "errors", "costs"):
            assert dict(getattr(one, name)) == pytest.approx(
                dict(getattr(other, name)), nan_ok=True
            )
        assert (one.notes, one.loss, one.losses) == (other.notes, other.loss, other.losses)
        assert one.evaluations == other.evaluations
        assert (one.rule is None) == (other.rule is None)
        assert one.brian2_code() == other.brian2_code()
        assert one.lava_code() == other.lava_code()
        for curve, again in zip(one.curves, other.curves, strict=True):
            assert (curve.name, curve.x_name, curve.y_name) == (
                again.name, again.x_name, again.y_name,
            )  # fmt: skip
            for part in ("x", "target", "chip", "spread"):
                assert np.array_equal(getattr(curve, part), getattr(again, part)), part


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_found_is_there_again(
    kind: str, results: dict[str, SynapseFitResult], tmp_path: Path
) -> None:
    session = Session(path=tmp_path / "a.b2l")
    session.keep_synapse(results[kind], LITTLE, asked={"kind": kind})
    session.save()
    again = Session.load(tmp_path / "a.b2l")
    same(again.synapse(), results[kind])
    assert again.synapses["synapse"].options == LITTLE
    assert again.synapses["synapse"].asked == {"kind": kind}
    again.save()  # and once more, as it was read
    same(Session.load(tmp_path / "a.b2l").synapse(), results[kind])


def test_several_are_kept_by_name_and_replaced(
    results: dict[str, SynapseFitResult], tmp_path: Path
) -> None:
    session = Session(path=tmp_path / "a.b2l")
    session.keep_synapse(results["pairs"], name="fast")
    session.keep_synapse(results["trains"])
    session.save()
    for kind in ("response", "potential", "recorded trains", "response"):
        # arrays of the same names: those of the new one are written, not those of the old
        session.keep_synapse(results[kind])
        session.save()
        again = Session.load(tmp_path / "a.b2l")
        same(again.synapse(), results[kind])
        same(again.synapse("fast"), results["pairs"])
    with pytest.raises(FitError, match="no synapse 'slow'; it keeps 'fast', 'synapse'"):
        session.synapse("slow")


@pytest.fixture
def saved(tmp_path: Path, results: dict[str, SynapseFitResult]) -> Path:
    session = Session(path=tmp_path / "a.b2l")
    session.keep_synapse(results["response"])
    session.keep_synapse(results["trains"], name="trains")
    return session.save()


def test_older_sessions_have_none(saved: Path) -> None:
    def older(document: dict[str, Any]) -> None:
        document.pop("synapses")
        document["version"] = 1

    changed(saved, in_json(older))
    session = Session.load(saved)
    assert session.synapses == {}
    with pytest.raises(FitError, match="no synapse 'synapse'; it keeps none"):
        session.synapse()
    session.save()
    assert json.loads(_member(saved))["version"] == 2


def _member(path: Path) -> bytes:
    found: list[bytes] = []
    changed(path, lambda members: found.append(members["session.json"]))
    return found[0]


def first(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["synapses"]["synapse"]["found"][0]
    return found


def relaxing(document: dict[str, Any]) -> dict[str, Any]:
    found = document["synapses"]["trains"]["found"]
    return next(each for each in found if each["candidate"] == "relaxing_weight")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda d: first(d)["registers"].update(du=5000), r"du=5000; 0 to 4095 are there"),
        (lambda d: first(d)["registers"].update(du=1.5), "1.5 is no whole number"),
        (lambda d: first(d)["registers"].clear(), "damaged"),
        (lambda d: first(d).update(candidate="pair"), "'pair' is no synapse for"),
        (lambda d: first(d).update(candidate="magic"), "no synapse candidate 'magic'"),
        (lambda d: first(d)["physical"].update(tau="import os"), "damaged"),
        (lambda d: first(d)["curves"].append({"name": 3}), "damaged"),
        (lambda d: d["synapses"]["synapse"].update(kind="else"), "damaged"),
        (
            lambda d: d["synapses"]["synapse"].update(options={"evaluations": -1}),
            "whole number",
        ),
        (lambda d: d["synapses"]["synapse"].update(found=[]), "damaged"),
        (lambda d: d["synapses"]["synapse"]["target"].update(dt=-1), "dt"),
        (lambda d: d["synapses"]["synapse"]["target"].update(name=["a"]), "is no text"),
        (lambda d: d.update(synapses=[1]), "damaged"),
        (lambda d: relaxing(d)["physical"].clear(), "damaged"),
        (lambda d: relaxing(d)["registers"].update(k=99), "damaged|can't be used"),
    ],
)
def test_what_a_stranger_wrote_is_not_believed(
    saved: Path, change: Callable[[dict[str, Any]], Any], match: str
) -> None:
    changed(saved, in_json(change))
    assert_refused(saved, match)


def test_scripts_are_of_registers_and_not_of_the_file(saved: Path) -> None:
    """Whatever texts a file has, none of them is in a script."""

    def add(document: dict[str, Any]) -> None:
        first(document)["brian2"] = "import evil"
        first(document)["notes"] = ["import evil"]
        document["synapses"]["synapse"]["target"].update(
            name="import evil", source="import evil", unit="import evil"
        )

    changed(saved, in_json(add))
    (found, *_) = Session.load(saved).synapse().found
    assert "evil" not in found.brian2_code() and "evil" not in found.lava_code()


def test_it_is_kept_with_the_options_that_it_was_found_with() -> None:
    assert KeptSynapse(SynapseFitResult(alpha(4e-3), ())).options == SynapseOptions()
