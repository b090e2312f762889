"""A chip neuron's step -> C++ that runs many neurons, each with registers of its own, side by side.

A block of neurons goes through all steps before the next one begins, so that its states stay near
the processor; the loop over the block's neurons is innermost, and the compiler makes vectors of it.
Nothing of a network is here: one neuron, one stimulus, its spikes.

In the *forced* kernel the recording's spikes take the place of the neuron's own: states are reset
where the recording says so. What is summed is how far the neuron was below its threshold in steps
with a spike, and above it in steps without. Unlike a count of spikes that is a continuous function
of the registers, and one error does not shift all that follows.

Where a recorded voltage is given, the sums of its regression on the neuron's own are made on the
way, so that its unit and zero need not be known.
"""

from __future__ import annotations

from dataclasses import dataclass

from brian2lava.chip.arithmetic import (
    Call,
    Expression,
    as_c,
    names_in,
    number,
    rows_of,
    support,
)
from brian2lava.chip.models.neuron import NeuronModel, Step
from brian2lava.chip.profiles import Arithmetic
from brian2lava.errors import FitError

#: Neurons in a block: a multiple of what a vector holds, few enough for the nearest cache.
LANES = 32
#: Strict floating point (the stimulus is scaled in single precision, and others must be able to
#: repeat that), but neither errno nor traps, which would forbid vectors.
FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off")


@dataclass(frozen=True)
class Kernel:
    """Text of a kernel and the order in which it takes its arrays.

    Attributes
    ----------
    text : str
        C++ with the functions ``b2l_batch`` and ``b2l_coincidences``.
    parameters : tuple of str
        Registers and derived values, a row each.
    states : tuple of str
    counters : tuple of str
    bias_driven : bool
        The stimulus enters as the bias, not at the ports.
    forced : bool
    membrane : str
        The state that a recorded voltage is compared with.
    """

    text: str
    parameters: tuple[str, ...]
    states: tuple[str, ...]
    counters: tuple[str, ...]
    bias_driven: bool
    forced: bool
    membrane: str


def kernel(
    model: NeuronModel,
    arithmetic: Arithmetic,
    zero: frozenset[str],
    bias_driven: bool = False,
    forced: bool = False,
    recurrent: bool = False,
) -> Kernel:
    """The kernel of ``model`` where the registers in ``zero`` are zero in all neurons.

    Raises
    ------
    FitError
        The model draws random numbers, has no bias, or no margin to its threshold.
    """
    step = model.step(arithmetic, zero)
    if step.draws:
        raise FitError(f"{model.name} fires by chance; spikes can't be fitted with it one by one.")
    registers = {register.name for register in model.registers}
    if bias_driven and not {"bias_mant", "bias_exp"} <= registers:
        raise FitError(f"{model.name} has no bias; its stimulus has to come as graded spikes.")
    derived = tuple(model.derived(arithmetic))
    used = _used(step)
    parameters = tuple(
        name
        for name in (*(register.name for register in model.registers), *derived)
        if name in used and not (bias_driven and name == "bias")
    )
    if bias_driven:
        parameters += tuple(n for n in ("bias_mant", "bias_exp") if n not in parameters)
    states = tuple(state.name for state in model.states if state.name in used)
    counters = tuple(name for name, _ in step.counters)
    membrane = next(name for name in ("v", "imag") if name in states)
    lines = _Lines(model, step, parameters, states, bias_driven, forced, recurrent)
    rows = frozenset().union(*map(rows_of, _expressions(step, forced))) | {"shift"}
    return Kernel(
        text=_TEXT.format(
            support=support(rows, 32),
            lanes=LANES,
            parameters=len(parameters),
            states=len(states),
            counters=max(1, len(counters)),
            ports=len(model.ports),
            load=lines.load(),
            step=lines.step(),
            forced=int(forced),
            place=states.index(membrane),
        ),
        parameters=parameters,
        states=states,
        counters=counters,
        bias_driven=bias_driven,
        forced=forced,
        membrane=membrane,
    )


def margin(fired: Expression) -> tuple[Expression, Expression | None]:
    """How far a neuron is above its threshold (it fires where this is 1 or more), and the gate.

    Raises
    ------
    FitError
        The condition is no comparison of two values.
    """
    if isinstance(fired, Call):
        operands = fired.operands
        if fired.row.name == "greater":
            return operands[0] - operands[1], None
        if fired.row.name == "greater_or_equal":
            return operands[0] - operands[1] + 1, None
        if fired.row.name == "both":
            inside, gate = margin(operands[0])
            if (
                gate is None
                and isinstance(operands[1], Call)
                and operands[1].row.name in ("negation",)
            ):
                return inside, operands[1]
    raise FitError("this neuron does not fire where one value passes another: nothing to force.")


def has_margin(model: NeuronModel, arithmetic: Arithmetic) -> bool:
    """Whether the forced kernel of a model can be made."""
    try:
        margin(model.step(arithmetic, frozenset()).fired)
    except FitError:
        return False
    return True


def _expressions(step: Step, forced: bool) -> list[Expression]:
    pairs = (*step.assignments, *step.after, *step.counters)
    found = [expression for _, expression in pairs] + [step.fired]
    if forced:
        inside, gate = margin(step.fired)
        found += [inside] if gate is None else [inside, gate]
    return found


def _used(step: Step) -> frozenset[str]:
    assigned = {name for name, _ in (*step.assignments, *step.after)}
    return frozenset(assigned).union(*map(names_in, _expressions(step, False)))


class _Lines:
    """The lines of a kernel that differ from model to model."""

    def __init__(
        self,
        model: NeuronModel,
        step: Step,
        parameters: tuple[str, ...],
        states: tuple[str, ...],
        bias_driven: bool,
        forced: bool,
        recurrent: bool,
    ) -> None:
        self.model = model
        self.parts = step
        self.parameters = parameters
        self.states = states
        self.bias_driven = bias_driven
        self.forced = forced
        self.recurrent = recurrent

    def load(self) -> str:
        """Names for one neuron's numbers, at the beginning of its step."""
        lines = [f"const T {name} = parameter[{k}][l];" for k, name in enumerate(self.parameters)]
        lines += [f"T {name} = state[{k}][l];" for k, name in enumerate(self.states)]
        if self.model.clock:
            lines.append("const T t = (T)(job.origin + n + 1);")
        scaled = "(T)__builtin_rintf(b2l_level * scale[l])"
        if self.bias_driven:
            lines += [
                f"const T b2l_mant = bias_mant + {scaled};",
                "outside[l] += (b2l_mant > 4095) | (b2l_mant < -4095);",
                "const T bias = b2l_shift(b2l_mant, bias_exp);",
            ]
            arriving = ["0" for _ in self.model.ports]
        else:
            lines.append(f"const T b2l_payload = {scaled};")
            arriving = [
                f"b2l_shift((T)((U)b2l_payload * (U)weight[{k}][l]), exponent[{k}][l])"
                for k, _ in enumerate(self.model.ports)
            ]
        if self.recurrent:
            arriving = [f"{text} + own[{k}][l] * mask[l]" for k, text in enumerate(arriving)]
        lines += [f"const T {port} = {text};" for port, text in zip(self.model.ports, arriving)]
        return "\n".join(lines)

    def step(self) -> str:
        """One neuron's step."""
        step, lines = self.parts, []
        declared = set(self.states)
        for name, expression in step.assignments:
            kind = "" if name in declared else "T "
            declared.add(name)
            lines.append(f"{kind}{name} = {as_c(expression, {})};")
        for k, (_, condition) in enumerate(step.counters):
            lines.append(f"counter[{k}][l] += {as_c(condition, {})};")
        if self.forced:
            inside, gate = margin(step.fired)
            is_open = as_c(number(1) if gate is None else gate, {})
            lines += [
                f"const float b2l_above = (float){as_c(inside, {})}, b2l_below = 1.0f - b2l_above;",
                f"const float b2l_open = (float){is_open};",
                "missed[l] += b2l_open * (b2l_below > 0.0f ? b2l_below : 0.0f) * b2l_due;",
                "extra[l] += b2l_open * (b2l_above > 0.0f ? b2l_above : 0.0f) * (1.0f - b2l_due);",
                "const T fired = (T)b2l_due;",
            ]
        else:
            lines.append(f"const T fired = {as_c(step.fired, {})};")
        lines.append("mask[l] = fired;")
        for name, expression in step.after:
            lines.append(f"const T {name}_after = {as_c(expression, {})};")
        after = {name for name, _ in step.after}
        for k, name in enumerate(self.states):
            lines.append(f"state[{k}][l] = {name}_after;" if name in after else
                         f"state[{k}][l] = {name};")  # fmt: skip
        return "\n".join(lines)


_TEXT = """
#include <cstdint>
{support}
namespace {{
constexpr int L = {lanes}, P = {parameters}, S = {states}, C = {counters};
constexpr int PORTS = {ports}, MEMBRANE = {place};
}}
// Arrays of (rows, size) have `size` columns, a multiple of L.
struct Job {{
    int64_t size, first, last, steps, origin, capacity;
    const T *parameters; T *states;
    const float *stimulus, *scale;
    const T *weights, *exponents, *own;
    const uint8_t *due, *compared;
    const float *voltage;
    int32_t *spikes; int64_t *counts;
    int32_t *counters, *outside;
    double *missed, *extra, *sum, *square, *product;
    T *traces;
}};

extern "C" void b2l_batch(const Job *given) {{
    const Job job = *given;
    alignas(64) T parameter[P ? P : 1][L], state[S][L], weight[PORTS][L], exponent[PORTS][L];
    // whether each has just fired, and what that adds at its ports in the next step
    alignas(64) T mask[L], own[PORTS][L];
    alignas(64) float scale[L], missed[L], extra[L];
    alignas(64) int32_t counter[C][L], outside[L];
    alignas(64) double sum[L], square[L], product[L];
    for (int64_t block = job.first; block < job.last; block += L) {{
        for (int l = 0; l < L; l++) {{
            const int64_t i = block + l;
            for (int k = 0; k < P; k++) parameter[k][l] = job.parameters[k * job.size + i];
            for (int k = 0; k < S; k++) state[k][l] = job.states[k * job.size + i];
            for (int k = 0; k < PORTS; k++) {{
                weight[k][l] = job.weights[k * job.size + i];
                exponent[k][l] = job.exponents[k * job.size + i];
                own[k][l] = job.own[k * job.size + i];
            }}
            mask[l] = 0;
            for (int k = 0; k < C; k++) counter[k][l] = 0;
            scale[l] = job.scale[i];
            missed[l] = extra[l] = 0.0f;
            sum[l] = square[l] = product[l] = 0.0;
            outside[l] = 0;
            job.counts[i] = 0;
            job.missed[i] = job.extra[i] = 0.0;
        }}
        for (int64_t n = 0; n < job.steps; n++) {{
            const float b2l_level = job.stimulus[n];
            const float b2l_due = {forced} ? (float)job.due[n] : 0.0f;
            (void)b2l_due;
            #pragma GCC ivdep
            for (int l = 0; l < L; l++) {{
                {load}
                {step}
            }}
            if (job.voltage && job.compared[n]) {{
                const double recorded = job.voltage[n];
                for (int l = 0; l < L; l++) {{
                    const double own = state[MEMBRANE][l];
                    sum[l] += own;
                    square[l] += own * own;
                    product[l] += own * recorded;
                }}
            }}
            if ({forced}) {{
                // single precision holds a step's sum; the whole is summed in double precision
                if ((n & 255) == 255 || n == job.steps - 1)
                    for (int l = 0; l < L; l++) {{
                        job.missed[block + l] += missed[l];
                        job.extra[block + l] += extra[l];
                        missed[l] = extra[l] = 0.0f;
                    }}
            }} else {{
                T any = 0;
                for (int l = 0; l < L; l++) any |= mask[l];
                if (any)
                    for (int l = 0; l < L; l++)
                        if (mask[l]) {{
                            const int64_t i = block + l, k = job.counts[i]++;
                            if (k < job.capacity)
                                job.spikes[i * job.capacity + k] = (int32_t)(job.origin + n);
                        }}
            }}
            if (job.traces)
                for (int k = 0; k < S; k++)
                    for (int l = 0; l < L; l++)
                        job.traces[((block + l) * S + k) * job.steps + n] = state[k][l];
        }}
        for (int l = 0; l < L; l++) {{
            const int64_t i = block + l;
            for (int k = 0; k < S; k++) job.states[k * job.size + i] = state[k][l];
            for (int k = 0; k < C; k++) job.counters[k * job.size + i] = counter[k][l];
            job.outside[i] = outside[l];
            job.sum[i] = sum[l];
            job.square[i] = square[l];
            job.product[i] = product[l];
        }}
    }}
}}

// One-to-one coincidences of each neuron's spikes with a train, within `window` steps, among the
// spikes at first <= step < last.
extern "C" void b2l_coincidences(
    int64_t size, int64_t capacity, const int32_t *spikes, const int64_t *counts,
    int64_t wanted, const int32_t *train, int64_t window, int64_t first, int64_t last,
    int64_t *matched, int64_t *fired, double *distance) {{
    for (int64_t i = 0; i < size; i++) {{
        const int32_t *own = spikes + i * capacity;
        const int64_t count = counts[i] < capacity ? counts[i] : capacity;
        int64_t k = 0, found = 0, sent = 0;
        double apart = 0;
        for (int64_t j = 0; j < count; j++) {{
            if (own[j] < first || own[j] >= last) continue;
            sent++;
            while (k < wanted && train[k] < own[j] - window) k++;
            if (k < wanted && train[k] <= own[j] + window) {{
                apart += own[j] > train[k] ? own[j] - train[k] : train[k] - own[j];
                found++;
                k++;
            }}
        }}
        matched[i] = found;
        fired[i] = sent;
        distance[i] = apart;
    }}
}}
"""
