"""Firing patterns: parameters of models, and the currents that bring the patterns about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from brian2lava.fit.target.stimuli import Pulses, Ramp, Sequence, Step, Stimulus


@dataclass(frozen=True)
class Pattern:
    """Parameters that give a pattern.

    Attributes
    ----------
    name : str
    parameters : dict of str to float
        In SI base units; the others are the model's.
    stimulus : Stimulus or None
        The source's current. None: the model's own stimulus shows the pattern.
    initial : dict of str to str
    dt : float
        Seconds of a step with which the source shows the pattern; 0: any small one does.
    rest, level : float
        Seconds between two presentations, and the current in them.
    scales : tuple of float
        Presentations in a target. A fit keeps the last third to itself, so the last presentation,
        the source's own current, is what a fit is judged by.
    """

    name: str
    parameters: Mapping[str, float]
    stimulus: Stimulus | None = None
    initial: Mapping[str, str] = field(default_factory=dict)
    dt: float = 0.0
    rest: float = 0.0
    level: float = 0.0
    scales: tuple[float, ...] = (1.0, 1.0, 1.0)

    def shown(self) -> Stimulus:
        """All presentations, one after another."""
        assert self.stimulus is not None
        pieces: list[Stimulus] = []
        for scale in self.scales:
            pieces += [_scaled(piece, scale) for piece in self.stimulus.parts()]
            pieces.append(Step(self.level, self.rest))
        return Sequence(tuple(pieces))


def _scaled(piece: Stimulus, factor: float) -> Stimulus:
    if isinstance(piece, Step) and factor != 1:
        return replace(piece, amplitude=piece.amplitude * factor)
    return piece


#: Naud, Marcille, Clopath and Gerstner 2008, Biol. Cybern. 99:335, table 1 and figure 4, with the
#: corrections of P. Mueller that Brian2's example of the paper has. In pF, nS, mV, nS, ms, pA, mV,
#: pA: C, gL, EL, a, tauw, b, Vr, I; VT is -50 mV and DT 2 mV throughout.
_NAUD = {
    "tonic": (200, 10, -70, 2, 30, 0, -58, 500),
    "adapting": (200, 12, -70, 2, 300, 60, -58, 500),
    "initial burst": (130, 18, -58, 4, 150, 120, -50, 400),
    "regular bursting": (200, 10, -58, 2, 120, 100, -46, 210),
    "delayed accelerating": (200, 12, -70, -10, 300, 0, -58, 300),
    "delayed regular bursting": (100, 10, -65, -10, 90, 30, -47, 110),
    "transient": (100, 10, -65, 10, 90, 100, -47, 180),
    "irregular": (100, 12, -60, -11, 130, 30, -48, 160),
}


def _naud(name: str, row: tuple[float, ...]) -> Pattern:
    capacitance, leak, rest, a, tauw, b, reset, current = row
    return Pattern(
        name,
        {
            "C": capacitance * 1e-12,
            "gL": leak * 1e-9,
            "EL": rest * 1e-3,
            "VT": -50e-3,
            "DT": 2e-3,
            "a": a * 1e-9,
            "tauw": tauw * 1e-3,
            "b": b * 1e-12,
            "Vr": reset * 1e-3,
        },
        Step(0.0, 0.05) + Step(current * 1e-12, 0.5),
        rest=0.45,
        scales=(0.9, 1.1, 1.0),
    )


ADEX = {name: _naud(name, row) for name, row in _NAUD.items()}

#: Kobayashi, Tsubo and Shinomoto 2009, figure 5B. In mV: alpha1, alpha2, omega.
_KOBAYASHI = {
    "regular spiking": (30.0, 2.0, -45.0),
    "intrinsic bursting": (7.5, 1.5, -46.0),
    "fast spiking": (10.0, 0.2, -55.0),
    "chattering": (-0.5, 0.4, -39.0),
}
MAT = {
    name: Pattern(name, {"alpha1": first * 1e-3, "alpha2": second * 1e-3, "omega": omega * 1e-3})
    for name, (first, second, omega) in _KOBAYASHI.items()
}


def _steps(*pieces: tuple[float, float]) -> Stimulus:
    """Levels, and milliseconds that each lasts."""
    return Sequence(tuple(Step(level, milliseconds * 1e-3) for level, milliseconds in pieces))


def _pulses(
    tau: float,
    amplitude: float,
    width: float,
    onsets: tuple[float, ...],
    end: float,
    base: float = 0.0,
) -> Stimulus:
    """The script's comparisons are strict: a pulse begins a step late, and lacks that step."""
    starts = tuple((onset + tau) * 1e-3 for onset in onsets)
    return Pulses(amplitude, (width - tau) * 1e-3, starts, end * 1e-3, base)


def _ramp(start: float, stop: float, milliseconds: float) -> Stimulus:
    return Ramp(start, stop, milliseconds * 1e-3)


#: Izhikevich 2004, IEEE Trans. Neural Networks 15:1063, figure 1, with the values of the script
#: figure1.m: step in ms, a, b, c, d, first v, current, its level between presentations. Class 1
#: and integrator have 4.1 v + 108 in place of 5 v + 140, accommodation a b (v + 65) as the slope
#: of u. Two patterns, depolarizing after-potential and inhibition-induced bursting, live on the
#: length of the step: with a tenth of it, u never ends a burst.
_FIGURE: dict[str, tuple[float, float, float, float, float, float, Stimulus, float]] = {
    "tonic spiking": (0.25, 0.02, 0.2, -65, 6, -70, _steps((0, 10.25), (14, 89.75)), 0),
    "phasic spiking": (0.25, 0.02, 0.25, -65, 6, -64, _steps((0, 20.25), (0.5, 179.75)), 0),
    "tonic bursting": (0.25, 0.02, 0.2, -50, 2, -70, _steps((0, 22.25), (15, 197.75)), 0),
    "phasic bursting": (0.2, 0.02, 0.25, -55, 0.05, -64, _steps((0, 20.2), (0.6, 179.8)), 0),
    "mixed mode": (0.25, 0.02, 0.2, -55, 4, -70, _steps((0, 16.25), (10, 143.75)), 0),
    "spike frequency adaptation": (
        0.25, 0.01, 0.2, -65, 8, -70, _steps((0, 8.75), (30, 76.25)), 0,
    ),
    "class 1": (
        0.25, 0.02, -0.1, -55, 6, -60, _steps((0, 30)) + _ramp(0, 20.25, 270), 0,
    ),
    "class 2": (
        0.25, 0.2, 0.26, -65, 0, -64, _steps((-0.5, 30)) + _ramp(-0.5, 3.55, 270), -0.5,
    ),
    "spike latency": (0.2, 0.02, 0.2, -65, 6, -70, _pulses(0.2, 7.04, 3, (10,), 100), 0),
    "subthreshold oscillations": (
        0.25, 0.05, 0.26, -60, 0, -62, _pulses(0.25, 2, 5, (20,), 200), 0,
    ),
    "resonator": (
        0.25, 0.1, 0.26, -60, -1, -62, _pulses(0.25, 0.65, 4, (40, 60, 280, 320), 400), 0,
    ),
    "integrator": (
        0.25, 0.02, -0.1, -55, 6, -60,
        _steps((0, 9.25), (9, 2), (0, 3), (9, 2), (0, 54), (9, 1.75), (0, 8.25), (9, 1.75),
               (0, 18)), 0,
    ),
    "rebound spike": (0.2, 0.03, 0.25, -60, 4, -64, _pulses(0.2, -15, 5, (20,), 200), 0),
    "rebound burst": (0.2, 0.03, 0.25, -52, 0, -64, _pulses(0.2, -15, 5, (20,), 200), 0),
    "threshold variability": (
        0.25, 0.03, 0.25, -60, 4, -64,
        _steps((0, 10.25), (1, 4.75), (0, 55.25), (-6, 4.75), (0, 5.25), (1, 4.75), (0, 15)), 0,
    ),
    "bistability": (
        0.25, 0.1, 0.26, -60, 0, -61, _pulses(0.25, 1.24, 5, (37.5, 216), 300, 0.24), 0.24,
    ),
    "depolarizing after-potential": (
        0.1, 1, 0.2, -60, -21, -70, _pulses(0.1, 20, 2, (9,), 50), 0,
    ),
    "accommodation": (
        0.5, 0.02, 1, -55, 4, -65,
        _ramp(0, 8, 200) + _steps((0, 100)) + _ramp(0, 4, 12.5) + _steps((0, 87.5)), 0,
    ),
    "inhibition-induced spiking": (
        0.5, -0.02, -1, -60, 8, -63.8, _steps((80, 50), (75, 200.5), (80, 99.5)), 80,
    ),
    "inhibition-induced bursting": (
        0.5, -0.026, -1, -45, -2, -63.8, _steps((80, 50), (75, 200.5), (80, 99.5)), 80,
    ),
}  # fmt: skip


def _izhikevich(name: str, row: tuple[Any, ...]) -> Pattern:
    tau, a, b, c, d, first, stimulus, level = row
    parameters = {"a": a, "b": b, "c": c, "d": d}
    if name in ("class 1", "integrator"):
        parameters |= {"k1": 4.1, "k0": 108.0}
    initial = {"v": repr(float(first)), "u": "b*v"}
    if name == "accommodation":
        parameters |= {"vb": 65.0, "ku": 0.0}
        initial["u"] = "-16"
    return Pattern(name, parameters, stimulus, initial, dt=tau * 1e-3, rest=0.4, level=float(level))


IZHIKEVICH = {name: _izhikevich(name, row) for name, row in _FIGURE.items()}
