"""Names of a network's objects as Python's."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping


def identifiers(names: Iterable[str], reserved: Iterable[str] = ()) -> dict[str, str]:
    """Name -> an identifier of its own, as like it as can be.

    Parameters
    ----------
    names : iterable of str
        Any text; each once.
    reserved : iterable of str
        Identifiers that are in use, beside Python's own words.
    """
    taken = {*keyword.kwlist, *dir(builtins), *reserved}
    found: dict[str, str] = {}
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        plain = plain if plain[:1].isalpha() else f"n_{plain.strip('_')}"
        chosen, number = plain, 1
        while chosen in taken:
            number += 1
            chosen = f"{plain}_{number}"
        taken.add(chosen)
        found[name] = chosen
    return found


def class_name(*words: str) -> str:
    """Words as a class's name: "feed_pre" -> "FeedPre"."""
    parts = [part for word in words for part in re.split(r"[\W_]+", word, flags=re.ASCII) if part]
    return "".join(part[0].upper() + part[1:] for part in parts)


def by_reason(own: Mapping[str, str]) -> dict[str, list[str]]:
    """Why something is a process of the package's own -> which objects are."""
    found: dict[str, list[str]] = {}
    for name, why in own.items():
        found.setdefault(why, []).append(name)
    return found
