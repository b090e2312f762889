"""The batch that a search runs, against the emulator, the plain definition, and Lava."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.network import ChipNetwork
from brian2lava.chip.network import Stimulus as Given
from brian2lava.chip.plain import PlainChip, Recorded
from brian2lava.chip.profiles import LAVA, LOIHI1
from brian2lava.errors import FitError, NotSupported
from brian2lava.fit import Sweep, Target, fit
from brian2lava.fit.batch import Batch, Settings, Stimulus
from brian2lava.fit.network import (
    NEURON,
    arriving,
    biases,
    emulated,
    network_of,
    scaled,
    train_of,
)
from brian2lava.fit.verify import lava_train, verify
from tests.fit.drawn_settings import (
    ALL,
    BIASED,
    STOCK,
    drawn_settings,
    drawn_stimulus,
    for_a_bias,
)

DT = 1e-3


def assert_same_as_the_batch(
    settings: Settings, stimulus: Stimulus, drive: Any, arithmetic: Any, run: Any = emulated
) -> None:
    out = Batch(settings.model, arithmetic, drive).run(settings, stimulus, traces=True)
    recorded = run(settings, stimulus, drive, arithmetic, tuple(out.traces))
    for k in range(settings.size):
        assert out.train(k).tolist() == train_of(recorded, k).tolist(), f"setting {k}"
    for state, values in out.traces.items():
        assert np.array_equal(values.T, recorded.states[NEURON, state]), state
    for counter, values in out.counters.items():
        assert values.sum() == recorded.counts[NEURON, counter], counter
    firing = (out.counts > 0).mean()
    assert firing > 0.2 and out.counts.max() > 10, f"{firing:.0%} of the neurons fire at all"


def plain(
    settings: Settings, stimulus: Stimulus, drive: Any, arithmetic: Any, states: Any
) -> Recorded:
    """The plain definition, which needs no compiler."""
    network = network_of(settings, stimulus, drive, arithmetic)
    return PlainChip(network).run(stimulus.steps, [(NEURON, state) for state in states])


@pytest.mark.parametrize("model", ALL)
def test_the_batch_computes_what_the_emulator_does(model: str) -> None:
    assert_same_as_the_batch(drawn_settings(model, 50), drawn_stimulus(700), "graded", LAVA)


@pytest.mark.parametrize("model", ALL)
def test_the_batch_computes_what_the_plain_definition_does_in_loihi_1_s_arithmetic(
    model: str,
) -> None:
    settings = drawn_settings(model, 50)
    assert_same_as_the_batch(settings, drawn_stimulus(400), "graded", LOIHI1, plain)


@pytest.mark.parametrize("model", BIASED)
@pytest.mark.parametrize("arithmetic", [LAVA, LOIHI1], ids=lambda each: each.name)
def test_the_batch_computes_what_a_changing_bias_does(model: str, arithmetic: Any) -> None:
    settings = for_a_bias(drawn_settings(model, 50, seed=1))
    assert_same_as_the_batch(settings, drawn_stimulus(300, 1), "bias", arithmetic)


def test_a_constant_bias_is_one_that_the_emulator_has_as_a_register() -> None:
    settings = for_a_bias(drawn_settings("LIF", 20, seed=2))
    stimulus = Stimulus(np.full(400, 1.25))
    from brian2lava.chip.emulate import emulate

    recorded = emulate(network_of(settings, stimulus, "bias"), 400)
    for k in range(20):
        expected = train_of(emulated(settings, stimulus, "bias"), k)
        assert np.array_equal(train_of(recorded, k), expected)


# ------------------------------------------------------------------ Lava's own models
def one_neuron_each(network: ChipNetwork) -> ChipNetwork:
    """Lava's ATRLIF, RF and RF_IZ take one value of most registers: a population for each."""
    (population,) = network.populations
    populations, stimuli = [], []
    for k in range(population.size):
        name = f"{NEURON}{k}"
        registers = {
            register: int(np.broadcast_to(values, (population.size,))[k])
            for register, values in population.registers.items()
        }
        populations.append(
            dataclasses.replace(population, name=name, size=1, registers=registers, initial={})
        )
        stimuli += [
            Given(f"{name}_{given.port}", name, given.values[:, [k]], given.port)
            for given in network.stimuli
        ]
    own = [
        dataclasses.replace(
            each, name=f"{each.name}_{k}", source=f"{NEURON}{k}", target=f"{NEURON}{k}",
            pre=[0], post=[0], weights=[int(weight)],
        )
        for each in network.projections
        for k, weight in zip(each.pre.tolist(), each.weights)
    ]  # fmt: skip
    return ChipNetwork(tuple(populations), projections=tuple(own), stimuli=tuple(stimuli))


def trains_of_lava(settings: Settings, stimulus: Stimulus, drive: str = "graded") -> list[Any]:
    """Lava's own fixed-point process models, stepped by hand."""
    from tests.chip.lava_oracle import LavaOracle

    network = one_neuron_each(network_of(settings, stimulus, drive))  # type: ignore[arg-type]
    oracle = LavaOracle(network)
    if drive == "bias":
        levels = biases(settings, stimulus)
        for k in range(settings.size):
            _write_bias(oracle.populations[f"{NEURON}{k}"], levels[:, k])
    recorded = oracle.run(stimulus.steps)
    return [recorded.spikes[f"{NEURON}{k}"][0] for k in range(settings.size)]


def _write_bias(model: Any, levels: Any) -> None:
    run_spk = model.run_spk

    def written_first() -> None:
        model.bias_mant[:] = levels[model.time_step - 1]
        run_spk()

    model.run_spk = written_first


def assert_same_as_lava(model: str, size: int, steps: int, drive: Any, seed: int) -> None:
    settings = drawn_settings(model, size, seed, stock=True)
    stimulus = drawn_stimulus(steps, seed)
    if drive == "bias":
        settings = for_a_bias(settings)
    out = Batch(model, LAVA, drive).run(settings, stimulus)
    for k, train in enumerate(trains_of_lava(settings, stimulus, drive)):
        assert out.train(k).tolist() == train.tolist(), f"setting {k}"
    assert (out.counts > 5).sum() > size // 8


@pytest.mark.parametrize("model", STOCK)
def test_the_batch_computes_what_lava_does(model: str) -> None:
    assert_same_as_lava(model, 12, 400, "graded", 3)


@pytest.mark.parametrize("model", [name for name in STOCK if name in BIASED])
def test_the_batch_computes_what_lava_does_with_a_bias(model: str) -> None:
    assert_same_as_lava(model, 12, 400, "bias", 4)


@pytest.mark.long
@pytest.mark.parametrize("model", STOCK)
def test_a_hundred_register_sets_have_the_spikes_of_lava(model: str) -> None:
    assert_same_as_lava(model, 100, 4000, "graded", 5)


@pytest.mark.long
@pytest.mark.parametrize("model", [name for name in STOCK if name in BIASED])
def test_a_hundred_register_sets_have_the_spikes_of_lava_with_a_bias(model: str) -> None:
    assert_same_as_lava(model, 100, 4000, "bias", 6)


def test_lava_s_runtime_has_the_spikes_of_the_batch() -> None:
    """Operating-system processes and channels, as a user runs it."""
    settings, stimulus = drawn_settings("LIF", 8, 7, stock=True), drawn_stimulus(300, 7)
    out = Batch("LIF").run(settings, stimulus)
    k = int(np.argmax(out.counts))
    assert lava_train(settings.one(k), stimulus).tolist() == out.train(k).tolist()
    assert out.counts[k] > 5


def test_lava_s_runtime_writes_a_bias_before_each_step() -> None:
    settings = for_a_bias(drawn_settings("ATRLIF", 8, 8))
    stimulus = drawn_stimulus(300, 8)
    out = Batch("ATRLIF", LAVA, "bias").run(settings, stimulus)
    k = int(np.argmax(out.counts))
    assert lava_train(settings.one(k), stimulus, "bias").tolist() == out.train(k).tolist()
    assert out.counts[k] > 5


def test_a_process_of_ours_has_no_register_that_is_written() -> None:
    from brian2lava.interop.lava_run import run_lava

    settings, stimulus = for_a_bias(drawn_settings("ALIF", 1)), drawn_stimulus(20)
    network = network_of(settings, stimulus, "bias")
    with pytest.raises(NotSupported, match="'bias_mant' can't be written.*no fixed-point process"):
        run_lava(network, 20, written={(NEURON, "bias_mant"): biases(settings, stimulus)})


# ------------------------------------------------------------------ integers
def test_payloads_are_rounded_to_the_nearest_half_to_even() -> None:
    settings = Settings("LIF", {}, 3, -1, [1.0, 2.0])
    stimulus = Stimulus([0.5, 1.5, -2.5, 0.24])
    assert scaled(settings, stimulus).tolist() == [[0, 1], [2, 3], [-2, -5], [0, 0]]
    # times 3, shifted right by one, toward minus infinity
    assert arriving(settings, stimulus)["a_in"].tolist() == [[0, 1], [3, 4], [-3, -8], [0, 0]]


def test_a_port_without_weight_gets_nothing() -> None:
    settings = Settings("RF", {"vth": 100}, 3, 0, 1.0)
    assert list(arriving(settings, Stimulus([1.0, 2.0]))) == ["a_real_in"]


def test_a_bias_beyond_its_bits_is_refused() -> None:
    settings = Settings("LIF", {"bias_mant": 4000}, 0, 0, [1.0, 100.0])
    with pytest.raises(
        FitError, match=r"setting 1 of LIF: its bias is 4200 in step 1.*-4096..4095"
    ):
        biases(settings, Stimulus([0.0, 2.0]))


# ------------------------------------------------------------------ verify
@pytest.fixture(scope="module")
def target() -> Target:
    settings = drawn_settings("LIF", 8, 9, stock=True)
    stimulus = drawn_stimulus(600, 9)
    out = Batch("LIF").run(settings, stimulus)
    train = out.train(int(np.argmax(out.counts))) * DT
    return Target("drawn", DT, (Sweep(stimulus.values, (train,)),), unit="1")


@pytest.mark.parametrize("drive", ["graded", "bias"])
def test_what_a_fit_found_is_verified(target: Target, drive: Any) -> None:
    result = fit(target, ["LIF", "ALIF"], evaluations=600, seeds=1, drive=drive)
    told = verify(result["LIF"], result.target)
    assert told.lava == "lava.proc.lif.process.LIF" and told.steps == 600 and told.spikes > 3
    ours = verify(result["ALIF"], result.target)
    assert not ours.lava and ours.why_not == "Lava has no fixed-point process ALIF"
    assert str(told.spikes) in str(told) and "Lava's lava.proc.lif.process.LIF" in str(told)


def test_a_spike_that_differs_is_an_error_that_names_it(target: Target) -> None:
    found = fit(target, ["LIF"], evaluations=600, seeds=1).best
    train = found.evaluation.trains[0]
    wrong = dataclasses.replace(found.evaluation, trains=(np.delete(train, 1),))
    step = round(train[1] / DT)
    with pytest.raises(FitError, match=rf"sweep 0: .*step {step}, where only the emulator has a"):
        verify(dataclasses.replace(found, evaluation=wrong), target)


def test_other_arithmetic_than_lava_s_is_not_asked_of_lava(target: Target) -> None:
    result = fit(target, ["LIF"], evaluations=600, seeds=1, arithmetic="loihi1", drive="bias")
    told = verify(result.best, result.target, LOIHI1)
    assert not told.lava and "'loihi1'" in told.why_not
    assert "Lava was not asked" in str(verify(result.best, result.target, LOIHI1, lava=False))
