"""Lava's ATRLIF: v is never reset; a spike raises a threshold and a refractory variable.

In Brian2: ``threshold='v - r >= theta'``, ``reset='r += 2*theta; theta += step'``, where theta
relaxes to its rest and r to 0, up to names, units, and the origins of v, theta and r.
"""

from __future__ import annotations

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, StateLink, real
from brian2lava.chip.recognise.currents import Currents
from brian2lava.chip.recognise.leaky import Leaky
from brian2lava.chip.recognise.matched import FIRES_AT, Matched, nonzero, register_value
from brian2lava.chip.recognise.step_map import Array, Crossing, Reset

_WRITE = (
    "Write threshold='v - r >= theta' and reset='r += 2*theta; theta += step' (ATRLIF), or reset v"
    " (ALIF)"
)
#: Relative: what tells a factor from another.
_SAME = 1e-9


def is_adaptive(leaky: Leaky) -> bool:
    """Whether the threshold moves, and the reset leaves v alone."""
    found, v = leaky.found, leaky.v
    if not isinstance(found.threshold, Crossing) or found.reset is None or not leaky.thetas:
        return False
    row = found.reset.matrix[v].copy()
    row[v] -= 1
    return not np.any(nonzero(row)) and not np.any(found.reset.offset[v])


class Adaptive:
    """A population whose v is never reset, in ATRLIF's form."""

    def __init__(self, leaky: Leaky) -> None:
        found = leaky.found
        assert isinstance(found.threshold, Crossing) and found.reset is not None
        self.leaky, self.found, self.names = leaky, found, leaky.names
        self.crossing: Crossing = found.threshold
        self.reset: Reset = found.reset
        self.v = leaky.v
        leaky.check_flow()
        self.r, self.theta = self._roles()
        self._check_reset()
        self._check_held()
        channels = leaky.channels()
        if len(channels) > 1:
            told = ", ".join(repr(self.names[k]) for k in channels)
            leaky.refuse(
                f"input comes by {len(channels)} ways of their own ({told})",
                "ATRLIF has one current",
                "Use one synaptic variable",
            )
        self.drive = Currents(leaky, channels)

    # ------------------------------------------------------------ which state is which
    def _roles(self) -> tuple[int, int]:
        """(r, theta): a spike adds to r what theta is."""
        thetas, matrix = self.leaky.thetas, self.reset.matrix
        raised = [
            (r, theta)
            for r in thetas
            for theta in thetas
            if r != theta and np.any(matrix[r, theta])
        ]
        if len(thetas) != 2 or len(raised) != 1:
            told = ", ".join(repr(self.names[k]) for k in thetas)
            self.leaky.refuse(
                f"its reset {self.reset.text!r} leaves {self.names[self.v]!r} alone, and raises no"
                f" refractory variable by twice the threshold ({told} move the threshold)",
                "The nearest models are ATRLIF, which never resets v, and ALIF, which does",
                _WRITE,
            )
        return raised[0]

    def _gain(self, k: int) -> Array:
        """What one unit of a state takes off v."""
        return np.asarray(-self.crossing.weights[k] / self.crossing.weights[self.v])

    def _check_reset(self) -> None:
        matrix, r, theta = self.reset.matrix, self.r, self.theta
        other = matrix.copy()
        for k in range(len(self.names)):
            other[k, k] -= 1
        other[r, theta] = 0
        changed = [k for k in range(len(self.names)) if np.any(nonzero(other[k]))]
        changed += [
            k
            for k in range(len(self.names))
            if k not in (r, theta) and np.any(self.reset.offset[k])
        ]
        if changed:
            self.leaky.refuse(
                f"the reset {self.reset.text!r} changes {self.names[changed[0]]!r} in a way that"
                " ATRLIF has not",
                "A spike of ATRLIF adds twice the threshold to r and a step to theta",
                _WRITE,
            )
        times = matrix[r, theta] * self._gain(r) / self._gain(theta)
        if not np.allclose(times, 2, rtol=_SAME, atol=0):
            self.leaky.refuse(
                f"the reset {self.reset.text!r} adds {np.ravel(times)[0]:.6g} times the threshold"
                f" to {self.names[r]!r}",
                "A spike of ATRLIF adds twice the threshold to r",
                _WRITE,
            )

    def _check_held(self) -> None:
        if np.any(self.leaky.blocked) or any(state.held for state in self.found.states):
            self.leaky.refuse(
                "it has a refractory period",
                "ATRLIF is refractory by its variable r, and holds nothing",
                "Leave refractory= and (unless refractory) out",
            )
        for k in (self.r, self.theta):
            driven = any(np.any(given.gain[k]) for given in self.found.inputs)
            if self.names[k] in self.leaky.driven or driven:
                self.leaky.refuse(
                    f"something else than its own spikes changes {self.names[k]!r}",
                    "ATRLIF takes input by its current",
                    "Let input act on the voltage or on its current",
                )

    # ------------------------------------------------------------ numbers
    def matched(self) -> Matched:
        """The population with its registers, states and ports."""
        found, v, drive = self.found, self.v, self.drive
        of_r, of_theta = self._gain(self.r), self._gain(self.theta)
        raised = self.reset.offset
        # fires where v >= r of_r + theta of_theta + level, with r from its rest on
        level = -self.crossing.offset / self.crossing.weights[v] + of_r * drive.rest(self.r)
        # r gains 2 (theta of_theta + level - origin): that is where v is 0 on the chip
        origin = np.asarray(level - of_r * raised[self.r] / 2)
        resting = of_theta * drive.rest(self.theta) + level - origin
        initial = found.initial()
        theta, r = self.names[self.theta], self.names[self.r]
        quantities = (
            *drive.decays(("delta_i",)),
            drive.decay("delta_v", "decay", v),
            drive.decay("delta_theta", "decay", self.theta),
            drive.decay("delta_r", "decay", self.r),
            Quantity("theta_0", "threshold", register_value(resting), f"what {theta} relaxes to"),
            Quantity(
                "theta_step",
                "threshold",
                register_value(of_theta * raised[self.theta]),
                f"what a spike adds to {theta}",
            ),
            Quantity("bias", "bias", register_value(drive.bias(origin)), "what drives v by itself"),
        )
        currents, before = drive.states(("i",))
        links = (
            StateLink(self.names[v], "v", real(1.0), register_value(origin),
                      unit=found.states[v].unit),
            *currents,
            StateLink(theta, "theta", register_value(of_theta),
                      register_value((origin - level) / of_theta),
                      unit=found.states[self.theta].unit),
            StateLink(r, "r", register_value(of_r), register_value(drive.rest(self.r)),
                      unit=found.states[self.r].unit),
        )  # fmt: skip
        first = {
            "v": real(initial[v] - origin),
            "r": real(of_r * (initial[self.r] - drive.rest(self.r))),
        }
        begins = of_theta * initial[self.theta] + level - origin
        if np.any(np.abs(begins - resting) > _SAME * np.abs(resting)):
            first["theta"] = real(begins)  # else the chip's begins at its rest by itself
        population = IdealPopulation(
            found.name, "ATRLIF", found.count, quantities, links, {**first, **before},
            notes=self._notes(),
        )  # fmt: skip
        return Matched(population, drive.ports())

    def _notes(self) -> tuple[str, ...]:
        """A threshold of one more would be doubled into r by each spike."""
        if self.crossing.inclusive:
            return ()
        text = self.crossing.text
        return (FIRES_AT.format(v=self.names[self.v], what="its threshold", text=text),)
