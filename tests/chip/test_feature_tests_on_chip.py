"""Brian2's ten feature tests (``brian2.tests.features``) in a chip's integers.

Each is passed within the bound that follows from what the report says (errors of registers, and
of rounding in every step), or flagged by the report (a bound beyond 5 % of the threshold, or a
parameter without bound), or refused with a message. ``python -m
tests.chip.test_feature_tests_on_chip`` prints the table of docs/accuracy.md.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brian2
import numpy as np
import pytest
from brian2.devices.device import reset_device
from brian2.tests.features.base import FeatureTest
from brian2.utils.logger import BrianLogger

import brian2lava
from brian2lava.chip.quantise import Quantised
from brian2lava.chip.quantise.result import WORST_BOUND, Costs
from brian2lava.errors import ChipLimit, NotSupported

# importing them makes them known as subclasses of FeatureTest
_MODULES = [
    importlib.import_module(f"brian2.tests.features.{name}")
    for name in ("input", "monitors", "neurongroup", "synapses")
]
_synapses = _MODULES[-1]

_DT, _TAU = 1e-4, 1e-2
_DOCS = Path(__file__).parents[2] / "docs" / "accuracy.md"


@dataclass(frozen=True)
class Case:
    """One feature test that ran: its results on the chip and in floating point, and the report."""

    chip: Any
    floating: Any
    quantised: Quantised

    @property
    def costs(self) -> tuple[Costs, ...]:
        return tuple(self.quantised.costs.values())

    @property
    def bound_share(self) -> float:
        """The report's bound of the voltage's error, over the threshold; 0 without neurons."""
        return max((cost.bound_share for cost in self.costs), default=0.0)

    @property
    def errors(self) -> dict[str, float]:
        """By register, the largest relative error of the report's rows."""
        found: dict[str, float] = {}
        for row in self.quantised.rows:
            for register in row.register.split(", "):
                found[register] = max(found.get(register, 0.0), abs(row.error))
        return found


@dataclass(frozen=True)
class Judgement:
    """What came out: ``outcome`` is "passed", "flagged" or "refused", the rest is text."""

    outcome: str
    bound: str
    seen: str


# ------------------------------------------------------------------ running them
def run(name: str) -> Case:
    """Brian2's runtime device, then ours; raises what the chip refuses with."""
    test = TESTS[name]
    results = []
    for device, options in (("runtime", {}), ("lava", {"hardware": "Loihi2", "host": "inline"})):
        reset_device()
        brian2.start_scope()
        brian2.prefs.codegen.target = "numpy"
        brian2.set_device(device, **options)
        brian2.get_device().reinit()
        brian2.set_device(device, **options)
        brian2.seed(1)
        feature = test()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            feature.run()
        results.append(feature.results())
    chip: Any = brian2lava.report().chip
    return Case(results[1], results[0], chip.quantised)


def _synapses_of_today(*arguments: Any, **options: Any) -> Any:
    """Brian2's STDP test still names its code pre and post, which are on_pre and on_post."""
    named = {f"on_{key}" if key in ("pre", "post") else key: o for key, o in options.items()}
    named.pop("on_report", None)
    return brian2.Synapses(*arguments, **named)


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Any:
    prepare(monkeypatch)
    yield
    brian2.get_device().reinit()
    reset_device("runtime")
    brian2.prefs.reset_to_defaults()


def prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is out of date in Brian2's files, without changing them; and quiet."""
    monkeypatch.setattr(_synapses, "Synapses", _synapses_of_today)
    monkeypatch.setattr(
        np.random, "random_integers", lambda low, high, size: np.random.randint(low, high + 1, size)
    )
    monkeypatch.setattr(
        _synapses, "run", lambda duration, report=None: brian2.run(duration, level=1)
    )
    monkeypatch.setattr(BrianLogger.console_handler, "level", logging.CRITICAL)


# ------------------------------------------------------------------ judging them
def identical(case: Case) -> Judgement:
    """Sources are no matter of the chip's integers: nothing may differ."""
    for name, values in case.floating.items():
        assert np.array_equal(values, case.chip[name]), name
    return Judgement("passed", "0", "identical spikes")


@dataclass(frozen=True)
class Drive:
    """dv/dt = (I - v) / tau between its resets, as the report bounds it.

    ``sign`` -1 is the earliest spike that the errors allow, +1 the latest.
    """

    current: float
    reset: float
    case: Case
    refractory: int = 0

    def voltage(self, sign: int, steps: Any) -> Any:
        """The extreme voltage that many steps after a reset; -1 the highest."""
        cost, errors = self.case.costs[0], self.case.errors
        tau = _TAU * (1 + cost.time_constants["dv"])
        # by which time constant it is higher depends on where it goes
        taus = [min(_TAU, tau), max(_TAU, tau)]
        goal = (self.current - self.reset) * (1 - sign * errors["bias_mant"])
        grown = [goal * -np.expm1(-np.asarray(steps) * _DT / each) for each in taus]
        extreme = np.maximum(*grown) if sign < 0 else np.minimum(*grown)
        return self.reset + extreme - sign * cost.bound_share * self._level

    @property
    def _level(self) -> float:
        return 1.0 - self.reset

    def interval(self, sign: int) -> int | None:
        """Steps of the extreme between a reset and the next spike; None: it never comes."""
        level = 1.0 + sign * self.case.errors["vth"] * self._level
        grown = self.voltage(sign, np.arange(1, 10_001))
        over = np.flatnonzero(grown > level + sign * 1e-9)
        return int(over[0]) + 1 if over.size else None


def _steps(times: Any) -> Any:
    return np.rint(np.asarray(times, dtype=float) / _DT).astype(int)


def _within(drive: Drive, fired: Any, expected: Any, last: int) -> int:
    """Assert that spikes lie where the errors allow; returns by how many steps they differ."""
    early, late = drive.interval(-1), drive.interval(+1)
    number = np.arange(1, len(fired) + 1)
    pause = drive.refractory * (number - 1)
    if early is None:
        assert not len(fired)
        return 0
    assert np.all(fired >= early * number + pause - 1)
    if late is not None:
        assert np.all(fired <= late * number + pause - 1)
        whole = late + drive.refractory
        assert len(fired) >= (last - late) // whole  # none is missing
    shared = min(len(fired), len(expected))
    return int(np.abs(fired[:shared] - expected[:shared]).max(initial=0))


def _bound_text(case: Case) -> str:
    tau = case.costs[0].time_constants["dv"]
    return f"v {case.bound_share:.2%} of the threshold, tau {tau:+.2%}"


def one_neuron(refractory: int) -> Callable[[Case], Judgement]:
    def judge(case: Case) -> Judgement:
        chip, floating = _steps(case.chip), _steps(case.floating)
        drive = Drive(1.2, 0.0, case, refractory)
        moved = _within(drive, chip, floating, 10_000)
        interval = np.diff(chip).mean() / np.diff(floating).mean() - 1
        return Judgement(
            _passed(case), _bound_text(case),
            f"{len(chip)} spikes for {len(floating)}, intervals {interval:+.2%},"
            f" the last {moved} steps early",
        )  # fmt: skip

    return judge


def many_neurons(case: Case) -> Judgement:
    moved = 0
    for neuron, current in enumerate(np.linspace(0, 2, 100)):
        chip, floating = (
            _steps(np.asarray(found["t"])[np.asarray(found["i"]) == neuron])
            for found in (case.chip, case.floating)
        )
        moved = max(moved, _within(Drive(current, 0.0, case), chip, floating, 1_000))
    return Judgement(
        _passed(case), _bound_text(case),
        f"{len(case.chip['i'])} spikes for {len(case.floating['i'])}, at most {moved} steps apart",
    )  # fmt: skip


def voltages(case: Case) -> Judgement:
    """The voltage as a function of the steps since the neuron's own last reset."""
    worst = 0.0
    for current, chip, floating in zip(np.linspace(1.1, 2, 10), case.chip, case.floating):
        drive = Drive(current, 0.1, case)
        resets = np.flatnonzero(np.diff(chip, prepend=chip[0]) < 0)
        begin = np.concatenate([[0], resets])
        step = np.arange(len(chip))
        since = step - begin[np.searchsorted(begin, step, "right") - 1]
        assert np.all(chip <= drive.voltage(-1, since) + 1e-9)
        assert np.all(chip >= drive.voltage(+1, since) - 1e-9)
        _within(drive, resets - 1, [], len(chip))
        same = slice(0, resets[0])  # up to its first spike: the same steps since the same start
        worst = max(worst, float(np.abs(chip[same] - floating[same])[: resets[0] - 1].max()))
    return Judgement(
        _passed(case), _bound_text(case),
        f"{worst:.2%} of the threshold until the first spike; then in phase within the bound",
    )  # fmt: skip


def _passed(case: Case) -> str:
    return "passed" if case.bound_share <= WORST_BOUND else "flagged"


def flagged(seen: Callable[[Case], str]) -> Callable[[Case], Judgement]:
    """The report has no bound to offer, and says so."""

    def judge(case: Case) -> Judgement:
        found = [text for text in case.quantised.warnings if "without bound" in text]
        assert found, "nothing is bounded, and the report does not say it"
        bound = "none: " + found[0].partition(": ")[2].rstrip(".")
        return Judgement("flagged", bound, seen(case))

    return judge


def _counts(case: Case) -> str:
    """Neurons that climb k * dt / tau a step; some meet the threshold of 1 exactly, or nearly."""
    chip, floating = np.rint(case.chip), np.rint(case.floating)
    steps = 50 / np.linspace(1, 5, 10)
    exactly = np.isclose(steps, np.rint(steps))
    assert np.array_equal(chip[~exactly], floating[~exactly])
    spared = 1_010 / np.rint(steps) - 1_010 / (np.rint(steps) + 1)
    assert np.all(np.abs(chip - floating)[exactly] <= np.ceil(spared[exactly]))
    told = ", ".join(f"{c:.0f} for {f:.0f}" for c, f in zip(chip[exactly], floating[exactly]))
    return (
        f"the same counts, but in {exactly.sum()} neurons of 10 whose sum meets the threshold"
        f" exactly, a step sooner or later by rounding on either side: {told}"
    )


TESTS = {f"{test.category}: {test.name}": test for test in FeatureTest.__subclasses__()}
#: How each is judged; text: what the refusal has to say.
JUDGES: dict[str, Callable[[Case], Judgement] | str] = {
    "Input: SpikeGeneratorGroup": identical,
    "Monitors: SpikeMonitor": many_neurons,
    "Monitors: StateMonitor": voltages,
    "NeuronGroup: Linear integration": "1 s of neuron 0 are 10,000 steps",
    "NeuronGroup: Euler integration": "contains 'v ** 1.1'",
    "NeuronGroup: Leaky integrate and fire": one_neuron(0),
    "NeuronGroup: Refractory leaky integrate and fire": one_neuron(9),
    "Synapses: Presynaptic code": flagged(_counts),
    "Synapses: Postsynaptic code": flagged(_counts),
    "Synapses: STDP": "is not held while a neuron is refractory",
}
OUTCOMES = {
    "Input: SpikeGeneratorGroup": "passed",
    "Monitors: SpikeMonitor": "passed",
    "Monitors: StateMonitor": "passed",
    "NeuronGroup: Linear integration": "refused",
    "NeuronGroup: Euler integration": "refused",
    "NeuronGroup: Leaky integrate and fire": "passed",
    "NeuronGroup: Refractory leaky integrate and fire": "passed",
    "Synapses: Presynaptic code": "flagged",
    "Synapses: Postsynaptic code": "flagged",
    "Synapses: STDP": "refused",
}


def judged(name: str) -> Judgement:
    """Runs a feature test; AssertionError where it breaks its bound."""
    judge = JUDGES[name]
    if not isinstance(judge, str):
        return judge(run(name))
    with pytest.raises(Exception) as caught:
        run(name)
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, NotSupported | ChipLimit):
        error = error.__cause__
    assert error is not None, f"refused with {caught.value!r}"
    assert judge in str(error)
    return Judgement("refused", "", str(error))


# ------------------------------------------------------------------ the tests
def test_all_ten_are_here() -> None:
    assert TESTS.keys() == JUDGES.keys() == OUTCOMES.keys()
    assert len(TESTS) == 10


@pytest.mark.parametrize("name", TESTS)
def test_feature(name: str) -> None:
    assert judged(name).outcome == OUTCOMES[name]


def test_the_table_in_the_documentation() -> None:
    text = _DOCS.read_text(encoding="utf-8")
    for name, outcome in OUTCOMES.items():
        assert f"| {name} | {outcome} |" in text


def main() -> None:
    """Print the table."""
    print("| feature test | outcome | the report's bound | what was seen, or the refusal |")
    print("|---|---|---|---|")
    with pytest.MonkeyPatch.context() as monkeypatch:
        prepare(monkeypatch)
        for name in TESTS:
            row = judged(name)
            print(f"| {name} | {row.outcome} | {row.bound} | {row.seen} |")


if __name__ == "__main__":
    main()
