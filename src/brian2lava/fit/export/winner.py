"""What exports are made of: registers, the target, and the integers that reach the chip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.profiles import LAVA, Arithmetic
from brian2lava.fit.batch import Stimulus
from brian2lava.fit.network import arriving, biases, scaled
from brian2lava.fit.search.result import Found
from brian2lava.fit.target import Target

#: What scripts print of a sweep: as :func:`spike_lines`.
PRINT = """    print(f"sweep {sweep}: {len(train)} spikes in steps {' '.join(map(str, train))}")"""


@dataclass(frozen=True)
class Winner:
    """A register set that is exported.

    Attributes
    ----------
    found : Found
    target : Target
        The result's: at the chip's time step.
    arithmetic : Arithmetic
    """

    found: Found
    target: Target
    arithmetic: Arithmetic = LAVA

    @property
    def steps(self) -> list[int]:
        """Steps of each sweep."""
        return [sweep.steps for sweep in self.target.sweeps]

    @property
    def trains(self) -> list[Any]:
        """The steps in which the neuron fires, sweep by sweep."""
        return [
            np.rint(train / self.target.dt).astype(np.int64)
            for train in self.found.evaluation.trains
        ]

    def data(self) -> dict[str, Any]:
        """The stimulus in the chip's integers, arrays of shape (steps, sweeps), int32.

        "payload", and "arriving" and "arriving2" (times the weight of the first port and of the
        second, if it has one); or "bias_mant". Shorter sweeps end with 0. "steps" has the length of
        each.
        """
        settings, columns = self.found.settings, []
        ports = dict(zip(self.found.candidate.neuron.ports, ("arriving", "arriving2")))
        for sweep in self.target.sweeps:
            stimulus = Stimulus(sweep.current)
            if self.found.frame.drive == "bias":
                columns.append({"bias_mant": biases(settings, stimulus)[:, 0]})
            else:
                found = arriving(settings, stimulus)
                columns.append({
                    "payload": scaled(settings, stimulus)[:, 0],
                    "arriving": np.zeros(sweep.steps, np.int64),
                    **{ports[port]: values[:, 0] for port, values in found.items()},
                })  # fmt: skip
        table = {name: _side_by_side([each[name] for each in columns]) for name in columns[0]}
        return {**table, "steps": np.array(self.steps, np.int32)}

    def spike_lines(self) -> list[str]:
        """What an exported script prints."""
        return spike_lines(self.trains)


def spike_lines(trains: Sequence[Any]) -> list[str]:
    """A line a sweep: the steps of its spikes, counted from 0."""
    return [
        f"sweep {k}: {len(train)} spikes in steps {' '.join(map(str, np.asarray(train).tolist()))}"
        for k, train in enumerate(trains)
    ]


def _side_by_side(columns: Sequence[Any]) -> Any:
    table = np.zeros((max(len(column) for column in columns), len(columns)), np.int32)
    for k, column in enumerate(columns):
        table[: len(column), k] = column
    return table


def plain_name(winner: Winner) -> str:
    """The target's name without what would end a string or a line."""
    return "".join(c if c.isprintable() and c not in '"\\' else " " for c in winner.target.name)
