"""A voltage and the currents that drive it: decays, bias, ports, states; all models but RF's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brian2lava.chip.ideal import Quantity, Reals, StateLink, real
from brian2lava.chip.recognise.leaky import Leaky
from brian2lava.chip.recognise.matched import NOTHING, Port, nonzero, register_value
from brian2lava.chip.recognise.step_map import Array


class Currents:
    """What drives the voltage of a population.

    ``channels`` are the states whose input has ports of its own, in their order: currents, and the
    voltage itself where input reaches it directly.
    """

    def __init__(self, leaky: Leaky, channels: list[int]) -> None:
        self.leaky = leaky
        self.found, self.names = leaky.found, leaky.names
        self.v, self.currents = leaky.v, leaky.currents
        self.channels = channels

    def rest(self, k: int) -> Array:
        """The value that a state relaxes to by itself."""
        phi, bias = self.found.phi[k, k], self.found.bias[k]
        leak = 1 - phi
        if np.any((np.abs(leak) <= NOTHING) & nonzero(bias)):
            self.leaky.refuse(
                f"{self.names[k]!r} grows without end by its own equation",
                "A chip's currents and thresholds decay to a rest",
                "Give it a decay",
            )
        return np.where(np.abs(leak) <= NOTHING, 0.0, bias / np.where(leak == 0, 1, leak))

    def bias(self, origin: Array) -> Array:
        """What drives v by itself, with ``origin`` as 0."""
        found, v = self.found, self.v
        bias = found.bias[v] + (found.phi[v, v] - 1) * origin
        for k in self.currents:
            bias = bias + found.phi[v, k] * self.rest(k)
        return np.asarray(bias)

    def decay(self, register: str, kind: Any, k: int) -> Quantity:
        """The decay of a state, with its time constant."""
        found = self.found
        phi = found.phi[k, k]
        with np.errstate(divide="ignore", invalid="ignore"):
            tau = found.dt / (1 - phi) if found.method == "euler" else -found.dt / np.log(phi)
        known = bool(np.all((phi > 0) & (phi < 1)))
        return Quantity(
            register,
            kind,
            register_value(1 - phi),
            f"time constant of {self.names[k]}",
            register_value(tau) if known else None,
        )

    def decays(self, registers: Sequence[str]) -> list[Quantity]:
        """Currents decay as they do; input straight onto v is gone after its step."""
        made = [
            Quantity(
                register, "current_decay", real(1.0), f"jumps of {self.names[k]}, nothing is kept"
            )
            if k == self.v
            else self.decay(register, "current_decay", k)
            for register, k in zip(registers, self.channels, strict=False)
        ]
        if not made:
            made = [
                Quantity(registers[0], "current_decay", real(1.0), "no current, nothing is kept")
            ]
        return made

    def states(self, names: Sequence[str]) -> tuple[list[StateLink], dict[str, Reals]]:
        """Links and first values of the currents, which are called ``names`` on the chip."""
        found = self.found
        initial = found.initial()
        links: list[StateLink] = []
        values: dict[str, Reals] = {}
        for state, k in zip(names, self.channels, strict=False):
            if k == self.v:
                continue
            gain, rest = found.phi[self.v, k], self.rest(k)
            links.append(
                StateLink(self.names[k], state, register_value(gain), register_value(rest), True,
                          found.states[k].unit)
            )  # fmt: skip
            phi = found.phi[k, k]
            before = gain * (initial[k] - rest) / np.where(phi == 0, 1, phi)
            values[state] = real(np.where(phi == 0, 0.0, before))
        return links, values

    def ports(self) -> dict[str, Port]:
        """Where input of the voltage and of its currents goes."""
        found = self.found
        return {
            self.names[k]: Port(port, found.phi[self.v, k], late=int(k != self.v))
            for port, k in zip(("a_in", "a_in2"), self.channels, strict=False)
        }
