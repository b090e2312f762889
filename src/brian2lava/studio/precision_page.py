"""What the page Precision asks for: scores over steps and decays, over weights and exponents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings
from brian2lava.fit.precision import PrecisionMap, decay_map, weight_map
from brian2lava.fit.precision.bits import of_bias, of_input, of_own
from brian2lava.studio.setup import Setup, numbers_of

if TYPE_CHECKING:
    from brian2lava.studio.desk import Desk

Answer = tuple[Mapping[str, Any], Mapping[str, Any]]


def decays(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The bench's neuron over the chip's time step and the bits of its decays."""
    setup = desk.bench.setup
    return _sent(
        decay_map(
            setup.target, setup.candidate, setup.tuning.values, setup.frame, sweep=setup.sweep,
            window=setup.window,
        )
    )  # fmt: skip


def weights(desk: Desk, given: Mapping[str, Any]) -> Answer:
    """The bench's neuron over the bits of a weight and its exponent; of the synapse that it has."""
    setup = desk.bench.setup
    has_own = setup.settings().recurrent
    asked = given.get("synapse") == "own"
    synapse: Literal["input", "own"] = "own" if asked and has_own else "input"
    header, arrays = _sent(
        weight_map(
            setup.target, setup.candidate, setup.settings(), setup.frame, synapse=synapse,
            sweep=setup.sweep, window=setup.window,
        )
    )  # fmt: skip
    return {**header, "synapse": synapse, "own": has_own, "drive": setup.drive}, arrays


def _sent(found: PrecisionMap) -> Answer:
    """A map as a message: cells row by row."""
    arrays = {
        "rows": found.rows, "columns": found.columns,
        "train": found.train.ravel(), "held_out": found.held_out.ravel(),
    }  # fmt: skip
    if found.column_bits is not None:
        arrays["column_bits"] = found.column_bits.astype(np.int32)
    header = {
        "names": [found.row_name, found.column_name], "now": found.now, "note": found.note,
        "refused": [text for row in found.refused for text in row],
    }  # fmt: skip
    return header, arrays


def cell(desk: Desk, given: Mapping[str, Any]) -> None:
    """Put a cell of the map of weights on the bench."""
    bits, exponent = int(given["bits"]), int(given["exponent"])
    setup = desk.bench.setup
    made = _of_cell(setup, str(given.get("synapse")), bits, exponent)
    before = numbers_of(setup.candidate, setup.settings())
    after = numbers_of(setup.candidate, made)
    for name, value in after.items():
        if value != before[name]:
            setup = setup.with_register(name, value)
    desk.bench.change(setup, "weight and exponent")


def _of_cell(setup: Setup, synapse: str, bits: int, exponent: int) -> Settings:
    settings, reach = setup.settings(), setup.frame.reach
    if synapse == "own":
        if not settings.recurrent:
            raise FitError(f"{setup.candidate_name} as it is has no synapse onto itself.")
        return of_own(settings, bits, exponent)
    if setup.drive == "bias":
        return of_bias(settings, exponent, reach)
    return of_input(settings, bits, exponent, reach)


OPERATIONS: dict[str, Any] = {"precision": decays, "weight_map": weights}
CHANGES: dict[str, Any] = {"weight_cell": cell}
