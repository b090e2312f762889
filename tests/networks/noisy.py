"""Noisy scripts, drawn at random: many neurons that know nothing of each other.

So the neurons are independent draws from one distribution, and two devices can be compared by it.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.networks.equations import numbers, terms, times

#: Neurons in each group.
SIZE = 1500

_RESETS = ("v = 0.1*rand()", "v = 0.1*randn()", "v -= 0.7*(1 + rand())", "v = 0")
_AFTER_RESET = ("", "; a += 0.02*poisson(1.7)", "; g *= rand()", "; a -= 0.05*randn()")
_REFRACTORY = ("False", "1.5*ms", "'1*ms + 2*ms*rand()'", "'v > 0.5 + 0.1*rand()'")
_THRESHOLDS = ("v > 0.9", "v > 0.8 + 0.2*rand()", "rand() < 0.03*clip(v, 0, 1)")


@st.composite
def noisy_scripts(draw: st.DrawFn) -> str:
    """The text of a script whose group ``G`` and monitor ``spikes`` hold the results."""
    additive = draw(st.booleans())
    size = draw(numbers(0.2, 0.6))
    noise = f"{size}*xi_1" if additive else f"{size}*(1 + 0.3*tanh(v))*xi_1"
    method = draw(st.sampled_from(("euler", "heun") if additive else ("heun", "milstein")))
    second = draw(st.sampled_from(("", " + 0.2*xi_2*(10*ms)**-0.5")))
    held = draw(st.sampled_from(("0", "0.3*randn()", "0.5*rand()")))
    inputs = draw(st.lists(st.sampled_from(("group", "input", "regular")), max_size=3, unique=True))
    lines = [
        "from brian2 import *",
        f"G = NeuronGroup({SIZE}, '''",
        f"dv/dt = (1.1 + {draw(numbers(0.1, 0.5))}*{draw(terms())} + 0.4*g + held - v)/(10*ms)",
        f"    + {noise}*(10*ms)**-0.5 : 1",
        f"da/dt = (0.3*v - a)/({draw(times(10, 30))}){second if additive else ''} : 1",
        "dg/dt = -g/(4*ms) : 1",
        f"held = {held} : 1 (constant over dt)",
        "p : 1",
        f"''', threshold='{draw(st.sampled_from(_THRESHOLDS))}',",
        f"    reset='{draw(st.sampled_from(_RESETS))}{draw(st.sampled_from(_AFTER_RESET))}',",
        f"    refractory={draw(st.sampled_from(_REFRACTORY))}, method='{method}')",
        "G.v = 'rand()'",
        "G.p = '0.3*randn()'",
    ]
    if "group" in inputs:
        lines += [
            f"P = PoissonGroup({SIZE}, '{draw(st.integers(20, 200))}*Hz*(1 + 0.5*sin(t/(3*ms)))')",
            "S = Synapses(P, G, on_pre='g_post += 0.3*rand()')",
            "S.connect(j='i')",
            "S.delay = '5*ms*rand()'",
        ]
    if "input" in inputs:
        lines.append(
            f"I = PoissonInput(G, 'g', {draw(st.sampled_from((5, 80)))}, "
            f"{draw(st.integers(10, 60))}*Hz, 0.03)"
        )
    if "regular" in inputs:
        lines.append("G.run_regularly('g += 0.1*binomial_of_four()', dt=1*ms)")
        lines.insert(1, "binomial_of_four = BinomialFunction(4, 0.3, approximate=False)")
    lines += ["spikes = SpikeMonitor(G)", "net = Network(collect())", "net.run(20*ms)"]
    return "\n".join(lines)
