"""The leaky integrate-and-fire family in numbers: registers, states, and ports of a template."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, StateLink, real
from brian2lava.chip.recognise.leaky import Leaky
from brian2lava.chip.recognise.matched import (
    DELTA_ORDER,
    NOTHING,
    Matched,
    Port,
    nonzero,
    register_value,
)
from brian2lava.chip.recognise.step_map import Array, Crossing, TwoSided

#: The greatest threshold mantissa: out of reach for a neuron that shall not fire.
_NEVER = 131071


class LeakyForm:
    """A population of the family in its template's form."""

    def __init__(self, leaky: Leaky) -> None:
        self.leaky = leaky
        self.found, self.names = leaky.found, leaky.names
        self.v, self.currents, self.thetas = leaky.v, leaky.currents, leaky.thetas
        self.driven, self.blocked = leaky.driven, leaky.blocked
        self.soft = leaky.is_soft()
        self.model, self.channels = leaky.model(self.soft)

    def matched(self) -> Matched:
        """The population with its registers, states and ports."""
        found, v, channels = self.found, self.v, self.channels
        crossing = self._crossing()
        origin = self._origin(crossing)
        quantities = [
            self._decay("dv", "decay", v),
            *self._channel_decays(channels),
            *self._thresholds(crossing, origin),
        ]
        quantities.append(
            Quantity(
                "bias",
                "bias",
                register_value(self._bias(origin)),
                f"constant drive of {self.names[v]}",
            )
        )
        if np.any(self.blocked):
            quantities.append(
                Quantity("refractory", "count", register_value(self.blocked), "refractory steps")
            )
        links, initial = self._states(crossing, channels, origin)
        population = IdealPopulation(
            found.name,
            self.model,
            found.count,
            tuple(quantities),
            tuple(links),
            initial,
            notes=self._notes(channels),
        )
        return Matched(population, self._ports(channels))

    def _crossing(self) -> Crossing | None:
        threshold = self.found.threshold
        if isinstance(threshold, TwoSided):
            return threshold.above
        assert threshold is None or isinstance(threshold, Crossing)
        return threshold

    def _level(self, crossing: Crossing) -> Array:
        """The constant part of the threshold of v, in v's unit."""
        return np.asarray(-crossing.offset / crossing.weights[self.v])

    def _theta_gain(self, crossing: Crossing, k: int) -> Array:
        return np.asarray(-crossing.weights[k] / crossing.weights[self.v])

    def _rest(self, k: int) -> Array:
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

    def _origin(self, crossing: Crossing | None) -> Array:
        """What is 0 on the chip, in v's unit: the reset; what a soft reset takes from the threshold
        leads to it."""
        reset = self.found.reset
        if crossing is None or reset is None:
            return np.zeros(1)
        if self.soft:
            return np.asarray(self._level(crossing) + reset.offset[self.v])
        return np.asarray(reset.offset[self.v])

    def _bias(self, origin: Array) -> Array:
        found, v = self.found, self.v
        bias = found.bias[v] + (found.phi[v, v] - 1) * origin
        for k in self.currents:
            bias = bias + found.phi[v, k] * self._rest(k)
        return np.asarray(bias)

    def _decay(self, register: str, kind: Any, k: int) -> Quantity:
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

    def _channel_decays(self, channels: list[int]) -> list[Quantity]:
        """Currents decay as they do; input straight onto v is gone after its step."""
        registers = ("du", "du2")
        made = [
            Quantity(
                register, "current_decay", real(1.0), f"jumps of {self.names[k]}, nothing is kept"
            )
            if k == self.v
            else self._decay(register, "current_decay", k)
            for register, k in zip(registers, channels, strict=False)
        ]
        if not made:
            made = [Quantity("du", "current_decay", real(1.0), "no current, nothing is kept")]
        return made

    def _thresholds(self, crossing: Crossing | None, origin: Array) -> list[Quantity]:
        if crossing is None:
            return [Quantity("vth", "count", real(_NEVER), "no threshold")]
        threshold = self.found.threshold
        level = self._level(crossing)
        if isinstance(threshold, TwoSided):
            below = -threshold.below.offset / threshold.below.weights[self.v]
            return [
                Quantity("vth_hi", "threshold", register_value(level - origin), threshold.text),
                Quantity("vth_lo", "threshold", register_value(below - origin), threshold.text),
            ]
        made = []
        reset = self.found.reset
        assert reset is not None
        for number, k in enumerate(self.thetas, 1):
            gain = self._theta_gain(crossing, k)
            level = level + gain * self._rest(k)
            made.append(self._decay(f"dtheta{number}", "decay", k))
            made.append(
                Quantity(
                    f"step{number}",
                    "level",
                    register_value(gain * reset.offset[k]),
                    f"what a spike adds to {self.names[k]}",
                )
            )
        made.append(Quantity("vth", "threshold", register_value(level - origin), crossing.text))
        return made

    def _states(
        self, crossing: Crossing | None, channels: list[int], origin: Array
    ) -> tuple[list[StateLink], dict[str, Any]]:
        found, names = self.found, self.names
        initial = found.initial()
        links = [
            StateLink(
                names[self.v],
                "v",
                real(1.0),
                register_value(origin),
                unit=found.states[self.v].unit,
            )
        ]
        values = {"v": real(initial[self.v] - origin)}
        for state, k in zip(("u", "u2"), channels, strict=False):
            if k == self.v:
                continue
            gain, rest = found.phi[self.v, k], self._rest(k)
            links.append(
                StateLink(names[k], state, register_value(gain), register_value(rest), True,
                          found.states[k].unit)
            )  # fmt: skip
            phi = found.phi[k, k]
            before = gain * (initial[k] - rest) / np.where(phi == 0, 1, phi)
            values[state] = real(np.where(phi == 0, 0.0, before))
        for number, k in enumerate(self.thetas, 1):
            assert crossing is not None
            gain, rest = self._theta_gain(crossing, k), self._rest(k)
            links.append(
                StateLink(names[k], f"theta{number}", register_value(gain), register_value(rest),
                          unit=found.states[k].unit)
            )  # fmt: skip
            values[f"theta{number}"] = real(gain * (initial[k] - rest))
        if np.any(self.blocked) and np.any(found.refractory_left):
            values["blocked"] = real(found.refractory_left)
        return links, values

    def _ports(self, channels: list[int]) -> dict[str, Port]:
        found = self.found
        return {
            self.names[k]: Port(port, found.phi[self.v, k], late=int(k != self.v))
            for port, k in zip(("a_in", "a_in2"), channels, strict=False)
        }

    def _notes(self, channels: list[int]) -> tuple[str, ...]:
        if self.v not in channels or self.names[self.v] not in self.driven:
            return ()
        if np.all(self.blocked > 0):
            return ()
        return (DELTA_ORDER.format(v=self.names[self.v]),)
