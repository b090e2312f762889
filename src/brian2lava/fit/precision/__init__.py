"""What a fitted neuron's score would be if the chip had other bits, exponents or time steps."""

from brian2lava.fit.precision.grid import PrecisionMap
from brian2lava.fit.precision.maps import decay_map, weight_map

__all__ = ["PrecisionMap", "decay_map", "weight_map"]
