"""The state of the engine's random numbers: a seed, and how often each operation drew."""

from __future__ import annotations

import secrets
from typing import Any

from brian2lava.engine.cpu import instance as cpu


class RandomStreams:
    """The seed of the engine's random numbers, and how often each operation drew since then."""

    def __init__(self) -> None:
        self.given: int | None = None
        self.key = secrets.randbits(64)
        self.counts: list[int] = []
        self.setups = 0

    def seed(self, seed: int, given: bool = True) -> None:
        """Start anew."""
        self.given = seed if given else None
        self.key = seed
        self.counts = []
        self.setups = 0

    def next_setup(self) -> tuple[int, int]:
        """Key and number of the next execution of compiled set-up code."""
        self.setups += 1
        return self.key, self.setups

    def state(self) -> dict[str, Any]:
        """All of it, as plain values."""
        return {
            "given": self.given,
            "key": self.key,
            "counts": list(self.counts),
            "setups": self.setups,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        self.given, self.key = state["given"], state["key"]
        self.counts = list(state["counts"])
        self.setups = state["setups"]

    def lend(self, instance: cpu.Instance) -> None:
        """Let an engine go on where the last one stopped."""
        instance.set_seed(self.key)
        count = len(instance.source.random)
        self.counts += [0] * (count - len(self.counts))
        instance.executions[:count] = self.counts[:count]

    def take_back(self, instance: cpu.Instance) -> None:
        """Note how far the engine went."""
        count = len(instance.source.random)
        self.counts[:count] = instance.executions[:count].tolist()
