"""A fitted neuron as an entry of a model library: JSON, and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from brian2lava.errors import FitError
from brian2lava.fit.batch import Settings
from brian2lava.fit.export.winner import Winner
from brian2lava.fit.search.trial import settings_from, settings_state

#: Of the entry's form.
ENTRY_VERSION = 1
_KIND = "brian2lava chip neuron"


def entry(winner: Winner) -> dict[str, Any]:
    """All that tells the neuron, its input, and how good it is; plain values for JSON.

    Registers and synapse are exact; what they mean is in "physical", with units.
    """
    found, target = winner.found, winner.target
    candidate = found.candidate
    units = {each.name: each.unit for each in candidate.parameters}
    return {
        "kind": _KIND,
        "version": ENTRY_VERSION,
        "name": candidate.name,
        "title": candidate.title,
        "model": candidate.model,
        "equations": candidate.neuron.equations,
        "lava": candidate.neuron.lava,
        "arithmetic": winner.arithmetic.name,
        "dt": target.dt,
        "drive": found.frame.drive,
        "settings": settings_state(found.settings),
        "physical": {
            name: {"value": _finite(value), "unit": units.get(name, "1")}
            for name, value in found.physical.items()
        },
        "target": {"name": target.name, "source": target.source, "unit": target.unit},
        "gamma": {part: _finite(found.evaluation.gamma(part)) for part in ("held_out", "train")},
        "counters": dict(found.evaluation.counters),
        "made_with": f"brian2lava {version('brian2lava')}",
    }


def _finite(value: float) -> float | None:
    """JSON has no nan."""
    return float(value) if math.isfinite(value) else None


def settings_of(given: Mapping[str, Any] | str) -> Settings:
    """The registers and the synapse of an entry, held to the chip's limits.

    Parameters
    ----------
    given : dict or str
        What :func:`entry` made, or its JSON.

    Raises
    ------
    FitError
        It is no entry, or one of a newer version.
    ChipLimit
        A number that the chip can't hold.
    """
    try:
        found = json.loads(given) if isinstance(given, str) else given
        if found["kind"] != _KIND:
            raise FitError(f"this is no entry of a chip neuron but {found['kind']!r}.")
        if found["version"] > ENTRY_VERSION:
            raise FitError(
                f"the entry is of version {found['version']}, known is {ENTRY_VERSION}; update"
                " brian2lava."
            )
        return settings_from(found["settings"])
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, RecursionError) as error:
        raise FitError(f"this is no entry of a chip neuron ({error!r}).") from error
