"""Registers that the host writes before each step, for example a bias that is a stimulus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from brian2lava.chip.network import Integers
from brian2lava.errors import NotSupported
from brian2lava.interop.lava_graph import LavaGraph

#: (population, register) -> values, shape (steps, size).
Written = Mapping[tuple[str, str], Integers]


def refuse_unwritable(graph: LavaGraph, written: Written, hardware: str) -> None:
    """Refuse registers that no process of Lava's simulation has.

    Raises
    ------
    NotSupported
        The population is a process of ours, whose registers stay, or runs on a chip.
    """
    for population, register in written:
        why = graph.ours.get(population, "")
        if hardware:
            why = "it runs on the chip, step after step without the host"
        if why:
            raise NotSupported(
                f"{population!r}: its register {register!r} can't be written in each step: {why}."
                " Leave 'written' out, or use the plain definition (brian2lava.chip.plain_steps)."
            )


def writing(population: str, written: Written) -> Callable[[Any], None]:
    """What is done to a population's model once it is made: its steps begin with the writing."""
    rows = {register: values for (name, register), values in written.items() if name == population}

    def prepare(model: Any) -> None:
        if not rows:
            return
        run_spk = model.run_spk

        def written_first() -> None:
            for register, values in rows.items():
                getattr(model, register)[:] = values[model.time_step - 1]
            run_spk()

        model.run_spk = written_first

    return prepare
