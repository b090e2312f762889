"""How a model that no chip neuron equals is refused: object, what was found, nearest, remedy."""

from __future__ import annotations

from typing import Any, NoReturn

from brian2lava.errors import NotSupported

#: What can always be done instead; ``mode="preset"`` would make integers of hardware='CPU' alone.
OTHERWISE = "or run it with set_device('lava', hardware='CPU', num_repr='float')."


def refuse(owner: Any, found: str, nearest: str, remedy: str) -> NoReturn:
    """Raise :class:`NotSupported` about the Brian2 object ``owner``.

    ``found`` follows the object's name after a colon, ``nearest`` says what a chip does have, and
    ``remedy`` begins with a verb: "use ...".
    """
    raise NotSupported(
        f"{owner.__class__.__name__} '{owner.name}': {found}. {nearest}."
        f" {remedy[0].upper()}{remedy[1:]}, {OTHERWISE}"
    )
