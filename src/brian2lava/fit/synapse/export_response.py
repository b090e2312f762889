"""Scripts that run a fitted static synapse: in Brian2, and in Lava's own processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brian2lava.chip.limits import ALIGNMENT, THRESHOLD
from brian2lava.chip.models import MODELS
from brian2lava.chip.network import Projection
from brian2lava.chip.profiles import Arithmetic
from brian2lava.fit.candidates.candidate import Frame
from brian2lava.fit.candidates.pieces import decay_register, time_constant
from brian2lava.fit.synapse.response_chip import NEURON, SOURCE, Layout, network
from brian2lava.fit.synapse.target import SynapseTarget

#: The membrane of the neuron that a script puts behind a current: not part of the fit.
_TAU_M = 20e-3
#: Units of targets as Brian2 writes them.
_UNITS = {"A": "amp", "S": "siemens", "V": "volt"}
#: What lets lava-nc 0.10 run on Python 3.11 and later; harmless on 3.10.
SHIM = (
    "from brian2lava.processes.shim import install",
    "",
    "install()  # lets lava-nc 0.10 run on Python 3.11 and later",
)
#: Imports of a script of Lava's own processes.
_LAVA_IMPORTS = (
    "from lava.magma.core.run_conditions import RunSteps",
    "from lava.magma.core.run_configs import Loihi2SimCfg",
    "from lava.proc.dense.process import DelayDense",
    "from lava.proc.io.source import RingBuffer",
    "from lava.proc.lif.process import LIF",
    "from lava.proc.monitor.process import Monitor",
    "from lava.utils.weightutils import SignMode",
)


# ------------------------------------------------------------ Brian2
def brian2_script(
    layout: Layout, row: Any, target: SynapseTarget, gain: float, arithmetic: Arithmetic
) -> str:
    """A Brian2 script for ``set_device("lava", hardware="Loihi2")``.

    Time constants and delays are those of the registers. The scale of a neuron is the device's to
    choose, so the mantissas can be others, with the same meaning.
    """
    table = np.asarray(row, np.int64)[None]
    frame = Frame(target.dt, 1.0)
    names = ("g", "g2")[: layout.currents]
    taus = [
        float(time_constant(layout.column(table, n), frame, arithmetic.decay_offset)[0])
        for n in ("du", "du2")[: layout.currents]
    ]
    known = layout.state == "potential"
    dv = layout.column(table, "dv") if known else decay_register(_TAU_M, frame)
    tau_m = float(np.ravel(time_constant(dv, frame))[0])
    hardware = {"lava": "Loihi2", "loihi1": "Loihi1"}[arithmetic.name]
    unit = _UNITS.get(target.unit, "1")
    v_unit, driven = _membrane(unit, known, names)
    reach = 4 * _largest_v(target, tau_m, known)
    decays = "\n".join(
        f"    d{name}/dt = -{name} / {_seconds(tau)} : {unit}" for name, tau in zip(names, taus)
    )
    lines = [
        "from brian2 import *",
        "",
        "import brian2lava",
        "",
        f'set_device("lava", hardware="{hardware}")',
        f"defaultclock.dt = {_seconds(target.dt)}",
        "",
        "source = SpikeGeneratorGroup(1, [0], [0] * second)",
        "neuron = NeuronGroup(",
        "    1,",
        f'    """dv/dt = ({driven} - v) / {_seconds(tau_m)} : {v_unit}',
        f'{decays}""",',
        f'    threshold="v > {reach:.6g}{_times(v_unit)}",  # out of reach of one response',
        f'    reset="v = 0{_times(v_unit)}",',
        '    method="exact",',
        ")",
        *_brian2_synapses(layout, table, names, unit, gain, target.dt),
        f"monitor = StateMonitor(neuron, {['v', *names]!r}, record=True)",
        f"run({len(target.trace)} * defaultclock.dt)",
        f"response = {'monitor.v[0]' if known else ' + '.join(f'monitor.{n}[0]' for n in names)}",
        "print(response[: 20])",
        "print(brian2lava.report())",
    ]
    return "\n".join(lines) + "\n"


def _membrane(unit: str, known: bool, names: Sequence[str]) -> tuple[str, str]:
    """Unit of v, and what drives it."""
    total = " + ".join(names)
    if known:  # the current is given by the potential that it would hold
        return unit, f"({total})"
    if unit == "1":
        return "1", f"({total})"
    factor = {"amp": "ohm", "siemens": "volt / siemens"}.get(unit, f"volt / {unit}")
    return "volt", f"({total}) * {factor}"


def _largest_v(target: SynapseTarget, tau_m: float, known: bool) -> float:
    """An upper bound of v after one spike."""
    if known:
        return abs(target.peak)
    return min(1.0, len(target.trace) * target.dt / tau_m) * abs(target.peak)


def _brian2_synapses(
    layout: Layout, table: Any, names: Sequence[str], unit: str, gain: float, dt: float
) -> list[str]:
    """One Synapses object a synapse that has a weight."""
    lines: list[str] = []
    amounts = (layout.of_synapse(table, "weight") << layout.exponents(table))[0]
    delays = layout.of_synapse(table, "delay")[0]
    dv = layout.column(table, "dv")[0] / 4096 if layout.state == "potential" else 1.0
    for k, port in enumerate(layout.ports):
        if not amounts[k]:
            continue
        # in front of a membrane g is the level that v would reach: a step adds g * dv
        jump = float((amounts[k] << ALIGNMENT) * gain / dv)
        name = f"synapse{k + 1 if len(layout.ports) > 1 else ''}"
        lines += [
            f'{name} = Synapses(source, neuron, on_pre="{names[port]}_post += {jump:.12g}'
            f'{_times(unit)}", delay={_seconds(delays[k] * dt)})',
            f"{name}.connect()",
        ]
    return lines


def _seconds(value: float) -> str:
    """A duration that Brian2 reads back exactly enough for every register."""
    return f"({value * 1e3:.12g}*ms)"


def _times(unit: str) -> str:
    return "" if unit == "1" else f"*{unit}"


# ------------------------------------------------------------ Lava
def lava_script(layout: Layout, row: Any, arithmetic: Arithmetic, steps: int) -> str:
    """A script with exactly these registers: Lava's own processes where it has them.

    CubaLIF2, and other arithmetics than Lava's, are processes of ours.
    """
    made = network(layout, row, arithmetic)
    if layout.model == "LIF" and arithmetic.name == "lava":
        return _own_processes(layout, row, steps)
    registers = {n: int(v[0]) for n, v in made.populations[0].registers.items() if v.ndim}
    lines = [
        "import numpy as np",
        "",
        "from brian2lava.chip.network import ChipNetwork, Population, Projection, SpikeTimes",
        "from brian2lava.chip.profiles import PROFILES",
        "from brian2lava.interop.lava_run import run_lava",
        "",
        f"# {layout.model} in the arithmetic {arithmetic.name!r} is a process of brian2lava's",
        f'neuron = Population("{NEURON}", "{layout.model}", 1, {registers | _threshold()!r})',
        f'source = SpikeTimes("{SOURCE}", 1, np.array([0]), np.array([0]))',
        "synapses = (",
        *(line for projection in made.projections for line in _projection(projection)),
        ")",
        f'arithmetic = PROFILES["{arithmetic.name}"]',
        "chip = ChipNetwork((neuron,), (source,), synapses, arithmetic=arithmetic)",
        f'states = [("{NEURON}", name) for name in {_states(layout)!r}]',
        'if __name__ == "__main__":',
        f"    recorded = run_lava(chip, {steps + 1}, states)",
        "    print(sum(recorded.states[state] for state in states).ravel())",
    ]
    return "\n".join(lines) + "\n"


def _threshold() -> dict[str, int]:
    return {"vth": THRESHOLD.high}


def _states(layout: Layout) -> tuple[str, ...]:
    return ("v",) if layout.state == "potential" else ("u", "u2")[: layout.currents]


def _projection(projection: Projection) -> list[str]:
    n = projection.size
    return [
        f'    Projection("{projection.name}", "{SOURCE}", "{NEURON}", np.zeros({n}, int),'
        f" np.zeros({n}, int),",
        f"               np.array({projection.weights.tolist()}), exponent={projection.exponent},"
        f" delays=np.array({projection.delays.tolist()}), port={projection.port!r}),",
    ]


def _own_processes(layout: Layout, row: Any, steps: int) -> str:
    table = np.asarray(row, np.int64)[None]
    du = int(layout.column(table, "du")[0])
    known = layout.state == "potential"
    dv = int(layout.column(table, "dv")[0]) if known else 0
    weights = layout.of_synapse(table, "weight")[0].tolist()
    delays = layout.of_synapse(table, "delay")[0].tolist()
    exponent = int(layout.column(table, "exponent")[0])
    state = MODELS["LIF"].states[1 if known else 0].name
    membrane = "" if known else "  # dv is not part of the fit"
    lines = [
        "import numpy as np",
        *SHIM,
        *_LAVA_IMPORTS,
        "",
        f"spikes = np.zeros((1, {steps + 1}), int)",
        "spikes[0, 0] = 1",
        "source = RingBuffer(data=spikes)",
        f"neuron = LIF(shape=(1,), du={du}, dv={dv}, vth={THRESHOLD.high}, bias_mant=0){membrane}",
        f"for weight, delay in {list(zip(weights, delays))!r}:",
        "    synapse = DelayDense(",
        "        weights=np.array([[weight]]),",
        "        delays=np.array([[delay]]),",
        f"        weight_exp={exponent},",
        "        num_weight_bits=8,",
        "        sign_mode=SignMode.EXCITATORY if weight >= 0 else SignMode.INHIBITORY,",
        "    )",
        "    source.s_out.connect(synapse.s_in)",
        "    synapse.a_out.connect(neuron.a_in)",
        "",
        'if __name__ == "__main__":',
        "    monitor = Monitor()",
        f"    monitor.probe(neuron.{state}, {steps + 1})",
        f"    neuron.run(condition=RunSteps(num_steps={steps + 1}),"
        ' run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))',
        f"    response = monitor.get_data()[neuron.name][{state!r}].ravel().astype(int)",
        "    neuron.stop()",
        "    print(*response)",
    ]
    return "\n".join(lines) + "\n"
