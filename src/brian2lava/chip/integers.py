"""Arrays of integers as a chip network keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brian2lava.errors import ChipLimit

Integers = NDArray[Any]


def frozen(values: Any, kind: Any = np.int64) -> Integers:
    """A read-only copy as an array of integers; refuses what is not whole."""
    given = np.asarray(values)
    if given.dtype.kind == "f":
        broken = ~np.isfinite(given) | (given != np.rint(given))
        if broken.any():
            raise ChipLimit(f"whole numbers are needed, got {given[broken].ravel()[0]}")
    array = given.astype(kind)
    array.flags.writeable = False
    return array


def check_size(what: str, size: Any) -> None:
    """Refuse what is no whole number, or below 0."""
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 0:
        raise ChipLimit(f"{what} {size!r}; a whole number, 0 or more, is needed.")
