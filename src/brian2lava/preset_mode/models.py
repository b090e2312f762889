"""The eleven models of Brian2Lava 1.0 beta, in Brian2's equations.

Names of models, variables and parameters are those of brian2lava 1.0.0b2 (its ``model_lib``), so
that scripts find them; units and signs are in Brian2's equations, and what a chip makes of them
shows :mod:`brian2lava.chip.recognise`, as it does for any other model.
"""

from __future__ import annotations

from collections.abc import Mapping

from brian2lava.preset_mode.preset_model import Entry, PresetModel

_OVER_THRESHOLD = "v > v_th"
_TO_RESET = ("v = v_rs",)

_V = Entry("v", "membrane voltage")
_J = Entry("j", "synaptic current, as a rate of the voltage", "volt/second")
_V_PSP = Entry("v_psp", "postsynaptic potential that decays")
_BIAS = Entry("bias", "constant drive, as the voltage it leads to")
_BIAS_RATE = Entry("bias", "constant drive, as a rate of the voltage", "volt/second")
_TAU_V_IND = Entry("tau_v_ind", "membrane time constant of each neuron", "second")

_TAU_J = Entry("tau_j", "time constant of the current", "second")
_TAU_V = Entry("tau_v", "membrane time constant", "second")
_TAU_PSP = Entry("tau_psp", "time constant of postsynaptic potentials", "second")
_V_TH = Entry("v_th", "threshold")
_V_RS = Entry("v_rs", "reset")
_V_REV = Entry("v_rev", "voltage at rest")
_T_RP = Entry("t_rp", "refractory period, for refractory=", "second")
_W = Entry("w", "weight of a synapse: on_pre='v_post += w'")
_W_RATE = Entry("w", "weight of a synapse: on_pre='j_post += w'", "volt/second")
_W_PSP = Entry("w", "weight of a synapse: on_pre='v_psp_post += w'")


def _lif(
    name: str,
    process_name: str,
    description: str,
    equations: str,
    variables: tuple[Entry, ...],
    parameters: tuple[Entry, ...],
    held: bool = False,
    on_chip: str = "LIF",
) -> PresetModel:
    """A leaky neuron that fires above v_th and is set to v_rs."""
    return PresetModel(
        name=name,
        process_name=process_name,
        description=description,
        string_equations=equations,
        threshold=_OVER_THRESHOLD,
        resets=_TO_RESET,
        held=held,
        on_chip=on_chip,
        variables=variables,
        parameters=(_V_TH, _V_RS, *parameters),
    )


_MODELS = (
    _lif(
        "lif",
        "LIF",
        "A leaky neuron whose synapses feed a current that decays.",
        "dj/dt = -j/tau_j : volt/second\n"
        "dv/dt = -v/tau_v + j + bias : volt\n"
        "bias : volt/second",
        (_J, _V, _BIAS_RATE),
        (_TAU_J, _TAU_V, _W_RATE),
    ),
    _lif(
        "lif_delta_v_input",
        "LIF_delta_v_input",
        "A leaky neuron whose voltage jumps with each spike that arrives.",
        "dv/dt = (-v + bias)/tau_v : volt\nbias : volt",
        (_V, _BIAS),
        (_TAU_V, _W),
    ),
    _lif(
        "lif_delta_v_input_v_rev",
        "LIF_delta_v_input_v_rev",
        "As lif_delta_v_input, with a voltage at rest other than 0.",
        "dv/dt = (v_rev - v + bias)/tau_v : volt\nbias : volt",
        (_V, _BIAS),
        (_TAU_V, _V_REV, _W),
    ),
    _lif(
        "lif_delta_v_input_v_rev_tau_v_ind",
        "LIF_delta_v_input_v_rev_tau_v_ind",
        "As lif_delta_v_input_v_rev, with a membrane time constant for each neuron.",
        "dv/dt = (v_rev - v + bias)/tau_v_ind : volt\nbias : volt\ntau_v_ind : second",
        (_V, _BIAS, _TAU_V_IND),
        (_V_REV, _W),
    ),
    _lif(
        "lif_rp_delta_v_input",
        "LIF_rp_delta_v_input",
        "As lif_delta_v_input, with a refractory period.",
        "dv/dt = (-v + bias)/tau_v : volt (unless refractory)\nbias : volt",
        (_V, _BIAS),
        (_TAU_V, _T_RP, _W),
        held=True,
    ),
    _lif(
        "lif_rp_v_input",
        "LIF_rp_v_input",
        "A leaky neuron with postsynaptic potentials that decay, and a refractory period.",
        "dv_psp/dt = -v_psp/tau_psp : volt\n"
        "dv/dt = (-v + v_psp + bias)/tau_v : volt (unless refractory)\n"
        "bias : volt",
        (_V_PSP, _V, _BIAS),
        (_TAU_PSP, _TAU_V, _T_RP, _W_PSP),
        held=True,
    ),
    _lif(
        "lif_v_input_v_rev",
        "LIF_v_input_v_rev",
        "A leaky neuron with postsynaptic potentials that decay, and a voltage at rest.",
        "dv_psp/dt = -v_psp/tau_psp : volt\n"
        "dv/dt = (v_rev - v + v_psp + bias)/tau_v : volt\n"
        "bias : volt",
        (_V_PSP, _V, _BIAS),
        (_TAU_PSP, _TAU_V, _V_REV, _W_PSP),
    ),
    _lif(
        "lif_predef_stim_versatile",
        "LIF_predef_stim_versatile",
        "A leaky neuron with noise, a stimulus prescribed for each neuron and step, and a membrane"
        " time constant for each neuron.",
        "dv/dt = (v_rev - v + bias + sigma_bg*xi)/tau_v_ind : volt\n"
        "bias = R*(I_stim_pA(t, i)*pA + I_bg_mean) : volt\n"
        "tau_v_ind : second",
        (_V, Entry("bias", "drive by the stimulus, as the voltage it leads to"), _TAU_V_IND),
        (
            _V_REV,
            Entry("sigma_bg", "strength of the noise", "volt*second**0.5"),
            Entry("R", "membrane resistance", "ohm"),
            Entry("I_stim_pA", "stimulus in pA: a TimedArray of shape (steps, N)", "1"),
            Entry("I_bg_mean", "mean background current", "amp"),
            _W,
        ),
    ),
    PresetModel(
        name="atrlif",
        process_name="ATRLIF",
        description="A leaky neuron whose spikes raise its threshold and a refractory voltage; both"
        " relax, the threshold to 2*theta_0.",
        string_equations="dj/dt = -j/tau_j : volt/second\n"
        "dv/dt = -v/tau_v + j + bias : volt\n"
        "dtheta/dt = (-(theta-theta_0) + theta_0)/tau_theta : volt\n"
        "dr/dt = -r/tau_r : volt",
        threshold="v-r > theta",
        resets=("r = r + 2*theta", "theta = theta + theta_step"),
        on_chip="ATRLIF",
        variables=(
            _J,
            _V,
            Entry("theta", "threshold of v - r"),
            Entry("r", "refractory voltage"),
        ),
        parameters=(
            _TAU_J,
            _TAU_V,
            Entry("tau_theta", "time constant of the threshold", "second"),
            Entry("tau_r", "time constant of the refractory voltage", "second"),
            Entry("theta_0", "half of what the threshold relaxes to"),
            Entry("theta_step", "what a spike adds to the threshold"),
            _BIAS_RATE,
            _W_RATE,
        ),
    ),
    PresetModel(
        name="probspiker",
        process_name="ProbSpiker",
        description="Fires in each step with a given probability.",
        string_equations="rnd = rand() : 1 (constant over dt)\np_spike : 1",
        threshold="rnd < p_spike",
        variables=(
            Entry("rnd", "the number that is drawn in each step, uniform in 0..1", "1"),
            Entry("p_spike", "probability of a spike in a step", "1"),
        ),
        on_chip="ProbSpiker",
    ),
    PresetModel(
        name="timespiker",
        process_name="TimeSpiker",
        description="Fires from a given step on, as often as its refractory period lets it.",
        string_equations="x : 1\nt_steps = int(t/dt) : 1\nt_spike_steps : 1",
        threshold="t_steps > t_spike_steps",
        held=True,
        variables=(
            Entry("x", "does nothing: what synapses onto the model may add to", "1"),
            Entry("t_steps", "number of the step", "1"),
            Entry("t_spike_steps", "step after which it fires", "1"),
        ),
        parameters=(_T_RP,),
        on_chip="spikes that the host sends",
    ),
)  # fmt: skip

#: The models by name, in the order of this file.
PRESETS: Mapping[str, PresetModel] = {model.name: model for model in _MODELS}
