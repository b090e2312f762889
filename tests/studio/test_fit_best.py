"""The best trace by now: what leads is run through the target's stimulus while the fit goes on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.fit.batch import Batch, Stimulus
from brian2lava.fit.search import FitOptions, Fitting
from brian2lava.fit.session import Session
from brian2lava.studio import fit_best
from brian2lava.studio.desk import Desk
from brian2lava.studio.opening import open_desk
from brian2lava.studio.workbench import Workbench
from tests.studio.targets import DT, KNOWN, known_target
from tests.studio.test_fit_run import GIVEN, LONG, ask, wait


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    session = Session(path=tmp_path / "session.b2l")
    return Desk(Workbench(known_target(), "LIF", KNOWN, session=session))


def best(desk: Desk, **given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    header, arrays = ask(desk, "fit_best", **given)
    return header["best"], arrays


def test_a_fitting_tells_the_best_of_each_candidate() -> None:
    fitting = Fitting(known_target(), ["LIF", "ALIF"], FitOptions(evaluations=500, seeds=2))
    assert fitting.leading() == {}
    while not fitting.done:
        fitting.advance(0.1)
    found = fitting.leading()
    losses = [each.loss for each in found.values()]
    assert set(found) == {"LIF", "ALIF"} and losses == sorted(losses)
    for name, each in found.items():
        trials = [t for t in fitting.trials if t.space.candidate.name == name]
        assert each.loss == min(t.best_loss for t in trials)
        assert each.settings is trials[each.seed].best


def test_what_leads_is_shown_as_it_runs(desk: Desk) -> None:
    assert ask(desk, "fit_best")[0]["best"] is None
    ask(desk, "fit_start", **{**GIVEN, "candidates": ["LIF", "ALIF"], "evaluations": 1500})
    report = wait(desk)
    assert report["bests"][0]["loss"] == min(each["loss"] for each in report["bests"])
    header, arrays = best(desk)
    assert header["candidate"] == report["bests"][0]["candidate"]
    leader = desk.fit.bests[header["candidate"]]
    assert header["loss"] == leader.loss and header["sweep"] == 0 and not header["cut"]
    current = known_target().sweeps[0].current
    out = Batch(leader.candidate.model).run(leader.settings, Stimulus(current))
    assert np.allclose(arrays["chip_spikes"], out.train(0) * DT)
    wanted = known_target().sweeps[0].spikes[0]
    assert arrays["target_spikes"].size == wanted.size == arrays["missed"].size
    assert header["scores"]["train"]["gamma"] > 0.5
    assert header["shown"] == pytest.approx(current.size * DT)
    # another candidate, and a part of the time
    other, arrays = best(desk, name="ALIF", start=0.5, stop=0.6, width=400)
    assert other["candidate"] == "ALIF"
    assert arrays["t"][0] == pytest.approx(0.5) and arrays["t"][-1] == pytest.approx(0.6)
    header, _ = ask(desk, "fit_best", name="RF")
    assert "nothing was found for 'RF' yet; there are" in header["error"]


def test_it_is_there_while_the_fit_runs_and_after_a_restart(desk: Desk) -> None:
    ask(desk, "fit_start", **LONG)
    seen: list[float] = []
    deadline = time.monotonic() + 30
    while len(seen) < 3 and time.monotonic() < deadline:
        header, _ = best(desk)
        if header is not None:
            assert desk.fit.running
            seen.append(header["loss"])
        time.sleep(0.2)
    ask(desk, "fit_pause")
    assert len(seen) == 3 and seen == sorted(seen, reverse=True)
    last, arrays = best(desk)
    desk.close()
    again, same = best(open_desk(session=desk.session))
    assert again == last
    assert (same["membrane"] == arrays["membrane"]).all()


def test_long_sweeps_are_cut(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(desk, "fit_start", **GIVEN)
    wait(desk)
    monkeypatch.setattr(fit_best, "_MOST_LIVE", 1000)
    header, arrays = best(desk)
    assert header["cut"] and header["shown"] == pytest.approx(1.0)
    assert arrays["t"].max() < 1 and arrays["target_spikes"].max() < 1
