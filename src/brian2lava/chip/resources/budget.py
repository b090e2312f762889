"""What a core holds: every size of a chip, with its source, in one frozen record a chip.

Sources: [nengo] nengo-loihi 1.1, whose numbers agree with [davies] Davies et al. 2018, IEEE
Micro 38(1):82-99; [loihi2] Intel's technology brief of Loihi 2 (2021); [hala] Intel's Hala Point
(2024), 140,544 cores on 1,152 chips; [fly] arXiv:2508.16792, the brain of a fly on 12 Loihi 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from brian2lava.errors import OptionError

#: Bits of the words in which Loihi 1's synapse memory is read. [nengo]
SYNAPSE_WORD = 64
#: Words of Loihi 1's synapse memory in a core: 128 KiB. [nengo], [davies]
SYNAPSE_WORDS = 16384
#: Synapses of one axon that share a header. [nengo]
SYNAPSES_PER_BLOCK = 64
#: A block's header: which synapse format (4 bits) and how many synapses (6 bits). [nengo]
BLOCK_HEADER = 4 + 6
#: Bits that the index of a synapse's target can have; 0: dense, targets are counted. [nengo]
INDEX_BITS = (0, 6, 7, 8, 9, 10, 11, 12)
#: Bits of a synapse's tag where a rule changes it (Davies et al. 2018: 9-bit variables). [davies]
TAG_BITS = 9
#: Compartments times delay slots of a core. nengo-loihi uses 1024 compartments with 3 delay bits,
#: so that there are at least as many; more is not public.
ACCUMULATORS = 1024 << 3
#: Bytes of a Loihi 2 core that synapses, axons and neurons share. [loihi2]
CORE_BYTES = 192 * 1024
#: Bytes in which a 24-bit state word is kept: an assumption, words are said to be of 4 bytes.
WORD_BYTES = 4
#: Bits of a Loihi 2 axon on each of its sides. Not public: the one free number, chosen so that a
#: random network with the fly's numbers of neurons and synapses takes the published 12 chips.
AXON_BITS = 18


@dataclass(frozen=True)
class Budget:
    """The sizes of a core and a chip; None: no such limit is known.

    Attributes
    ----------
    chip : str
    exact : bool
        Whether the formulas are the chip's own, or an estimate.
    cores : int
        A chip's cores that can be used.
    compartments : int
        A core's compartments; a neuron takes ``per_neuron[model]`` of them.
    per_neuron : mapping of model to int, or None
        Compartments of a neuron. A model that is not named can't run on this chip. None: any
        model runs, and a neuron takes one place.
    input_axons, output_axons : int or None
        Synapse lists that begin in a core; and entries (source neuron, list in a core) of the
        neurons that live in a core.
    learning_slots : int
        Input axon places that an axon with plastic synapses takes.
    synapse_memory : int or None
        Bits of a core that hold synapses alone.
    core_memory : int or None
        Bits of a core that neurons, accumulators, axons and synapses share.
    word_bits : int
        Of a neuron's states, registers of its own, and accumulators, in ``core_memory``.
    axon_bits : int
        Of an input axon, and of an output axon, in ``core_memory``.
    block, header, rounding : int
        Each ``block`` synapses of an axon begin with ``header`` bits and end on a multiple of
        ``rounding`` bits.
    index_bits : tuple of int
        Widths that a target's index can have, ascending; the first is that of dense synapses.
    tag_bits : int
        Of a synapse whose tag a learning rule changes.
    delay_bits : int
        Of a synapse whose delay a learning rule changes.
    accumulators : int or None
        Compartments of a core times 2**(bits of the longest delay).
    profiles, thresholds, formats, traces : int or None
        Distinct (decays, refractory delay), thresholds, synapse formats, and (x1, x2) traces of
        learning rules in a core.
    sources : mapping of field to str
        Where each number is said.
    """

    chip: str
    exact: bool
    cores: int
    compartments: int
    per_neuron: Mapping[str, int] | None
    input_axons: int | None
    output_axons: int | None
    learning_slots: int
    synapse_memory: int | None
    core_memory: int | None
    word_bits: int
    axon_bits: int
    block: int
    header: int
    rounding: int
    index_bits: tuple[int, ...]
    tag_bits: int
    delay_bits: int
    accumulators: int | None
    profiles: int | None
    thresholds: int | None
    formats: int | None
    traces: int | None
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("cores", "compartments", "block", "rounding", "learning_slots"):
            if getattr(self, name) < 1:
                raise OptionError(f"budget {self.chip!r}: {name}={getattr(self, name)}; 1 or more.")
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))
        if self.per_neuron is not None:
            object.__setattr__(self, "per_neuron", MappingProxyType(dict(self.per_neuron)))

    def index_width(self, targets: int) -> int:
        """Bits of an index that tells ``targets`` compartments apart, among those there are."""
        needed = max(targets - 1, 0).bit_length()
        return next((bits for bits in self.index_bits[1:] if bits >= needed), needed)

    def axon_memory(self, synapses: int, bits: int) -> int:
        """Bits that ``synapses`` synapses of ``bits`` bits of one axon take.

        Sum over blocks of at most ``block`` synapses of their bits and the header, rounded up.
        """
        full, rest = divmod(synapses, self.block)
        return full * self._block(self.block, bits) + (self._block(rest, bits) if rest else 0)

    def _block(self, synapses: int, bits: int) -> int:
        return -(-(synapses * bits + self.header) // self.rounding) * self.rounding


LOIHI1 = Budget(
    chip="Loihi1",
    exact=True,
    cores=128,
    compartments=1024,
    per_neuron={"LIF": 1, "LIFReset": 1, "CubaLIF2": 2},
    input_axons=4096,
    output_axons=4096,
    learning_slots=2,
    synapse_memory=SYNAPSE_WORD * SYNAPSE_WORDS,
    core_memory=None,
    word_bits=0,
    axon_bits=0,
    block=SYNAPSES_PER_BLOCK,
    header=BLOCK_HEADER,
    rounding=SYNAPSE_WORD,
    index_bits=INDEX_BITS,
    tag_bits=TAG_BITS,
    delay_bits=6,
    accumulators=ACCUMULATORS,
    profiles=32,
    thresholds=8,
    formats=8,
    traces=3,
    sources={
        "cores": "Davies et al. 2018",
        "compartments": "Davies et al. 2018; nengo-loihi 1.1",
        "per_neuron": "CubaLIF2: two compartments joined by ADD, second-hand",
        "input_axons": "nengo-loihi 1.1",
        "output_axons": "nengo-loihi 1.1",
        "learning_slots": "nengo-loihi 1.1",
        "synapse_memory": "nengo-loihi 1.1: 16384 words of 64 bits",
        "block": "nengo-loihi 1.1: 64 synapses",
        "header": "nengo-loihi 1.1: 4 + 6 bits",
        "rounding": "nengo-loihi 1.1: 64 bits",
        "index_bits": "nengo-loihi 1.1",
        "tag_bits": "Davies et al. 2018: 9 bits",
        "delay_bits": "Davies et al. 2018: 6 bits",
        "accumulators": "nengo-loihi 1.1 uses 1024 compartments with 3 delay bits: at least 8192",
        "profiles": "nengo-loihi 1.1",
        "thresholds": "nengo-loihi 1.1 uses 8 of 16",
        "formats": "nengo-loihi 1.1 uses 8 of 16",
        "traces": "nengo-loihi 1.1",
    },
)
LOIHI2 = Budget(
    chip="Loihi2",
    exact=False,
    cores=120,
    compartments=8192,
    per_neuron=None,
    input_axons=None,
    output_axons=None,
    learning_slots=2,
    synapse_memory=None,
    core_memory=8 * CORE_BYTES,
    word_bits=8 * WORD_BYTES,
    axon_bits=AXON_BITS,
    block=SYNAPSES_PER_BLOCK,
    header=0,
    rounding=1,
    index_bits=(0, *range(6, 14)),
    tag_bits=TAG_BITS,
    delay_bits=6,
    accumulators=None,
    profiles=None,
    thresholds=None,
    formats=None,
    traces=None,
    sources={
        "cores": "120 of 128 on most parts (open-neuromorphic); Hala Point: 122 on average",
        "compartments": "8192 neurons a core: third-party data sheets",
        "input_axons": "not public (Loihi 1: 4096)",
        "output_axons": "not public (Loihi 1: 4096)",
        "learning_slots": "as Loihi 1",
        "core_memory": "Intel's technology brief of Loihi 2 (2021): 192 KiB, flexible",
        "word_bits": "assumed: 24-bit words in 4 bytes",
        "axon_bits": "calibrated to the fly's brain on 12 chips (arXiv:2508.16792)",
        "index_bits": "as Loihi 1, up to 8192 neurons",
    },
)
BUDGETS: Mapping[str, Budget] = MappingProxyType({"Loihi1": LOIHI1, "Loihi2": LOIHI2})


def budget_of(chip: str, budget: Budget | None) -> Budget:
    """The given budget, or the chip's own.

    Raises
    ------
    OptionError
        There is no such chip, or the budget is another chip's.
    """
    if chip not in BUDGETS:
        raise OptionError(f"chip={chip!r}: there are {', '.join(map(repr, BUDGETS))}.")
    if budget is not None and budget.chip != chip:
        raise OptionError(f"chip={chip!r}, but the budget is that of {budget.chip!r}.")
    return budget if budget is not None else BUDGETS[chip]
