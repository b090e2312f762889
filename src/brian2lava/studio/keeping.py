"""The bench in a session: what its document has of the studio, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brian2lava.cache import cache_folder
from brian2lava.errors import FitError
from brian2lava.fit.target import Target
from brian2lava.studio.setup import Setup, Tuning
from brian2lava.studio.wire import clean

#: The key of the session's document.
KEY = "studio"


def kept_in() -> Path:
    """The session's file if nobody names one."""
    return cache_folder() / "studio" / "session.b2l"


def document_of(setup: Setup, starts: Mapping[str, Any], first: bool) -> dict[str, Any]:
    """A setup without its target, as JSON has it; ``first``: there is no way back from here."""
    document: dict[str, Any] = clean({
        "candidate": setup.candidate_name, "dt": setup.dt, "threshold": setup.threshold,
        "drive": setup.drive, "sweep": setup.sweep, "window": setup.window,
        "origin": setup.origin, "first": first, "starts": starts,
        "tunings": {
            name: {"values": t.values, "overrides": t.overrides, "locked": sorted(t.locked)}
            for name, t in setup.tunings.items()
        },
    })  # fmt: skip
    return document


def setup_from(document: Mapping[str, Any], target: Target) -> Setup:
    """The inverse of :func:`document_of`.

    Raises
    ------
    FitError
        The document is damaged.
    """
    try:
        tunings = {
            name: Tuning(
                {key: float(value) for key, value in t["values"].items()},
                dict(t["overrides"]),
                frozenset(t["locked"]),
            )
            for name, t in document["tunings"].items()
        }
        setup = Setup(
            target, document["candidate"], tunings, float(document["dt"]),
            int(document["threshold"]), document["drive"], int(document["sweep"]),
            float(document["window"]), dict(document["origin"]),
        )  # fmt: skip
        setup.settings()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, FitError):
            raise
        raise FitError(f"what the session has of the studio is damaged ({error!r}).") from error
    return setup
