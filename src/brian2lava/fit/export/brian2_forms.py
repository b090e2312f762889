"""Registers as Brian2 equations from which the device finds just these registers again.

One unit of v is the resting threshold, and the device is told what that is in the chip's units
(``scales=``). A decay register k is the time constant ``4096 / k`` steps of Euler's method, which
loses k/4096 a step as the chip does; a current's is one more. Everything else is a whole number of
the chip's units, divided by the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from brian2lava.chip.limits import ALIGNMENT, DECAY_UNITY, ROTATION_BITS
from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings

#: One unit of v where the threshold is 0.
_SOME_LEVEL = 8192 << ALIGNMENT


@dataclass(frozen=True)
class Form:
    """A chip neuron in Brian2's terms.

    Attributes
    ----------
    scale : int
        The chip's state units in one unit of v.
    equations : tuple of str
    threshold, reset : str
    constants : dict of str to str
        Names in the equations and what they are, as Python; ``step`` is the time step.
    initial : dict of str to str
        What states begin with, where it is not 0.
    refractory : int
        Steps, as Brian2 counts them; 0: none.
    inputs : dict of str to (int, bool)
        TimedArrays in the equations, the port whose stimulus each one is, and whether it is added
        to a current.
    late : dict of str to int
        Currents that the stimulus is added to, and what of 4096 each loses in a step: Brian2's v
        feels them one step after the chip's does.
    resets : (interval, offset) or None
        v and u are 0 before step n (from 1) where n mod interval = offset mod interval.
    jumps : dict of str to float
        What a neuron's spike adds to its own variables.
    """

    scale: int
    equations: tuple[str, ...]
    threshold: str
    reset: str
    constants: Mapping[str, str]
    initial: Mapping[str, str] = field(default_factory=dict)
    refractory: int = 0
    inputs: Mapping[str, tuple[int, bool]] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    resets: tuple[int, int] | None = None
    jumps: Mapping[str, float] = field(default_factory=dict)


def form_of(settings: Settings, drive: str) -> Form:
    """The form of one register set.

    Raises
    ------
    FitError
        Brian2's equations have no such neuron.
    """
    if settings.model not in FORMS:
        raise FitError(
            f"{settings.model} can't be written as Brian2 equations that the device recognises (it"
            f" does that for {', '.join(FORMS)}). Export the Lava script instead."
        )
    registers = {name: int(values[0]) for name, values in settings.registers.items()}
    return FORMS[settings.model](registers, settings, drive)


def own_jump(settings: Settings, port: int, scale: int) -> float:
    """What a spike adds to the current behind a port of its own neuron, in units of v a step."""
    weight = int(settings.own_weights[port, 0])
    exponent = int(settings.own_exponents[port, 0])
    arriving = weight << exponent if exponent >= 0 else weight >> -exponent
    return (arriving << ALIGNMENT) / scale


# ---------------------------------------------------------------- the leaky family
class _Leaky:
    """A voltage, its currents and its bias; what models have beside these is added by them."""

    def __init__(self, registers: Mapping[str, int], settings: Settings, drive: str) -> None:
        names = {"du": "du", "dv": "dv", "vth": "vth"}
        if settings.model == "ATRLIF":
            names = {"du": "delta_i", "dv": "delta_v", "vth": "theta_0"}
        self.registers, self.settings = registers, settings
        self.du, self.dv, self.vth = (registers[names[name]] for name in ("du", "dv", "vth"))
        self.scale = (self.vth << ALIGNMENT) or _SOME_LEVEL
        self.constants: dict[str, str] = {}
        self.more: list[str] = []
        self.initial: dict[str, str] = {}
        self.jumps: dict[str, float] = {}
        self.inputs: dict[str, tuple[int, bool]] = {}
        self.late: dict[str, int] = {}
        self.graded = drive == "graded"
        self._membrane()

    def _membrane(self) -> None:
        """Currents that anything comes into; what is empty all the time is left out."""
        self.drives: list[str] = []
        self._port(0, "u", "tau_s", self.du)
        if self.settings.model == "CubaLIF2":
            self._port(1, "w", "tau_w", self.registers["du2"])
        self.drives.append("bias")

    def _port(self, port: int, name: str, tau: str, register: int) -> None:
        """The current behind a port."""
        own = bool(self.settings.own_weights[port].any())
        driven = self.graded and bool(self.settings.weights[port].any())
        array = "I" if port == 0 else f"I{port + 1}"
        given = f"{array}(t, i)" if driven else ""
        # nothing is left of the first current after a step: the stimulus acts on v itself
        if driven and not own and port == 0 and register + 1 == DECAY_UNITY:
            self.drives.append(given)
            self.inputs[array] = port, False
        elif driven or own:
            self.drives.append(name)
            self.more.append(f"d{name}/dt = {self.leak(name, tau, register + 1, given)}")
            if driven:
                self.inputs[array] = port, True
                self.late[name] = register + 1
            if own:
                self.jumps[name] = own_jump(self.settings, port, self.scale)

    def leak(self, name: str, tau: str, lost: int, given: str = "", rest: str = "") -> str:
        """The right side of an equation that loses ``lost`` / 4096 a step."""
        terms = []
        if lost:
            self.constants[tau] = _in_steps(lost)
            terms.append(f"({rest} - {name})/{tau}" if rest else f"-{name}/{tau}")
        if given:
            terms.append(f"{given}/step")
        return f"{' + '.join(terms) or '0*hertz'} : 1"

    def form(self, threshold: str, reset: str, refractory: int) -> Form:
        """What has been collected."""
        r = self.registers
        given = f"({' + '.join(self.drives)})"
        flag = " (unless refractory)" if refractory else ""
        return Form(
            scale=self.scale,
            equations=(
                f"dv/dt = {self.leak('v', 'tau_m', self.dv, given)}{flag}",
                *self.more,
                "bias : 1  # a step",
            ),
            threshold=threshold,
            reset=reset,
            constants=self.constants,
            initial={
                "bias": f"{r['bias_mant'] << r['bias_exp']} / {self.scale}",
                **self.initial,
            },
            refractory=refractory + 1 if refractory else 0,
            inputs=self.inputs,
            late=self.late,
            jumps=self.jumps,
        )

    @property
    def threshold(self) -> str:
        """The resting threshold in units of v."""
        return "1" if self.vth else "0"


def _in_steps(lost: int) -> str:
    """The time constant of Euler's method that loses ``lost`` / 4096 a step."""
    return f"{DECAY_UNITY} / {lost} * step"


def _lif(registers: Mapping[str, int], settings: Settings, drive: str) -> Form:
    made = _Leaky(registers, settings, drive)
    return made.form(f"v > {made.threshold}", "v = 0", registers["refractory"])


def _reset(registers: Mapping[str, int], settings: Settings, drive: str) -> Form:
    return replace(
        _lif(registers, settings, drive),
        resets=(registers["reset_interval"], registers["reset_offset"]),
    )


def _soft(registers: Mapping[str, int], settings: Settings, drive: str) -> Form:
    made = _Leaky(registers, settings, drive)
    return made.form(
        f"v > {made.threshold}", f"v -= {made.threshold}", registers.get("refractory", 0)
    )


def _adaptive(registers: Mapping[str, int], settings: Settings, drive: str) -> Form:
    made = _Leaky(registers, settings, drive)
    parts = [part for part in ("1", "2") if registers[f"step{part}"]]
    for part in parts:
        theta = f"theta{part}"
        made.more.append(
            f"d{theta}/dt = {made.leak(theta, f'tau_theta{part}', registers[f'dtheta{part}'])}"
        )
        made.constants[f"step{part}"] = f"{registers[f'step{part}']} / {made.scale}"
    threshold = " + ".join([made.threshold, *(f"theta{part}" for part in parts)])
    reset = "; ".join(["v = 0", *(f"theta{part} += step{part}" for part in parts)])
    return made.form(f"v > {threshold}", reset, registers["refractory"])


def _lava_adaptive(registers: Mapping[str, int], settings: Settings, drive: str) -> Form:
    made = _Leaky(registers, settings, drive)
    level = registers["theta_0"] << ALIGNMENT
    made.constants["theta_0"] = f"{level} / {made.scale}"
    made.constants["theta_step"] = f"{registers['theta_step'] << ALIGNMENT} / {made.scale}"
    made.more += [
        f"dtheta/dt = {made.leak('theta', 'tau_theta', registers['delta_theta'], rest='theta_0')}",
        f"dr/dt = {made.leak('r', 'tau_r', registers['delta_r'])}",
    ]
    made.initial["theta"] = made.constants["theta_0"]
    return made.form("v - r >= theta", "r += 2*theta; theta += theta_step", 0)


# ---------------------------------------------------------------- resonators
def _resonator(registers: Mapping[str, int], settings: Settings, drive: str) -> Form:
    if registers["decay_bits"] != ROTATION_BITS.high or registers["state_exp"] != ALIGNMENT:
        raise FitError(
            f"{settings.model} with decay_bits={registers['decay_bits']} and state_exp="
            f"{registers['state_exp']}: the device gives a resonator {ROTATION_BITS.high} and"
            f" {ALIGNMENT}. Export the Lava script instead."
        )
    sine, kept = registers["sin_decay"], registers["cos_decay"]
    keeps_phase = settings.model == "RF"
    before = ("y_before = y : 1 (constant over dt)",) if keeps_phase else ()
    return Form(
        scale=registers["vth"],
        equations=(
            "dx/dt = (-lost*x - turned*y + I(t, i))/step : 1",
            "dy/dt = (turned*x - lost*y)/step : 1",
            *before,
        ),
        threshold="x >= 1 and y >= 0 and y_before < 0" if keeps_phase else "y >= 1",
        reset="" if keeps_phase else "x = 0; y = 1",
        constants={
            "turned": f"{sine} / {DECAY_UNITY}",
            "lost": f"{DECAY_UNITY - kept} / {DECAY_UNITY}",
        },
        inputs={"I": (0, False)},
    )


FORMS: dict[str, Callable[[Mapping[str, int], Settings, str], Any]] = {
    "LIF": _lif,
    "LIFReset": _reset,
    "LIFSoft": _soft,
    "ALIF": _adaptive,
    "CubaLIF2": _lif,
    "ATRLIF": _lava_adaptive,
    "RF": _resonator,
    "RF_IZ": _resonator,
}
