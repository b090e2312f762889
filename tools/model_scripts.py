"""Brian2 equations that become each chip model, as docs/what_your_model_becomes shows them.

A script makes one group; names, units, the order of terms and the integrator are up to its writer.
A test recognises every one of them.
"""

from __future__ import annotations

from collections.abc import Mapping

_LIF = '''
group = NeuronGroup(
    100,
    """
    dv/dt = (-70*mV - v + I)/(20*ms) : volt (unless refractory)
    dI/dt = -I/(5*ms) : volt
    """,
    threshold="v > -50*mV",
    reset="v = -60*mV",
    refractory=4 * ms,
    method="exact",
)
# on_pre="I += w"; without I, v += w
'''

#: The group of each model; None where no equations become it.
SCRIPTS: Mapping[str, str | None] = {
    "LIF": _LIF,
    "LIFReset": None,
    "TernaryLIF": '''
group = NeuronGroup(
    100,
    """
    dv/dt = (I - v)/(20*ms) : volt
    dI/dt = -I/(8*ms) : volt
    """,
    threshold="v > 4*mV or v < -3*mV",
    reset="v = 0*mV",
    method="exact",
)
# on_pre="I += w"
''',
    "CubaLIF2": '''
group = NeuronGroup(
    100,
    """
    dv/dt = (-49*mV - v + ge + gi)/(20*ms) : volt (unless refractory)
    dge/dt = -ge/(5*ms) : volt
    dgi/dt = -gi/(10*ms) : volt
    """,
    threshold="v > -50*mV",
    reset="v = -60*mV",
    refractory=5 * ms,
    method="exact",
)
# on_pre="ge += we", on_pre="gi += wi"
''',
    "ALIF": '''
group = NeuronGroup(
    100,
    """
    dv/dt = (12*mV - v + I)/(20*ms) : volt
    dI/dt = -I/(8*ms) : volt
    dtheta/dt = -theta/(40*ms) : volt
    """,
    threshold="v > 10*mV + theta",
    reset="v = 0*mV; theta += 3*mV",
    method="exact",
)
# on_pre="I += w"
''',
    "LIFSoft": '''
group = NeuronGroup(
    100,
    """
    dv/dt = (I - v)/(20*ms) : volt
    dI/dt = -I/(8*ms) : volt
    """,
    threshold="v > 10*mV",
    reset="v -= 10*mV",
    method="exact",
)
# on_pre="I += w"
''',
    "ATRLIF": '''
group = NeuronGroup(
    100,
    """
    dv/dt = (I - v)/(20*ms) : volt
    dI/dt = -I/(8*ms) : volt
    dtheta/dt = (5*mV - theta)/(40*ms) : volt
    dr/dt = -r/(15*ms) : volt
    """,
    threshold="v - r >= theta",
    reset="r += 2*theta; theta += 2*mV",
    method="exact",
)
group.theta = 5 * mV  # at its rest
# on_pre="I += w"
''',
    "RF": '''
group = NeuronGroup(
    100,
    """
    dx/dt = -d*x - omega*y : volt
    dy/dt = omega*x - d*y : volt
    y_before = y : volt (constant over dt)
    """,
    threshold="x >= 2*mV and y >= 0*mV and y_before < 0*mV",
    reset="",
    method="exact",
    namespace={"d": 15 * Hz, "omega": 2 * pi * 40 * Hz},
)
# on_pre="x += w"
''',
    "RF_IZ": '''
group = NeuronGroup(
    100,
    """
    dx/dt = -d*x - omega*y : volt
    dy/dt = omega*x - d*y : volt
    """,
    threshold="y >= 2*mV",
    reset="x = 0*mV; y = 2*mV",
    method="exact",
    namespace={"d": 15 * Hz, "omega": 2 * pi * 40 * Hz},
)
# on_pre="x += w", on_pre="y += w"
''',
    "ProbSpiker": """
group = NeuronGroup(100, "rate : Hz", threshold="rand() < rate*dt")
group.rate = 40 * Hz
""",
}

#: What a script's comments name as the target of synapses, for the test.
DRIVEN: Mapping[str, tuple[str, ...]] = {
    "CubaLIF2": ("ge", "gi"),
    "RF": ("x",),
    "RF_IZ": ("x", "y"),
    "ProbSpiker": (),
}

#: Where something has to be known of the equations, beside what the page says of the model.
REMARKS: Mapping[str, str] = {
    "LIFReset": (
        "No equations of a group become it: `run_regularly` is refused on a chip. It is there for"
        " networks that are built in the chip's registers (`brian2lava.chip.network`)."
    ),
    "RF": (
        "`y_before` is `y` at the start of the step, which is all that an upward crossing needs."
        " Where synapses act on `y` too, the value without their input is compared: declare"
        ' `y_before : volt`, and `group.run_regularly("y_before = y", when="after_thresholds")`.'
        " A weight onto one part turns once before the next threshold, so that it becomes two"
        " synapses on the chip. With equations that Brian2's `exact` can't integrate take `rk4`;"
        " `euler` makes oscillations grow, which is refused."
    ),
    "RF_IZ": (
        "The reset puts `y` to its own threshold; the chip's is one unit of the state below it."
        " An input that arrives in the step of a spike is erased by Brian2's reset and kept by the"
        " chip."
    ),
    "ATRLIF": (
        '`reset="theta += b; r += 2*theta"` is ATRLIF as well, with a threshold that is higher'
        " by `b`. `r` may have a unit of its own (`v >= theta + r*R`)."
    ),
}


def script(group: str) -> list[str]:
    """The lines of a script, from its first import to the group."""
    return [
        "from brian2 import *",
        "import brian2lava",
        "",
        'set_device("lava", hardware="Loihi2")',
        *group.strip().splitlines(),
    ]
