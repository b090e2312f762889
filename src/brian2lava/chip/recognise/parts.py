"""What a NeuronGroup is made of besides its state update, its threshold and its reset."""

from __future__ import annotations

from typing import Any

from brian2lava.chip.recognise.earlier import kept_by
from brian2lava.chip.recognise.refusal import refuse

_ONE_STEP = "A chip neuron updates, compares and resets once a step, in this order"


def refuse_other_parts(group: Any) -> None:
    """Raise for custom events, ``run_regularly``, linked variables, and other schedules.

    A ``run_regularly`` that keeps a state's value (``y_before = y``) may stay.

    Raises
    ------
    NotSupported
        Names the part.
    """
    for event in group.events:
        if event != "spike":
            refuse(
                group,
                f"it has the custom event '{event}'",
                "A chip neuron has one event, its spike",
                "use threshold= and reset= only",
            )
    if group._linked_variables:
        refuse(
            group,
            f"'{sorted(group._linked_variables)[0]}' is a linked variable",
            "A chip neuron reads its own registers only",
            "make it a parameter of the group, with a value of its own",
        )
    usual = _usual_slots(group)
    for part in group.contained_objects:
        slot = usual.get(id(part))
        if slot is None and kept_by(group, part) is not None:
            continue
        if slot is None:
            refuse(
                group,
                f"it contains '{part.name}' (run_regularly, or added by hand): {_code(part)}",
                _ONE_STEP,
                "take it away",
            )
        if part.when != slot or part.order != group.order:
            refuse(
                group,
                f"'{part.name}' runs in '{part.when}' with order {part.order}",
                f"{_ONE_STEP} (here '{slot}' with order {group.order})",
                "leave the schedule as it is",
            )
        if part.clock is not group.clock:
            refuse(
                group,
                f"'{part.name}' has the clock '{part.clock.name}' of its own",
                "A chip has one time step",
                "give the group one dt",
            )


def _usual_slots(group: Any) -> dict[int, str]:
    slots = {id(group.state_updater): "groups"}
    slots |= {id(part): "thresholds" for part in group.thresholder.values()}
    slots |= {id(part): "resets" for part in group.resetter.values()}
    if group.subexpression_updater is not None:
        slots[id(group.subexpression_updater)] = "before_start"
    return slots


def _code(part: Any) -> str:
    return f"'{' '.join(str(getattr(part, 'abstract_code', '')).split())}'"
