"""One presynaptic spike (or two) through synapses of the chip, many register sets at once.

The steps are those of the chip's own models: :func:`brian2lava.chip.models.MODELS`. A response of
several register sets is one population whose neurons carry different registers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from brian2lava.chip.arithmetic import Call, Expression, Name, evaluate, names_in
from brian2lava.chip.limits import (
    DECAY,
    DELAY_LOIHI1,
    THRESHOLD,
    WEIGHT_EXCITATORY,
    WEIGHT_EXPONENT,
)
from brian2lava.chip.models import MODELS
from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes
from brian2lava.chip.plain import PlainChip
from brian2lava.chip.plain_steps import initial_states, registers_of, word_of, zero_registers
from brian2lava.chip.profiles import Arithmetic
from brian2lava.errors import FitError

#: What the population and the source of a response's network are called.
NEURON, SOURCE = "neuron", "source"


@dataclass(frozen=True)
class Layout:
    """Which synapses there are, and the registers of a table in the order of its columns.

    Attributes
    ----------
    model : "LIF" or "CubaLIF2"
    ports : tuple of int
        Of each synapse: which of the model's ports it goes to.
    state : "current" or "potential"
        What the response is: the sum of currents, or the voltage.
    """

    model: str
    ports: tuple[int, ...]
    state: Literal["current", "potential"]

    @property
    def currents(self) -> int:
        """Currents of the model."""
        return len(MODELS[self.model].ports)

    @property
    def names(self) -> tuple[str, ...]:
        """Registers: decays, exponents, then delay and weight of each synapse."""
        decays = ("du", "du2")[: self.currents] + (("dv",) if self.state == "potential" else ())
        exponents = ("exponent", "exponent2")[: self.currents]
        single = len(self.ports) == 1
        synapses = tuple(
            f"{name}{'' if single else k + 1}"
            for k in range(len(self.ports))
            for name in ("delay", "weight")
        )
        return (*decays, *exponents, *synapses)

    @property
    def limits(self) -> tuple[Any, Any]:
        """Lowest and highest value of each register."""
        ranges = {"du": (0, DECAY.high), "dv": (1, DECAY.high),
                  "exponent": (0, WEIGHT_EXPONENT.high),
                  "delay": (DELAY_LOIHI1.low, DELAY_LOIHI1.high),
                  "weight": (-WEIGHT_EXCITATORY.high, WEIGHT_EXCITATORY.high)}  # fmt: skip
        found = [ranges[name.rstrip("0123456789")] for name in self.names]
        return np.array([low for low, _ in found]), np.array([high for _, high in found])

    def column(self, table: Any, name: str) -> Any:
        """A register of all rows, shape (size,)."""
        return table[:, self.names.index(name)]

    def of_synapse(self, table: Any, name: str) -> Any:
        """ "delay" or "weight" of all synapses, shape (size, synapses)."""
        columns = [k for k, each in enumerate(self.names) if each.rstrip("0123456789") == name]
        return table[:, columns]

    def exponents(self, table: Any) -> Any:
        """The exponent that each synapse has, shape (size, synapses)."""
        names = [("exponent", "exponent2")[port] for port in self.ports]
        return np.stack([self.column(table, name) for name in names], axis=1)

    def tidied(self, row: Any) -> Any:
        """The same synapses in the order of their delays; those of one delay joined if they fit.

        What is added to a current in one step is a sum, so the response stays as it is.
        """
        row = np.array(row, np.int64)
        if len(set(self.ports)) == len(self.ports):
            return row
        at = {name: k for k, name in enumerate(self.names)}
        joined: dict[tuple[int, bool], int] = {}
        apart: list[tuple[int, int]] = []
        for k in range(1, len(self.ports) + 1):
            delay, weight = int(row[at[f"delay{k}"]]), int(row[at[f"weight{k}"]])
            if not weight:
                continue
            key = delay, weight > 0
            total = joined.get(key, 0) + weight
            if abs(total) <= WEIGHT_EXCITATORY.high:
                joined[key] = total
            else:
                apart.append((delay, weight))
        found = sorted([(delay, weight) for (delay, _), weight in joined.items()] + apart)
        found += [(0, 0)] * (len(self.ports) - len(found))
        for k, (delay, weight) in enumerate(found, start=1):
            row[at[f"delay{k}"]], row[at[f"weight{k}"]] = delay, weight
        return row

    def population(self, table: Any) -> Population:
        """Neurons with these registers, whose threshold is out of reach."""
        registers = {n: self.column(table, n) for n in self.names if n in ("du", "du2", "dv")}
        return Population(NEURON, self.model, len(table), {**registers, "vth": THRESHOLD.high})


@dataclass(frozen=True)
class Responses:
    """What the chip answers.

    Attributes
    ----------
    trace : array of int64, shape (size, steps + 1)
        The first sample is before the spike acts.
    largest : array of int64, shape (size,)
        Largest magnitude of any state.
    """

    trace: Any
    largest: Any


def responses(
    layout: Layout,
    table: Any,
    steps: int,
    arithmetic: Arithmetic,
    spikes: tuple[int, ...] = (0,),
) -> Responses:
    """Run all rows of a table; ``spikes`` are the steps of the presynaptic ones."""
    population = layout.population(table)
    assignments, states = _assignments(layout, population, arithmetic)
    values: dict[str, Any] = {
        **registers_of(population, arithmetic),
        **initial_states(population, arithmetic),
    }
    arriving = _arriving(layout, table, steps, spikes, word_of(arithmetic))
    kind = np.int64
    trace = np.zeros((steps + 1, len(table)), kind)
    largest = np.zeros(len(table), kind)
    shown = states[-1:] if layout.state == "potential" else states
    moving = frozenset({name for name, _ in assignments} | set(population.neuron.ports))
    compiled = [
        (name, _function(expression, values, moving | set(states), arithmetic.word))
        for name, expression in assignments
    ]
    with np.errstate(over="ignore"):
        for k in range(1, steps + 1):
            for port, rows in zip(population.neuron.ports, arriving):
                values[port] = rows[k]
            for name, function in compiled:
                values[name] = function(values)
            for name in shown:
                trace[k] += values[name]
            for name in states:
                np.maximum(largest, np.abs(values[name]), out=largest)
    return Responses(trace.T, largest)


def _function(
    expression: Expression, values: Mapping[str, Any], moving: frozenset[str], word: int
) -> Callable[[Mapping[str, Any]], Any]:
    """:func:`brian2lava.chip.arithmetic.evaluate`, with what never moves done once."""
    if not names_in(expression) & moving:
        fixed = evaluate(expression, values, word)
        return lambda values: fixed
    if isinstance(expression, Name):
        name = expression.name
        return lambda values: values[name]
    assert isinstance(expression, Call)
    operands = [_function(each, values, moving, word) for each in expression.operands]
    meaning, kind = expression.row.meaning, np.int32 if word == 32 else np.int64
    return lambda values: meaning(*[each(values) for each in operands]).astype(kind, copy=False)


def _assignments(layout: Layout, population: Population, arithmetic: Arithmetic) -> Any:
    """The part of the model's step that the response needs, and the states that it moves.

    Currents do not depend on the voltage, so that for them the rest of the step is left out; a
    threshold that is never reached leaves nothing to do behind the assignments.
    """
    step = population.neuron.step(arithmetic, zero_registers(population))
    states = ["u", "u2"][: layout.currents]
    last = states[-1]
    if layout.state == "potential":
        states, last = [*states, "v"], "v"
    end = max(k for k, (name, _) in enumerate(step.assignments) if name == last)
    return step.assignments[: end + 1], states


def _arriving(layout: Layout, table: Any, steps: int, spikes: tuple[int, ...], kind: Any) -> Any:
    """What each port gets at each step, shape (ports, steps + 1, size)."""
    found = np.zeros((layout.currents, steps + 1, len(table)), kind)
    amounts = layout.of_synapse(table, "weight") << layout.exponents(table)
    delays = layout.of_synapse(table, "delay")
    rows = np.arange(len(table))
    for k, port in enumerate(layout.ports):
        for spike in spikes:
            when = delays[:, k] + 1 + spike
            seen = when <= steps
            np.add.at(found[port], (when[seen], rows[seen]), amounts[seen, k].astype(kind))
    return found


def network(
    layout: Layout, row: Any, arithmetic: Arithmetic, spikes: tuple[int, ...] = (0,)
) -> ChipNetwork:
    """The chip network of one register set: a source, its synapses, one neuron.

    Synapses of one sign at a port are a projection of their own: of mixed ones, the chip would drop
    the last bit.
    """
    table = np.asarray(row, np.int64)[None]
    weights, delays = layout.of_synapse(table, "weight")[0], layout.of_synapse(table, "delay")[0]
    exponents = layout.exponents(table)[0]
    ports = MODELS[layout.model].ports
    projections = []
    for port, name in enumerate(ports):
        for sign in (1, -1):
            chosen = [
                k for k, own in enumerate(layout.ports) if own == port and sign * weights[k] > 0
            ]
            if chosen:
                nothing = np.zeros(len(chosen), np.int64)
                projections.append(
                    Projection(
                        f"synapses_{name}{'' if sign > 0 else '_negative'}", SOURCE, NEURON,
                        nothing, nothing, weights[chosen], int(exponents[chosen[0]]),
                        delays=delays[chosen], port=name,
                    )
                )  # fmt: skip
    source = SpikeTimes(SOURCE, 1, np.zeros(len(spikes), np.int64), np.array(spikes))
    population = layout.population(table)
    return ChipNetwork((population,), (source,), tuple(projections), arithmetic=arithmetic)


def verified(layout: Layout, row: Any, steps: int, arithmetic: Arithmetic) -> Any:
    """The response of one register set by the plain chip, network and all; shape (steps + 1,).

    Raises
    ------
    FitError
        It is not what :func:`responses` says.
    """
    state = ("u", "u2")[: layout.currents] if layout.state == "current" else ("v",)
    chip = PlainChip(network(layout, row, arithmetic))
    recorded = chip.run(steps + 1, [(NEURON, name) for name in state])
    each = [np.asarray(recorded.states[NEURON, name][:, 0], np.int64) for name in state]
    trace = np.sum(each, axis=0)
    said = responses(layout, np.asarray(row)[None], steps, arithmetic).trace[0]
    if not np.array_equal(trace, said):
        where = int(np.argmax(trace != said))
        raise FitError(
            f"the chip's network answers {trace[where]} in step {where}, and the fit computed"
            f" {said[where]}. The state may wrap or saturate: use more headroom."
        )
    return trace
