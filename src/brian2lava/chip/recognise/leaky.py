"""The leaky integrate-and-fire family: which state is which, and what no template has.

Templates: LIF, CubaLIF2, ALIF, LIFSoft and TernaryLIF. One voltage crosses a threshold, is reset,
and is driven by currents that decay by themselves; states that relax may move the threshold.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

import numpy as np

from brian2lava.chip.recognise.matched import nonzero, refuse_map
from brian2lava.chip.recognise.step_map import Crossing, PopulationMap, TwoSided


class Leaky:
    """A population with a voltage that crosses a threshold: which state is which."""

    def __init__(self, found: PopulationMap, driven: Collection[str]) -> None:
        self.found = found
        self.driven = set(driven)
        self.names = [state.name for state in found.states]
        self.thetas: list[int] = []
        self.v = self._voltage()
        self.currents = [
            k
            for k in range(len(self.names))
            if k != self.v and np.any(nonzero(found.phi[self.v, k]))
        ]
        self.blocked = np.maximum(found.refractory - 1, 0)

    def refuse(self, what: str, nearest: str, remedy: str) -> NoReturn:
        """Raise NotSupported about this population."""
        refuse_map(self.found, what, nearest, remedy)

    # ------------------------------------------------------------ which state is which
    def _voltage(self) -> int:
        """The state that crosses the threshold; those that move the threshold are noted."""
        threshold = self.found.threshold
        if threshold is None:
            return self._undriven_voltage()
        crossing = threshold.above if isinstance(threshold, TwoSided) else threshold
        assert isinstance(crossing, Crossing)
        up = [k for k in range(len(self.names)) if np.any(crossing.weights[k] > 0)]
        self.thetas = [k for k in range(len(self.names)) if np.any(crossing.weights[k] < 0)]
        if len(up) != 1 or up[0] in self.thetas:
            self.refuse(
                f"its threshold {crossing.text!r} compares {self._several(up)}",
                "A chip neuron fires where one voltage is above a threshold",
                "Write the threshold as v > v_th, or v > theta with theta that relaxes",
            )
        return up[0]

    def _several(self, states: list[int]) -> str:
        if not states:
            return "no state from below"
        return "the states " + ", ".join(repr(self.names[k]) for k in states) + " with one another"

    def _undriven_voltage(self) -> int:
        """Without a threshold: the state that others flow into, or the only one."""
        phi = self.found.phi
        count = len(self.names)
        into = [
            k
            for k in range(count)
            if any(j != k and np.any(nonzero(phi[k, j])) for j in range(count))
        ]
        if count == 1:
            return 0
        if len(into) == 1:
            return into[0]
        self.refuse(
            "it has no threshold, and which of its states is the voltage does not show",
            "A chip neuron has one voltage that currents flow into",
            "Give it a threshold",
        )

    # ------------------------------------------------------------ what has to hold
    def check(self) -> None:
        """Refuse what no template has."""
        self.check_flow()
        self._check_reset()
        self._check_refractory()

    def check_flow(self) -> None:
        """Currents drive the voltage, and nothing else drives anything."""
        found, names = self.found, self.names
        for k, name in enumerate(names):
            others = [j for j in range(len(names)) if j != k and np.any(nonzero(found.phi[k, j]))]
            if k != self.v and others:
                self.refuse(
                    f"d{name}/dt contains {names[others[0]]!r}"
                    f" ({found.states[k].equation or 'no equation'})",
                    "The nearest model is LIF: currents that decay by themselves and drive one"
                    " voltage (for spike-triggered adaptation ALIF, a threshold that relaxes; two"
                    " states that turn and decay alike are RF and RF_IZ)",
                    f"Leave {names[others[0]]!r} out of d{name}/dt",
                )
            if k not in (self.v, *self.currents, *self.thetas):
                self.refuse(
                    f"{name!r} neither drives {names[self.v]!r} nor moves its threshold",
                    "A chip neuron has no state beside these",
                    f"Take {name!r} out",
                )
            if k in self.thetas and k in self.currents:
                self.refuse(
                    f"{name!r} drives {names[self.v]!r} and moves its threshold as well",
                    "The nearest model is ALIF, whose threshold does not act on the voltage",
                    "Use one variable for each",
                )

    def _check_reset(self) -> None:
        found, names, v = self.found, self.names, self.v
        if found.threshold is None:
            return
        if found.reset is None:
            self.refuse(
                "it fires but resets nothing",
                "A chip neuron's voltage is reset by its spike",
                f"Add reset='{names[v]} = ...'",
            )
        matrix, unit = found.reset.matrix, np.eye(len(names))
        for k, name in enumerate(names):
            row = matrix[k]
            own = [j for j in range(len(names)) if np.any(nonzero(row[j]))]
            if k == v and not own:
                continue
            same = own == [k] and not np.any(nonzero(row[k] - unit[k, k]))
            moved = bool(np.any(nonzero(found.reset.offset[k])))
            if not same or (k in self.currents and moved):
                self.refuse(
                    f"the reset {found.reset.text!r} changes {name!r} in a way that no chip neuron"
                    " has",
                    "Models reset v to a value (LIF), take the threshold off it (LIFSoft), or raise"
                    " the threshold (ALIF)",
                    "Use v = v_reset, v -= v_th, or theta += step",
                )

    def _check_refractory(self) -> None:
        if not np.any(self.blocked):
            return
        for k, state in enumerate(self.found.states):
            if (k == self.v) != state.held:
                self.refuse(
                    f"{state.name!r} is {'not ' if k == self.v else ''}held while a neuron is"
                    " refractory",
                    "On the chip the voltage is held for the refractory steps, and nothing else",
                    f"Mark d{self.names[self.v]}/dt, and no other, with (unless refractory)",
                )

    def is_soft(self) -> bool:
        """Whether the reset takes something off v instead of setting it."""
        reset = self.found.reset
        return (
            self.found.threshold is not None
            and reset is not None
            and bool(np.any(nonzero(reset.matrix[self.v, self.v])))
        )

    def channels(self) -> list[int]:
        """The states whose input has ports of its own: the voltage if it is driven, currents."""
        v = self.v
        direct = self.names[v] in self.driven or any(
            np.any(nonzero(given.gain[v])) for given in self.found.inputs
        )
        return ([v] if direct else []) + self.currents

    def model(self, soft: bool) -> tuple[str, list[int]]:
        """The template, and the states whose input has ports of its own, in their order."""
        names, channels = self.names, self.channels()
        two_sided = isinstance(self.found.threshold, TwoSided)
        special = [
            text
            for text, holds in (
                ("a threshold that moves (ALIF)", bool(self.thetas)),
                ("a soft reset (LIFSoft)", soft),
                ("two thresholds (TernaryLIF)", two_sided),
            )
            if holds
        ]
        if len(special) > 1:
            self.refuse(
                f"it has {' and '.join(special)}", "A chip neuron has one of them", "Use one"
            )
        most = 1 if special else 2
        if len(channels) > most:
            told = ", ".join(repr(names[k]) for k in channels)
            self.refuse(
                f"input comes by {len(channels)} ways of their own ({told})",
                "The nearest models are CubaLIF2 with two currents, and one for all others",
                "Use fewer synaptic variables",
            )
        if len(self.thetas) > 2:
            self.refuse(
                f"{len(self.thetas)} states move the threshold",
                "The nearest model is ALIF with two",
                "Use two",
            )
        if self.thetas:
            return "ALIF", channels
        if soft:
            return "LIFSoft", channels
        if two_sided:
            return "TernaryLIF", channels
        return ("CubaLIF2" if len(channels) == 2 else "LIF"), channels
