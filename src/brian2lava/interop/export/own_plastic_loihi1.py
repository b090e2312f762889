"""Plastic synapses in brian2-loihi's integers as a Lava process in plain NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from brian2lava.chip.learning import LearningRule, Product
from brian2lava.chip.learning.brian2loihi import decay_factor, precision
from brian2lava.chip.learning.rule import POST_TRACES, PRE_TRACES, is_on
from brian2lava.chip.learning.tape import draw_of, stream_key
from brian2lava.chip.learning.widths import WEIGHT_CLIP_B2L
from brian2lava.chip.limits import ALIGNMENT, SCALED_WEIGHT
from brian2lava.chip.network import ChipNetwork, Projection
from brian2lava.chip.plastic import mantissas
from brian2lava.chip.weights import effective
from brian2lava.interop.export.module_text import MARK, head, model_head, wrapped

#: The module with random numbers.
_RANDOM = "counted_random"
_PHILOX = f'''{MARK}
"""Random numbers that are counted, not drawn from a state: Philox 4x32-10 (Salmon et al. 2011)."""

import numpy as np

LOW = np.uint64(0xFFFFFFFF)


def uniform(key, size, draw, step, word):
    """Numbers in [0, 1) for elements 0 .. size - 1: the word-th of the four that come together."""
    c0, c2 = np.arange(size, dtype=np.uint64), np.full(size, step, np.uint64)
    c1, c3 = np.full(size, draw, np.uint64), np.zeros(size, np.uint64)
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c0, np.uint64(0xCD9E8D57) * c2
        c0, c2 = (
            (p1 >> np.uint64(32)) ^ c1 ^ np.uint64(k0),
            (p0 >> np.uint64(32)) ^ c3 ^ np.uint64(k1),
        )
        c1, c3 = p1 & LOW, p0 & LOW
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return (c0, c1, c2, c3)[word] * 2.0**-32
'''

_START = """
    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_in_bap: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        targets, sources = proc_params["shape"]
        self.pre, self.post = proc_params["pre"], proc_params["post"]
        self.exponent, self.key = proc_params["exponent"], proc_params["key"]
        self.arriving = np.zeros(targets, np.int32)
        self.flying = [np.zeros(sources, bool)] * proc_params["delay"]
        self.delivers = proc_params["delivers"]  # what a spike adds, in units of 2**6
        self.w = np.array(proc_params["weights"])"""

_ARRIVE = '''
    def run_spk(self):
        """One time step."""
        self.a_out.send(self.arriving)
        self.flying.append(self.s_in.recv() != 0)
        arrived, fired = self.flying.pop(0), self.s_in_bap.recv() != 0
        # spikes arrive with the weights as they are, then weights change
        self.arriving = np.zeros_like(self.arriving)
        delivered = np.where(arrived[self.pre], self.delivers, 0).astype(np.int32)
        np.add.at(self.arriving, self.post, delivered)
        time, size = self.time_step - 1, len(self.pre)'''


@dataclass(frozen=True)
class Loihi1Plastic:
    """Plastic synapses in brian2-loihi's integers.

    Attributes
    ----------
    rule : LearningRule
    signs : str
        "MIXED", "EXCITATORY" or "INHIBITORY".
    bits : int
        Of a weight.
    """

    rule: LearningRule
    signs: str
    bits: int

    @property
    def traces(self) -> tuple[str, ...]:
        """Those that have an impulse and a time constant."""
        return tuple(name for name, trace in self.rule.traces.items() if is_on(trace))

    def arguments(self, network: ChipNetwork, projection: Projection) -> dict[str, Any]:
        """Arrays and numbers that the process is made with."""
        return {
            "weights": mantissas(network, projection),
            "delivers": effective(projection, network.arithmetic),
            "exponent": projection.exponent,
            "delay": int(projection.delays.max(initial=0)),
        }

    def draws(self, seed: int, stream: int, steps: int) -> int:
        """The key of its random numbers."""
        return stream_key(seed, stream)

    @property
    def others(self) -> Mapping[str, str]:
        """Modules that it needs beside its own."""
        return {_RANDOM: _PHILOX}

    def module(self, process: str) -> str:
        """The text of the module with the process, whose name is ``process``."""
        return "\n".join(self._lines(process)) + "\n"

    def _lines(self, process: str) -> Iterator[str]:
        doc = [
            f"{process}: plastic synapses with the rule of one projection.",
            "",
            *(line for part in str(self.rule).splitlines() for line in wrapped(part, "    ")),
            "",
            "Integers as in brian2-loihi 0.5.2: each synapse has traces of its own, and rounds them"
            " by",
            "its own random numbers.",
        ]
        yield from head(doc)
        yield from ("", f"from processes.{_RANDOM} import uniform")
        yield from self._process(process)
        yield from model_head(process)
        yield '    """As with Lava\'s Dense, what is sent in a step has left in an earlier one."""'
        yield from _START.splitlines()
        for name in self.traces:
            yield f'        self.{name} = np.zeros(len(self.pre), int) + proc_params["{name}"]'
        yield from _ARRIVE.splitlines()
        for line in self._learning():
            yield f"        {line}"

    def _process(self, process: str) -> Iterator[str]:
        given = "".join(f", {name}=0" for name in self.traces)
        passed = "".join(f", {name}={name}" for name in self.traces)
        yield from (
            "",
            "",
            f"class {process}(AbstractProcess):",
            '    """Synapses of one projection, as lists.',
            "",
            "    Ports: s_in (spikes), s_in_bap (spikes of the targets), a_out (what arrives).",
            "    shape: (targets, sources). pre, post: the neurons that each synapse joins.",
            "    weights: mantissas; delivers: what a spike adds before the first change.",
            "    delay: in steps. key: of the random numbers.",
            '    """',
            "",
            "    def __init__(",
            "        self, *, shape, pre, post, weights, delivers, exponent, delay, key,"
            f' name=""{given}',
            "    ):",
            "        super().__init__(",
            "            shape=shape, pre=pre, post=post, weights=weights, delivers=delivers,",
            f"            exponent=exponent, delay=delay, key=key, name=name{passed},",
            "        )",
            "        self.s_in = InPort(shape=(shape[1],))",
            "        self.s_in_bap = InPort(shape=(shape[0],))",
            "        self.a_out = OutPort(shape=(shape[0],))",
        )

    def _learning(self) -> Iterator[str]:
        grid = precision(self.signs, self.bits)
        if self.traces:
            yield "# which traces are rounded up, from their values before this step's spikes"
        for name in self.traces:
            draw, word = draw_of(name)
            yield f"left = (1 - 1.0 / {self.rule.traces[name].tau!r}) * self.{name}"
            yield (
                f"up_{name} = left - np.trunc(left) > uniform(self.key, size, {draw}, time, {word})"
            )
        yield from self._carry(grid)
        for name in self.traces:
            end = "arrived[self.pre]" if name in PRE_TRACES else "fired[self.post]"
            whole = self.rule.traces[name].whole
            yield f"self.{name} = np.minimum(self.{name} + {whole} * {end}, 127)"
        yield from (
            f"x0 = {self._event(PRE_TRACES, 'arrived[self.pre]')}",
            f"y0 = {self._event(POST_TRACES, 'fired[self.post]')}",
        )
        yield from self._change(self.rule.dw)
        low, high = WEIGHT_CLIP_B2L[self.signs]
        on_grid = f"(np.trunc(change / {grid}) * {grid}).astype(int)"
        yield f"self.w = np.clip(self.w + {on_grid} + carry, {low}, {high})"
        for name in self.traces:
            factor = decay_factor(self.rule.traces[name].tau)
            yield f"self.{name} = ({factor!r} * self.{name}).astype(int) + up_{name}"
        yield "delivers = np.floor(self.w * 2.0 ** (6 + self.exponent) / 64) * 64"
        limits = f"{SCALED_WEIGHT.low}, {SCALED_WEIGHT.high}"
        yield f"self.delivers = np.clip(delivers, {limits}).astype(int) >> {ALIGNMENT}"

    def _event(self, names: tuple[str, ...], text: str) -> str:
        """brian2-loihi sees spikes only together with a trace of their side."""
        seen = any(name in self.traces for name in names)
        return text if seen else f"np.zeros(size, bool)  # no trace of this side: {text} is unseen"

    def _carry(self, grid: int) -> Iterator[str]:
        """The rounding to the grid of weights, which only some terms without spikes reach."""
        terms = tuple(term for term in self.rule.dw if term.exponent >= 0)
        if not terms or grid == 1:
            yield "carry = 0"
            return
        draw, word = draw_of("w")
        yield "# changes that no spike makes are rounded to the grid of weights by chance"
        yield "x0 = y0 = np.zeros(size, bool)"
        yield from self._change(terms)
        yield f"chance = np.abs(change) % {grid} / {grid}"
        yield f"up = chance > uniform(self.key, size, {draw}, time, {word})"
        yield f"carry = (np.sign(change) * up * {grid}).astype(int)"

    def _change(self, terms: tuple[Product, ...]) -> Iterator[str]:
        yield "change = np.zeros(size)"
        for term in terms:
            yield f"# dw: {term.text('sign')}"
            yield f"change += {_product(term)}"
        yield "change = np.sign(change) * np.ceil(np.abs(change))  # away from zero"


def _product(term: Product) -> str:
    parts = [repr(term.scale), _gate(term)]
    for factor in term.factors:
        value = factor.variable
        if value not in ("x0", "y0"):
            value = f"self.{value}"
        value = f"({value} + {factor.constant})"
        parts.append(f"np.sign{value}" if factor.sign else value)
    return " * ".join(parts)


def _gate(term: Product) -> str:
    k = term.decimation
    if k is None:
        return term.dependency
    return "1.0" if k == 0 else f"float((time * 0.001) / 0.001 % {2**k} == 0)"
