"""Networks drawn at random agree with Brian2's runtime mode.

Deterministic ones agree spike for spike and to 1e-9 in state. Where a value lies within 1e-9 of
what it is compared with, rounding decides, and the two runs may part: a network that parts is
compared up to the first such step only, and counted; fewer than one in fifty may be.
``BRIAN2LAVA_LONG=1`` draws many more, and shrinks what fails to a small script.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy
from scipy import stats

from tests.networks.compare import Results, difference, snapshot
from tests.networks.devices import ENGINES, LONG, Engine, reference, under
from tests.networks.noisy import noisy_scripts
from tests.networks.scripts import Probe, Script, scripts

#: Networks for each engine, and where hypothesis starts.
_EXAMPLES = {
    "inline": 7, "lava": 3, "numpy": 2, "threads": 2, "unfused": 2, "objects": 3, "card": 3,
}  # fmt: skip
_FACTOR = 80 if LONG else 1
#: A comparison of values nearer than this (relative) may go either way.
_TIE = 1e-9
#: Chance that equal distributions are taken for different ones; seeds are fixed.
_CHANCE = 1e-6
#: Networks whose comparison may end early.
_CUT_SHARE = 0.02

_PROFILE = settings(
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink) if LONG else (Phase.generate,),
)


def _drawn(strategy: SearchStrategy[Any], number: int) -> list[str]:
    """The first ``number`` examples of ``strategy``."""
    found: list[str] = []

    @seed(1)
    @settings(_PROFILE, max_examples=number, phases=(Phase.generate,))
    @given(strategy)
    def collect(example: Any) -> None:
        found.append(str(example))

    collect()
    return found


def test_the_same_networks_are_drawn_whatever_is_loaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither tests that ran before nor an edit of the source change what the others draw."""
    strategies = (scripts(), noisy_scripts())
    first = [_drawn(strategy, 40) for strategy in strategies]
    (tmp_path / "full_of_numbers.py").write_text(f"numbers = {list(range(100, 997))}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "full_of_numbers", import_module("full_of_numbers"))
    assert [_drawn(strategy, 40) for strategy in strategies] == first


@contextmanager
def _synapse_by_synapse() -> Iterator[None]:
    """Brian2's NumPy target as compiled code does it: all statements for one synapse, then the
    next synapse. Without this, it takes all synapses through one statement, then the next."""
    before = NumpyCodeGenerator._use_ufunc_at_vectorisation
    NumpyCodeGenerator._use_ufunc_at_vectorisation = False
    try:
        yield
    finally:
        NumpyCodeGenerator._use_ufunc_at_vectorisation = before


def _run(script: Script, probed: bool = False) -> tuple[Results, list[float]]:
    """What ``script`` leaves, and the times (s) of ties when it is ``probed``."""
    namespace: dict[str, Any] = {}
    ties: list[float] = []
    exec(compile(script.objects, "<network>", "exec"), namespace)
    if probed:
        namespace["net"].add(*[_watch(probe, namespace, ties) for probe in script.probes])
    exec(compile(script.runs, "<network>", "exec"), namespace)
    objects = {
        name: value
        for name, value in namespace.items()
        if isinstance(value, brian2.BrianObject | brian2.Subgroup)
        and not isinstance(value, brian2.NetworkOperation)
    }
    whole = {name: value for name, value in objects.items() if name != "H"}
    return snapshot(whole), ties


def _watch(probe: Probe, namespace: dict[str, Any], ties: list[float]) -> brian2.NetworkOperation:
    group = namespace[probe.group]

    def look() -> None:
        values = {name: group.variables[name].get_value() for name in "vagp"}
        left, right = (np.asarray(eval(side, {}, values)) for side in (probe.left, probe.right))
        scale = np.maximum(np.abs(left), np.abs(right))
        if np.any(np.abs(left - right) <= _TIE * scale):
            ties.append(float(group.clock.t_))

    return brian2.NetworkOperation(look, clock=group.clock, when=probe.when, order=probe.order - 1)


def _first_tie(script: Script, engine: Engine) -> float | None:
    """Time (s) of the first tie in either run."""
    with reference(), _synapse_by_synapse():
        theirs = _run(script, probed=True)[1]
    with under(engine), _synapse_by_synapse():
        ours = _run(script, probed=True)[1]
    return min(theirs + ours, default=None)


def _until(results: Results, end: float) -> Results:
    """What the monitors hold of the time before ``end`` (s), without totals and final states."""
    kept = {}
    for name, values in results.items():
        owner = name.rsplit(".", 1)[0]
        times = results.get(f"{owner}.t")
        if times is not None and values.ndim and len(values) == len(times):
            kept[name] = values[times < end]
    return kept


@pytest.mark.timeout(3000 if LONG else 300)
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_deterministic_networks_agree(engine: Engine) -> None:
    """Spike for spike, and 1e-9 in state, up to the first tie."""
    seen: set[str] = set()
    cut = 0

    @seed(len(engine.name))
    @settings(_PROFILE, max_examples=_EXAMPLES[engine.name] * _FACTOR)
    @given(scripts())
    def agree(script: Script) -> None:
        nonlocal cut
        if str(script) in seen:
            return
        with reference() as theirs, _synapse_by_synapse():
            expected = _run(script)[0]
        with under(engine) as ours, _synapse_by_synapse():
            results = _run(script)[0]
        said = difference(results, expected)
        if said is not None:
            tie = _first_tie(script, engine)
            if tie is not None:
                cut += 1
                said = difference(_until(results, tie), _until(expected, tie))
        assert said is None, f"{said}\n{script}"
        assert ours.warnings <= theirs.warnings, f"{ours.warnings}\n{script}"
        seen.add(str(script))

    agree()
    assert cut <= max(1, _CUT_SHARE * len(seen)), f"{cut} of {len(seen)} networks ended early"


def _distributions(text: str) -> Results:
    """One number a neuron for each of what is compared: counts, times of spikes, final states."""
    namespace: dict[str, Any] = {}
    exec(compile(text, "<network>", "exec"), namespace)
    group, spikes = namespace["G"], namespace["spikes"]
    counts = np.array(spikes.count)
    first = np.full(len(counts), np.inf)
    np.minimum.at(first, np.array(spikes.i), np.array(spikes.t_))
    late = np.bincount(np.array(spikes.i)[np.array(spikes.t_) > 0.01], minlength=len(counts))
    states = {name: np.array(getattr(group, name)) for name in ("v", "a", "g", "p")}
    return {"counts": counts, "late": late, "first": first, **states}


@pytest.mark.timeout(3000 if LONG else 300)
@pytest.mark.parametrize("engine", ENGINES, ids=str)
def test_noisy_networks_agree_in_distribution(engine: Engine) -> None:
    """Kolmogorov-Smirnov tests of everything that independent neurons do."""
    seen: set[str] = set()

    @seed(len(engine.name))
    @settings(_PROFILE, max_examples=(6 if engine.name == "inline" else 2) * _FACTOR)
    @given(noisy_scripts())
    def agree(text: str) -> None:
        if text in seen:
            return
        with reference():
            brian2.seed(len(text))
            expected = _distributions(text)
        with under(engine):
            brian2.seed(len(text) + 1)
            results = _distributions(text)
        for name, values in results.items():
            finite, wanted = (
                np.nan_to_num(part, posinf=1e3, neginf=-1e3) for part in (values, expected[name])
            )
            chance = stats.ks_2samp(finite, wanted, method="asymp").pvalue
            assert chance > _CHANCE, (
                f"{name} is distributed otherwise (p = {chance:.2g}): mean {finite.mean():.4g}, "
                f"expected {wanted.mean():.4g}\n{text}"
            )
        seen.add(text)

    agree()
