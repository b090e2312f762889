"""What rounded decays change, made good where it can be: steady states stay.

A decay is a whole number of 4096ths; 20.48 becomes 20, and a time constant 2.4 % longer. With the
bias and the weights unchanged, all steady states and the area of every postsynaptic potential would
grow by the same 2.4 %, and the rate of a neuron that its bias brings just over the threshold by
6 %. So what drives a leaky quantity is multiplied by register / real decay. For a model written
with time constants (``dv/dt = (g - v) / tau``) that is the same model with the register's tau and
everything else exact.

What of a postsynaptic potential stays is a choice. Through a current and a voltage that lose du and
dv a step, a weight w makes, for small losses, an area of w / (du dv), and an integral of the square
of w^2 / (2 du dv (du + dv)), which is what spikes at random add to the variance; the peak hardly
depends on dv where du is much larger. With dv too small by a part e, the area stays with a factor
of 1 - e, the variance with 1 - e (1 + dv / (du + dv)) / 2, the peak with about 1. The area is kept,
for then the mean is exact, on which steady states and neurons near their threshold depend. In CUBA
(4,000 neurons, 10 s, ten seeds) no difference between area, variance and 1 - e/2 can be seen: rates
are 1.0 %, 1.1 % and 1.0 % too low, with standard errors of 0.1 to 0.2 %, and 4.0 % too high with a
factor of 1 for bias and weights.

A synapse without current adds its weight to the voltage at once. Such a jump is what a user sees,
and it stays exact, unless ``compensate="all"`` asks for its area.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from brian2lava.chip.ideal import IdealPopulation, Quantity, Reals, real
from brian2lava.chip.limits import DECAY_UNITY
from brian2lava.chip.profiles import Arithmetic
from brian2lava.chip.quantise.kinds import KINDS, profile_limit, rounded

Compensate = Literal["currents", "all", "none"]

#: The registers that hold a voltage's decay.
VOLTAGE_DECAYS = ("dv", "delta_v")


@dataclass(frozen=True)
class Factors:
    """Real numbers, of shape () or (size,), that drives are multiplied with before rounding.

    ``bias`` for what drives the voltage directly, ``ports`` for what comes through each port.
    """

    bias: Reals = field(default_factory=lambda: real(1.0))
    ports: Mapping[str, Reals] = field(default_factory=dict)

    def of(self, port: str) -> Reals:
        """The factor of a port."""
        return self.ports.get(port, real(1.0))


def current_of(population: IdealPopulation, port: str) -> Quantity | None:
    """The decay of the current behind a port: "a_in2" goes with "du2"; None without current."""
    currents = [q for q in population.quantities if q.kind == "current_decay"]
    named = [q for q in currents if q.register == "du" + port.removeprefix("a_in")]
    return next(iter(named or currents), None)


def factors_of(population: IdealPopulation, profile: Arithmetic, compensate: Compensate) -> Factors:
    """The factors of one population."""
    leaks = [q for q in population.quantities if q.register in VOLTAGE_DECAYS]
    if compensate == "none":
        return Factors()
    voltage = _ratio(population, leaks[0], profile) if leaks else np.float64(1.0)
    ports = {}
    for port in population.neuron.ports:
        current = current_of(population, port)
        if current is not None and not _jumps(current):
            ports[port] = real(voltage * _ratio(population, current, profile))
        elif compensate == "all":
            ports[port] = real(voltage)
    return Factors(real(voltage), ports)


def _jumps(current: Quantity) -> bool:
    """Whether a current is all lost in a step, so that its input is a jump of the voltage."""
    return bool(np.all(current.value > 1 - 0.5 / DECAY_UNITY))


def _ratio(population: IdealPopulation, decay: Quantity, profile: Arithmetic) -> Reals:
    """Register's decay over the real one; 1 where either is 0."""
    kind = KINDS[decay.kind]
    limit = profile_limit(population.neuron.register(decay.register).limit, profile)
    registers = np.clip(rounded(kind.scale(decay.value, 1.0, profile)), limit.low, limit.high)
    meant = kind.unscale(registers, 1.0, profile)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = meant / decay.value
    return np.where((meant > 0) & (decay.value > 0), ratio, 1.0)


def compensated(population: IdealPopulation, factors: Factors) -> IdealPopulation:
    """The population with the bias that the register's decay needs."""
    return replace(
        population,
        quantities=tuple(
            replace(q, value=real(q.value * factors.bias)) if q.kind == "bias" else q
            for q in population.quantities
        ),
    )
