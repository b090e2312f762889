"""Spiking neurons of the literature, as equations with parameters and a stimulus to begin with.

All values are in SI base units. Firing patterns are in :mod:`brian2lava.fit.target.patterns`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from brian2lava.errors import FitError
from brian2lava.fit.target.equations import NeuronEquations, Value
from brian2lava.fit.target.patterns import ADEX, IZHIKEVICH, MAT, Pattern
from brian2lava.fit.target.stimuli import Noise, Step, Stimulus

#: Seconds between samples of a target.
STEP = 1e-4


@dataclass(frozen=True)
class Model:
    """A neuron of the literature.

    Attributes
    ----------
    neuron : NeuronEquations
    stimulus : Stimulus
        What it is shown with unless another is given.
    patterns : dict of str to Pattern
        Named sets of parameters.
    substeps : int
        Steps of the simulation in one step of a target: more where the equations are stiff.
    """

    neuron: NeuronEquations
    stimulus: Stimulus
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    substeps: int = 1

    @property
    def name(self) -> str:
        """What it is called."""
        return self.neuron.name

    def pattern(self, name: str) -> Pattern:
        """A pattern by its name; spaces, dashes and case do not matter.

        Raises
        ------
        FitError
            There is none of that name; says the nearest.
        """
        return self.patterns[nearest(f"pattern of {self.name}", name, self.patterns)]

    def step(self, pattern: str | None) -> float:
        """Seconds between samples unless other ones are asked for."""
        return STEP if pattern is None else self.pattern(pattern).dt or STEP

    def with_pattern(self, name: str) -> Model:
        """The model with a pattern's parameters, first values and stimulus."""
        pattern = self.pattern(name)
        neuron = self.neuron.with_parameters(pattern.parameters)
        return replace(
            self,
            neuron=replace(neuron, initial={**neuron.initial, **pattern.initial}),
            stimulus=pattern.shown() if pattern.stimulus is not None else self.stimulus,
        )


def nearest(what: str, name: str, known: Mapping[str, object]) -> str:
    """The key that a name means.

    Raises
    ------
    FitError
        There is none; says the nearest.
    """
    plain = {_plain(key): key for key in known}
    if _plain(name) in plain:
        return plain[_plain(name)]
    near = difflib.get_close_matches(_plain(name), plain, 1, 0.4)
    raise FitError(
        f"there is no {what} {name!r}; there are {', '.join(known) or 'none'}."
        + (f" Did you mean {plain[near[0]]!r}?" if near else "")
    )


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _values(**numbers: tuple[float, str]) -> dict[str, Value]:
    return {name: Value(*pair) for name, pair in numbers.items()}


LIF = Model(
    NeuronEquations(
        name="LIF",
        equations="dv/dt = (gL*(EL - v) + I)/C : volt (unless refractory)",
        threshold="v > VT",
        reset="v = Vr",
        refractory="tref",
        parameters=_values(
            C=(200e-12, "farad"),
            gL=(10e-9, "siemens"),
            EL=(-70e-3, "volt"),
            VT=(-50e-3, "volt"),
            Vr=(-60e-3, "volt"),
            tref=(2e-3, "second"),
        ),
        initial={"v": "EL"},
        method="exact",
        source="Gerstner, Kistler, Naud and Paninski 2014, Neuronal Dynamics, section 1.3",
    ),
    Noise(mean=220e-12, sigma=100e-12, tau=10e-3, duration=3.0, seed=1),
)

EIF = Model(
    NeuronEquations(
        name="EIF",
        equations="dv/dt = (gL*(EL - v) + gL*DT*exp((v - VT)/DT) + I)/C : volt (unless refractory)",
        threshold="v > Vcut",
        reset="v = Vr",
        refractory="tref",
        parameters=_values(
            C=(200e-12, "farad"),
            gL=(20e-9, "siemens"),
            EL=(-65e-3, "volt"),
            VT=(-59.9e-3, "volt"),
            DT=(3.48e-3, "volt"),
            Vcut=(-30e-3, "volt"),
            Vr=(-68e-3, "volt"),
            tref=(1.7e-3, "second"),
        ),
        initial={"v": "EL"},
        method="euler",
        source="Fourcaud-Trocme, Hansel, van Vreeswijk and Brunel 2003, J. Neurosci. 23:11628;"
        " per area there, here for a membrane of 200 pF",
    ),
    Noise(mean=50e-12, sigma=150e-12, tau=10e-3, duration=3.0, seed=1),
    substeps=5,
)

_ADEX = Model(
    NeuronEquations(
        name="AdEx",
        equations="""
        dv/dt = (gL*(EL - v) + gL*DT*exp((v - VT)/DT) + I - w)/C : volt
        dw/dt = (a*(v - EL) - w)/tauw : amp
        """,
        threshold="v > 0*mV",
        reset="v = Vr; w += b",
        parameters=_values(
            C=(200e-12, "farad"),
            gL=(12e-9, "siemens"),
            EL=(-70e-3, "volt"),
            VT=(-50e-3, "volt"),
            DT=(2e-3, "volt"),
            a=(2e-9, "siemens"),
            tauw=(300e-3, "second"),
            b=(60e-12, "amp"),
            Vr=(-58e-3, "volt"),
        ),
        initial={"v": "EL"},
        method="euler",
        source="Brette and Gerstner 2005, J. Neurophysiol. 94:3637; Naud, Marcille, Clopath and"
        " Gerstner 2008, Biol. Cybern. 99:335",
    ),
    Noise(mean=400e-12, sigma=200e-12, tau=10e-3, duration=3.0, seed=1),
    patterns=ADEX,
    substeps=5,
)

# u takes the new v, as in the paper's script: with method euler, steps are identical to its own
_IZHIKEVICH = Model(
    NeuronEquations(
        name="Izhikevich",
        equations="""
        slope = (0.04*v**2 + k1*v + k0 - u + I)/ms : Hz
        dv/dt = slope : 1
        du/dt = a*(b*(v + slope*dt + vb) - ku*u)/ms : 1
        """,
        threshold="v > 30",
        reset="v = c; u += d",
        parameters=_values(
            a=(0.02, "1"),
            b=(0.2, "1"),
            c=(-65.0, "1"),
            d=(6.0, "1"),
            k1=(5.0, "1"),
            k0=(140.0, "1"),
            vb=(0.0, "1"),
            ku=(1.0, "1"),
        ),
        initial={"v": "-70", "u": "b*v"},
        input_unit="1",
        volt=1e-3,
        method="euler",
        source="Izhikevich 2003, IEEE Trans. Neural Networks 14:1569; 2004, 15:1063, and the"
        " script figure1.m that belongs to it",
    ),
    Step(0.0, 0.02) + Noise(mean=8.0, sigma=6.0, tau=10e-3, duration=3.0, seed=1),
    patterns=IZHIKEVICH,
)

HODGKIN_HUXLEY = Model(
    NeuronEquations(
        name="Hodgkin-Huxley",
        equations="""
        dv/dt = (gL*(EL - v) + gNa*m**3*h*(ENa - v) + gK*n**4*(EK - v) + I)/C : volt
        dm/dt = am*(1 - m) - bm*m : 1
        dh/dt = ah*(1 - h) - bh*h : 1
        dn/dt = an*(1 - n) - bn*n : 1
        am = 1/exprel(-(v + 40*mV)/(10*mV))/ms : Hz
        bm = 4*exp(-(v + 65*mV)/(18*mV))/ms : Hz
        ah = 0.07*exp(-(v + 65*mV)/(20*mV))/ms : Hz
        bh = 1/(1 + exp(-(v + 35*mV)/(10*mV)))/ms : Hz
        an = 0.1/exprel(-(v + 55*mV)/(10*mV))/ms : Hz
        bn = 0.125*exp(-(v + 65*mV)/(80*mV))/ms : Hz
        """,
        threshold="v > 0*mV",
        reset="",
        refractory="v > 0*mV",
        parameters=_values(
            C=(200e-12, "farad"),
            gL=(60e-9, "siemens"),
            EL=(-54.387e-3, "volt"),
            gNa=(24e-6, "siemens"),
            ENa=(50e-3, "volt"),
            gK=(7.2e-6, "siemens"),
            EK=(-77e-3, "volt"),
        ),
        initial={"v": "-65*mV", "m": "0.0529", "h": "0.5961", "n": "0.3177"},
        source="Hodgkin and Huxley 1952, J. Physiol. 117:500, with today's signs, rest at -65 mV,"
        " for 20000 square micrometres",
    ),
    Noise(mean=1.4e-9, sigma=1e-9, tau=5e-3, duration=3.0, seed=1),
    substeps=5,
)

MORRIS_LECAR = Model(
    NeuronEquations(
        name="Morris-Lecar",
        equations="""
        dv/dt = (I - gL*(v - EL) - gCa*minf*(v - ECa) - gK*w*(v - EK))/C : volt
        dw/dt = phi*(winf - w)*cosh((v - V3)/(2*V4)) : 1
        minf = 0.5*(1 + tanh((v - V1)/V2)) : 1
        winf = 0.5*(1 + tanh((v - V3)/V4)) : 1
        """,
        threshold="v > 0*mV",
        reset="",
        refractory="v > 0*mV",
        parameters=_values(
            C=(4e-9, "farad"),
            gL=(0.4e-6, "siemens"),
            EL=(-60e-3, "volt"),
            gCa=(0.88e-6, "siemens"),
            ECa=(120e-3, "volt"),
            gK=(1.6e-6, "siemens"),
            EK=(-84e-3, "volt"),
            V1=(-1.2e-3, "volt"),
            V2=(18e-3, "volt"),
            V3=(2e-3, "volt"),
            V4=(30e-3, "volt"),
            phi=(40.0, "hertz"),
        ),
        initial={"v": "-60*mV", "w": "0.0149"},
        method="rk4",
        source="Morris and Lecar 1981, Biophys. J. 35:193; values of Rinzel and Ermentrout 1989"
        " (Hopf), for 20000 square micrometres",
    ),
    Noise(mean=20e-9, sigma=6e-9, tau=20e-3, duration=6.0, seed=1),
)

MAT_MODEL = Model(
    NeuronEquations(
        name="MAT",
        equations="""
        dv/dt = (EL - v + R*I)/taum : volt
        dtheta1/dt = -theta1/tau1 : volt
        dtheta2/dt = -theta2/tau2 : volt
        """,
        threshold="v > omega + theta1 + theta2",
        reset="theta1 += alpha1; theta2 += alpha2",
        refractory="tref",
        parameters=_values(
            EL=(-65e-3, "volt"),
            R=(50e6, "ohm"),
            taum=(5e-3, "second"),
            tau1=(10e-3, "second"),
            tau2=(200e-3, "second"),
            alpha1=(30e-3, "volt"),
            alpha2=(2e-3, "volt"),
            omega=(-45e-3, "volt"),
            tref=(2e-3, "second"),
        ),
        initial={"v": "EL"},
        source="Kobayashi, Tsubo and Shinomoto 2009, Front. Comput. Neurosci. 3:9",
    ),
    Noise(mean=0.5e-9, sigma=0.3e-9, tau=5e-3, duration=3.0, seed=1),
    patterns=MAT,
)


def _glif(level: int) -> Model:
    """A level of the GLIF hierarchy: 2, 4, 5 have reset rules, 3 to 5 after-spike currents."""
    rules, after, voltage = level in (2, 4, 5), level >= 3, level == 5
    equations = [
        f"dv/dt = (G*(EL - v) + I{' + I1 + I2' if after else ''})/C : volt (unless refractory)"
    ]
    threshold, reset = "v > thinf", ["v = Vr"]
    names = ["C", "G", "EL", "thinf", "Vr", "tref"]
    if after:
        equations += [f"dI{j}/dt = -k{j}*I{j} : amp (unless refractory)" for j in (1, 2)]
        # what decays during the spike's cut is written at once; the states rest until its end
        reset += [f"I{j} = f{j}*I{j}*exp(-k{j}*tref) + dI{j}" for j in (1, 2)]
        names += ["k1", "k2", "f1", "f2", "dI1", "dI2"]
    if rules:
        equations.append("dths/dt = -bs*ths : volt (unless refractory)")
        threshold += " + ths"
        reset[0] = "v = EL + fv*(v - EL) + dV"
        reset.append("ths = ths*exp(-bs*tref) + dths")
        names = [n for n in names if n != "Vr"] + ["bs", "dths", "fv", "dV"]
    if voltage:
        equations.append("dthv/dt = av*(v - EL) - bv*thv : volt (unless refractory)")
        threshold += " + thv"
        names += ["av", "bv"]
    return Model(
        NeuronEquations(
            name=f"GLIF{level}",
            equations="\n".join(equations),
            threshold=threshold,
            reset="\n".join(reset),
            refractory="tref",
            parameters={name: _GLIF[name] for name in names},
            initial={"v": "EL"},
            method="rk2",
            source="Teeter et al. 2018, Nature Communications 9:709; values of one cell, those"
            " that NEST 3 has as defaults of glif_psc",
        ),
        Noise(mean=300e-12, sigma=150e-12, tau=10e-3, duration=3.0, seed=1),
    )


_GLIF = _values(
    C=(58.72e-12, "farad"),
    G=(9.43e-9, "siemens"),
    EL=(-78.85e-3, "volt"),
    thinf=(-51.68e-3, "volt"),
    Vr=(-78.85e-3, "volt"),
    tref=(3.75e-3, "second"),
    k1=(3.0, "hertz"),
    k2=(100.0, "hertz"),
    f1=(1.0, "1"),
    f2=(1.0, "1"),
    dI1=(-9.18e-12, "amp"),
    dI2=(-198.94e-12, "amp"),
    bs=(9.0, "hertz"),
    dths=(0.37e-3, "volt"),
    fv=(0.2, "1"),
    dV=(18.51e-3, "volt"),
    av=(5.0, "hertz"),
    bv=(90.0, "hertz"),
)

#: Every model by its name. A new one is a line here.
TARGET_MODELS: dict[str, Model] = {
    each.name: each
    for each in (
        _ADEX,
        LIF,
        EIF,
        _IZHIKEVICH,
        HODGKIN_HUXLEY,
        MORRIS_LECAR,
        *map(_glif, range(1, 6)),
        MAT_MODEL,
    )
}
_SHORT = {"hh": "Hodgkin-Huxley", "ml": "Morris-Lecar", "izh": "Izhikevich"}


def target_model(name: str) -> Model:
    """A model by its name; case, spaces and dashes do not matter.

    Raises
    ------
    FitError
        There is none of that name; says the nearest.
    """
    return TARGET_MODELS[nearest("model", _SHORT.get(_plain(name), name), TARGET_MODELS)]
