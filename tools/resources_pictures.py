"""Draws the pictures of docs/resources.md: ``python -m tools.resources_pictures``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes
from brian2lava.chip.resources import BUDGETS, resources

FOLDER = Path(__file__).parent.parent / "docs" / "pictures"


def network() -> ChipNetwork:
    """Sparse random excitation and inhibition, a readout with many thresholds, and an input."""
    rng = np.random.default_rng(1)
    sizes = {"excitatory": 16_000, "inhibitory": 4_000, "readout": 300, "input": 1_000}

    def joined(source: str, target: str, fan_in: int, **more: Any) -> Projection:
        count = fan_in * sizes[target]
        return Projection(
            f"{source} to {target}", source, target, rng.integers(0, sizes[source], count),
            rng.integers(0, sizes[target], count), rng.integers(1, 250, count), **more,
        )  # fmt: skip

    return ChipNetwork(
        (
            Population("excitatory", "LIF", sizes["excitatory"], {"vth": 100}),
            Population("inhibitory", "LIF", sizes["inhibitory"], {"vth": 50}),
            Population("readout", "LIF", 300, {"vth": rng.integers(10, 60, 300)}),
        ),
        (SpikeTimes("input", sizes["input"], [0], [0]),),
        (
            joined("excitatory", "excitatory", 60),
            joined("excitatory", "inhibitory", 80),
            joined("inhibitory", "excitatory", 20, delays=4),
            joined("input", "excitatory", 10),
            joined("excitatory", "readout", 300),
        ),
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for chip in BUDGETS:
        resources(network(), chip).picture(FOLDER / f"resources_{chip.lower()}.png")
