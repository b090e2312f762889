"""A map of plastic synapses -> a chip's synapses with a learning rule in real numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brian2lava.chip.learning.ideal import IdealLearning, IdealTag, IdealTerm, IdealTrace
from brian2lava.chip.learning.rule import POST_TRACES, PRE_TRACES
from brian2lava.chip.recognise.plastic_bounds import NEAREST, bounds_of, one
from brian2lava.chip.recognise.plastic_map import (
    Change,
    PlasticEvent,
    PlasticMap,
    Polynomial,
    Trace,
)
from brian2lava.chip.recognise.plastic_terms import Seen, Sum, merged, replaced, terms_of
from brian2lava.chip.recognise.polynomial import monomial_text
from brian2lava.chip.recognise.refusal import refuse
from brian2lava.chip.recognise.step_map import Array, Ends

DEPENDENCY = {"pre": "x0", "post": "y0"}
REGISTERS = {"pre": PRE_TRACES, "post": POST_TRACES}


@dataclass(frozen=True)
class PlasticJump:
    """Plastic synapses as they deliver and learn.

    Attributes
    ----------
    name : str
        The pathway that delivers.
    pathways : tuple of str
        All of the Synapses object.
    ends : Ends
    variable : str
        Of the target's group, what a spike adds to.
    factor : float
        What is added over the weight.
    weights : array of shape (n_synapses,)
    learning : IdealLearning
    """

    name: str
    pathways: tuple[str, ...]
    ends: Ends
    variable: str
    factor: float
    weights: Array
    learning: IdealLearning


def plastic_jump(synapses: Any, found: PlasticMap) -> PlasticJump:
    """The chip's synapses and rule that compute ``found``.

    Parameters
    ----------
    synapses : Synapses
        The object, which errors name.
    found : PlasticMap

    Raises
    ------
    NotSupported
        Names the statement, what a chip has nearest to it, and what to change.
    """
    return _Rule(synapses, found).done()


@dataclass
class _Rule:
    synapses: Any
    found: PlasticMap
    notes: list[str] = field(default_factory=list)

    def refuse(self, what: str, remedy: str, nearest: str = NEAREST) -> Any:
        refuse(self.synapses, what, nearest, remedy)

    # ------------------------------------------------------------ the whole
    def done(self) -> PlasticJump:
        found = self.found
        event, delivery = self._delivery()
        self._check_ends(event)
        self.weight = delivery.value.variables()[0]
        self.by_name = {trace.name: trace for trace in found.traces}
        self.tags = [
            trace for trace in found.traces if trace.side == "synapse" and trace.name != self.weight
        ]
        self._check_variables()
        self.place = self._placed()
        terms = [*self._event_terms(), *self._step_terms()]
        low, high, notes = bounds_of(self.synapses, found, self.weight)
        self.notes += notes
        used = {f.variable for term in terms for f in term.factors} | {t.target for t in terms}
        if not terms:
            self.refuse(f"nothing changes '{self.weight}'", "let an event change it")
        traces = tuple(trace for trace in self.place.values() if trace.register in used)
        self._note_unread(used)
        late = self._late(event, delivery)
        learning = IdealLearning(
            synapses=found.name,
            weight=self.weight,
            terms=merged(terms),
            traces=traces,
            tag=self._tag() if self.tags and "t" in used else None,
            low=low,
            high=high,
            unit=_unit(self.synapses, self.weight),
            late=late,
            coincident=self.coincident,
            notes=tuple(self.notes),
        )
        return PlasticJump(
            name=event.name,
            pathways=tuple(each.name for each in found.events),
            ends=event.ends,
            variable=delivery.variable,
            factor=self._one(delivery.value.terms[0][1], f"what '{delivery.text}' adds"),
            weights=self._initial(self.weight),
            learning=learning,
        )

    def _one(self, values: Array, what: str) -> float:
        return one(self.synapses, values, what)

    def _initial(self, name: str) -> Array:
        known = dict(self.found.weights)
        return known[name] if name in known else self.by_name[name].initial

    # ------------------------------------------------------------ what is delivered
    def _delivery(self) -> tuple[PlasticEvent, Change]:
        pairs = [(event, change) for event in self.found.events for change in event.deliveries]
        nearest = "A chip's plastic synapse adds its weight to one variable of its target"
        if not pairs:
            self.refuse("no spike adds the weight to a neuron", "write v_post += w", nearest)
        if len(pairs) > 1:
            texts = " and ".join(f"'{change.text}'" for _, change in pairs)
            self.refuse(f"spikes add to several variables: {texts}", "keep one", nearest)
        event, change = pairs[0]
        if event.side == "post":
            self.refuse(
                f"'{change.text}' of '{event.name}' adds to the presynaptic neuron",
                "deliver in on_pre", nearest,
            )  # fmt: skip
        known = {name for name, _ in self.found.weights} | {t.name for t in self.found.traces}
        monomials = [monomial for monomial, _ in change.value.terms]
        if len(monomials) != 1 or len(monomials[0]) != 1 or monomials[0][0][1] != 1:
            parts = " + ".join(map(monomial_text, monomials)) or "0"
            self.refuse(
                f"'{change.text}' adds {parts}, which is not a multiple of the weight",
                "add the weight, and the rest by other synapses", nearest,
            )  # fmt: skip
        if monomials[0][0][0] not in known:
            self.refuse(f"'{change.text}' adds '{monomials[0][0][0]}'", "add the weight", nearest)
        return event, change

    def _check_ends(self, delivering: PlasticEvent) -> None:
        for event in self.found.events:
            delays = np.asarray(event.ends.delays)
            if not delays.size:
                continue
            if event.side == "post" and delays.any():
                self.refuse(
                    f"'{event.name}' has delays of up to {int(delays.max())} steps",
                    "leave its delays out",
                    "A chip's learning rule sees a postsynaptic spike in its own step",
                )
            if np.ptp(delays):
                self.refuse(
                    f"'{event.name}' has different delays, {int(delays.min())} to"
                    f" {int(delays.max())} steps", "give all synapses of the object one delay",
                    "A chip's plastic synapses have one delay",
                )  # fmt: skip
            if event.side == "pre" and delays[0] != delivering.ends.delays[0]:
                self.refuse(
                    f"'{event.name}' and '{delivering.name}' have different delays",
                    "give them one delay",
                    "On a chip, a spike is delivered and learnt from in one step",
                )

    def _check_variables(self) -> None:
        others = [name for name, _ in self.found.weights if name != self.weight]
        if others:
            self.refuse(
                f"'{others[0]}' changes without decay, beside the weight '{self.weight}'",
                "give it a time constant, or leave it out",
            )
        if len(self.tags) > 1:
            names = " and ".join(f"'{tag.name}'" for tag in self.tags)
            self.refuse(
                f"{names} can't be moved to neurons, for what changes them depends on both ends or"
                " on other variables", "keep one of them",
            )  # fmt: skip

    def _late(self, event: PlasticEvent, delivery: Change) -> bool:
        """Whether the equations change a weight before they deliver it."""
        at = self.found.events.index(event)
        before = [e for e in self.found.events[:at] if e.side == "pre" and e.change(self.weight)]
        after = event.delivered_after_change[event.deliveries.index(delivery)]
        if not (after or before):
            return False
        self.notes.append(
            f"'{self.found.name}': '{delivery.text}' comes after the weight's change; on the chip a"
            " spike delivers the weight that was there before it"
        )
        return True

    # ------------------------------------------------------------ traces
    def _placed(self) -> Mapping[str, IdealTrace]:
        """The user's traces of neurons in the chip's registers, in their order."""
        placed = {}
        for side, registers in REGISTERS.items():
            mine = [t for t in self.found.traces if t.side == side and t.name != self.weight]
            if len(mine) > len(registers):
                names = ", ".join(f"'{trace.name}'" for trace in mine)
                self.refuse(
                    f"{names} are {len(mine)} {side}synaptic traces",
                    f"use {len(registers)} at most",
                )
            for trace, register in zip(mine, registers, strict=False):
                placed[trace.name] = self._trace(trace, register)
        return placed

    def _trace(self, trace: Trace, register: str) -> IdealTrace:
        changes = [c for event in self.found.events if (c := event.change(trace.name))]
        if len(changes) > 1:
            self.refuse(
                f"'{trace.name}' is changed by {len(changes)} events:"
                f" {', '.join(repr(change.text) for change in changes)}",
                "let one event change it",
            )
        decay = self._one(trace.decay, f"the time constant of '{trace.name}'")
        if decay == 1:
            self.refuse(f"'{trace.name}' never decays", "give it a time constant")
        rest = self._one(trace.rest, f"the resting value of '{trace.name}'")
        change = changes[0]
        constant = change.value.coefficient(())
        impulse = self._one(constant, f"what '{change.text}' adds to the trace")
        sets = change.kind == "set"
        impulse -= rest if sets else 0.0
        if not impulse:
            self.refuse(
                f"'{change.text}' leaves '{trace.name}' as it would be without a spike",
                f"take '{trace.name}' and what depends on it out",
            )
        initial = np.asarray(trace.initial, float) - rest
        if trace.event_driven:  # the chip's trace decays once more before the first event
            initial = initial / decay
        return IdealTrace(trace.name, register, decay, impulse, sets, rest, initial)

    def _tag(self) -> IdealTag:
        (tag,) = self.tags
        decay = self._one(tag.decay, f"the time constant of '{tag.name}'")
        if self._one(tag.rest, f"the resting value of '{tag.name}'"):
            self.refuse(f"'{tag.name}' does not decay to 0", "let it decay to 0")
        return IdealTag(tag.name, decay, np.asarray(tag.initial, float))

    def _note_unread(self, used: set[str]) -> None:
        for trace in self.place.values():
            if trace.register not in used:
                self.notes.append(
                    f"'{self.found.name}': no rule reads '{trace.name}', so the chip does not keep"
                    " it; the variable stays as it was"
                )

    # ------------------------------------------------------------ terms
    def _event_terms(self) -> Iterator[IdealTerm]:
        self.coincident = False
        for event in self.found.events:
            for change in event.changes:
                target = self._target(change.variable)
                if target is None:
                    continue
                if change.kind == "set":
                    self.refuse(
                        f"'{change.text}' sets '{change.variable}' whatever it was",
                        "add to it",
                    )
                polynomial = self._sum(change.value, change.text)
                seen = self._seen(event, polynomial, change.text)
                yield from terms_of(target, DEPENDENCY[event.side], polynomial, seen, change.text)
                self._watch_coincidences(event, polynomial, target)

    def _target(self, variable: str) -> str | None:
        if variable == self.weight:
            return "w"
        return "t" if any(tag.name == variable for tag in self.tags) else None

    def _step_terms(self) -> Iterator[IdealTerm]:
        """What happens without spikes: changes in every step, and the decay of a weight."""
        for change in self.found.every_step:
            target = self._target(change.variable)
            if target is None:
                self.refuse(f"'{change.text}' changes a trace in every step", "use its decay only")
            for factors, coefficient in self._sum(change.value, change.text).items():
                yield from terms_of(str(target), "u0", {factors: coefficient}, {}, change.text)
        own = self.by_name.get(self.weight)
        if own is not None:
            decay = self._one(own.decay, f"the time constant of '{own.name}'")
            rest = self._one(own.rest, f"the resting value of '{own.name}'")
            text = f"decay of {own.name}"
            yield from terms_of("w", "u0", {("w",): decay - 1}, {}, text)
            if rest:
                yield from terms_of("w", "u0", {(): (1 - decay) * rest}, {}, text)

    def _sum(self, polynomial: Polynomial, text: str) -> Sum:
        """The polynomial in registers, w and t."""
        made: Sum = {}
        for monomial, values in polynomial.terms:
            names: list[str] = []
            for name, power in monomial:
                names += [self._register(name, text)] * power
            coefficient = self._one(values, f"the coefficient of '{monomial_text(monomial)}' in"
                                    f" '{text}'")  # fmt: skip
            key = tuple(sorted(names))
            made[key] = made.get(key, 0.0) + coefficient
        for trace in self.place.values():
            if trace.rest:
                by = {(trace.register,): 1.0, (): trace.rest}
                made = replaced(made, trace.register, by)
        return {key: value for key, value in made.items() if value}

    def _register(self, name: str, text: str) -> str:
        target = self._target(name)
        if target is not None:
            return target
        if name in self.place:
            return self.place[name].register
        remedy = "use traces of spikes; what is constant during a run can be a parameter"
        if name.endswith(("_pre", "_post")):
            return self.refuse(f"'{text}' depends on the neuron's '{name}'", remedy)
        return self.refuse(f"'{text}' depends on '{name}'", remedy)

    def _seen(self, event: PlasticEvent, polynomial: Sum, text: str) -> dict[str, Seen]:
        seen = {}
        here = self.found.events.index(event)
        for name, trace in self.place.items():
            if not any(trace.register in factors for factors in polynomial):
                continue
            changing = next(e for e in self.found.events if e.change(name))
            own = changing.side == event.side
            later = self.found.events.index(changing) >= here
            if later and own and trace.sets:
                self.refuse(
                    f"'{text}' reads '{name}' before the same spike sets it",
                    "add to the trace in place of setting it, or read it afterwards",
                    "A chip's rule sees a trace after its spike",
                )
            if later and not own and trace.sets:
                self._coincidence(
                    f"'{name}' is read before a spike of the other side in the same step sets it;"
                    " the chip reads it afterwards"
                )
                later = False
            seen[trace.register] = Seen(trace, own, later)
        return seen

    def _watch_coincidences(self, event: PlasticEvent, polynomial: Sum, target: str) -> None:
        """Changes that depend on what another event of the same step has changed."""
        earlier = self.found.events[: self.found.events.index(event)]
        for name, variable in (("w", self.weight), ("t", self.tags[0].name if self.tags else "")):
            reads = any(name in factors for factors in polynomial)
            if reads and any(e.change(variable) for e in earlier):
                self._coincidence(
                    f"'{variable}' is changed by two events of one step, the second of which reads"
                    " what the first has made; on the chip both read the value before"
                )
        if target == "w" and any(e.change(self.weight) for e in earlier):
            change = event.change(self.weight)
            if change is not None and (change.low is not None or change.high is not None):
                self._coincidence(
                    "with a spike at both ends in one step the weight is cut to its bounds after"
                    " each change; on the chip once, after both"
                )

    def _coincidence(self, note: str) -> None:
        self.coincident = True
        whole = f"'{self.found.name}': {note}"
        if whole not in self.notes:
            self.notes.append(whole)


def _unit(synapses: Any, name: str) -> str:
    variable = synapses.variables[name]
    return "" if variable.dim.is_dimensionless else str(variable.unit)
