"""The leaky integrate-and-fire family in numbers: registers, states, and ports of a template."""

from __future__ import annotations

from typing import Any

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, StateLink, real
from brian2lava.chip.models.membrane import NEVER
from brian2lava.chip.recognise.currents import Currents
from brian2lava.chip.recognise.leaky import Leaky
from brian2lava.chip.recognise.matched import (
    DELTA_ORDER,
    Matched,
    register_value,
)
from brian2lava.chip.recognise.noise import noise_quantities
from brian2lava.chip.recognise.step_map import Array, Crossing, TwoSided


class LeakyForm:
    """A population of the family in its template's form."""

    def __init__(self, leaky: Leaky) -> None:
        self.leaky = leaky
        self.found, self.names = leaky.found, leaky.names
        self.v, self.currents, self.thetas = leaky.v, leaky.currents, leaky.thetas
        self.driven, self.blocked = leaky.driven, leaky.blocked
        self.soft = leaky.is_soft()
        self.model, self.channels = leaky.model(self.soft)
        self.drive = Currents(leaky, self.channels)

    def matched(self) -> Matched:
        """The population with its registers, states and ports."""
        found, v, channels = self.found, self.v, self.channels
        crossing = self._crossing()
        origin = self._origin(crossing)
        quantities = [
            self.drive.decay("dv", "decay", v),
            *self.drive.decays(("du", "du2")),
            *self._thresholds(crossing, origin),
        ]
        quantities.append(
            Quantity(
                "bias",
                "bias",
                register_value(self.drive.bias(origin)),
                f"constant drive of {self.names[v]}",
            )
        )
        if np.any(self.blocked):
            quantities.append(
                Quantity("refractory", "count", register_value(self.blocked), "refractory steps")
            )
        noise, noted = noise_quantities(self.leaky, channels)
        quantities += noise
        links, initial = self._states(crossing, origin)
        population = IdealPopulation(
            found.name,
            self.model,
            found.count,
            tuple(quantities),
            tuple(links),
            initial,
            notes=self._notes(channels) + noted,
        )
        return Matched(population, self.drive.ports())

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

    def _origin(self, crossing: Crossing | None) -> Array:
        """What is 0 on the chip, in v's unit: the reset; what a soft reset takes from the threshold
        leads to it."""
        reset = self.found.reset
        if crossing is None or reset is None:
            return np.zeros(1)
        if self.soft:
            return np.asarray(self._level(crossing) + reset.offset[self.v])
        return np.asarray(reset.offset[self.v])

    def _thresholds(self, crossing: Crossing | None, origin: Array) -> list[Quantity]:
        if crossing is None:
            return [Quantity("vth", "count", real(NEVER), "no threshold")]
        threshold = self.found.threshold
        level = self._level(crossing)
        if isinstance(threshold, TwoSided):
            below = -threshold.below.offset / threshold.below.weights[self.v]
            return [
                Quantity("vth_hi", "threshold", register_value(level - origin), threshold.text,
                         inclusive=threshold.above.inclusive),
                Quantity("vth_lo", "threshold", register_value(below - origin), threshold.text,
                         inclusive=threshold.below.inclusive),
            ]  # fmt: skip
        made = []
        reset = self.found.reset
        assert reset is not None
        for number, k in enumerate(self.thetas, 1):
            gain = self._theta_gain(crossing, k)
            level = level + gain * self.drive.rest(k)
            made.append(self.drive.decay(f"dtheta{number}", "decay", k))
            made.append(
                Quantity(
                    f"step{number}",
                    "level",
                    register_value(gain * reset.offset[k]),
                    f"what a spike adds to {self.names[k]}",
                )
            )
        of_its_own = self.soft and crossing.inclusive
        if of_its_own:
            made.append(Quantity("inclusive", "count", real(1.0), f">= in {crossing.text}"))
        made.append(
            Quantity("vth", "threshold", register_value(level - origin), crossing.text,
                     inclusive=crossing.inclusive and not of_its_own)
        )  # fmt: skip
        return made

    def _states(
        self, crossing: Crossing | None, origin: Array
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
        currents, before = self.drive.states(("u", "u2"))
        links += currents
        values |= before
        for number, k in enumerate(self.thetas, 1):
            assert crossing is not None
            gain, rest = self._theta_gain(crossing, k), self.drive.rest(k)
            links.append(
                StateLink(names[k], f"theta{number}", register_value(gain), register_value(rest),
                          unit=found.states[k].unit)
            )  # fmt: skip
            values[f"theta{number}"] = real(gain * (initial[k] - rest))
        if np.any(self.blocked) and np.any(found.refractory_left):
            values["blocked"] = real(found.refractory_left)
        return links, values

    def _notes(self, channels: list[int]) -> tuple[str, ...]:
        if self.v not in channels or self.names[self.v] not in self.driven:
            return ()
        if self.soft or np.all(self.blocked > 0):  # what is left of v is kept in both
            return ()
        return (DELTA_ORDER.format(v=self.names[self.v]),)
