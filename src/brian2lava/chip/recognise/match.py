"""The discrete one-step map of a population -> the chip neuron that computes it.

A template is a zero pattern of Phi and a form of threshold and reset, up to the order and the names
of the states and a change of origin (x = z + o): see LIF, CubaLIF2, ALIF, LIFSoft, TernaryLIF and
ProbSpiker in :mod:`brian2lava.chip.models`. What fits none is refused with the term that does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, IdealStimulus, Quantity, StateLink, real
from brian2lava.chip.recognise.refusal import OTHERWISE
from brian2lava.chip.recognise.step_map import (
    Array,
    Chance,
    Crossing,
    PopulationMap,
    TimedInput,
    TwoSided,
)
from brian2lava.errors import NotSupported

#: Relative to the largest coefficient of its kind, what counts as nothing.
_NOTHING = 1e-12
#: The greatest threshold mantissa: out of reach for a neuron that shall not fire.
_NEVER = 131071
_DELTA_ORDER = (
    "a spike that arrives at {v} in the very step in which its target fires: Brian2's reset erases"
    " it, the chip keeps it for the next step"
)


@dataclass(frozen=True)
class Port:
    """Where input of a variable goes: v gains ``gain`` times the input in its first step.

    ``late`` is 1 for currents: Brian2's v feels an input of the equations to a current one step
    after the current does, the chip's in the same step.
    """

    name: str
    gain: Array
    late: int = 0


@dataclass(frozen=True)
class Matched:
    """A population in a chip model's form, and where its variables take input."""

    population: IdealPopulation
    ports: Mapping[str, Port] = field(default_factory=dict)


def match(found: PopulationMap, driven: Collection[str] = ()) -> Matched:
    """The chip model that computes ``found``.

    Parameters
    ----------
    found : PopulationMap
    driven : collection of str
        Variables that synapses and other inputs change.

    Raises
    ------
    NotSupported
        Names the term that does not fit, the nearest model, and what to change.
    """
    if isinstance(found.threshold, Chance):
        return _prob_spiker(found, found.threshold, driven)
    return _Matching(found, driven).done()


def _refuse(found: PopulationMap, what: str, nearest: str, remedy: str) -> NoReturn:
    raise NotSupported(f"NeuronGroup '{found.name}': {what}. {nearest}. {remedy}, {OTHERWISE}")


def _prob_spiker(found: PopulationMap, chance: Chance, driven: Collection[str]) -> Matched:
    if chance.kind != "poisson" or chance.inputs or driven or found.states:
        _refuse(
            found,
            f"its threshold {chance.text!r} draws random numbers with a probability that changes"
            " with a state or in time",
            "The nearest model is ProbSpiker, which fires with a fixed probability in each step",
            "Use a constant rate",
        )
    quantity = Quantity("p_spike", "fraction", _register(chance.offset), chance.text)
    return Matched(IdealPopulation(found.name, "ProbSpiker", found.count, (quantity,)))


def _register(values: Array) -> Any:
    """One value for all neurons as a number, else one each."""
    values = np.asarray(values, np.float64)
    return real(values[0] if values.size == 1 else values)


class _Matching:
    """A population with a voltage that crosses a threshold, while its template is found."""

    def __init__(self, found: PopulationMap, driven: Collection[str]) -> None:
        self.found = found
        self.driven = set(driven)
        self.names = [state.name for state in found.states]
        self.thetas: list[int] = []
        self.v = self._voltage()
        self.currents = [
            k
            for k in range(len(self.names))
            if k != self.v and np.any(self._nonzero(found.phi[self.v, k]))
        ]
        self.blocked = np.maximum(found.refractory - 1, 0)

    def _nonzero(self, values: Array) -> Any:
        return np.abs(values) > _NOTHING

    def refuse(self, what: str, nearest: str, remedy: str) -> NoReturn:
        _refuse(self.found, what, nearest, remedy)

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
            if any(j != k and np.any(self._nonzero(phi[k, j])) for j in range(count))
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
    def done(self) -> Matched:
        self._check_flow()
        self._check_reset()
        self._check_refractory()
        soft = self._is_soft()
        model, channels = self._model(soft)
        return self._in_form(model, channels, soft)

    def _check_flow(self) -> None:
        found, names = self.found, self.names
        for k, name in enumerate(names):
            others = [
                j for j in range(len(names)) if j != k and np.any(self._nonzero(found.phi[k, j]))
            ]
            if k != self.v and others:
                self.refuse(
                    f"d{name}/dt contains {names[others[0]]!r}"
                    f" ({found.states[k].equation or 'no equation'})",
                    "The nearest model is LIF: currents that decay by themselves and drive one"
                    " voltage (for spike-triggered adaptation ALIF, a threshold that relaxes)",
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
            own = [j for j in range(len(names)) if np.any(self._nonzero(row[j]))]
            if k == v and not own:
                continue
            same = own == [k] and not np.any(self._nonzero(row[k] - unit[k, k]))
            moved = bool(np.any(self._nonzero(found.reset.offset[k])))
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

    def _is_soft(self) -> bool:
        """Whether the reset takes something off v instead of setting it."""
        reset = self.found.reset
        return (
            self.found.threshold is not None
            and reset is not None
            and bool(np.any(self._nonzero(reset.matrix[self.v, self.v])))
        )

    def _model(self, soft: bool) -> tuple[str, list[int]]:
        """The template, and the states whose input has ports of its own, in their order."""
        names, v = self.names, self.v
        direct = names[v] in self.driven or any(
            np.any(self._nonzero(given.gain[v])) for given in self.found.inputs
        )
        channels = ([v] if direct else []) + self.currents
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

    # ------------------------------------------------------------ numbers
    def _in_form(self, model: str, channels: list[int], soft: bool) -> Matched:
        found, v = self.found, self.v
        crossing = self._crossing()
        origin = self._origin(crossing, soft)
        quantities = [
            self._decay("dv", "decay", v),
            *self._channel_decays(channels),
            *self._thresholds(crossing, origin),
        ]
        quantities.append(
            Quantity("bias", "bias", _register(self._bias(origin)), "what drives v by itself")
        )
        if np.any(self.blocked):
            quantities.append(
                Quantity("refractory", "count", _register(self.blocked), "refractory steps")
            )
        links, initial = self._states(crossing, channels, origin)
        population = IdealPopulation(
            found.name,
            model,
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
        if np.any((np.abs(leak) <= _NOTHING) & self._nonzero(bias)):
            self.refuse(
                f"{self.names[k]!r} grows without end by its own equation",
                "A chip's currents and thresholds decay to a rest",
                "Give it a decay",
            )
        return np.where(np.abs(leak) <= _NOTHING, 0.0, bias / np.where(leak == 0, 1, leak))

    def _origin(self, crossing: Crossing | None, soft: bool) -> Array:
        """What is 0 on the chip, in v's unit: the reset; what a soft reset takes from the threshold
        leads to it."""
        reset = self.found.reset
        if crossing is None or reset is None:
            return np.zeros(1)
        if soft:
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
            _register(1 - phi),
            f"time constant of {self.names[k]}",
            _register(tau) if known else None,
        )

    def _channel_decays(self, channels: list[int]) -> list[Quantity]:
        """Currents decay as they do; input straight onto v is gone after its step."""
        registers = ("du", "du2")
        made = [
            Quantity(register, "current_decay", real(1.0), f"input of {self.names[k]}")
            if k == self.v
            else self._decay(register, "current_decay", k)
            for register, k in zip(registers, channels, strict=False)
        ]
        if not made:
            made = [Quantity("du", "current_decay", real(1.0), "no input")]
        return made

    def _thresholds(self, crossing: Crossing | None, origin: Array) -> list[Quantity]:
        if crossing is None:
            return [Quantity("vth", "count", real(_NEVER), "no threshold")]
        threshold = self.found.threshold
        level = self._level(crossing)
        if isinstance(threshold, TwoSided):
            below = -threshold.below.offset / threshold.below.weights[self.v]
            return [
                Quantity("vth_hi", "threshold", _register(level - origin), threshold.text),
                Quantity("vth_lo", "threshold", _register(below - origin), threshold.text),
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
                    _register(gain * reset.offset[k]),
                    f"what a spike adds to {self.names[k]}",
                )
            )
        made.append(Quantity("vth", "threshold", _register(level - origin), crossing.text))
        return made

    def _states(
        self, crossing: Crossing | None, channels: list[int], origin: Array
    ) -> tuple[list[StateLink], dict[str, Any]]:
        found, names = self.found, self.names
        initial = found.initial()
        links = [
            StateLink(
                names[self.v], "v", real(1.0), _register(origin), unit=found.states[self.v].unit
            )
        ]
        values = {"v": real(initial[self.v] - origin)}
        for state, k in zip(("u", "u2"), channels, strict=False):
            if k == self.v:
                continue
            gain, rest = found.phi[self.v, k], self._rest(k)
            links.append(
                StateLink(names[k], state, _register(gain), _register(rest), True,
                          found.states[k].unit)
            )  # fmt: skip
            phi = found.phi[k, k]
            before = gain * (initial[k] - rest) / np.where(phi == 0, 1, phi)
            values[state] = real(np.where(phi == 0, 0.0, before))
        for number, k in enumerate(self.thetas, 1):
            assert crossing is not None
            gain, rest = self._theta_gain(crossing, k), self._rest(k)
            links.append(
                StateLink(names[k], f"theta{number}", _register(gain), _register(rest),
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
        return (_DELTA_ORDER.format(v=self.names[self.v]),)


def stimuli(
    found: PopulationMap, matched: Matched, first_step: int, steps: int
) -> tuple[IdealStimulus, ...]:
    """The TimedArrays in the equations as integers-to-be, for the steps 0 .. first_step + steps."""
    made = []
    for number, given in enumerate(found.inputs):
        for k, state in enumerate(found.states):
            if not np.any(np.abs(given.gain[k]) > _NOTHING):
                continue
            name = f"{found.name}_{given.name}_{number}_{state.name}"
            made.append(_stimulus(found, matched, given, k, name, first_step, steps))
    return tuple(made)


def _stimulus(
    found: PopulationMap,
    matched: Matched,
    given: TimedInput,
    k: int,
    name: str,
    first_step: int,
    steps: int,
) -> IdealStimulus:
    variable = found.states[k].name
    port = matched.ports.get(variable)
    if port is None:
        _refuse(
            found,
            f"the TimedArray {given.name!r} acts on {variable!r}, which takes no input on the chip",
            "Input goes to the voltage or to a current",
            f"Add {given.name!r} to one of these",
        )
    values = given.at(first_step, steps) * given.gain[k]
    values = values * (port.gain if port.late else 1.0)
    values = np.concatenate([np.zeros((first_step, values.shape[1])), values])
    if values.shape[1] == 1:
        values = values[:, 0]
    return IdealStimulus(
        name, matched.population.name, port.name, real(values), after=bool(port.late)
    )
