"""Widths and ranges of the learning engine, each written once, with its source.

Sources: [lava] the learning connections of lava-nc 0.10.0; [b2l] brian2-loihi 0.5.2.
"""

from __future__ import annotations

from brian2lava.chip.limits import Limit

#: A trace is an unsigned number of 7 bits. [lava], [b2l]
TRACE_BITS = 7
TRACE_MAX = (1 << TRACE_BITS) - 1
#: The fraction of an impulse is given in 1/256 ... [lava]
IMPULSE_FRACTION_BITS = 8
#: ... and compared with a random number of 7 bits: it is added twice as often as it says. [lava]
IMPULSE_DRAW = 1 << TRACE_BITS
#: Synaptic variables (weight, delay, tag) have 8 bits and a sign. [lava]
SYNAPTIC_BITS = 9
#: The accumulator of changes has 15 bits and a sign; synaptic variables stand at its upper end.
ACCUMULATOR_BITS = 15
ACCUMULATOR_LOW = -(1 << ACCUMULATOR_BITS) - 1
ACCUMULATOR_HIGH = (1 << ACCUMULATOR_BITS) - 1
ACCUMULATOR_SHIFT = ACCUMULATOR_BITS + 1 - SYNAPTIC_BITS
#: Bits of a product's mantissa; the exponent is stored with this offset. [lava]
MANTISSA_BITS = 4
EXPONENT_OFFSET = 7
#: Bits of each factor, by variable. [lava]
FACTOR_BITS = {
    "x0": 1, "y0": 1,
    "x1": TRACE_BITS, "x2": TRACE_BITS,
    "y1": TRACE_BITS, "y2": TRACE_BITS, "y3": TRACE_BITS,
    "w": SYNAPTIC_BITS, "d": SYNAPTIC_BITS, "t": SYNAPTIC_BITS,
}  # fmt: skip
#: Bits of factors that a product can have in 32 bits, beside mantissa and sign. [lava]
PRODUCT_BITS = 28

MANTISSA = Limit(-8, 7, "4-bit mantissa, lava-nc 0.10.0")
EXPONENT = Limit(-7, 8, "4-bit exponent, lava-nc 0.10.0")
EXPONENT_B2L = Limit(-7, 9, "exponent of 2, brian2-loihi 0.5.2")
CONSTANT = Limit(-256, 255, "8-bit constant and sign, lava-nc 0.10.0")
DECIMATION = Limit(0, 9, "u0 to u9, lava-nc 0.10.0 and brian2-loihi 0.5.2")
TRACE = Limit(0, TRACE_MAX, "7-bit trace, lava-nc 0.10.0 and brian2-loihi 0.5.2")
#: The within-epoch time of a spike has 6 bits. [lava]
EPOCH = Limit(1, 63, "6-bit spike time within an epoch, lava-nc 0.10.0")

WEIGHT_CLIP = {"MIXED": (-256, 255), "EXCITATORY": (0, 255), "INHIBITORY": (-255, 0)}
WEIGHT_CLIP_B2L = {"MIXED": (-256, 254), "EXCITATORY": (0, 255), "INHIBITORY": (-256, 0)}
#: lava-nc lets tag_1 (t) go one below 9 bits.
TAG_1_CLIP = (-257, 255)
TAG_2_CLIP = (0, 255)
#: Third-factor rules take y from the neuron; lava-nc still lets them decay with this constant.
THIRD_FACTOR_TAU = 65535
