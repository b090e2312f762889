"""SpatialNeuron: morphologies, cable equation, channels, synapses, thresholds, refractoriness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brian2 import (
    Cylinder,
    Network,
    Section,
    Soma,
    SpatialNeuron,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    amp,
    cm,
    mm,
    ms,
    mV,
    nA,
    nS,
    ohm,
    pA,
    run,
    uF,
    um,
)

from tests.networks.compare import same_as_runtime
from tests.networks.devices import Engine, pytest_generate_tests, under  # noqa: F401

_PASSIVE = """Im = 0.3*msiemens/cm**2*(-65*mV - v) : amp/meter**2
I : amp (point current)"""

_HODGKIN_HUXLEY = """Im = 36*msiemens/cm**2*n**4*(-77*mV - v)
   + 120*msiemens/cm**2*m**3*h*(50*mV - v) + 0.3*msiemens/cm**2*(-54.4*mV - v) : amp/meter**2
I : amp (point current)
dm/dt = am*(1 - m) - bm*m : 1
dh/dt = ah*(1 - h) - bh*h : 1
dn/dt = an*(1 - n) - bn*n : 1
u = (v + 65*mV)/mV : 1
am = 0.1*10/exprel(-(u - 25)/10)/ms*1 : Hz
bm = 4*exp(-u/18)/ms : Hz
ah = 0.07*exp(-u/20)/ms : Hz
bh = 1/(exp((30 - u)/10) + 1)/ms : Hz
an = 0.01*10/exprel(-(u - 10)/10)/ms : Hz
bn = 0.125*exp(-u/80)/ms : Hz"""


def _tree(root: Any = None) -> Any:
    """Five sections; ``root`` is a short cable unless it is given."""
    if root is None:
        root = Cylinder(length=40 * um, diameter=3 * um, n=4)
    root.axon = Cylinder(length=200 * um, diameter=1 * um, n=15)
    root.dendrite = Cylinder(length=50 * um, diameter=2 * um, n=6)
    root.dendrite.left = Section(diameter=np.linspace(2, 0.5, 9) * um, length=[10] * 8 * um, n=8)
    root.dendrite.right = Cylinder(length=70 * um, diameter=0.7 * um, n=7)
    return root


#: A soma conducts without resistance within, so that the first entry of the system that couples
#: the sections, ``u_minus - 1``, comes to 2e-7 as a difference of numbers near 1: rounding one of
#: them changes it by 1e-9, as if the leak were that much larger, and within 5 ms the potential by
#: 3e-8. ``Ic`` is ``Cm*dv/dt``: in the difference of two steps it leaves fewer digits still.
_SOMA: dict[str, Any] = {"relative": 1e-7, "of_largest_in": {"Ic": 1e-6}}
#: The same difference of two steps, of potentials that agree to rounding.
_CABLE: dict[str, Any] = {"of_largest_in": {"Ic": 1e-9}}


def _passive(morphology: Any) -> Any:
    neuron = SpatialNeuron(morphology, _PASSIVE, Cm=1 * uF / cm**2, Ri=100 * ohm * cm)
    neuron.v = -65 * mV
    neuron.I[0] = 0.1 * nA
    neuron.dendrite.left.I[3] = -0.02 * nA
    trace = StateMonitor(neuron, "v", record=True)
    run(3 * ms)
    neuron.I = 0 * amp
    run(2 * ms)
    return neuron, trace


@same_as_runtime(**_SOMA)
def test_passive_tree_with_a_soma() -> Any:
    """Currents into a soma and into a branch."""
    return _passive(_tree(Soma(diameter=20 * um)))


@same_as_runtime(**_CABLE)
def test_passive_tree() -> Any:
    """A branched tree with currents into two compartments."""
    return _passive(_tree())


@same_as_runtime(**_CABLE)
def test_active_tree() -> Any:
    """Hodgkin-Huxley channels everywhere, spikes detected in the axon."""
    neuron = SpatialNeuron(
        _tree(),
        _HODGKIN_HUXLEY,
        Cm=1 * uF / cm**2,
        Ri=100 * ohm * cm,
        method="exponential_euler",
        threshold="v > -10.013*mV",
        threshold_location=12,
        refractory="v > -20.017*mV",
    )
    neuron.v = -65 * mV
    neuron.h, neuron.m, neuron.n = 0.6, 0.05, 0.32
    neuron.I[0] = 0.3 * nA
    spikes = SpikeMonitor(neuron)
    trace = StateMonitor(neuron, ["v", "m"], record=[0, 12, 30])
    run(8 * ms)
    assert spikes.num_spikes > 0
    return neuron, spikes, trace


@same_as_runtime
def test_cylinder_with_another_step() -> Any:
    """One unbranched cable on a clock of its own."""
    neuron = SpatialNeuron(Cylinder(length=300 * um, diameter=2 * um, n=25), _PASSIVE, dt=0.05 * ms)
    neuron.v = "-65*mV + 10*mV*int(i < 4)"
    trace = StateMonitor(neuron, "v", record=[0, 10, 24], dt=0.1 * ms)
    run(4 * ms)
    return neuron, trace


@same_as_runtime(**_CABLE)
def test_synapses_onto_compartments() -> Any:
    """Spikes that arrive at branches, and subgroups of compartments."""
    neuron = SpatialNeuron(
        _tree(),
        """Im = 0.3*msiemens/cm**2*(-65*mV - v) : amp/meter**2
        Is = gs*(0*mV - v) : amp (point current)
        dgs/dt = -gs/(2*ms) : siemens""",
        method="exponential_euler",
    )
    neuron.v = -65 * mV
    source = SpikeGeneratorGroup(3, [0, 1, 2, 0], [0.5, 1, 1.2, 3] * ms)
    synapses = Synapses(source, neuron.dendrite, on_pre="gs_post += 0.5*nS")
    synapses.connect(i=[0, 1, 2], j=[0, 3, 5])
    synapses.delay = "0.3*ms*i"
    trace = StateMonitor(neuron, ["v", "gs"], record=True)
    rest = StateMonitor(neuron.axon, "v", record=True, dt=1 * ms)
    run(5 * ms)
    return neuron, trace, rest


@same_as_runtime
def test_varying_membrane_and_changes_between_runs() -> Any:
    """``Cm`` a compartment, ``Ri`` changed between runs, two cells in one network."""
    cells = [
        SpatialNeuron(
            Cylinder(length=100 * um, diameter=1 * um, n=10),
            _PASSIVE,
            Cm=np.linspace(0.8, 1.2, 10) * uF / cm**2,
            Ri=resistivity * ohm * cm,
        )
        for resistivity in (80, 150)
    ]
    for number, cell in enumerate(cells):
        cell.v = -65 * mV
        cell.I[number] = 10 * pA
    network = Network(cells)
    network.run(2 * ms)
    cells[0].Ri = 200 * ohm * cm
    cells[1].Cm = "1.1*uF/cm**2"
    network.run(2 * ms)
    return cells


@same_as_runtime
def test_shunts_and_shared_variables() -> Any:
    """Point conductances, shared parameters and subexpressions in a cable."""
    neuron = SpatialNeuron(
        Cylinder(length=100 * um, diameter=1 * um, n=12),
        """Im = gl*(-65*mV - v) + pulse : amp/meter**2
        gl : siemens/meter**2 (constant)
        strength : 1 (shared)
        pulse = strength*0.01*amp/meter**2*int(t < 1*ms)*int(i == 2) : amp/meter**2
        Ishunt = shunt*(-70*mV - v) : amp (point current)
        shunt : siemens""",
    )
    neuron.v = -60 * mV
    neuron.gl = "(1 + 0.1*i)*siemens/meter**2"
    neuron.strength = 2.3
    neuron.shunt[5] = 0.3 * nS
    trace = StateMonitor(neuron, "v", record=True)
    run(3 * ms)
    return neuron, trace


def test_cable_against_the_analytic_solution(engine: Engine) -> None:
    """The steady state of a long cable falls off with the length constant."""
    with under(engine):
        n = 200
        neuron = SpatialNeuron(
            Cylinder(length=3 * mm, diameter=2 * um, n=n),
            "Im = 0.1*msiemens/cm**2*(0*mV - v) : amp/meter**2\nI : amp (point current)",
            Cm=1 * uF / cm**2,
            Ri=150 * ohm * cm,
        )
        neuron.I[0] = 0.02 * nA
        run(100 * ms)
        length_constant = float(neuron.space_constant[0])
        x = np.array(neuron.distance)
        expected = np.cosh((0.003 - x) / length_constant)
        v = np.array(neuron.v)
        ratio = (v / v[n // 4]) / (expected / expected[n // 4])
        assert np.abs(ratio[2:] - 1).max() < 0.01


def test_a_threshold_at_several_locations_raises(engine: Engine) -> None:
    """As in Brian2."""
    with under(engine), pytest.raises(AttributeError, match="single location"):
        cable = Cylinder(length=100 * um, diameter=1 * um, n=10)
        SpatialNeuron(
            cable, _PASSIVE, threshold="v > 0*mV", threshold_location=cable[2 * um : 40 * um]
        )
