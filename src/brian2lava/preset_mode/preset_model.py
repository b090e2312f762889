"""What a preset model is: equations, conditions, and what a chip makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from brian2.equations.equations import Equations


@dataclass(frozen=True)
class Entry:
    """A variable or parameter: its name, meaning, and unit as Brian2 writes it ("1" for none)."""

    name: str
    meaning: str
    unit: str = "volt"


@dataclass(frozen=True)
class PresetModel:
    """A neuron model under the name that Brian2Lava 1.0 beta gives it.

    Attributes
    ----------
    name : str
        What it is imported by.
    process_name : str
        The name of the Lava process that computes it in Brian2Lava 1.0 beta.
    description : str
    string_equations : str
        For ``NeuronGroup``, and for putting more lines to them.
    threshold : str
    resets : tuple of str
        Statements; none where a spike changes nothing.
    held : bool
        Whether the model has a refractory period.
    on_chip : str
        What it is on a chip.
    variables, parameters : tuple of Entry
        Parameters are what the namespace of a group has to define.
    """

    name: str
    process_name: str
    description: str
    string_equations: str
    threshold: str
    on_chip: str
    resets: tuple[str, ...] = ()
    held: bool = False
    variables: tuple[Entry, ...] = field(default=(), repr=False)
    parameters: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def equations(self) -> Equations:
        """The equations as Brian2's object."""
        return Equations(self.string_equations)

    @property
    def reset(self) -> str:
        """The statements of the reset, one a line."""
        return "\n".join(self.resets)

    @property
    def conditions(self) -> dict[str, str | list[str]]:
        """The threshold as "th" and the reset as "rs": a list where it has several statements."""
        several = len(self.resets) > 1
        return {"th": self.threshold, "rs": list(self.resets) if several else self.reset}

    @property
    def place(self) -> str:
        """Where it can be computed, in words."""
        return f"on a chip: {self.on_chip}"

    @property
    def refractory_period(self) -> str:
        """ "True" where the group takes ``refractory=``, else "False"."""
        return str(self.held)

    def __str__(self) -> str:
        return "\n".join(
            (
                f"{self.name} ({self.place})",
                self.description,
                "",
                *_indented("equations", self.string_equations.splitlines()),
                *_indented("threshold", (self.threshold,)),
                *_indented("reset", self.resets or ("none",)),
                *_indented("refractory period", ("yes" if self.held else "no",)),
                *_indented("variables", _table(self.variables)),
                *_indented("parameters", _table(self.parameters)),
            )
        )

    def _repr_latex_(self) -> str:
        """How a notebook shows it."""
        return str(self.equations._repr_latex_())

    def show(self, latex_rendered: bool = True, latex_raw: bool = False) -> None:
        """Print all there is to know.

        Parameters
        ----------
        latex_rendered : bool
            No effect on what is printed: a notebook sets the model itself in LaTeX.
        latex_raw : bool
            Print the equations in LaTeX, too.
        """
        print(self)
        if latex_raw:
            print("\n".join(_indented("LaTeX", self._repr_latex_().splitlines())))


def _indented(title: str, lines: Sequence[str]) -> list[str]:
    return [f"  {title}", *(f"    {line}" for line in lines)] if lines else []


def _table(entries: Sequence[Entry]) -> list[str]:
    names = max((len(entry.name) for entry in entries), default=0)
    units = max((len(entry.unit) for entry in entries), default=0)
    return [
        f"{entry.name.ljust(names)}  {entry.unit.ljust(units)}  {entry.meaning}"
        for entry in entries
    ]
