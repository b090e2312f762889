"""The report: what a network takes of a chip, per population, projection and core, as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brian2lava.chip.resources.account import Cores
from brian2lava.chip.resources.budget import Budget
from brian2lava.chip.resources.tables import aligned, as_html, data_frame

Part = Literal["populations", "projections", "cores"]


@dataclass(frozen=True)
class PopulationUse:
    """What a population takes.

    Attributes
    ----------
    fan_in_mean, fan_in_max, fan_out_mean, fan_out_max : float, int
        Synapses that end at, and begin at, a neuron.
    input_axons, output_axons : int
        Places that the axons onto it, and those of its neurons, take in all cores together.
    synapse_bytes : int
        Of the synapses onto it.
    cores : int
        Cores that hold neurons of it (a core may hold several populations).
    ended_by : str
        What most often filled a core that ends inside it; "" where it fits into one.
    """

    name: str
    model: str
    neurons: int
    compartments: int
    cores: int
    synapses: int
    fan_in_mean: float
    fan_in_max: int
    fan_out_mean: float
    fan_out_max: int
    input_axons: int
    output_axons: int
    synapse_bytes: int
    ended_by: str


@dataclass(frozen=True)
class ProjectionUse:
    """What a projection takes; ``bits`` says how a synapse is made up."""

    name: str
    source: str
    target: str
    synapses: int
    fan_in_mean: float
    fan_in_max: int
    fan_out_mean: float
    fan_out_max: int
    bits: str
    input_axons: int
    output_axons: int
    synapse_bytes: int


@dataclass(frozen=True)
class ResourceReport:
    """What a network takes of a chip.

    Attributes
    ----------
    chip : str
    budget : Budget
    cores : Cores
        What each core holds, in the order in which they were filled.
    pieces : tuple of (core, population, neurons)
        Which populations are in which core.
    populations, projections : tuples
    ended_by : tuple of str
        What ended each core.
    notes : tuple of str
        How it was partitioned, what is estimated, what is not on the chip.
    """

    chip: str
    budget: Budget
    cores: Cores
    pieces: tuple[tuple[int, str, int], ...]
    populations: tuple[PopulationUse, ...]
    projections: tuple[ProjectionUse, ...]
    ended_by: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def chips(self) -> int:
        """Chips that are needed."""
        return -(-len(self.cores) // self.budget.cores)

    @property
    def neurons(self) -> int:
        """Neurons on the chip."""
        return int(self.cores.neurons.sum())

    @property
    def synapses(self) -> int:
        """Synapses on the chip."""
        return int(self.cores.synapses.sum())

    @property
    def synapse_bytes(self) -> int:
        """Memory that synapses take, in bytes."""
        return int(self.cores.synapse_memory.sum()) // 8

    def full(self) -> Mapping[str, Any]:
        """How full each core is, by resource, 0..1: arrays of shape (cores,)."""
        names = {
            "compartments": "neurons" if self.budget.per_neuron is None else "compartments",
            "synapse_memory": "synapse memory",
            "core_memory": "core memory",
            "input_axons": "input axons",
            "output_axons": "output axons",
        }
        shares = {
            name: getattr(self.cores, field) / limit
            for field, name in names.items()
            if (limit := getattr(self.budget, field)) is not None
        }
        if self.budget.core_memory is not None:
            axons = (self.cores.input_axons + self.cores.output_axons) * self.budget.axon_bits
            shares["memory for synapses"] = self.cores.synapse_memory / self.budget.core_memory
            shares["memory for axons"] = axons / self.budget.core_memory
        return shares

    def rows(self, of: Part = "populations") -> list[dict[str, Any]]:
        """The rows of a table as plain dictionaries."""
        return {"populations": self._populations, "projections": self._projections,
                "cores": self._cores}[of]()  # fmt: skip

    def _populations(self) -> list[dict[str, Any]]:
        return [dict(vars(row)) for row in self.populations]

    def _projections(self) -> list[dict[str, Any]]:
        return [dict(vars(row)) for row in self.projections]

    def _cores(self) -> list[dict[str, Any]]:
        cores, held = self.cores, self._held()
        return [
            {
                "chip": n // self.budget.cores,
                "core": n % self.budget.cores,
                "holds": ", ".join(held[n]),
                "neurons": int(cores.neurons[n]),
                "compartments": int(cores.compartments[n]),
                "synapses": int(cores.synapses[n]),
                "input_axons": int(cores.input_axons[n]),
                "output_axons": int(cores.output_axons[n]),
                "synapse_bytes": int(cores.synapse_memory[n]) // 8,
                "core_bytes": int(cores.core_memory[n]) // 8,
                "profiles": int(cores.profiles[n]),
                "thresholds": int(cores.thresholds[n]),
                "formats": int(cores.formats[n]),
                "ended_by": self.ended_by[n],
            }
            for n in range(len(cores))
        ]

    def _held(self) -> list[list[str]]:
        held: list[list[str]] = [[] for _ in range(len(self.cores))]
        for core, population, neurons in self.pieces:
            held[core].append(f"{population} ({neurons})")
        return held

    def to_frame(self, of: Part = "populations") -> Any:
        """The rows as a ``pandas.DataFrame``.

        Raises
        ------
        NotSupported
            pandas is not installed.
        """
        return data_frame(self.rows(of))

    def picture(self, path: str | Path) -> Path:
        """Draw how full the cores are, as a PNG at ``path``.

        Raises
        ------
        NotSupported
            matplotlib is not installed.
        """
        from brian2lava.chip.resources.picture import draw

        return draw(self, Path(path))

    def headline(self) -> str:
        """Chips, cores, neurons, synapses and memory in one line."""
        kind = "" if self.budget.exact else ", an estimate"
        return (
            f"{self.chip}: {_counted(self.chips, 'chip')},"
            f" {len(self.cores)} of {self.chips * self.budget.cores} cores"
            f"{kind}; {_counted(self.neurons, 'neuron')}, {_counted(self.synapses, 'synapse')} in"
            f" {self.synapse_bytes / 1024:,.1f} KiB"
        )

    def tables(self) -> dict[str, list[list[str]]]:
        """The tables of the text and the HTML: titles in the first row."""
        return {
            "populations": [
                ["population", "model", "neurons", "cores", "fan-in mean (max)",
                 "fan-out mean (max)", "in axons", "out axons", "synapses KiB", "full by"],
                *([p.name, p.model, f"{p.neurons:,}", f"{p.cores:,}",
                   f"{p.fan_in_mean:.1f} ({p.fan_in_max:,})",
                   f"{p.fan_out_mean:.1f} ({p.fan_out_max:,})", f"{p.input_axons:,}",
                   f"{p.output_axons:,}", f"{p.synapse_bytes / 1024:,.1f}", p.ended_by or "-"]
                  for p in self.populations),
            ],
            "projections": [
                ["projection", "from", "to", "synapses", "fan-in mean (max)", "fan-out mean (max)",
                 "bits a synapse", "in axons", "out axons", "KiB"],
                *([p.name, p.source, p.target, f"{p.synapses:,}",
                   f"{p.fan_in_mean:.1f} ({p.fan_in_max:,})",
                   f"{p.fan_out_mean:.1f} ({p.fan_out_max:,})", p.bits, f"{p.input_axons:,}",
                   f"{p.output_axons:,}", f"{p.synapse_bytes / 1024:,.1f}"]
                  for p in self.projections),
            ],
            "the fullest cores": [
                ["of a core's", "mean", "most"],
                *([name, f"{values.mean():.1%}", f"{values.max():.1%}"]
                  for name, values in self.full().items() if len(values)),
            ],
        }  # fmt: skip

    def __str__(self) -> str:
        lines = [self.headline()]
        for table in self.tables().values():
            lines += ["", *aligned(table)] if len(table) > 1 else []
        return "\n".join([*lines, "", *(f"note: {note}" for note in self.notes)])

    def to_html(self) -> str:
        """The report as an HTML fragment."""
        return as_html(self.headline(), self.tables(), self.notes)

    _repr_html_ = to_html


def _counted(number: int, what: str) -> str:
    """ "1 neuron", "2,000 neurons"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
