"""Two states that turn around one another -> resonate-and-fire neurons, RF and RF_IZ.

A step turns and shrinks (real, imag). Whatever the user's units, one state's is scaled so that the
step's matrix is ((c, -s), (s, c)); a constant drive moves the centre. RF fires where imag rises
through its centre while real is above a level, and resets nothing; RF_IZ fires where imag is above
its threshold, and is put to real = 0, imag = threshold.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, StateLink, real
from brian2lava.chip.limits import STATE_MAX
from brian2lava.chip.recognise.matched import (
    DELTA_ORDER,
    FIRES_AT,
    Matched,
    Port,
    refuse_map,
    register_value,
)
from brian2lava.chip.recognise.resonator_parts import Parts, parts_of
from brian2lava.chip.recognise.step_map import Array, PhaseCrossing, PopulationMap

#: Relative: what counts as the same decay or level.
_SAME = 1e-9
#: Relative: RF_IZ in floating point (lava-nc 0.10.0) is put 1e-5 below its threshold, not on it.
_BELOW = 1e-5
_RF = (
    "RF fires where 'x >= v_th and y >= 0 and y_before < 0', with y_before = y : 1 (constant over"
    " dt), and resets nothing; RF_IZ fires where 'y >= v_th' and resets 'x = 0; y = v_th'"
)


def is_resonator(found: PopulationMap) -> bool:
    """Whether the threshold is a resonator's, or two states turn around one another."""
    if isinstance(found.threshold, PhaseCrossing):
        return True
    if len(found.states) != 2:
        return False
    phi = found.phi
    turns = bool(np.all(phi[0, 1] * phi[1, 0] < 0))
    return turns and np.allclose(phi[0, 0], phi[1, 1], rtol=_SAME, atol=0)


class Resonator:
    """A population of two states that turn, in the form of RF or RF_IZ."""

    def __init__(self, found: PopulationMap, driven: Collection[str]) -> None:
        self.found, self.driven = found, set(driven)
        self.names = [state.name for state in found.states]
        self.parts: Parts = parts_of(found)
        self._check_turn()
        self._check_refractory()
        self.centre = self._centre()
        if self.parts.phase is not None:
            self._check_crossing(self.parts.phase)
        elif self.parts.model == "RF_IZ":
            self._check_reset()
        if self.parts.model == "RF":
            self._check_no_reset()

    def refuse(self, what: str, remedy: str, nearest: str = _RF) -> None:
        """Raise NotSupported about this population."""
        refuse_map(self.found, what, nearest, remedy)

    # ------------------------------------------------------------ what has to hold
    def _check_turn(self) -> None:
        phi, p, q = self.found.phi, self.parts.p, self.parts.q
        if not np.all(phi[p, q] * phi[q, p] < 0):
            self.refuse(
                f"{self.names[p]!r} and {self.names[q]!r} do not turn around one another"
                f" (d{self.names[p]}/dt = {self.found.states[p].equation},"
                f" d{self.names[q]}/dt = {self.found.states[q].equation})",
                "Let each drive the other, with opposite signs",
            )
        if not np.allclose(phi[p, p], phi[q, q], rtol=_SAME, atol=0):
            self.refuse(
                f"a step keeps {np.ravel(phi[p, p])[0]:.6g} of {self.names[p]!r} and"
                f" {np.ravel(phi[q, q])[0]:.6g} of {self.names[q]!r}",
                "Give both the same decay",
                "A chip's resonator has one decay for both parts",
            )
        grows = np.ravel(np.hypot(phi[p, p], self._sine())) > 1 + _SAME
        if grows.any():
            self.refuse(
                f"the oscillation grows with each step of {self.found.method!r}"
                f" (neuron {int(np.flatnonzero(grows)[0])})",
                "Use method='exact', more damping, or a shorter time step",
                "A chip's resonator decays",
            )

    def _check_refractory(self) -> None:
        blocked = np.any(self.found.refractory > 1)
        if blocked or any(state.held for state in self.found.states):
            self.refuse("it has a refractory period",
                        "Leave refractory= and (unless refractory) out",
                        "A chip's resonator is never refractory")  # fmt: skip

    def _check_crossing(self, phase: PhaseCrossing) -> None:
        p, q, kept = self.parts.p, self.parts.q, phase.earlier
        level = -phase.now.offset / phase.now.weights[q]
        size = np.abs(level) + np.abs(self.centre[q])
        if np.any(np.abs(level - self.centre[q]) > _SAME * size):
            self.refuse(
                f"{self.names[q]!r} is compared with {np.ravel(level)[0]:.6g}, and turns around"
                f" {np.ravel(self.centre[q])[0]:.6g}",
                f"Compare {self.names[q]!r} with what it turns around",
                "RF fires where its imaginary part rises through the centre of the turn",
            )
        if kept.with_input and self.names[q] in self.driven:
            self.refuse(
                f"{kept.name!r} has in it what synapses add to {self.names[q]!r} after the last"
                " threshold",
                f"Keep it with run_regularly('{kept.name} = {self.names[q]}',"
                f" when='after_thresholds'), or let the synapses act on {self.names[p]!r}",
                "RF compares its imaginary part right after one step with that after the next",
            )
        if kept.initial is None:
            return
        begins = self.found.states[q].initial
        if np.any((kept.initial < level) != (begins < level)):
            self.refuse(
                f"{kept.name!r} does not begin where {self.names[q]!r} does",
                f"Set {kept.name!r} to {self.names[q]!r} before the run",
                "RF compares its imaginary part with that of the step before",
            )

    def _check_no_reset(self) -> None:
        reset = self.found.reset
        if reset is None:
            return
        same = reset.matrix - np.eye(len(self.names))[:, :, None]
        if np.any(same) or np.any(reset.offset):
            self.refuse(f"the reset {reset.text!r} changes what turns", "Use reset=''")

    def _check_reset(self) -> None:
        reset, p, q = self.found.reset, self.parts.p, self.parts.q
        assert self.parts.level is not None
        remedy = (
            f"Use reset='{self.names[p]} = {np.ravel(self.centre[p])[0]:.6g};"
            f" {self.names[q]} = v_th' with the threshold v_th"
        )
        if reset is None:
            self.refuse("it fires at a threshold but resets nothing", remedy)
            return
        for k, wanted, below in ((p, self.centre[p], 0.0), (q, self.parts.level, _BELOW)):
            size = np.abs(wanted) + np.abs(self.parts.level - self.centre[q]) * (k == q)
            off = np.abs(reset.offset[k] - wanted)
            if np.any(reset.matrix[k]) or np.any(off > (_SAME + below) * size):
                told = (
                    "not to a value"
                    if np.any(reset.matrix[k])
                    else f"to {np.ravel(reset.offset[k])[0]:.6g} instead of"
                    f" {np.ravel(wanted)[0]:.6g}"
                )
                self.refuse(f"the reset {reset.text!r} puts {self.names[k]!r} {told}", remedy)

    # ------------------------------------------------------------ numbers
    def _sine(self) -> Array:
        """Of the step's angle, without sign, times what remains."""
        phi, p, q = self.found.phi, self.parts.p, self.parts.q
        return np.asarray(np.sqrt(-phi[p, q] * phi[q, p]))

    def _centre(self) -> Array:
        """What both states turn around: x with x = Phi x + b, shape (2, 1 | N)."""
        phi, bias = self.found.phi, self.found.bias
        lost = [1 - phi[k, k] for k in (0, 1)]
        size = lost[0] * lost[1] - phi[0, 1] * phi[1, 0]
        return np.array(
            [
                (lost[1] * bias[0] + phi[0, 1] * bias[1]) / size,
                (lost[0] * bias[1] + phi[1, 0] * bias[0]) / size,
            ]
        )

    def _gains(self) -> tuple[Array, Array]:
        """What a unit of each part is on the chip, in the unit of the part that has a threshold."""
        phi, p, q = self.found.phi, self.parts.p, self.parts.q
        ratio = np.asarray(np.sqrt(-phi[p, q] / phi[q, p]))  # of p's unit to q's
        if self.parts.model == "RF":
            return self.parts.up_p, self.parts.up_q * ratio
        return 1 / ratio, self.parts.up_q

    def matched(self) -> Matched:
        """The population with its registers, states and ports."""
        found, p, q = self.found, self.parts.p, self.parts.q
        phi, names = found.phi, self.names
        of = dict(zip((p, q), self._gains(), strict=True))
        initial = found.initial()
        both = f"{names[p]} and {names[q]}"
        quantities = (
            Quantity("sin_decay", "rotation", register_value(phi[q, p] * of[q] / of[p]),
                     f"frequency of {both}"),
            Quantity("cos_decay", "rotation", register_value(phi[p, p]),
                     f"time constant of {both}"),
            self._threshold(of),
        )  # fmt: skip
        links = [
            StateLink(names[k], state, register_value(of[k]), register_value(self.centre[k]),
                      unit=found.states[k].unit)
            for k, state in ((p, "real"), (q, "imag"))
        ]  # fmt: skip
        if self.parts.model == "RF_IZ":
            links.reverse()
        population = IdealPopulation(
            found.name,
            self.parts.model,
            found.count,
            quantities,
            (*self._kept_links(links), *links),
            {
                "real": real(of[p] * (initial[p] - self.centre[p])),
                "imag": real(of[q] * (initial[q] - self.centre[q])),
            },
            notes=self._notes(),
        )
        return Matched(population, self._ports(of))

    def _threshold(self, of: dict[int, Array]) -> Quantity:
        parts = self.parts
        if parts.level is None:
            return Quantity("vth", "count", real(STATE_MAX), "no threshold")
        k = parts.p if parts.model == "RF" else parts.q
        above = of[k] * (parts.level - self.centre[k])
        return Quantity("vth", "level", register_value(above), parts.text, strict=parts.strict)

    def _kept_links(self, links: list[StateLink]) -> list[StateLink]:
        """A ``constant over dt`` variable is the state at the start of the step."""
        phase = self.parts.phase
        if phase is None or not phase.earlier.is_subexpression:
            return []
        imag = next(link for link in links if link.state == "imag")
        return [StateLink(phase.earlier.name, "imag", imag.gain, imag.offset, unit=imag.unit)]

    def _ports(self, of: dict[int, Array]) -> dict[str, Port]:
        """A spike's weight has turned once before the chip's next threshold."""
        phi, p, q = self.found.phi, self.parts.p, self.parts.q
        return {
            self.names[k]: Port(
                own,
                of[k] * phi[k, k],
                direct=of[k],
                beside=(Port(other, of[m] * phi[m, k]),),
            )
            for k, m, own, other in (
                (p, q, "a_real_in", "a_imag_in"),
                (q, p, "a_imag_in", "a_real_in"),
            )
        }

    def _notes(self) -> tuple[str, ...]:
        phase = self.parts.phase
        if phase is not None and not phase.now.inclusive:
            return (
                FIRES_AT.format(v=self.names[self.parts.q], what="the level that it crosses",
                                text=phase.text),
            )  # fmt: skip
        if self.parts.model != "RF_IZ" or not self.driven:
            return ()
        return (DELTA_ORDER.format(v=", ".join(sorted(self.driven))),)
