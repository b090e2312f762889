"""The Loihi classes as their users meet them: scripts, states between runs, messages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import brian2
import numpy as np
import pytest
from brian2 import ms
from brian2.devices import reset_device

from brian2lava.errors import BrianLavaError, ChipLimit, NotSupported, OptionError
from brian2lava.loihi import (
    LoihiNetwork,
    LoihiNeuronGroup,
    LoihiSpikeGeneratorGroup,
    LoihiSpikeMonitor,
    LoihiStateMonitor,
    LoihiSynapses,
    state,
    synapse_sign_mode,
)

QUIET = pytest.mark.filterwarnings("ignore:no C\\+\\+ compiler was found")
pytestmark = QUIET


@pytest.fixture(autouse=True)
def numpy_target() -> Iterator[None]:
    """String expressions through NumPy: nothing is compiled for them."""
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    brian2.start_scope()
    yield
    brian2.prefs.codegen.target = before
    brian2.restore_initial_state()


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where there is no C++ compiler."""
    monkeypatch.setattr("brian2lava.loihi.network.find_compiler", lambda: None)


class Chain:
    """A generator that drives four neurons, which drive each other; everything is recorded."""

    def __init__(self, delay: int = 2, **learning: Any) -> None:
        self.group = LoihiNeuronGroup(
            4, refractory=2, threshold_v_mant=40, decay_v=300, decay_I=900, name="cells"
        )
        self.source = LoihiSpikeGeneratorGroup(
            2, [0, 1, 0, 1, 1, 0, 0, 1, 0], [0, 3, 4, 17, 19, 20, 21, 23, 40], name="stimulus"
        )
        self.drive = LoihiSynapses(self.source, self.group, w_exp=1, name="drive")
        self.drive.connect()
        self.drive.w = [90, 50, 30, 10, 20, 25, 40, 80]
        self.inner = LoihiSynapses(
            self.group, delay=delay, sign_mode=synapse_sign_mode.MIXED, name="inner", **learning
        )
        self.inner.connect("i != j")
        self.inner.w = np.arange(-40, 80, 10)
        self.spikes = LoihiSpikeMonitor(self.group, name="spikes")
        self.v = LoihiStateMonitor(self.group, state.VOLTAGE, name="v_monitor")
        self.current = LoihiStateMonitor(self.group, state.CURRENT, name="I_monitor")
        self.net = LoihiNetwork(
            self.group, self.source, self.drive, self.inner, self.spikes, self.v, self.current
        )

    def results(self) -> tuple[Any, ...]:
        return (
            self.spikes.i[:].tolist(), self.spikes.t.tolist(), self.v.v.tolist(),
            self.current.I.tolist(), self.group.v[:].tolist(), self.group.I[:].tolist(),
        )  # fmt: skip


def _chain(*runs: int, **options: Any) -> tuple[Any, ...]:
    brian2.start_scope()
    chain = Chain(**options)
    for steps in runs:
        chain.net.run(steps)
    return chain.results()


# ---------------------------------------------------------------- a step, by hand
def test_one_neuron_by_hand() -> None:
    """The compiled emulator: a spike at t acts in t; I is read before it decays, v after reset."""
    group = LoihiNeuronGroup(1, threshold_v_mant=2, decay_v=2048, decay_I=1024)
    source = LoihiSpikeGeneratorGroup(1, [0], [1])
    synapses = LoihiSynapses(source, group)
    synapses.connect()
    synapses.w = 1
    spikes, v, current = LoihiSpikeMonitor(group), LoihiStateMonitor(group, "v"), None
    current = LoihiStateMonitor(group, "I")
    net = LoihiNetwork(group, source, synapses, spikes, v, current)
    net.run(5)
    # I: 64, then 48, 36, 27; v: 64, 32 + 48 = 80, 40 + 36 = 76, 38 + 27 = 65
    assert current.I[0].tolist() == [0, 64, 48, 36, 27]
    assert v.v[0].tolist() == [0, 64, 80, 76, 65]
    assert spikes.num_spikes == 0
    assert group.I[0] == 20  # 27 decayed by a quarter: 20.25
    group.v = 100
    net.run(1)
    assert spikes.t.tolist() == [] and v.v[0, -1] == 70
    group.v = 220
    net.run(1)
    assert spikes.t.tolist() == [] and v.v[0, -1] == 125
    group.v = 240
    net.run(1)
    assert spikes.t.tolist() == [7] and v.v[0, -1] == 0
    assert net.t == 8 * ms and brian2.defaultclock.t == 8 * ms


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("learning", [{}, {"dw": "x0*y1", "imp_x1": 20, "tau_x1": 1,
                                           "imp_y1": 8, "tau_y1": 1}])  # fmt: skip
@pytest.mark.parametrize("delay", [0, 2, 9])
def test_runs_in_pieces_are_one_run(delay: int, learning: dict[str, Any]) -> None:
    """Also spikes of the last step, and those under way, reach the next run."""
    whole = _chain(60, delay=delay, **learning)
    assert len(whole[0]) > 20
    assert _chain(1, 1, 5, 0, 13, 1, 39, delay=delay, **learning) == whole


def test_with_and_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = _chain(25, 35)
    monkeypatch.setattr("brian2lava.loihi.network.find_compiler", lambda: None)
    assert _chain(25, 35) == compiled


@pytest.mark.usefixtures("plain")
def test_long_recordings_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _chain(60)
    monkeypatch.setattr("brian2lava.loihi.network._PIECE", 30)
    assert _chain(60) == whole


@pytest.mark.usefixtures("plain")
def test_under_the_device_of_brian2lava() -> None:
    import brian2lava  # noqa: F401

    whole = _chain(60)
    brian2.set_device("lava", host="inline")
    try:
        assert _chain(60) == whole
    finally:
        reset_device()


# ---------------------------------------------------------------- what scripts do
@pytest.mark.usefixtures("plain")
def test_states_are_set_between_runs() -> None:
    chain = Chain()
    chain.group.set_states({"v": np.arange(4) * 10})
    chain.group[:2].v = "int(rand()*100)"
    chain.group[1:3].I = 7
    chain.net.run(3)
    assert chain.current.I[1, 0] == 7 + chain.drive.w_act[1]
    chain.group.v = 0
    chain.inner.w = 0
    chain.net.run(3)
    assert chain.v.v.shape == (4, 6) and chain.v.t[-1] == 5 * ms


@pytest.mark.usefixtures("plain")
def test_a_fraction_is_rounded_toward_zero_with_a_warning() -> None:
    chain = Chain()
    chain.group.v = [-1.5, 2.75, 3, 4]
    with pytest.warns(UserWarning, match="'cells': 2 values of v have a fraction.*-1.5"):
        chain.net.run(1)
    chain.group.v = np.nan
    with pytest.raises(ChipLimit, match=r"'cells': v\[0\] is nan"):
        chain.net.run(1)


@pytest.mark.usefixtures("plain")
def test_currents_and_voltages_that_were_set_last_as_long_as_they_should() -> None:
    """decay_I = 4096 leaves nothing of I; v stays while a neuron is refractory."""
    group = LoihiNeuronGroup(2, refractory=4, threshold_v_mant=10)
    v, current = LoihiStateMonitor(group, "v"), LoihiStateMonitor(group, "I")
    net = LoihiNetwork(group, v, current)
    group.I = [5, 641]
    net.run(2)
    group.v = [0, 33]
    net.run(4)
    assert current.I.tolist() == [[5, 0, 0, 0, 0, 0], [641, 0, 0, 0, 0, 0]]
    assert v.v.tolist() == [[5, 5, 0, 0, 0, 0], [0, 0, 33, 33, 33, 33]]


@pytest.mark.usefixtures("plain")
def test_store_and_restore() -> None:
    chain = Chain(delay=9)
    chain.net.run(20)
    chain.net.store()
    chain.net.run(40)
    first = chain.results()
    chain.net.restore()
    chain.net.run(40)
    assert chain.results() == first


@pytest.mark.usefixtures("plain")
def test_parts_of_groups() -> None:
    chain = Chain()
    spikes = LoihiSpikeMonitor(chain.group[2:])
    v = LoihiStateMonitor(chain.group[1:], "v", record=[0, 2])
    trains = brian2.SpikeMonitor(chain.group, name="ordinary")
    before = brian2.StateMonitor(chain.group, ["v", "I"], record=True, name="at_start")
    at_spike = LoihiSpikeMonitor(chain.group, variable="I")
    chain.net.add(spikes, v, trains, before, at_spike)
    chain.net.run(25)
    chain.net.run(25)
    whole = chain.spikes
    assert spikes.i[:].tolist() == [i - 2 for i in whole.i if i >= 2] and spikes.num_spikes > 5
    assert spikes.count[:].tolist() == whole.count[2:].tolist()
    assert v.v.tolist() == chain.v.v[[1, 3]].tolist()
    assert (trains.t / ms).tolist() == whole.t.tolist()
    assert len(trains.spike_trains()[3]) == whole.count[3]
    assert before.v[:, 1:].tolist() == chain.v.v[:, :-1].tolist()
    seen = chain.current.I[whole.i, whole.t]
    assert at_spike.I[:].tolist() == (seen * (4096 - 900) // 4096).tolist()


@pytest.mark.usefixtures("plain")
def test_a_monitor_that_is_inactive_records_nothing() -> None:
    chain = Chain()
    chain.v.active = False
    chain.net.run(10)
    chain.v.active = True
    chain.net.run(2)
    assert chain.v.v.shape == (4, 2) and (chain.v.t / ms).tolist() == [10, 11]


@pytest.mark.usefixtures("plain")
def test_times_are_whole_steps_also_far_out() -> None:
    """brian2-loihi cuts off 4.007 s * 1000 = 4006.99..."""
    source = LoihiSpikeGeneratorGroup(1, [0] * 40, np.arange(4000, 4040))
    spikes = LoihiSpikeMonitor(source)
    LoihiNetwork(source, spikes).run(4040)
    assert spikes.t.tolist() == list(range(4000, 4040)) and spikes.t.dtype == np.int64


@pytest.mark.usefixtures("plain")
def test_the_period_of_a_generator_is_in_thousands_of_steps() -> None:
    source = LoihiSpikeGeneratorGroup(2, [1, 0], [3, 990], period=1)
    spikes = LoihiSpikeMonitor(source)
    net = LoihiNetwork(source, spikes)
    net.run(1500)
    net.run(1500)
    assert spikes.t.tolist() == [3, 990, 1003, 1990, 2003, 2990]


@pytest.mark.usefixtures("plain")
def test_an_ordinary_generator_acts_one_step_later() -> None:
    def seen(source: Any) -> Any:
        group = LoihiNeuronGroup(1, threshold_v_mant=1000)
        synapses = LoihiSynapses(source, group)
        synapses.connect()
        synapses.w = 3
        current = LoihiStateMonitor(group, "I")
        LoihiNetwork(source, group, synapses, current).run(9)
        return np.flatnonzero(current.I[0]).tolist()

    assert seen(LoihiSpikeGeneratorGroup(1, [0, 0], [0, 5])) == [0, 5]
    LoihiNetwork()  # sets the time step
    assert seen(brian2.SpikeGeneratorGroup(1, [0, 0], [0, 5] * ms)) == [1, 6]


@pytest.mark.usefixtures("plain")
def test_learned_weights_can_be_read() -> None:
    chain = Chain(delay=0, dw="2^1*x0*y1", imp_x1=3, tau_x1=1, imp_y1=4, tau_y1=1)
    monitor = LoihiStateMonitor(chain.inner, state.WEIGHT, record=[0, 3])
    trace = LoihiStateMonitor(chain.inner, state.Y1TRACE, record=0)
    chain.net.add(monitor, trace)
    given = chain.inner.w.copy()
    chain.net.run(60)
    assert chain.inner.w.tolist() == given.tolist()  # as assigned, like brian2-loihi
    assert np.any(chain.inner.w_[:] != given)
    assert chain.inner.w_clipped[:].tolist() == chain.inner.w_[:].tolist()
    assert monitor.w[:, -1].tolist() == chain.inner.w_[[0, 3]].tolist()
    assert set(np.unique(trace.y1)) == {0}  # recorded before this step's impulse


@pytest.mark.usefixtures("plain")
def test_seeded_learning_repeats() -> None:
    def learned() -> Any:
        brian2.start_scope()
        brian2.seed(7)
        chain = Chain(delay=1, dw="2^-3*x0*y1 - 2^-3*y0*x1", imp_x1=90, tau_x1=9, imp_y1=70,
                      tau_y1=13)  # fmt: skip
        chain.net.run(60)
        return chain.inner.w_[:].tolist()

    assert learned() == learned()


# ---------------------------------------------------------------- weights
def test_actual_weights() -> None:
    group = LoihiNeuronGroup(2)

    def actual(w: list[int], **options: Any) -> list[int]:
        synapses = LoihiSynapses(group, **options)
        synapses.connect(i=[0] * len(w), j=[1] * len(w))
        synapses.w = w
        assert synapses.w_act.tolist() == synapses.variables["w_act"].get_value().tolist()
        return [int(value) for value in synapses.w_act]

    assert actual([-3, -1, 1, 3], sign_mode=1) == [-128, 0, 0, 128]
    assert actual([0, 1, 255]) == [0, 64, 255 * 64]
    assert actual([-256, -1], sign_mode=3, w_exp=7) == [-(2**21 - 64), -64 * 128]
    assert actual([-3, -5], sign_mode=3, w_exp=-2) == [-64, -128]
    assert actual([7, 8, 100], num_weight_bits=5) == [0, 512, 96 * 64]
    assert actual([7, 255], num_weight_bits=0) == [0, 0]


@pytest.mark.parametrize(
    ("sign_mode", "weights", "message"),
    [
        (2, [1, -1], "weights from -1 to 1; 0 to 255 are possible with sign mode EXCITATORY"),
        (3, [-257], "-256 to 0 are possible with sign mode INHIBITORY"),
        (1, [255], "-256 to 254 are possible with sign mode MIXED"),
        (2, [1.0], "weights of type float64; integers are needed"),
        (2, "int(rand()*9)", "integers are needed"),
    ],
)
def test_weights_that_the_chip_cannot_hold(sign_mode: int, weights: Any, message: str) -> None:
    synapses = LoihiSynapses(LoihiNeuronGroup(2), sign_mode=sign_mode)
    synapses.connect()
    with pytest.raises(ChipLimit, match=message):
        synapses.w = weights


@pytest.mark.usefixtures("plain")
def test_weights_that_were_changed_in_place() -> None:
    chain = Chain()
    chain.inner.w[0] = 3
    with pytest.warns(UserWarning, match="'inner': w was changed in place"):
        chain.net.run(1)
    chain.inner.w = chain.inner.w
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", message="no C")
        chain.net.run(1)


def test_no_weights() -> None:
    synapses = LoihiSynapses(LoihiNeuronGroup(2))
    with pytest.raises(ChipLimit, match="no weights were assigned"):
        _ = synapses.w_act


# ---------------------------------------------------------------- messages
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decay_v": 4097}, "LoihiNeuronGroup, decay_v=4097: the chip takes 0 to 4096"),
        ({"decay_I": -1}, "decay_I=-1"),
        ({"refractory": 0}, "refractory=0: the chip takes 1 to 64"),
        ({"refractory": 65}, "refractory=65"),
        ({"refractory": 2 * ms}, "a whole number, 1 to 64, is needed, without a unit"),
        ({"threshold_v_mant": 131072}, "threshold_v_mant=131072"),
        ({"threshold_v_mant": 2.5}, "threshold_v_mant=2.5: a whole number"),
        ({"eqn_str": "dx/dt = -x/ms : 1"}, "'x' follows a differential equation"),
    ],
)
def test_neurons_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BrianLavaError, match=message):
        LoihiNeuronGroup(3, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delay": 63}, "delay=63: the chip takes 0 to 62"),
        ({"delay": 1 * ms}, "delay=.*a whole number"),
        ({"w_exp": 8}, "LoihiSynapses, w_exp=8: the chip takes -8 to 7"),
        ({"w_exp": 8, "name": "inputs"}, "LoihiSynapses 'inputs', w_exp=8: the chip takes -8 to 7"),
        ({"sign_mode": 4}, "sign_mode=4: the chip takes 1 to 3"),
        ({"num_weight_bits": 9}, "num_weight_bits=9: the chip takes 0 to 8"),
        ({"imp_x1": 128, "tau_x1": 2}, "imp_x1=128: the chip takes 0 to 127"),
        ({"imp_x1": 1, "tau_x1": 2.5}, "tau_x1=2.5: a whole number, 0 or more"),
        ({"dw": "x0*y1"}, "the trace y1 has no impulse or no time constant"),
        ({"dw": "y1*x1", "imp_y1": 1, "tau_y1": 1}, "no dependency"),
        ({"dw": "x0/2"}, "can't be read"),
        ({"dw": "x0*r1"}, "r1"),
        ({"dw": "x0*t", "imp_x1": 1, "tau_x1": 1}, "no tag t"),
    ],
)
def test_synapses_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BrianLavaError, match=message):
        LoihiSynapses(LoihiNeuronGroup(3), **options)


def test_monitors_of_what_the_chip_has_not() -> None:
    chain = Chain()
    with pytest.raises(NotSupported, match="a monitor records one of v, w, w_act, I"):
        LoihiStateMonitor(chain.group, ["v", "I"])  # type: ignore[arg-type]
    with pytest.raises(BrianLavaError, match="records one of"):
        LoihiStateMonitor(chain.group, "lastspike")
    chain.net.add(brian2.StateMonitor(chain.group, "lastspike", record=True, name="odd"))
    with pytest.raises(NotSupported, match="'odd' records 'lastspike' of 'cells'"):
        chain.net.run(1)


@pytest.mark.parametrize(
    ("duration", "message"), [(-1, "run"), (1.5, "whole number of steps"), (3 * ms, "without a")]
)
def test_durations(duration: Any, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Chain().net.run(duration)


def _poisson(chain: Chain) -> None:
    chain.net.add(brian2.PoissonGroup(1, 1 * brian2.Hz, name="noise"))


def _missing(chain: Chain) -> None:
    chain.net.remove(chain.group)


def _unmonitored(chain: Chain) -> None:
    chain.net.add(LoihiSpikeMonitor(LoihiNeuronGroup(1, name="stranger"), name="ear"))


def _regularly(chain: Chain) -> None:
    chain.group.run_regularly("v = 0", dt=1 * ms)


def _inactive(chain: Chain) -> None:
    chain.group.active = False


def _fine(chain: Chain) -> None:
    brian2.defaultclock.dt = 0.1 * ms


def _order(chain: Chain) -> None:
    chain.net.schedule = ["start", "groups", "thresholds", "synapses", "resets", "end"]


def _slot(chain: Chain) -> None:
    chain.current.when = "groups"


def _twice(chain: Chain) -> None:
    chain.source.set_spikes([0, 0], [1, 1] * ms)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_poisson, "'noise' is a PoissonGroup; a LoihiNetwork runs"),
        (_missing, "'cells' is not in the network as"),
        (_unmonitored, "'ear' records 'stranger', which is not in the network"),
        (_regularly, "'cells' has a .*which a chip cannot run"),
        (_inactive, "'cells' has active = False"),
        (_fine, "has the time step 100"),
        (_order, "the schedule was changed"),
        (_slot, "'I_monitor' records 'I' in the slot 'groups'"),
        (_twice, "'stimulus': source 0 has two spikes in step 1"),
    ],
)
def test_what_a_loihi_network_refuses(spoil: Any, message: str) -> None:
    chain = Chain()
    spoil(chain)
    with pytest.raises((NotSupported, ValueError), match=message):
        chain.net.run(5)


def test_another_network_refuses_loihi_objects() -> None:
    chain = Chain()
    with pytest.raises(brian2.BrianObjectException) as caught:
        brian2.Network(chain.group, chain.inner).run(1 * ms)
    assert isinstance(caught.value.__cause__, NotSupported)
    assert "call that network's run" in str(caught.value.__cause__)


@pytest.mark.usefixtures("plain")
def test_an_object_belongs_to_one_network() -> None:
    chain, other = Chain(), LoihiNetwork()
    other.add(chain.group)
    chain.net.run(1)
    with pytest.raises(NotSupported, match="'cells' was run by another network"):
        other.run(1)


@pytest.mark.usefixtures("plain")
def test_reports(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[float] = []
    chain = Chain()
    chain.net.run(3, report=lambda elapsed, completed, start, duration: told.append(completed))
    chain.net.run(3, report="text", namespace={})
    assert told == [0.0, 1.0] and "3. ms" in capsys.readouterr().out
    with pytest.raises(OptionError, match="report='loud'"):
        chain.net.run(3, report="loud")
    with pytest.raises(NotSupported, match="profile"):
        chain.net.run(3, profile=True)


def test_parameters_as_text() -> None:
    chain = Chain()
    assert "threshold_v_mant   40" in str(chain.group)
    assert "sign_mode          1" in str(chain.inner)
    assert chain.group.loihi_parameters["tau_v"] == 4096 / 300


@pytest.mark.usefixtures("plain")
def test_added_variables() -> None:
    group = LoihiNeuronGroup(9, eqn_str="x : 1\ntwice = 2*x : 1")
    group.x = "i / 3.0"
    synapses = LoihiSynapses(group)
    synapses.connect("abs(x_pre - twice_post) < 0.1")
    assert len(synapses) == 5
    LoihiNetwork(group, synapses).run(2)
