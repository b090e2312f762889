"""The chip's widths and ranges, each written once, with its source.

Sources: [lava] the process models of lava-nc 0.10.0; [davies] Davies et al. 2018, IEEE Micro 38;
[nengo] nengo-loihi 1.1; [b2l] brian2-loihi 0.5.2, and Michaelis et al. 2022, Front. Neuroinform.
"""

from __future__ import annotations

from dataclasses import dataclass

from brian2lava.errors import ChipLimit


@dataclass(frozen=True)
class Limit:
    """The integers ``low`` .. ``high`` that a register can hold, and where that is said."""

    low: int
    high: int
    source: str

    def check(self, what: str, values: object, remedy: str) -> None:
        """Raise if any of ``values`` (integers) lies outside.

        Raises
        ------
        ChipLimit
            Says ``what``, the first value, the limit, and the ``remedy``.
        """
        import numpy as np

        array = np.atleast_1d(np.asarray(values))
        wrong = (array < self.low) | (array > self.high)
        if wrong.any():
            place = int(np.flatnonzero(wrong.ravel())[0])
            where = f" at {place}" if array.size > 1 else ""
            raise ChipLimit(
                f"{what}: {array.ravel()[place]}{where} is outside {self.low}..{self.high}"
                f" ({self.source}). {remedy}"
            )


#: Input and threshold are shifted left by this, to stand where the state's bits stand. [lava]
ALIGNMENT = 6
#: Decays are fractions of 2**DECAY_BITS. [lava], [davies]
DECAY_BITS = 12
DECAY_UNITY = 1 << DECAY_BITS
#: States are signed words of this many bits. [lava], [davies]
STATE_BITS = 24
STATE_HALF = 1 << (STATE_BITS - 1)
STATE_MAX = STATE_HALF - 1
#: The bits of a weight's mantissa without its sign. [lava], [nengo]
WEIGHT_BITS = 8

STATE = Limit(-STATE_MAX, STATE_MAX, "24-bit state, lava-nc 0.10.0")
DECAY = Limit(0, DECAY_UNITY - 1, "12-bit decay, lava-nc 0.10.0")
#: brian2-loihi takes the decay itself, not the register. [b2l]
EFFECTIVE_DECAY = Limit(0, DECAY_UNITY, "decay of brian2-loihi 0.5.2")
THRESHOLD = Limit(0, (1 << 17) - 1, "17-bit threshold, lava-nc 0.10.0")
#: Lava's TernaryLIF: thresholds of both signs, in the same units. [lava]
SIGNED_THRESHOLD = Limit(-(1 << 17) + 1, (1 << 17) - 1, "17-bit threshold and sign, lava-nc 0.10.0")
#: What a spike adds to an adaptive threshold, in the state's units; of either sign. Ours.
THRESHOLD_STEP = Limit(-STATE_MAX, STATE_MAX, "24-bit state")
#: Factors of a resonator: 12 bits and sign; 4096 is no decay and no turn. [lava]
ROTATION = Limit(-DECAY_UNITY, DECAY_UNITY, "12-bit resonator decay, lava-nc 0.10.0")
#: Without bits, lava-nc shifts a float and fails. [lava]
ROTATION_BITS = Limit(1, DECAY_BITS, "decay bits of a resonator, lava-nc 0.10.0")
STATE_EXPONENT = Limit(0, 7, "3-bit state exponent, lava-nc 0.10.0")
#: Random words are 0 .. 2**RANDOM_BITS - 1; a probability of 1 is one more. [peer: Brian2Lava]
RANDOM_BITS = 24
PROBABILITY = Limit(0, 1 << RANDOM_BITS, "probability in 2**-24, Brian2Lava's ProbSpiker")
#: A random word of a step, as a state that keeps it.
RANDOM_WORD = Limit(0, (1 << RANDOM_BITS) - 1, "24-bit random word, Brian2Lava's ProbSpiker")
#: Noise is uniform in -127 .. 127, times 2**(exponent - 7); 0 is none. [nengo]
NOISE_LEVELS = 255
NOISE_SHIFT = 7
NOISE_EXPONENT = Limit(0, 23, "noise exponent 1..23, nengo-loihi 1.1")
BIAS_MANTISSA = Limit(-(1 << 12), (1 << 12) - 1, "13-bit bias mantissa, lava-nc 0.10.0")
BIAS_EXPONENT = Limit(0, 7, "3-bit bias exponent, lava-nc 0.10.0")
FLAG = Limit(0, 1, "yes or no")
#: Blocked steps after a spike; the chip's register is this plus one, 1..64. [b2l], [nengo]
REFRACTORY = Limit(0, 63, "refractory delay 1..64 (brian2-loihi 0.5.2), minus the spike's step")
DELAY = Limit(0, 63, "6-bit synaptic delay, lava-nc 0.10.0")
#: Loihi 1 and its emulators stop one earlier. [b2l]
DELAY_LOIHI1 = Limit(0, 62, "synaptic delay, brian2-loihi 0.5.2")
WEIGHT_MIXED = Limit(-256, 255, "8-bit weight mantissa of both signs, lava-nc 0.10.0")
WEIGHT_EXCITATORY = Limit(0, 255, "8-bit weight mantissa, excitatory, lava-nc 0.10.0")
WEIGHT_INHIBITORY = Limit(-255, 0, "8-bit weight mantissa, inhibitory, lava-nc 0.10.0")
#: brian2-loihi's are one wider on the negative side. [b2l]
WEIGHT_INHIBITORY_B2L = Limit(-256, 0, "8-bit weight mantissa, inhibitory, brian2-loihi 0.5.2")
WEIGHT_EXPONENT = Limit(-8, 7, "4-bit weight exponent, brian2-loihi 0.5.2")
#: Bits of the mantissa that can be asked for; the chip has no 7. [nengo]
WEIGHT_PRECISIONS = (1, 2, 3, 4, 5, 6, 8)
#: A weight of Loihi 1 after its exponent: 21 bits with six zero bits at the low end. [b2l]
SCALED_WEIGHT = Limit(-(1 << 21) + 64, (1 << 21) - 64, "21-bit scaled weight, brian2-loihi 0.5.2")
#: What a graded spike carries between ports of 24 bits. [lava]
PAYLOAD = Limit(-(1 << 23), (1 << 23) - 1, "24-bit spike payload, lava-nc 0.10.0")
MESSAGE = Limit(-(1 << 31), (1 << 31) - 1, "32-bit spike payload, Loihi 2")
