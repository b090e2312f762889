"""What a run on a chip says at once: flags of the report, overflow, and what it cannot hold."""

from __future__ import annotations

from typing import Any

import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, Synapses, ms
from brian2.utils.logger import catch_logs

from brian2lava.errors import NotSupported
from tests.chip.test_on_chip import chip_report, on_chip


def told(logs: list[Any], what: str) -> list[str]:
    """Messages whose logger's name ends with ``what``."""
    return [message for _, name, message in logs if name.endswith(f"chip_warnings.{what}")]


def leaky(tau: Any, name: str = "cells") -> NeuronGroup:
    return NeuronGroup(
        2, "dv/dt = (1.2 - v)/tau : 1 (unless refractory)", threshold="v > 1", reset="v = 0",
        refractory=3 * ms, method="exact", namespace={"tau": tau}, name=name,
    )  # fmt: skip


def test_flags_are_told_once_a_network_with_their_number_and_the_worst() -> None:
    with on_chip():
        group = leaky(311.5 * ms)  # 1.3 of 4,096 are lost a step
        better = leaky(60 * ms, "better")  # 6.8 of 4,096
        network = Network(better, group)
        with catch_logs(only_from=("brian2lava",)) as first:
            network.run(1 * ms)
        with catch_logs(only_from=("brian2lava",)) as second:
            network.run(1 * ms)
        assert "better" in chip_report().quantised.warnings[0]
        message = told(first, "flagged")
        assert len(message) == 1
        assert "2 values are flagged" in message[0]
        assert "cells: time constant of v (dv) is off by +31." in message[0]
        assert "print(brian2lava.report()) shows all" in message[0]
        assert not told(second, "flagged")
        again = Network(leaky(311.5 * ms, "others"))
        with catch_logs(only_from=("brian2lava",)) as other:
            again.run(1 * ms)
        assert len(told(other, "flagged")) == 1


def test_nothing_is_told_where_nothing_is_flagged() -> None:
    with on_chip(), catch_logs(only_from=("brian2lava",)) as logs:
        Network(leaky(102.4 * ms)).run(1 * ms)
        assert not chip_report().quantised.warnings
    assert not told(logs, "flagged")
    assert not told(logs, "overflow")


def test_that_neurons_without_leak_have_no_bound_is_only_in_the_report() -> None:
    with on_chip(), catch_logs(only_from=("brian2lava",)) as logs:
        group = NeuronGroup(1, "dv/dt = 1/(7*ms) : 1", threshold="v > 1", reset="v = 0",
                            method="euler", name="sums")  # fmt: skip
        Network(group).run(1 * ms)
        warnings = chip_report().quantised.warnings
    assert [text for text in warnings if "sums: the voltage's error is without bound" in text]
    assert len(told(logs, "flagged")) == (len(warnings) > 1)
    assert not any("without bound" in message for message in told(logs, "flagged"))


def test_overflow_is_told_after_each_run_in_which_it_happens() -> None:
    with on_chip(scales={"sums": 2.0}):
        group = NeuronGroup(1, "v : 1", name="sums")
        source = SpikeGeneratorGroup(1, [0] * 10, [*range(1, 6), *range(21, 26)] * ms)
        synapses = Synapses(source, group, on_pre="v += 1e6")
        synapses.connect()
        network = Network(group, source, synapses)
        found = []
        for _ in range(3):
            with catch_logs(only_from=("brian2lava",)) as logs:
                network.run(10 * ms)
            found.append(told(logs, "overflow"))
        assert [len(each) for each in found] == [1, 0, 1]
        assert "'sums': states saturated 1 times in this run" in found[0][0]
        assert "scales={'sums': ...} with a number below 2" in found[0][0]
        assert "saturated 5 times" in found[2][0], "of this run, not of all; it stays at the limit"


def test_a_refractory_voltage_cannot_be_set() -> None:
    with on_chip():
        group = leaky(102.4 * ms)
        group.v = [0, 1.1]
        network = Network(group)
        network.run(1 * ms)
        network.run(0.5 * ms)  # goes on where nothing is set
        group.v = [0.5, 0]
        network.run(0.1 * ms)
        group.v[1] = 0.5
        told = (
            r"'v' of neuron 1 was set while the neuron is refractory for 1\d more steps"
            ".*run until no"
        )
        with pytest.raises(Exception) as caught:
            network.run(1 * ms)
        error: BaseException | None = caught.value
        while error is not None and not isinstance(error, NotSupported):
            error = error.__cause__
        assert error is not None
        with pytest.raises(NotSupported, match=told):
            raise error
        group.v[1] = 0
        network.run(2 * ms)
        group.v[1] = 0.5
        network.run(0.1 * ms)
        assert group.v[1] > 0.5
