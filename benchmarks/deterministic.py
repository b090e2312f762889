"""What ``deterministic=True`` costs on a processor: loop against loop, in turn.

    python -m benchmarks.deterministic

CUBA (linear equations), COBAHH (exponentials), STDP and white noise (logarithms, cosines), in one
process with one thread; what is told is the median of the rounds.
"""

from __future__ import annotations

import sys
from statistics import median
from typing import Any

import brian2 as b2
from brian2.core.namespace import get_local_namespace

import brian2lava
from benchmarks import scripts

ROUNDS = 5


def noise(size: int, run: Any) -> None:
    """Neurons that do nothing but drift and diffuse."""
    group = b2.NeuronGroup(  # noqa: F841
        size, "dv/dt = -v / (10*ms) + xi * (10*ms)**-0.5 : 1", method="euler"
    )
    run(1 * b2.second)


CASES = {"CUBA, 4,000": (scripts.cuba, 4000), "COBAHH, 4,000": (scripts.cobahh, 4000),
         "STDP, 10,000": (scripts.stdp, 10_000),
         "white noise, 10,000": (noise, 10_000)}  # fmt: skip


def loop(script: Any, size: int, deterministic: bool) -> float:
    """Microseconds a step of a network's second run."""
    b2.start_scope()
    b2.set_device("lava", host="inline", deterministic=deterministic)
    b2.seed(1)
    found = []

    def run(_: Any) -> None:
        net = b2.Network(b2.collect(level=1))
        for _ in range(2):
            net.run(200 * b2.ms, namespace=get_local_namespace(level=1))
            report = brian2lava.lava_device.report()
            found.append(1e6 * report.phases["loop"] / 2000)

    script(size, run)
    b2.device.reinit()
    return float(found[-1])


def main() -> int:
    for name, (script, size) in CASES.items():
        rounds = [[loop(script, size, exact) for exact in (False, True)] for _ in range(ROUNDS)]
        fast, slow = (median(column) for column in zip(*rounds, strict=True))
        print(
            f"{name}: {fast:.1f} us a step, {slow:.1f} with deterministic=True: {slow / fast:.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
