"""Scripts that run a fitted learning synapse: in Brian2, and in Lava's own processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brian2lava.chip.learning import LearningRule
from brian2lava.fit.synapse.candidates import SynapseCandidate
from brian2lava.fit.synapse.export_response import SHIM
from brian2lava.fit.synapse.short_term import ShortTermTarget
from brian2lava.fit.synapse.stdp import StdpTarget

#: Spikes of the pair that a script shows, in steps.
_PAIRS, _GAP = 5, 60
_LAVA_IMPORTS = (
    "from lava.magma.core.learning.learning_rule import Loihi2FLearningRule",
    "from lava.magma.core.run_conditions import RunSteps",
    "from lava.magma.core.run_configs import Loihi2SimCfg",
    "from lava.proc.dense.process import Dense, LearningDense",
    "from lava.proc.io.source import RingBuffer",
    "from lava.proc.lif.process import LIF",
    "from lava.proc.monitor.process import Monitor",
    "from lava.utils.weightutils import SignMode",
)


# ------------------------------------------------------------ Lava
def rule_arguments(rule: LearningRule) -> dict[str, Any]:
    """Arguments of Lava's ``Loihi2FLearningRule``: texts, impulses and time constants."""
    found: dict[str, Any] = {
        name: rule.text(name) for name in ("dw", "dd", "dt") if rule.text(name)
    }
    for name, trace in rule.traces.items():
        if name in rule.used:
            found |= {f"{name}_impulse": int(trace.impulse), f"{name}_tau": int(trace.tau)}
    return {**found, "t_epoch": rule.t_epoch, "rng_seed": 0}


def lava_learning(rule: LearningRule | None, weight: int, tag: int, dt: float) -> str:
    """A script of Lava's LearningDense with exactly this rule, weight and tag.

    A source drives the synapse, and the postsynaptic neuron through a strong synapse of its own, so
    that both sides spike. It prints the weight after every step.
    """
    if rule is None:
        return _constant(weight)
    steps = _PAIRS * _GAP + 1
    arguments = "".join(f"    {name}={value!r},\n" for name, value in rule_arguments(rule).items())
    lines = [
        "import numpy as np",
        *SHIM,
        *_LAVA_IMPORTS,
        "",
        f"# one step is {dt * 1e3:g} ms",
        "rule = Loihi2FLearningRule(",
        arguments.rstrip("\n"),
        ")",
        f"pre, teacher = (np.zeros((1, {steps}), int) for _ in range(2))",
        f"pre[0, np.arange({_PAIRS}) * {_GAP}] = 1",
        f"teacher[0, np.arange({_PAIRS}) * {_GAP} + 9] = 1",
        "source, driver = RingBuffer(data=pre), RingBuffer(data=teacher)",
        "strong = Dense(weights=np.array([[255]]), weight_exp=2)",
        "neuron = LIF(shape=(1,), du=4095, dv=4095, vth=800, bias_mant=0)",
        "synapse = LearningDense(",
        f"    weights=np.array([[{weight}]]),",
        f"    tag_1=np.array([[{tag}]]),",
        "    learning_rule=rule,",
        "    num_weight_bits=8,",
        "    sign_mode=SignMode.EXCITATORY,",
        '    name="synapse",',
        ")",
        "source.s_out.connect(synapse.s_in)",
        "synapse.a_out.connect(neuron.a_in)",
        "driver.s_out.connect(strong.s_in)",
        "strong.a_out.connect(neuron.a_in)",
        "neuron.s_out.connect(synapse.s_in_bap)",
        "",
        'if __name__ == "__main__":',
        "    monitor = Monitor()",
        f"    monitor.probe(synapse.weights, {steps})",
        f"    neuron.run(condition=RunSteps(num_steps={steps}),"
        ' run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))',
        '    weights = monitor.get_data()["synapse"]["weights"].ravel().astype(int)',
        "    neuron.stop()",
        "    print(*weights)",
    ]
    return "\n".join(lines) + "\n"


def _constant(weight: int) -> str:
    """Nothing learns: the synapse alone."""
    return "\n".join([
        "import numpy as np",
        *SHIM,
        "from lava.proc.dense.process import Dense",
        "",
        "# spikes that carry a payload need num_message_bits=24",
        f"synapse = Dense(weights=np.array([[{weight}]]), num_weight_bits=8)",
        "",
    ])  # fmt: skip


# ------------------------------------------------------------ Brian2
def brian2_stdp(
    meaning: Mapping[str, float], registers: Mapping[str, int], target: StdpTarget
) -> str:
    """A Brian2 script whose equations mean what the registers do, for a Loihi 2.

    The device finds impulses and coefficients anew, with the same meaning.
    """
    long = {name: f"tau_{'x' if name == 'x2' else 'y'}" for name in ("x2", "y2")}
    constants = {"x1": "tau_plus", "y1": "tau_minus", **long}
    used = [name for name in constants if f"{name}_tau" in registers]
    values = {name: meaning.get(name, 0.0) for name in
              ("a2_plus", "a2_minus", "a3_plus", "a3_minus")}  # fmt: skip
    equations = ["    w : 1"] + [
        f"    d{name}/dt = -{name} / ({meaning[constants[name]] * 1e3:.12g}*ms) : 1 (event-driven)"
        for name in used
    ]
    plus = _change("x1", values["a2_plus"], values["a3_plus"], "y2")
    minus = _change("y1", values["a2_minus"], values["a3_minus"], "x2")
    on_pre = ["g_post += 0.1*w", *_cut("-", minus), *_grows("x", used)]
    on_post = [*_cut("+", plus), *_grows("y", used)]
    joint = "\n    "
    lines = [
        "from brian2 import *",
        "",
        "import brian2lava",
        "",
        'set_device("lava", hardware="Loihi2")',
        f"defaultclock.dt = {target.dt * 1e3:.12g} * ms",
        "",
        f"first = arange({_PAIRS}) * {_GAP} * defaultclock.dt",
        f"source = SpikeGeneratorGroup(1, zeros({_PAIRS}, dtype=int), first)",
        f"teacher = SpikeGeneratorGroup(1, zeros({_PAIRS}, dtype=int),"
        " first + 9 * defaultclock.dt)",
        "neuron = NeuronGroup(",
        "    1,",
        '    """dv/dt = (g - v) / (2*ms) : 1',
        '    dg/dt = -g / (2*ms) : 1""",',
        '    threshold="v > 1",',
        '    reset="v = 0",',
        '    method="exact",',
        ")",
        'strong = Synapses(teacher, neuron, on_pre="g_post += 8")',
        "strong.connect()",
        "synapse = Synapses(",
        "    source,",
        "    neuron,",
        '    """' + "\n".join(equations).strip() + '""",',
        f'    on_pre="""{joint.join(on_pre)}""",',
        f'    on_post="""{joint.join(on_post)}""",',
        ")",
        "synapse.connect()",
        "synapse.w = 0.5",
        f"run({_PAIRS * _GAP + 1} * defaultclock.dt)",
        "print(synapse.w[:])",
        "print(brian2lava.report())",
    ]
    return "\n".join(lines) + "\n"


def _change(short: str, pair: float, triplet: float, long: str) -> str:
    """``x1*(a2 + a3*y2)``, without what is 0."""
    if not triplet:
        return f"{pair:.12g}*{short}" if pair else ""
    if not pair:
        return f"{triplet:.12g}*{short}*{long}"
    return f"({pair:.12g}*{short} + {triplet:.12g}*{short}*{long})"


def _cut(sign: str, change: str) -> list[str]:
    return [f"w = clip(w {sign} {change}, 0, 1)"] if change else []


def _grows(side: str, used: list[str]) -> list[str]:
    return [f"{name} += 1" for name in used if name.startswith(side)]


def brian2_short_term(
    candidate: SynapseCandidate, meaning: Mapping[str, float], target: ShortTermTarget
) -> str:
    """A Brian2 script of the candidate's equations, in floating point.

    The device makes learning rules of plasticity that lasts, and none of weights that relax: on a
    chip the synapse runs through :func:`lava_learning`.
    """
    equations, on_pre, first = _SHORT_TERM[candidate.name](meaning)
    interval = int(target.intervals[len(target.intervals) // 2])
    lines = [
        "# Brian2's equations of this synapse, in floating point; the chip's rule is in the",
        '# Lava script, for hardware="Loihi2" takes no weights that relax',
        "from brian2 import *",
        "",
        "import brian2lava",
        "",
        'set_device("lava", hardware="CPU")',
        f"defaultclock.dt = {target.dt * 1e3:.12g} * ms",
        "",
        f"times = arange({target.pulses}) * {interval} * defaultclock.dt",
        f"source = SpikeGeneratorGroup(1, zeros({target.pulses}, dtype=int), times)",
        'neuron = NeuronGroup(1, "dg/dt = -g / (5*ms) : 1", method="exact")',
        "synapse = Synapses(",
        "    source,",
        "    neuron,",
        f'    """{equations}""",',
        f'    on_pre="""{on_pre}""",',
        '    method="exact",' if "/dt" in equations else "",
        ")",
        "synapse.connect()",
        *first,
        'monitor = StateMonitor(neuron, "g", record=True)',
        f"run({target.pulses * interval + 1} * defaultclock.dt)",
        "print(monitor.g[0])",
    ]
    return "\n".join(line for line in lines if line is not None) + "\n"


def _ms(seconds: float) -> str:
    return f"({max(seconds, 1e-9) * 1e3:.12g}*ms)"


def _constant_equations(meaning: Mapping[str, float]) -> tuple[str, str, list[str]]:
    return "w : 1", "g_post += w", ["synapse.w = 1"]


def _relaxing_equations(meaning: Mapping[str, float]) -> tuple[str, str, list[str]]:
    relax = f"dw/dt = (1 - w) / {_ms(meaning['tau'])} : 1 (clock-driven)"
    if not np.isfinite(meaning["tau"]):
        relax = "w : 1"
    push = f"w -= {meaning['push']:.12g}*(w - {meaning['end']:.12g})"
    return relax, f"g_post += w\n    {push}", ["synapse.w = 1"]


def _two_factor_equations(meaning: Mapping[str, float]) -> tuple[str, str, list[str]]:
    use, more = meaning["use"], meaning["more"]
    recover = f"dR/dt = (1 - R) / {_ms(meaning['tau_d'])} : 1 (clock-driven)"
    if not np.isfinite(meaning["tau_d"]):
        recover = "R : 1"
    lines = f"{recover}\n    dx/dt = -x / {_ms(meaning['tau_f'])} : 1 (clock-driven)"
    part = f"({use:.12g} + {more:.12g}*x)"
    ratio = f"(1 + {more / use if use else 0.0:.12g}*x)"
    change = f"g_post += {ratio}*R\n    R -= {part}*R\n    x += 1"
    return lines, change, ["synapse.R = 1"]


_SHORT_TERM = {
    "constant": _constant_equations,
    "relaxing_weight": _relaxing_equations,
    "two_factors": _two_factor_equations,
    "graded_spikes": _constant_equations,
}
