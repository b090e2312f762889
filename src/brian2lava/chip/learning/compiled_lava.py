"""lava-nc's fixed-point learning step as an operation of a step program."""

from __future__ import annotations

import numpy as np

from brian2lava.chip.learning.compiled import (
    CLIP,
    Allocate,
    Compiled,
    Projecting,
    Text,
    clipped,
    factor_texts,
    signed,
)
from brian2lava.chip.learning.rule import (
    POST_TRACES,
    PRE_TRACES,
    TRACES,
    LearningRule,
    Product,
    RuleError,
)
from brian2lava.chip.learning.synapses import check_rule, clip_of, hold
from brian2lava.chip.learning.tape import WEIGHT_DRAW, LavaDraws
from brian2lava.chip.learning.widths import (
    ACCUMULATOR_BITS,
    ACCUMULATOR_HIGH,
    ACCUMULATOR_LOW,
    ACCUMULATOR_SHIFT,
    EXPONENT_OFFSET,
    FACTOR_BITS,
    IMPULSE_DRAW,
    MANTISSA_BITS,
    TAG_1_CLIP,
    TAG_2_CLIP,
    TRACE_MAX,
    WEIGHT_CLIP,
)
from brian2lava.errors import NotSupported

#: Replayed draws by step: five of the traces, one of the weights.
DRAWS = 6


def compile_lava(
    projecting: Projecting, allocate: Allocate, replayed: int = 0, first_step: int = 0
) -> Compiled:
    """The operation of a projection that learns in lava-nc's integers.

    Parameters
    ----------
    projecting : Projecting
    allocate : Allocate
    replayed : int
        Capacity in steps of an array of draws that somebody fills (:func:`fill`), in place of
        counted random numbers; 0: none.
    first_step : int
        Steps that were made before step 0 of the program's clock: whole epochs.
    """
    return _Lava(projecting, allocate, replayed, first_step).done()


def fill(draws: np.ndarray, tape: LavaDraws, first: int, last: int, t_epoch: int) -> None:
    """Write a tape's draws for the steps ``first`` .. ``last`` - 1 (from 0) into replayed draws."""
    rows = draws.reshape(-1, DRAWS)
    for step in range(first, last):
        t = tape.traces(step + 1)
        row = rows[step % len(rows)]
        row[:5] = t.x_decay, t.y_decay, t.x_impulse, t.y_impulse, t.y_impulse_early
        if (step + 1) % t_epoch == 0:
            row[5] = tape.weights((step + 1) // t_epoch)


class _Lava:
    def __init__(
        self, projecting: Projecting, allocate: Allocate, replayed: int, first_step: int
    ) -> None:
        self.projecting = projecting
        self.rule: LearningRule = check_rule(projecting.rule, "lava")
        self.used = [name for name in TRACES if name in self.rule.used]
        self.supplied = [
            name for name in self.used if name in POST_TRACES and self.rule.third_factor
        ]
        missing = [name for name in self.supplied if name not in projecting.post_traces]
        if missing:
            raise NotSupported(
                f"projection {projecting.name!r}: a third-factor rule takes {', '.join(missing)}"
                " from its target's neurons, and these keep no such state. Use traces of spikes"
                " (third_factor=False), or a neuron that has it."
            )
        self.replayed = replayed
        self.first_step = first_step
        if first_step % self.rule.t_epoch:
            raise RuleError(
                f"projection {projecting.name!r}: a run begins {first_step} steps after the first,"
                f" in the middle of an epoch of {self.rule.t_epoch}. Run whole epochs."
            )
        self.text = Text(projecting, allocate)
        self.clips = {
            "w": clip_of(projecting.sign_mode, WEIGHT_CLIP), "d": TAG_2_CLIP, "t": TAG_1_CLIP,
        }  # fmt: skip
        hold(projecting.weights, *self.clips["w"], f"{projecting.name}, weights")
        self._arrays()

    def _arrays(self) -> None:
        text, synapses = self.text, self.projecting.synapses
        sides = (("x", "pre", synapses.n_pre), ("y", "post", synapses.n_post))
        self.of: dict[str, str] = {}
        for letter, side, size in sides:
            self.of[f"t{letter}"] = text.array(f"t{letter}", np.zeros(size, np.int8))
            self.of[f"{side}_list"] = text.array(f"{side}_list", np.zeros(size, np.int32))
            self.of[f"{side}_count"] = text.counter(f"{side}_count")
            neurons = getattr(synapses, side)
            self.of[side] = text.array(side, neurons.astype(np.int32), written=False)
            self.of[f"{side}_start"], self.of[f"{side}_synapses"] = text.rows(side, neurons, size)
        for name in self.used:
            size = synapses.n_pre if name in PRE_TRACES else synapses.n_post
            first = self.projecting.first(name, size, (0, TRACE_MAX), np.int8)
            self.of[name] = text.array(name, first)
            whole, fraction = decay_tables(self.rule.traces[name].tau)
            self.of[f"whole_{name}"] = text.array(f"whole_{name}", whole, written=False)
            self.of[f"fraction_{name}"] = text.array(f"fraction_{name}", fraction, written=False)
        self.variables = {"w": text.array("w", self.projecting.weights.astype(np.int16))}
        for name in sorted({"d", "t"} & ({*self.rule.changes} | self.rule.used)):
            first = self.projecting.first(name, synapses.size, self.clips[name], np.int16)
            self.variables[name] = text.array(name, first)
        text.touch(self.projecting.delivered, written=True)
        text.touch(self.projecting.pre_events, written=False)
        text.touch(self.projecting.post_events, written=False)
        text.touch(self.projecting.timestep, False, "0")
        self.beyond = text.counter("beyond") if self.supplied else ""
        for name in self.supplied:
            text.touch(self.projecting.post_traces[name], written=False)
        self.key = text.allocate(
            f"{self.projecting.name}_key", np.array([signed(self.projecting.key)], np.int64), True
        )
        text.touch(self.key, False, "0")
        self.draws = ""
        if self.replayed:
            self.draws = text.array("draws", np.zeros(self.replayed * DRAWS), written=False)
        text.constants |= {
            "first_step": self.first_step, "n_synapses": synapses.size,
            "n_pre": synapses.n_pre, "n_post": synapses.n_post,
        }  # fmt: skip

    def p(self, name: str) -> str:
        """The pointer to one of this projection's arrays."""
        return f"_ptr{self.of[name]}"

    def done(self) -> Compiled:
        text = self.text
        text.support.append(CLIP)
        epoch = self.rule.t_epoch
        text.add(
            f"const int64_t step = _ptr{self.projecting.timestep}[0] + first_step + 1;",
            f"const int within = (int)((step - 1) % {epoch}) + 1;",
        )
        self._spikes("x", "pre", PRE_TRACES, "0")
        self._spikes("y", "post", POST_TRACES, self._impulse_draw(4))
        text.add(f"if (within == {epoch}) {{")
        for name in self.supplied:
            self._take(name)
        for name in self.used:
            self._history(name)
        self._synapses()
        for name in [name for name in self.used if name not in self.supplied]:
            self._advance(name)
        for letter, side in (("x", "pre"), ("y", "post")):
            text.add(
                f"for (int64_t k = 0; k < {self.p(f'{side}_count')}[0]; k++)"
                f" {self.p(f't{letter}')}[{self.p(f'{side}_list')}[k]] = 0;",
                f"{self.p(f'{side}_count')}[0] = 0;",
            )
        text.add("}")
        return Compiled(
            operations=(text.operation(),),
            variables=self.variables,
            traces={name: self.of[name] for name in self.used},
            key=self.key,
            draws=self.draws,
            beyond=self.beyond,
        )

    def _draw(self, which: int) -> str:
        """C text of a uniform draw: which of a step's draws."""
        if self.replayed:
            return f"_ptr{self.draws}[(step - 1) % {self.replayed} * {DRAWS} + {which}]"
        execution = f"step / {self.rule.t_epoch}" if which == WEIGHT_DRAW else "step"
        return f"b2l::uniform((uint64_t)_ptr{self.key}[0], 0, {which}, (uint64_t)({execution}))"

    def _impulse_draw(self, which: int) -> str:
        """C text of a draw 0 .. 127."""
        factor = "" if self.replayed else f" * {IMPULSE_DRAW}"
        return f"(int)({self._draw(which)}{factor})"

    def _spikes(self, letter: str, side: str, names: tuple[str, ...], early: str) -> None:
        """Who fired: their times, and the impulse of an earlier spike in the same epoch."""
        events = f"_ptr{getattr(self.projecting, f'{side}_events')}"
        times, listed = self.p(f"t{letter}"), self.p(f"{side}_list")
        count = self.p(f"{side}_count")
        again = []
        if self.rule.t_epoch > 1:
            for name in [name for name in names if name in self.used]:
                trace = self.rule.traces[name]
                self.text.add(
                    f"const int early_{name} = {trace.whole} + ({early} < {trace.fraction});"
                )
                value = clipped(f"{self.p(name)}[i] + early_{name}", 0, TRACE_MAX)
                again.append(f"{self.p(name)}[i] = (int8_t){value};")
        self.text.add(
            f"for (int64_t k = 0; k < {events}[n_{side}]; k++) {{",
            f"const int32_t i = {events}[k];",
            f"if ({times}[i]) {{",
            *again,
            f"}} else {listed}[{count}[0]++] = i;",
            f"{times}[i] = (int8_t)within;",
            "}",
        )

    def _take(self, name: str) -> None:
        """A trace that the targets supply; what lies outside 0 .. 127 is counted and clipped."""
        supplied = f"_ptr{self.projecting.post_traces[name]}[j]"
        self.text.add(
            "for (int64_t j = 0; j < n_post; j++) {",
            f"const int64_t y = {clipped(supplied, 0, TRACE_MAX)};",
            f"_ptr{self.beyond}[0] += y != {supplied};",
            f"{self.p(name)}[j] = (int8_t)y;",
            "}",
        )

    def _history(self, name: str) -> None:
        """``at_<name>(i, time)``: a trace at a time of this epoch, by tables of all its values."""
        epoch, trace = self.rule.t_epoch, self.rule.traces[name]
        second = name in POST_TRACES
        times = self.p("ty" if second else "tx")
        self.text.add(
            f"int8_t decayed_{name}[{(epoch + 1) * (TRACE_MAX + 1)}];",
            f"const double decay_{name} = {self._draw(1 if second else 0)};",
            f"const int impulse_{name} = {trace.whole}"
            f" + ({self._impulse_draw(3 if second else 2)} < {trace.fraction});",
            f"for (int x = 0; x <= {TRACE_MAX}; x++) {{",
            f"int8_t y = (int8_t)x; decayed_{name}[x] = y;",
            f"for (int t = 1; t <= {epoch}; t++) {{",
            f"y = (int8_t)({self.p(f'whole_{name}')}[y]"
            f" + (decay_{name} < {self.p(f'fraction_{name}')}[y]));",
            f"decayed_{name}[t * {TRACE_MAX + 1} + x] = y;",
            "}}",
            f"auto at_{name} = [&](const int64_t i, const int time) -> int {{",
            f"const int fired = {times}[i], x = {self.p(name)}[i];",
            f"if (!fired || fired > time) return decayed_{name}[time * {TRACE_MAX + 1} + x];",
            f"const int y = decayed_{name}[fired * {TRACE_MAX + 1} + x] + impulse_{name};",
            f"return decayed_{name}[(time - fired) * {TRACE_MAX + 1}"
            f" + (y > {TRACE_MAX} ? {TRACE_MAX} : y)];",
            "};",
        )

    def _advance(self, name: str) -> None:
        """A trace at the end of the epoch, for eight neurons at once where all of it is 0."""
        n, times = ("n_pre", "tx") if name in PRE_TRACES else ("n_post", "ty")
        self.text.add(
            f"for (int64_t i = 0; i < {n}; i++) {{",
            f"if ((i & 7) == 0 && i + 8 <= {n}) {{",
            "uint64_t values, spikes;",
            f"memcpy(&values, {self.p(name)} + i, 8); memcpy(&spikes, {self.p(times)} + i, 8);",
            "if (!(values | spikes)) { i += 7; continue; }",
            "}",
            f"{self.p(name)}[i] = (int8_t)at_{name}(i, {self.rule.t_epoch});",
            "}",
        )

    def _synapses(self) -> None:
        """``synapse(s)`` changes one synapse; it is called for those that a term reaches."""
        text, rule = self.text, self.rule
        shift = 1 << ACCUMULATOR_SHIFT
        due = "false"
        if rule.decimation is not None:
            due = f"step / {rule.t_epoch} % {1 << rule.decimation} == 0"
        text.add(
            f"const bool due = {due};",
            f"const int64_t below = {shift - 1} - (int64_t)({self._draw(WEIGHT_DRAW)} * {shift});",
            "auto synapse = [&](const int64_t s) {",
            f"const int32_t i = {self.p('pre')}[s], j = {self.p('post')}[s];",
            f"const int tx = {self.p('tx')}[i], ty = {self.p('ty')}[j];",
            "(void)i; (void)j; (void)tx; (void)ty;",
            *(f"const int64_t old_{v} = _ptr{array}[s];" for v, array in self.variables.items()),
        )
        for variable, terms in rule.changes.items():
            text.add(f"int64_t new_{variable} = old_{variable} * {shift};")
            for term in terms:
                self._term(variable, term)
            value = clipped(
                f"(new_{variable} + below) >> {ACCUMULATOR_SHIFT}", *self.clips[variable]
            )
            text.add(f"_ptr{self.variables[variable]}[s] = (int16_t)(new_{variable} = {value});")
        if "w" in rule.changes:
            exponent = max(0, self.projecting.exponent)
            text.add(
                f"_ptr{self.projecting.delivered}[s] ="
                f" ({self.projecting.delivered_ctype})(new_w * {1 << exponent});"
            )
        text.add("};")
        self._calls()

    def _term(self, variable: str, term: Product) -> None:
        """Add one product to the accumulator ``new_<variable>``."""
        time = {"x0": "tx", "y0": "ty"}.get(term.dependency, str(self.rule.t_epoch))
        gate = {"x0": "tx > 0", "y0": "ty > 0"}.get(term.dependency, "due")

        def value(name: str) -> str:
            if name in ("x0", "y0"):
                return f"(int64_t)(t{name[0]} > 0)"
            if name in self.variables:
                return f"old_{name}"
            return f"(int64_t)at_{name}({'i' if name in PRE_TRACES else 'j'}, {time})"

        factors = factor_texts(term, value, FACTOR_BITS)
        right = max(0, term.bits + MANTISSA_BITS - ACCUMULATOR_BITS)
        left = 1 << (term.exponent + EXPONENT_OFFSET)
        low, high = ACCUMULATOR_LOW, ACCUMULATOR_HIGH
        mantissa = f"(int64_t)({term.mantissa})"
        self.text.add(
            "{",
            f"int64_t p = {gate} ? {' * '.join([mantissa, *factors])} : 0;",
            f"p = (p >> {right}) * {left};",
            f"p = {clipped('p', low, high)};",
            f"new_{variable} = {clipped(f'new_{variable} + p', low, high)};",
            "}",
        )

    def _calls(self) -> None:
        """Which synapses a step reaches.

        A tag (t) can leave 9 bits by one, and then comes back in any epoch: rules for it go
        through all synapses.
        """
        events = [term.spikes for term in self.rule.products if term.decimation is None]
        everything = "due" if "t" not in self.rule.changes else "true"
        text = self.text
        text.add(f"if ({everything}) {{", "for (int64_t s = 0; s < n_synapses; s++) synapse(s);")
        text.add("} else {")
        pre_pass = any("x0" in spikes for spikes in events)
        if pre_pass:
            self._rows("pre", "synapse(s);")
        if any(spikes == {"y0"} for spikes in events):
            seen = f"if (!{self.p('tx')}[{self.p('pre')}[s]]) " if pre_pass else ""
            self._rows("post", f"{seen}synapse(s);")
        text.add("}")

    def _rows(self, side: str, call: str) -> None:
        start = self.p(f"{side}_start")
        self.text.add(
            f"for (int64_t k = 0; k < {self.p(f'{side}_count')}[0]; k++) {{",
            f"const int32_t neuron = {self.p(f'{side}_list')}[k];",
            f"for (int64_t q = {start}[neuron]; q < {start}[neuron + 1]; q++) {{",
            f"const int64_t s = {self.p(f'{side}_synapses')}[q];",
            call,
            "}}",
        )


def decay_tables(tau: float) -> tuple[np.ndarray, np.ndarray]:
    """Whole part and fraction of x * exp(-1/tau) for x = 0 .. 127."""
    values = np.arange(TRACE_MAX + 1)
    decayed = np.exp(-1 / tau) * values if tau else np.zeros(values.size)
    whole = np.floor(decayed)
    return whole.astype(np.int8), decayed - whole


__all__ = ["DRAWS", "RuleError", "compile_lava", "decay_tables", "fill"]
