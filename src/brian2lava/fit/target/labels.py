"""What a column or an array is, by its name: "I (pA)", "current_nA", "V_mV", "t [s]"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from brian2lava.errors import FitError

Kind = Literal["time", "current", "voltage", "spikes", "dt", "rate", "other"]

#: Powers of ten of the prefixes that electrophysiology uses.
_PREFIXES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
_BASES: dict[str, tuple[Kind, ...]] = {
    "A": ("current",),
    "V": ("voltage",),
    "s": ("time", "spikes", "dt"),
}
#: Unit -> (kinds that have it, its value in SI).
UNITS: dict[str, tuple[tuple[Kind, ...], float]] = {
    prefix + base: (kinds, factor)
    for base, kinds in _BASES.items()
    for prefix, factor in _PREFIXES.items()
}
UNITS |= {
    "Hz": (("rate",), 1.0),
    "kHz": (("rate",), 1e3),
    "sec": (_BASES["s"], 1.0),
    "msec": (_BASES["s"], 1e-3),
    "1": (("current",), 1.0),
}
# names of columns are often in lower case; capital letters for "milli" are not taken
UNITS |= {name.lower(): value for name, value in list(UNITS.items()) if name not in ("S", "fs")}

_WORDS: dict[Kind, frozenset[str]] = {
    "spikes": frozenset({"spike", "spikes", "spiketime", "spiketimes", "aps"}),
    "dt": frozenset({"dt"}),
    "rate": frozenset({"fs", "rate", "samplerate", "samplingrate", "sampling", "frequency"}),
    "time": frozenset({"t", "time", "times"}),
    "current": frozenset(
        {"i", "current", "currents", "stim", "stimulus", "input", "command", "iinj", "cmd"}
    ),
    "voltage": frozenset(
        {"v", "vm", "voltage", "voltages", "potential", "membrane", "response", "trace"}
    ),
}
_IN_BRACKETS = re.compile(r"[\[(]\s*([^\])]*?)\s*[\])]")


@dataclass(frozen=True)
class Label:
    """A name, read.

    Attributes
    ----------
    text : str
    kind : str
    unit : str or None
        As it stands in the name.
    """

    text: str
    kind: Kind
    unit: str | None

    def factor(self, units: Mapping[str, str], span: str = "") -> float:
        """What one unit of it is in SI; ``units`` has units by kind, where the name has none.

        Raises
        ------
        FitError
            There is no unit, or one of something else.
        """
        unit = self.unit or units.get("time" if self.kind in ("spikes", "dt") else self.kind)
        if unit is None:
            raise FitError(
                f"{self.text!r} has no unit{span}. Name it {self._example()!r}, or give"
                f" units={{{self.kind!r}: {_TYPICAL[self.kind]!r}}}."
            )
        if unit not in UNITS:
            raise FitError(
                f"{self.text!r}: {unit!r} is no unit that is known for it; there are"
                f" {', '.join(_known(self.kind))}."
            )
        kinds, factor = UNITS[unit]
        if self.kind not in kinds:
            raise FitError(
                f"{self.text!r}: a {self.kind} can't be in {unit!r}; there are"
                f" {', '.join(_known(self.kind))}."
            )
        return factor

    def _example(self) -> str:
        return f"{self.text.strip() or self.kind} ({_TYPICAL[self.kind]})"


_TYPICAL = {
    "time": "ms", "spikes": "ms", "dt": "ms", "current": "pA", "voltage": "mV", "rate": "Hz",
    "other": "",
}  # fmt: skip


def read_label(text: str) -> Label:
    """Kind and unit of a name; unknown names are of kind "other"."""
    bracket = _IN_BRACKETS.search(text)
    unit = None
    rest = text
    if bracket is not None:
        unit = bracket.group(1) or None
        rest = text[: bracket.start()] + " " + text[bracket.end() :]
    words = [w for w in re.split(r"[^0-9A-Za-zµμ]+", rest) if w and not w.isdigit()]
    if unit is None and len(words) > 1 and words[-1] in UNITS:
        unit = words.pop()
    plain = {re.sub(r"\d+", "", word).lower() for word in words} - {""}
    for kind, known in _WORDS.items():
        if plain & known:
            return Label(text, kind, unit)
    if unit in UNITS and unit != "1":
        # "Ch1 (pA)": the unit says what it is
        return Label(text, UNITS[unit][0][0], unit)
    return Label(text, "other", unit)


def _known(kind: Kind) -> list[str]:
    return [u for u, (kinds, _) in UNITS.items() if kind in kinds and (u == "1" or not u.isdigit())
            and "μ" not in u][:10]  # fmt: skip
