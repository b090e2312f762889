"""Plastic synapses as Lava processes in plain NumPy, one class a learning rule.

Lava's LearningDense learns for every pair of neurons and rounds by generators of its own; a package
has the synapses that the network has, and rounds by the emulator's draws.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brian2lava.chip.learning import LearningRule, PhiloxTape, Product
from brian2lava.chip.learning.profile import dialect
from brian2lava.chip.learning.rule import POST_TRACES, PRE_TRACES, SYNAPTIC, TARGETS
from brian2lava.chip.learning.widths import (
    ACCUMULATOR_BITS,
    EXPONENT_OFFSET,
    FACTOR_BITS,
    MANTISSA_BITS,
    TAG_1_CLIP,
    TAG_2_CLIP,
    WEIGHT_CLIP,
)
from brian2lava.chip.network import ChipNetwork, Projection
from brian2lava.chip.plastic import mantissas
from brian2lava.errors import NotSupported
from brian2lava.interop.export.module_text import head, model_head, wrapped
from brian2lava.interop.export.own_plastic_loihi1 import Loihi1Plastic

#: What rounds in a step, as columns of the table of draws.
DRAWS = ("x_decay", "x_impulse", "y_decay", "y_impulse", "rounding")

_FUNCTIONS = '''

def decayed(trace, tau, draw):
    """floor(trace * exp(-1/tau)), and 1 more where the draw is below what was cut off."""
    left = np.exp(-1 / tau) * trace if tau else 0.0 * trace
    whole = np.floor(left)
    return (whole + (draw < left - whole)).astype(np.int64)


def raised(trace, whole, fraction, draw):
    """A spike's impulse is added; traces have 7 bits."""
    return np.clip(trace + whole + int(draw < fraction), 0, 127)


def limited(value, bits=15):
    """The accumulator of changes has 15 bits, and -2**15 - 1 below."""
    return np.clip(value, -(2**bits) - 1, 2**bits - 1)


def within(value, bits):
    """A factor of a product in its bits."""
    return np.clip(value, -(2**bits), 2**bits - 1)


def rounded(accumulator, draw, low, high):
    """The accumulator without its 7 lowest bits, which round up by chance."""
    whole = accumulator >> 7
    return np.clip(whole + (draw < (accumulator - (whole << 7)) / 128), low, high)'''

_START = """
    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_in_bap: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params):
        super().__init__(proc_params)
        targets, sources = proc_params["shape"]
        self.pre, self.post = proc_params["pre"], proc_params["post"]
        self.exponent, self.draws = proc_params["exponent"], proc_params["draws"]
        self.arriving = np.zeros(targets, np.int32)"""

_ARRIVE = '''
    def run_spk(self):
        """One time step."""
        self.a_out.send(self.arriving)
        sent, fired = self.s_in.recv() != 0, self.s_in_bap.recv() != 0
        # spikes arrive with the weights as they are, then weights change
        self.arriving = np.zeros_like(self.arriving)
        delivered = np.where(sent[self.pre], self.w << self.exponent, 0).astype(np.int32)
        np.add.at(self.arriving, self.post, delivered)
        draws = dict(zip(DRAWS, self.draws[self.time_step - 1]))'''


@dataclass(frozen=True)
class LavaPlastic:
    """Plastic synapses in lava-nc's integers, epochs of one step.

    Attributes
    ----------
    rule : LearningRule
    signs : str
        "MIXED", "EXCITATORY" or "INHIBITORY".
    """

    rule: LearningRule
    signs: str

    @property
    def traces(self) -> tuple[str, ...]:
        """Those that the rule reads."""
        return tuple(each for each in (*PRE_TRACES, *POST_TRACES) if each in self.rule.used)

    @property
    def variables(self) -> tuple[str, ...]:
        """Synaptic variables that are read or changed; w is always."""
        known = {*self.rule.used, *self.rule.changes, "w"}
        return tuple(each for each in SYNAPTIC if each in known)

    def arguments(self, network: ChipNetwork, projection: Projection) -> dict[str, Any]:
        """Arrays and numbers that the process is made with."""
        return {"weights": mantissas(network, projection), "exponent": projection.exponent}

    def draws(self, seed: int, stream: int, steps: int) -> Any:
        """What rounds in each step, shape (steps, 5)."""
        tape = PhiloxTape(seed, stream)
        rows = [vars(tape.traces(step)) | {"rounding": tape.weights(step)}
                for step in range(1, steps + 1)]  # fmt: skip
        return np.array([[row[name] for name in DRAWS] for row in rows])

    @property
    def others(self) -> Mapping[str, str]:
        """Modules that it needs beside its own: none."""
        return {}

    def module(self, process: str) -> str:
        """The text of the module with the process, whose name is ``process``."""
        return "\n".join(self._lines(process)) + "\n"

    def _lines(self, process: str) -> Iterator[str]:
        doc = [
            f"{process}: plastic synapses with the rule of one projection.",
            "",
            *(line for part in str(self.rule).splitlines() for line in wrapped(part, "    ")),
            "",
            "Integers as in the fixed-point LearningDense of lava-nc 0.10.0; only the synapses that"
            " are",
            "there learn, and what rounds by chance are draws that are given.",
        ]
        yield from head(doc)
        yield from ("", f"DRAWS = {DRAWS!r}".replace("'", '"'))
        yield from _FUNCTIONS.splitlines()
        yield from self._process(process)
        yield from model_head(process)
        yield '    """As with Lava\'s Dense, what is sent in a step has left in an earlier one."""'
        yield from _START.splitlines()
        for name in self.variables:
            given = "weights" if name == "w" else name
            yield f'        self.{name} = np.zeros(len(self.pre), int) + proc_params["{given}"]'
        for name in self.traces:
            size = "sources" if name in PRE_TRACES else "targets"
            yield f'        self.{name} = np.zeros({size}, int) + proc_params["{name}"]'
        yield from _ARRIVE.splitlines()
        for line in self._learning():
            yield f"        {line}"

    def _process(self, process: str) -> Iterator[str]:
        more = [name for name in (*self.variables, *self.traces) if name != "w"]
        given = "".join(f", {name}=0" for name in more)
        passed = "".join(f", {name}={name}" for name in more)
        yield from (
            "",
            "",
            f"class {process}(AbstractProcess):",
            '    """Synapses of one projection, as lists.',
            "",
            "    Ports: s_in (spikes), s_in_bap (spikes of the targets), a_out (what arrives).",
            "    shape: (targets, sources). pre, post: the neurons that each synapse joins.",
            "    weights: mantissas, which 2**exponent multiplies. draws: what rounds, a row a"
            " step.",
        )
        if more:
            yield f"    {', '.join(more)}: what learning begins with."
        yield from (
            '    """',
            "",
            "    def __init__(",
            f'        self, *, shape, pre, post, weights, exponent, draws, name=""{given}',
            "    ):",
            "        super().__init__(",
            "            shape=shape, pre=pre, post=post, weights=weights, exponent=exponent,",
            f"            draws=draws, name=name{passed},",
            "        )",
            "        self.s_in = InPort(shape=(shape[1],))",
            "        self.s_in_bap = InPort(shape=(shape[0],))",
            "        self.a_out = OutPort(shape=(shape[0],))",
        )

    def _learning(self) -> Iterator[str]:
        for name in self.traces:
            trace, side = self.rule.traces[name], name[0]
            spikes = "sent" if side == "x" else "fired"
            yield f"# {name}: time constant of {trace.tau:g} steps; a spike adds {trace.impulse:g}"
            yield f'self.{name} = decayed(self.{name}, {trace.tau!r}, draws["{side}_decay"])'
            yield (
                f"self.{name}[{spikes}] = raised(self.{name}[{spikes}], {trace.whole},"
                f' {trace.fraction}, draws["{side}_impulse"])'
            )
        yield "# by synapse: spikes of both ends, traces, variables before the change"
        yield "x0, y0 = sent[self.pre], fired[self.post]"
        for name in self.traces:
            yield f"{name} = self.{name}[self.{'pre' if name in PRE_TRACES else 'post'}]"
        yield f"{', '.join(self.variables)} = {', '.join(f'self.{v}' for v in self.variables)}"
        for change, variable in TARGETS.items():
            if getattr(self.rule, change):
                yield from self._changed(change, variable)

    def _changed(self, change: str, variable: str) -> Iterator[str]:
        clips = {"w": WEIGHT_CLIP[self.signs], "d": TAG_2_CLIP, "t": TAG_1_CLIP}
        yield f"total = {variable} << 7"
        for term in getattr(self.rule, change):
            yield f"# {change}: {term.text()}"
            yield f"total = limited(total + limited(np.where({_gate(term)}, {_product(term)}, 0)))"
        low, high = clips[variable]
        yield f'self.{variable} = rounded(total, draws["rounding"], {low}, {high})'


def _gate(term: Product) -> str:
    if term.decimation is None:
        return term.dependency
    return f"self.time_step % {2**term.decimation} == 0"


def _product(term: Product) -> str:
    parts = [str(term.mantissa)]
    for factor in term.factors:
        value = factor.variable if factor.variable not in ("x0", "y0") else f"1 * {factor.variable}"
        value += f" + {factor.constant}" if factor.constant else ""
        value = f"np.sign({value})" if factor.sign else value
        parts.append(f"within({value}, {FACTOR_BITS[factor.variable]})")
    lost = max(0, term.bits + MANTISSA_BITS - ACCUMULATOR_BITS)
    product = " * ".join(parts)
    shifted = f"({product} >> {lost})" if lost else f"({product})"
    return f"{shifted} << {term.exponent + EXPONENT_OFFSET}"


def plastic_of(projection: Projection, rounding: str) -> LavaPlastic | Loihi1Plastic:
    """How a projection that learns is written out.

    Raises
    ------
    NotSupported
        Its rule has epochs of several steps, or takes traces from neurons.
    """
    rule = projection.learning
    if rule.t_epoch != 1 or rule.third_factor:
        what = "takes traces from neurons" if rule.third_factor else f"has t_epoch={rule.t_epoch}"
        raise NotSupported(
            f"export: the rule of projection {projection.name!r} {what}; rules with epochs of one"
            " step and traces of spikes are written out. Run it with backend='lava' instead."
        )
    if dialect(rounding) == "lava":
        return LavaPlastic(rule, projection.signs.name)
    return Loihi1Plastic(rule, projection.signs.name, projection.num_weight_bits)
