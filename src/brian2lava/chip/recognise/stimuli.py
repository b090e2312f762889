"""TimedArrays in the equations of neurons -> what their ports get step by step."""

from __future__ import annotations

import numpy as np

from brian2lava.chip.ideal import IdealStimulus, real
from brian2lava.chip.recognise.matched import NOTHING, Matched, refuse_map
from brian2lava.chip.recognise.step_map import PopulationMap, TimedInput


def stimuli(
    found: PopulationMap, matched: Matched, first_step: int, steps: int
) -> tuple[IdealStimulus, ...]:
    """The TimedArrays in the equations as integers-to-be, for the steps 0 .. first_step + steps."""
    made = []
    for number, given in enumerate(found.inputs):
        for k, state in enumerate(found.states):
            if not np.any(np.abs(given.gain[k]) > NOTHING):
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
        refuse_map(
            found,
            f"the TimedArray {given.name!r} acts on {variable!r}, which takes no input on the chip",
            "Input goes to the voltage or to a current",
            f"Add {given.name!r} to one of these",
        )
    values = given.at(first_step, steps) * given.gain[k]
    values = values * (port.gain if port.late else port.direct)
    values = np.concatenate([np.zeros((first_step, values.shape[1])), values])
    if values.shape[1] == 1:
        values = values[:, 0]
    return IdealStimulus(
        name, matched.population.name, port.name, real(values), after=bool(port.late)
    )
