"""Messages on the websocket: a JSON header, then the bytes of arrays.

::

    uint32  length of the header, little endian
    header  UTF-8, padded with blanks so that the arrays begin at a multiple of 8
    arrays  one after the other, each at a multiple of 8 behind the header

The header's ``arrays`` has name -> [kind, offset, length]; kinds are "f4", "f8", "i4", "u1".
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.errors import FitError

_KINDS = {"f4": np.float32, "f8": np.float64, "i4": np.int32, "u1": np.uint8}


def pack(header: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> bytes:
    """One message. Numbers in the header that are not finite become null."""
    table: dict[str, tuple[str, int, int]] = {}
    parts: list[bytes] = []
    place = 0
    for name, values in (arrays or {}).items():
        array = np.ascontiguousarray(values)
        if array.dtype.str[1:] not in _KINDS:
            raise FitError(f"array {name!r} of type {array.dtype} has no kind on the wire.")
        raw = array.tobytes()
        table[name] = (array.dtype.str[1:], place, array.size)
        padding = -len(raw) % 8
        parts += [raw, bytes(padding)]
        place += len(raw) + padding
    text = json.dumps({**clean(header), "arrays": table}, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return b"".join([struct.pack("<I", len(text)), text, *parts])


def unpack(message: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and arrays of a message.

    Raises
    ------
    FitError
        It is cut short, or not made by :func:`pack`.
    """
    try:
        (length,) = struct.unpack_from("<I", message)
        header = json.loads(message[4 : 4 + length])
        table = header.pop("arrays")
        arrays = {
            name: np.frombuffer(message, _KINDS[kind], count, 4 + length + place)
            for name, (kind, place, count) in table.items()
        }
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise FitError(f"a message that can't be read ({error}); reload the page.") from error
    return header, arrays


def clean(value: Any) -> Any:
    """``value`` as JSON can hold it: NumPy's numbers as Python's, nan and infinity as None."""
    if isinstance(value, Mapping):
        return {str(name): clean(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(each) for each in value]
    if isinstance(value, np.ndarray):
        return clean(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return value
