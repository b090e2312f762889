"""A fit in a session: what was asked, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from brian2lava.fit.search import FitOptions, Fitting
from brian2lava.fit.target import Target


@dataclass(frozen=True)
class KeptFit:
    """A fit that can go on.

    Attributes
    ----------
    target : Target
        With the spans that were chosen for it.
    candidates : tuple of str
    options : FitOptions
    state : dict
        Of :meth:`brian2lava.fit.Fitting.state`.
    """

    target: Target
    candidates: tuple[str, ...]
    options: FitOptions
    state: Mapping[str, Any]

    @classmethod
    def of(cls, fitting: Fitting, target: Target) -> KeptFit:
        """A fit as it is now; ``target`` is what it was made with."""
        names = tuple(each.name for each in fitting.candidates)
        return cls(target, names, fitting.options, fitting.state())

    def fitting(self) -> Fitting:
        """The fit, ready to go on."""
        made = Fitting(self.target, self.candidates, self.options)
        made.resume(self.state)
        return made


def options_state(options: FitOptions) -> dict[str, Any]:
    """Options for JSON."""
    return asdict(options)


def options_from(state: Mapping[str, Any]) -> FitOptions:
    """The inverse of :func:`options_state`; what is not known is refused (TypeError)."""
    given = dict(state)
    given["bounds"] = {
        str(name): {str(p): (float(low), float(high)) for p, (low, high) in values.items()}
        for name, values in given.get("bounds", {}).items()
    }
    given["weights"] = {str(n): float(value) for n, value in given.get("weights", {}).items()}
    known = {field.name for field in fields(FitOptions)}
    if unknown := set(given) - known:
        raise TypeError(f"unknown options {sorted(unknown)}")
    return FitOptions(**given)
