"""What a search makes small: scores, and how much each counts."""

from __future__ import annotations

import difflib
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass

from brian2lava.errors import FitError


@dataclass(frozen=True)
class Term:
    """A score that a loss may count.

    Attributes
    ----------
    name, meaning : str
    first : float
        How much it counts unless something else is said.
    """

    name: str
    meaning: str
    first: float


#: The terms of the loss of spikes (see :mod:`brian2lava.fit.search.loss`). Only their ratios count.
#: Coincidences in the wide windows lead a search to where the narrow one has something to say.
TERMS = (
    Term("f1", "spikes that are missed or extra, within the window", 0.5),
    Term("f1_wide", "the same within four windows, which leads there", 0.25),
    Term("f1_widest", "the same within sixteen windows, which leads there", 0.25),
    Term("distance", "how far matched spikes are apart, in windows", 0.05),
    Term("gamma_2ms", "1 - gamma factor at 2 ms, whatever the window", 0.0),
    Term("gamma_4ms", "1 - gamma factor at 4 ms, whatever the window", 0.0),
    Term("rate", "how many spikes there are too many or too few", 0.0),
    Term("voltage", "what of the recorded voltage's variance v does not explain", 0.0),
)
#: Beside a threshold's distance a spike, while the recording's spikes are forced on the neuron.
FORCED = Term(
    "forced_voltage", "the voltage at the beginning of a search, with the recording's spikes", 0.5
)
#: All that can be given.
WEIGHTS = {term.name: term for term in (*TERMS, FORCED)}


def weights_of(given: Mapping[str, float]) -> dict[str, float]:
    """Every weight: those that are given, and the others as they are at first.

    Those of ``TERMS`` are scaled so that together they are what they are at first: losses of
    other weights stay numbers of about 0 to 1.

    Raises
    ------
    FitError
        A name that there is not (says the nearest), a value that is not finite or below 0, or
        nothing that counts.
    """
    for name, value in given.items():
        if name not in WEIGHTS:
            near = difflib.get_close_matches(str(name), WEIGHTS, 1, 0.4)
            raise FitError(
                f"weights: there is no score {name!r}; there are {', '.join(WEIGHTS)}."
                + (f" Did you mean {near[0]!r}?" if near else "")
            )
        number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not number or not (math.isfinite(value) and value >= 0):
            raise FitError(
                f"weights: {name}={value!r}; a number of 0 or more is needed, and 0 is a score"
                " that does not count."
            )
    found = {name: float(given.get(name, term.first)) for name, term in WEIGHTS.items()}
    total = sum(found[term.name] for term in TERMS)
    if not total > 0:
        raise FitError(
            f"weights: all of {', '.join(term.name for term in TERMS)} are 0, so nothing would be"
            " searched for. Give at least one more than 0."
        )
    scale = sum(term.first for term in TERMS) / total
    return found | {term.name: found[term.name] * scale for term in TERMS}


def weights_from(text: str) -> dict[str, float]:
    """Weights as a command line has them: "gamma_2ms=1,voltage=0.5".

    Raises
    ------
    FitError
        It is none of that kind, or :func:`weights_of` refuses it.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (each.strip() for each in part.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not (name and equals) or math.isnan(value):
            raise FitError(
                f"weights: {part!r} is no score and number; write NAME=NUMBER with commas between,"
                f" as in gamma_2ms=1,voltage=0.5. Names are {', '.join(WEIGHTS)}."
            )
        if name in found:
            raise FitError(f"weights: {name} is given twice.")
        found[name] = value
    weights_of(found)
    return found


def weights_text(weights: Mapping[str, float]) -> str:
    """The inverse of :func:`weights_from`."""
    return ",".join(f"{name}={value!r}" for name, value in weights.items())
