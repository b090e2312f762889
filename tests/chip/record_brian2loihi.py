"""Records what brian2-loihi 0.5.2 computes for some random networks.

``python -m tests.chip.record_brian2loihi`` writes ``data/brian2loihi.json``: networks as plain
values, the bits that it drew, and a hash of every array of integers that came out. It needs
brian2-loihi; the tests that read the file do not.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.chip.loihi_networks import by_brian2loihi, learning_network, random_network

FILE = Path(__file__).parent / "data" / "brian2loihi.json"
#: Seeds of networks without and with learning.
PLAIN = (1, 4, 12, 17, 31, 46)
LEARNING = (0, 3, 8)


def digest(values: Any) -> str:
    """A hash of an array of integers and its shape."""
    array = np.ascontiguousarray(values, dtype="<i8")
    return hashlib.sha256(repr(array.shape).encode() + array.tobytes()).hexdigest()[:20]


def packed(bits: Any) -> list[Any]:
    """An array of bits as its shape and text."""
    array = np.asarray(bits, dtype=bool)
    return [list(array.shape), base64.b64encode(np.packbits(array).tobytes()).decode()]


def unpacked(text: list[Any]) -> Any:
    """The array that :func:`packed` was given."""
    shape, data = text
    count = int(np.prod(shape))
    whole = np.unpackbits(np.frombuffer(base64.b64decode(data), dtype=np.uint8), count=count)
    return whole.astype(bool).reshape(shape)


def record() -> list[dict[str, Any]]:
    """The content of the file."""
    package = importlib.import_module("brian2_loihi")
    rows = []
    networks = [*map(random_network, PLAIN), *map(learning_network, LEARNING)]
    for network in networks:
        bits: dict[str, dict[str, Any]] = {}
        results = by_brian2loihi(network, package, bits)
        rows.append(
            {
                "network": network,
                "bits": {
                    synapses: {trace: packed(values) for trace, values in drawn.items()}
                    for synapses, drawn in bits.items()
                },
                "results": {name: digest(values) for name, values in results.items()},
            }
        )
    return rows


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), separators=(",", ":")) + "\n", encoding="utf-8")
