"""NIR's neurons as Brian2 equations, which one step of Euler's method turns into the convention's.

Every cell has a voltage v and a current I. A spike adds to I after the thresholds of its step, so
that v sees it in the next step, undecayed; then I decays. In nodes without a synaptic current it is
gone after that step (``dI/dt = -I/dt``). So an input that arrives in the step of the target's own
spike is kept, as in NIR and on the chips; added to v itself, Brian2's reset would erase it.

With method="exact" the time constants in the equations are those whose Euler step is the exact one:
dt / (1 - exp(-dt/tau)).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

import numpy as np

from brian2lava.chip.ideal import Reals
from brian2lava.errors import NotSupported, OptionError
from brian2lava.interop.nir.convention import Convention
from brian2lava.interop.nir.linear import Shape

Reset = Literal["v_reset", "subtract"]
RESETS = ("v_reset", "subtract")


@dataclass(frozen=True)
class Cell:
    """A NIR neuron in the form that Brian2 gets.

    Attributes
    ----------
    name : str
        The node.
    size : int
    parameters : dict of name to (unit as text, array of shape (size,))
        In SI; names are NIR's.
    voltage : str
        dv/dt, with ``{drive}`` for the current that the voltage sees.
    current : str
        dI/dt, with ``{input}`` for what flows in beside spikes.
    direct : str
        What a continuous input is multiplied by where the voltage sees it in the same step.
    kept : str
        What part of a continuous input the current keeps after that step.
    gain : array of shape (size,)
        What I gains from an input of 1 that lasts for a step.
    threshold, reset : str
        Empty where the node does not spike.
    start : array of shape (size,)
        v before the first step.
    """

    name: str
    size: int
    parameters: Mapping[str, tuple[str, Reals]]
    voltage: str
    current: str
    direct: str
    kept: str
    gain: Reals
    threshold: str = ""
    reset: str = ""
    start: Reals = field(default_factory=lambda: np.zeros(1))

    @property
    def spikes(self) -> bool:
        """Whether it sends spikes; otherwise its voltage is what it sends."""
        return bool(self.threshold)


def cell(name: str, node: Any, shape: Shape, convention: Convention, reset: str) -> Cell:
    """The Brian2 form of a neuron node.

    Raises
    ------
    NotSupported
        A parameter that does not fit the shape, or a time constant that has no step.
    OptionError
        An unknown way to reset.
    """
    if reset not in RESETS:
        raise OptionError(f"reset={reset!r} for '{name}': choose one of {', '.join(RESETS)}.")
    return CELLS[type(node).__name__](_Read(name, node, prod(shape), convention), reset)


def readout(name: str, size: int) -> Cell:
    """Not a neuron: a linear output whose v is, in each step, what arrives."""
    return Cell(
        name, size, {}, "({drive} - v)/dt", "({input} - I)/dt", "", "0", np.ones(size)
    )  # fmt: skip


def own_shape(node: Any) -> Shape | None:
    """The shape that a neuron's parameters have, None where they are single numbers."""
    attribute = SHAPED_BY[type(node).__name__]
    values = np.asarray(getattr(node, attribute))
    return tuple(values.shape) if values.size > 1 or values.ndim == 1 else None


@dataclass(frozen=True)
class _Read:
    """A node's parameters, one a neuron."""

    name: str
    node: Any
    size: int
    convention: Convention

    def __call__(self, parameter: str) -> Reals:
        values = np.ravel(np.asarray(getattr(self.node, parameter), np.float64))
        if values.size not in (1, self.size):
            raise NotSupported(
                f"NIR node '{self.name}': {values.size} values of {parameter} for {self.size}"
                " neurons. Write one for all, or one a neuron."
            )
        if not np.all(np.isfinite(values)):
            raise NotSupported(
                f"NIR node '{self.name}': {parameter} has a value that is no number."
            )
        return np.array(np.broadcast_to(values, (self.size,)))

    def leak(self, parameter: str) -> Reals:
        return self.convention.leak(self(parameter), self.name, parameter)

    def v_reset(self) -> Reals:
        given = getattr(self.node, "v_reset", None)
        return np.zeros(self.size) if given is None else self("v_reset")

    def start(self, parameter: str | None) -> Reals:
        """Where v begins: at rest, unless the metadata says otherwise."""
        noted = (self.node.metadata or {}).get("v_start")
        if noted is not None:
            return np.array(np.broadcast_to(np.ravel(np.asarray(noted, float)), (self.size,)))
        return np.zeros(self.size) if parameter is None else self(parameter)


def _firing(read: _Read, reset: str) -> dict[str, Any]:
    """Threshold and reset of a spiking neuron."""
    level, back = read("v_threshold"), read.v_reset()
    if np.any(back >= level):
        raise NotSupported(
            f"NIR node '{read.name}': v_reset is not below v_threshold, so that it would fire in"
            " every step. Correct the graph."
        )
    code = "v = v_reset"
    if reset == "subtract":
        code = "v -= v_threshold - v_reset" if np.any(back) else "v -= v_threshold"
    above = ">=" if (read.node.metadata or {}).get("fires") == "at" else ">"
    return {"threshold": f"v {above} v_threshold", "reset": code}


def _levels(read: _Read, reset: str) -> dict[str, tuple[str, Reals]]:
    levels = {"v_threshold": ("1", read("v_threshold"))}
    if reset == "v_reset" or np.any(read.v_reset()):
        levels["v_reset"] = ("1", read.v_reset())
    return levels


def _leaky(read: _Read, tau: str) -> dict[str, tuple[str, Reals]]:
    return {
        tau: ("second", read.convention.dt / read.leak(tau)),
        "r": ("1", read("r")),
        "v_leak": ("1", read("v_leak")),
    }


def _synaptic(read: _Read) -> dict[str, tuple[str, Reals]]:
    tau = read.convention.dt / read.leak("tau_syn")
    return {"tau_syn": ("second", tau), "w_in": ("1", read("w_in"))}


#: What a current does that is gone after its step.
_PULSE: Mapping[str, Any] = {"current": "({input} - I)/dt", "direct": "", "kept": "0"}
#: What a synaptic current does.
_SYNAPTIC: Mapping[str, Any] = {
    "current": "(w_in*{input} - I)/tau_syn",
    "direct": "w_in*dt/tau_syn*",
    "kept": "(1 - dt/tau_syn)",
}


def _li(read: _Read, reset: str) -> Cell:
    return Cell(
        read.name, read.size, _leaky(read, "tau"), "(v_leak - v + r*{drive})/tau",
        gain=np.ones(read.size), start=read.start("v_leak"), **_PULSE,
    )  # fmt: skip


def _lif(read: _Read, reset: str) -> Cell:
    return Cell(
        read.name, read.size, _leaky(read, "tau") | _levels(read, reset),
        "(v_leak - v + r*{drive})/tau", gain=np.ones(read.size), start=read.start("v_leak"),
        **_PULSE, **_firing(read, reset),
    )  # fmt: skip


def _cuba_li(read: _Read, reset: str) -> Cell:
    return Cell(
        read.name, read.size, _leaky(read, "tau_mem") | _synaptic(read),
        "(v_leak - v + r*{drive})/tau_mem", gain=read("w_in") * read.leak("tau_syn"),
        start=read.start("v_leak"), **_SYNAPTIC,
    )  # fmt: skip


def _cuba_lif(read: _Read, reset: str) -> Cell:
    return Cell(
        read.name, read.size, _leaky(read, "tau_mem") | _synaptic(read) | _levels(read, reset),
        "(v_leak - v + r*{drive})/tau_mem", gain=read("w_in") * read.leak("tau_syn"),
        start=read.start("v_leak"), **_SYNAPTIC, **_firing(read, reset),
    )  # fmt: skip


def _i(read: _Read, reset: str) -> Cell:
    return Cell(
        read.name, read.size, {"r": ("hertz", read("r"))}, "r*{drive}",
        gain=np.ones(read.size), start=read.start(None), **_PULSE,
    )  # fmt: skip


def _if(read: _Read, reset: str) -> Cell:
    return Cell(
        read.name, read.size, {"r": ("hertz", read("r")), **_levels(read, reset)}, "r*{drive}",
        gain=np.ones(read.size), start=read.start(None), **_PULSE, **_firing(read, reset),
    )  # fmt: skip


def _threshold(read: _Read, reset: str) -> Cell:
    """It keeps nothing: v is what arrives; the reset is there for chips, which always have one."""
    return Cell(
        read.name, read.size, {"threshold": ("1", read("threshold"))}, "({drive} - v)/dt",
        gain=np.ones(read.size), threshold="v > threshold", reset="v = 0", **_PULSE,
    )  # fmt: skip


CELLS: Mapping[str, Callable[[_Read, str], Cell]] = {
    "CubaLI": _cuba_li,
    "CubaLIF": _cuba_lif,
    "I": _i,
    "IF": _if,
    "LI": _li,
    "LIF": _lif,
    "Threshold": _threshold,
}

#: The parameter that shows a node's shape.
SHAPED_BY: Mapping[str, str] = {
    "CubaLI": "v_leak",
    "CubaLIF": "v_threshold",
    "I": "r",
    "IF": "v_threshold",
    "LI": "v_leak",
    "LIF": "v_threshold",
    "Threshold": "threshold",
}
