"""brian2-loihi's learning step as operations of a step program.

Traces belong to synapses and draw a number a step each while they are not 0: only synapses with a
live trace are in the list that a step goes through.
"""

from __future__ import annotations

import numpy as np

from brian2lava.chip.learning.brian2loihi import decay_factor, fraction, precision
from brian2lava.chip.learning.compiled import (
    ANY,
    CLIP,
    Allocate,
    Compiled,
    Projecting,
    Text,
    Values,
    clipped,
    factor_texts,
    signed,
)
from brian2lava.chip.learning.rule import Product, is_on
from brian2lava.chip.learning.synapses import check_rule, clip_of, hold
from brian2lava.chip.learning.tape import ROUNDED, draw_of
from brian2lava.chip.learning.widths import TRACE_MAX, WEIGHT_CLIP_B2L
from brian2lava.chip.limits import ALIGNMENT, SCALED_WEIGHT
from brian2lava.program import step_program as program
from brian2lava.program.step_program import SCALAR, Access

#: Changes are summed in units of 2**-7: no exponent of a rule is below.
UNIT_BITS = 7
#: Bits of a synapse's flags.
X0, Y0, LIVE = 1, 2, 4

#: brian2-loihi's own question in floating point; neither shortened nor multiplied by 1000.
_DUE = """static B2L_PRECISE bool b2l_due(int64_t now, double every) {
const volatile double ms = 0.001;
const volatile double t = (double)now * ms;
const volatile double steps = t / ms;
return every == 1.0 || fmod(steps, every) == 0.0;
}"""


#: The words that up to 64 synapses draw, several synapses at once.
_WORDS = """static inline void b2l_words(const int32_t *who, const int m, const uint64_t key,
const uint32_t draw, const uint64_t time, uint32_t (*__restrict word)[64]) {
_Pragma("GCC ivdep")
for (int q = 0; q < m; q++) {
const b2l::Bits b = b2l::philox(key, (uint32_t)who[q], draw, time);
word[0][q] = b.x0; word[1][q] = b.x1; word[2][q] = b.x2; word[3][q] = b.x3;
}
}"""


def compile_brian2loihi(
    projecting: Projecting, allocate: Allocate, arriving: program.Pathway, first_time: int = 0
) -> Compiled:
    """The operations of a projection that learns in brian2-loihi's integers.

    Parameters
    ----------
    projecting : Projecting
        ``pre_events`` is not read: presynaptic spikes come through ``arriving``.
    allocate : Allocate
    arriving : Pathway
        The projection's delivery, whose events, delays, sources, targets and dt are used for
        another pathway, which notes the synapses that a spike reaches.
    first_time : int
        brian2-loihi's time in ms that step 0 of the program's clock is.
    """
    return _Brian2Loihi(projecting, allocate, arriving, first_time).done()


class _Brian2Loihi:
    def __init__(
        self, projecting: Projecting, allocate: Allocate, arriving: program.Pathway, first_time: int
    ) -> None:
        self.projecting = projecting
        self.rule = check_rule(projecting.rule, "brian2loihi")
        self.arriving = arriving
        self.grid = precision(projecting.sign_mode, projecting.num_weight_bits)
        self.traces = [name for name, trace in self.rule.traces.items() if is_on(trace)]
        self.clip = clip_of(projecting.sign_mode, WEIGHT_CLIP_B2L)
        hold(projecting.weights, *self.clip, f"{projecting.name}, weights")
        self.text = Text(projecting, allocate)
        self.text.constants["first_time"] = first_time
        self.text.constants["n_synapses"] = projecting.synapses.size
        self.text.constants["n_post"] = projecting.synapses.n_post
        self._arrays()

    def _arrays(self) -> None:
        text, synapses = self.text, self.projecting.synapses
        n = synapses.size
        first = {
            name: self.projecting.first(name, n, (0, TRACE_MAX), np.int8) for name in self.traces
        }
        alive = np.any([values != 0 for values in first.values()] or [np.zeros(n)], axis=0)
        live = np.concatenate([np.flatnonzero(alive), np.zeros(n - alive.sum(), np.int64)])
        self.of = {
            "flags": text.array("flags", np.where(alive, LIVE, 0).astype(np.int8)),
            "live": text.array("live", live.astype(np.int32)),
            "live_count": text.counter("live_count", int(alive.sum())),
            "arrived_count": text.counter("arrived_count"),
            "begun": text.counter("begun"),
        }
        for name, kind in (("up", np.int8), ("touched", np.int32), ("arrived", np.int32)):
            self.of[name] = text.array(name, np.zeros(n, kind))
        self.of["start"], self.of["synapses"] = text.rows("post", synapses.post, synapses.n_post)
        self.of["w"] = text.array("w", self.projecting.weights.astype(np.int16))
        for name in self.traces:
            tau, values = self.rule.traces[name].tau, np.arange(TRACE_MAX + 1)
            whole = (decay_factor(tau) * values).astype(np.int8)
            least = np.ceil(fraction(values, tau) * 2.0**32).astype(np.int64)
            self.of[name] = text.array(name, first[name])
            self.of[f"whole_{name}"] = text.array(f"whole_{name}", whole, written=False)
            self.of[f"least_{name}"] = text.array(f"least_{name}", least, written=False)
        text.touch(self.projecting.delivered, written=True)
        text.touch(self.projecting.post_events, written=False)
        text.touch(self.projecting.timestep, False, SCALAR)
        self.key = text.allocate(
            f"{self.projecting.name}_key", np.array([signed(self.projecting.key)], np.int64), True
        )
        text.touch(self.key, False, SCALAR)

    def p(self, name: str) -> str:
        """The pointer to one of this projection's arrays."""
        return f"_ptr{self.of[name]}"

    def done(self) -> Compiled:
        text = self.text
        text.support += [CLIP, _DUE, _WORDS]
        text.add(
            f"const int64_t now = _ptr{self.projecting.timestep}[0] + first_time;",
            f"const uint64_t key = (uint64_t)_ptr{self.key}[0];",
            # the first step of this program, whatever the clock says: runs may go on
            f"const bool first = !{self.p('begun')}[0]; {self.p('begun')}[0] = 1;",
            "int64_t touched = 0; (void)key; (void)now; (void)first;",
        )
        k = self.rule.decimation
        text.add(f"const bool due = {'false' if k is None else f'b2l_due(now, {2**k}.0)'};")
        self._draw()
        self._bits()
        self._impulses()
        self._changes()
        self._decay()
        return Compiled(
            operations=(self._arrivals(), text.operation()),
            variables={"w": self.of["w"]},
            traces={name: self.of[name] for name in self.traces},
            key=self.key,
        )

    def _arrivals(self) -> tuple[program.Operation, Values]:
        """A pathway that notes the synapses that spikes reach."""
        listed, count = self.of["arrived"], self.of["arrived_count"]
        name = f"{self.projecting.name}_arrivals"
        touched = frozenset({Access(count, SCALAR), Access(listed, ANY)})
        given = self.arriving
        made = program.Pathway(
            name=name,
            origin=given.origin,
            clock=given.clock,
            statements=program.Statements(
                vector=f"_ptr{listed}[_ptr{count}[0]++] = (int32_t)_idx;",
                reads=touched,
                writes=touched,
            ),
            events=given.events,
            first=given.first,
            last=given.last,
            delays=given.delays,
            sources=given.sources,
            targets=given.targets,
            dt=given.dt,
        )
        return made, ()

    # ------------------------------------------------------------ the parts of a step
    def _bits(self) -> None:
        """Which live traces are rounded up, before this step's impulses.

        The traces are those that the step before has left: it has drawn the bits as well. The first
        step draws them for traces that are given.
        """
        self.text.add(
            "if (first)",
            f"for (int64_t k = 0; k < {self.p('live_count')}[0]; k++)"
            f" draw({self.p('live')} + k, 1, now);",
        )
        self._carries()

    def _carries(self) -> None:
        """What u<k> terms round up of a change, by synapse; only where that can happen."""
        terms = [t for t in self.rule.dw if t.exponent >= 0 and t.decimation is not None]
        if self.grid == 1 or not terms:
            return
        self.of["carry"] = self.text.array(
            "carry", np.zeros(self.projecting.synapses.size, np.int16)
        )
        draw, word = draw_of("w")
        self.text.add("if (due) for (int64_t s = 0; s < n_synapses; s++) {", "int64_t change = 0;")
        for term in terms:
            self._term(term, events={"x0": "0", "y0": "0"})
        bits = self.grid.bit_length() - 1
        self.text.add(
            f"const int64_t size = change < 0 ? -change : change,"
            f" whole = (size + {(1 << UNIT_BITS) - 1}) >> {UNIT_BITS};",
            f"const b2l::Bits r = b2l::philox(key, (uint32_t)s, {draw}, (uint64_t)now);",
            f"const bool up = (int64_t)r.x{word} < ((whole & {self.grid - 1}) << {32 - bits});",
            f"const int carry = change < 0 ? -{self.grid} : {self.grid};",
            f"{self.p('carry')}[s] = (int16_t)(up ? carry : 0);",
            "}",
        )

    def _impulses(self) -> None:
        """Spikes reach their synapses from both sides."""
        listed, count = self.p("arrived"), self.p("arrived_count")
        self.text.add(
            f"for (int64_t k = 0; k < {count}[0]; k++) {{",
            f"const int32_t s = {listed}[k];",
            *self._impulse("x", X0),
            "}",
            f"{count}[0] = 0;",
        )
        if not any(name[0] == "y" for name in self.traces):
            return
        events = f"_ptr{self.projecting.post_events}"
        self.text.add(
            f"for (int64_t k = 0; k < {events}[n_post]; k++) {{",
            f"const int32_t neuron = {events}[k];",
            f"for (int64_t q = {self.p('start')}[neuron]; q < {self.p('start')}[neuron + 1]; q++)"
            " {",
            f"const int32_t s = {self.p('synapses')}[q];",
            *self._impulse("y", Y0),
            "}}",
        )

    def _impulse(self, side: str, flag: int) -> list[str]:
        names = [name for name in self.traces if name[0] == side]
        if not names:
            return ["(void)s;"]
        flags = f"{self.p('flags')}[s]"
        lines = [
            f"if (!({flags} & {X0 | Y0})) {self.p('touched')}[touched++] = s;",
            f"if (!({flags} & {LIVE})) {self.p('live')}[{self.p('live_count')}[0]++] = s;",
            f"{flags} |= {flag | LIVE};",
        ]
        for name in names:
            grown = f"{self.p(name)}[s] + {self.rule.traces[name].whole}"
            lines.append(f"{self.p(name)}[s] = (int8_t){clipped(grown, 0, TRACE_MAX)};")
        return lines

    def _changes(self) -> None:
        """The rule, at the synapses that fired, or at all of them.

        All of them in the first step too: from then on brian2-loihi no longer truncates what it
        delivers to the weight's bits.
        """
        text, terms = self.text, self.rule.dw
        text.add("auto synapse = [&](const int64_t s) {", "int64_t change = 0;")
        for term in terms:
            self._term(term)
        text.add(
            "const int64_t size = change < 0 ? -change : change,"
            f" whole = (size + {(1 << UNIT_BITS) - 1}) >> {UNIT_BITS} & ~(int64_t){self.grid - 1};",
            f"const int64_t w = {self.p('w')}[s] + (change < 0 ? -whole : whole)"
            + (f" + (due ? {self.p('carry')}[s] : 0)" if "carry" in self.of else "")
            + ";",
            f"const int64_t c = {clipped('w', *self.clip)};",
            f"{self.p('w')}[s] = (int16_t)c;",
            f"_ptr{self.projecting.delivered}[s] ="
            f" ({self.projecting.delivered_ctype}){self._delivered()};",
            "};",
        )
        if terms:
            text.add(
                "if (due || first)",
                "for (int64_t s = 0; s < n_synapses; s++) synapse(s);",
                f"else for (int64_t k = 0; k < touched; k++) synapse({self.p('touched')}[k]);",
            )

    def _delivered(self) -> str:
        """What a spike adds, in units of 2**6: floor(w * 2**exponent) within 15 bits."""
        exponent = self.projecting.exponent
        scaled = f"c * {1 << exponent}" if exponent >= 0 else f"c >> {-exponent}"
        return clipped(scaled, SCALED_WEIGHT.low >> ALIGNMENT, SCALED_WEIGHT.high >> ALIGNMENT)

    def _term(self, term: Product, events: dict[str, str] | None = None) -> None:
        """Add one product to ``change``, in units of 2**-7."""
        flags = f"{self.p('flags')}[s]"
        fired = events or {
            "x0": f"(int64_t)(({flags} & {X0}) != 0)",
            "y0": f"(int64_t)(({flags} & {Y0}) != 0)",
        }

        def value(name: str) -> str:
            return fired.get(name, f"(int64_t){self.p(name)}[s]" if name in self.of else name)

        gate = fired.get(term.dependency, "due")
        scale = f"(int64_t)({term.mantissa * 2 ** (term.exponent + UNIT_BITS)})"
        product = " * ".join([scale, *factor_texts(term, value)])
        self.text.add(f"if ({gate}) change += {product};")

    def _draw(self) -> None:
        """``draw(synapses, m, time)``: the bits of up to 64 synapses for a time."""
        by_draw: dict[int, list[str]] = {}
        for place, name in enumerate(self.traces):
            draw, word = draw_of(name)
            least = f"{self.p(f'least_{name}')}[{self.p(name)}[s]]"
            bit = f"((int64_t)word[{word}][q] < {least}) << {place}"
            by_draw.setdefault(draw, []).append(f"({bit})")
        self.text.add(
            "auto draw = [&](const int32_t *who, const int m, const int64_t time) {",
            "uint32_t word[4][64];",
        )
        for k, (draw, bits) in enumerate(by_draw.items()):
            old = f"{self.p('up')}[s] | " if k else ""
            self.text.add(
                f"b2l_words(who, m, key, {draw}, (uint64_t)time, word);",
                "for (int q = 0; q < m; q++) {",
                f"const int32_t s = who[q]; {self.p('up')}[s] = (int8_t)({old}{' | '.join(bits)});",
                "}",
            )
        self.text.add("};")

    def _decay(self) -> None:
        """Live traces decay and draw their next bits; synapses without a trace leave the list."""
        flags, count = f"{self.p('flags')}[s]", f"{self.p('live_count')}[0]"
        self.text.add(
            f"int64_t kept = 0; const int64_t n_live = {count};",
            "for (int64_t k = 0; k < n_live;) {",
            "int32_t who[64]; int m = 0;",
            "for (; k < n_live && m < 64; k++) {",
            f"const int32_t s = {self.p('live')}[k];",
            f"const int up = {self.p('up')}[s]; int any = 0;",
        )
        for place, name in enumerate(self.traces):
            self.text.add(
                f"{{ const int x = {self.p(f'whole_{name}')}[{self.p(name)}[s]]"
                f" + (up >> {place} & 1);",
                f"{self.p(name)}[s] = (int8_t)x; any |= x; }}",
            )
        self.text.add(
            f"{flags} = any ? {LIVE} : 0;",
            f"if (any) who[m++] = s; else {self.p('up')}[s] = 0;",
            "}",
            "draw(who, m, now + 1);",
            f"for (int q = 0; q < m; q++) {self.p('live')}[kept++] = who[q];",
            "}",
            f"{count} = kept;",
        )


__all__ = ["ROUNDED", "compile_brian2loihi"]
