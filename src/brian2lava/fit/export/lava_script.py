"""A Lava script that has the spikes of a fit: Lava's own process where there is one, else ours."""

from __future__ import annotations

from collections.abc import Iterator

from brian2lava.chip.models import MODELS
from brian2lava.chip.network import Population
from brian2lava.chip.profiles import LAVA
from brian2lava.errors import FitError
from brian2lava.fit.export.winner import PRINT, Winner, plain_name
from brian2lava.fit.network import NEURON, network_of


def lava_script(winner: Winner, data: str = "input.npz") -> str:
    """The script.

    Parameters
    ----------
    winner : Winner
    data : str
        The name of the file beside the script with the arrays of :meth:`Winner.data`.

    Raises
    ------
    FitError
        Lava has no process for it, and ours can't have a register written in each step.
    """
    lines = _stock(winner) if is_stock(winner) else _ours(winner)
    doc = [
        f'"""{winner.found.candidate.name} in the place of {plain_name(winner)}, in Lava.',
        "",
        "Prints the steps in which it fires, sweep by sweep, counted from 0.",
        '"""',
        "",
        "from pathlib import Path",
        "",
        "import numpy as np",
    ]
    main = [
        "",
        "",
        'if __name__ == "__main__":',
        f'    data = np.load(Path(__file__).with_name("{data}"))',
        '    for sweep, length in enumerate(data["steps"]):',
        "        train = spikes_of(data, sweep, int(length))",
        "    " + PRINT,
    ]
    return "\n".join([*doc, *lines, *main]) + "\n"


def is_stock(winner: Winner) -> bool:
    """Whether a process of Lava's library computes it."""
    from brian2lava.interop.stock_neurons import why_ours

    return not why_ours(_population(winner), winner.arithmetic) and not (
        winner.found.settings.recurrent
    )


def _population(winner: Winner) -> Population:
    settings = winner.found.settings
    registers = {name: int(values[0]) for name, values in settings.registers.items()}
    return Population(NEURON, settings.model, 1, registers)


# ---------------------------------------------------------------- Lava's own
def _stock(winner: Winner) -> Iterator[str]:
    from brian2lava.interop.stock_neurons import stock_arguments

    settings, biased = winner.found.settings, winner.found.frame.drive == "bias"
    arguments = stock_arguments(_population(winner))
    module, _, process = str(MODELS[settings.model].lava).rpartition(".")
    yield from (
        "",
        "from brian2lava.processes.shim import install",
        "",
        "install()  # Lava on Python 3.11 and later, and on NumPy 2; else not needed",
        "",
        "from lava.magma.core.run_conditions import RunSteps  # noqa: E402",
        "from lava.magma.core.run_configs import Loihi2SimCfg  # noqa: E402",
    )
    if not biased:
        yield "from lava.proc.dense.process import Dense  # noqa: E402"
    yield "from lava.proc.io.sink import RingBuffer as Sink  # noqa: E402"
    if not biased:
        yield "from lava.proc.io.source import RingBuffer as Source  # noqa: E402"
    yield f"from {module} import {process}  # noqa: E402"
    yield from (
        "",
        "",
        "def spikes_of(data, sweep, length):",
        f"    neuron = {process}(",
        "        shape=(1,),",
        *(f"        {name}={value!r}," for name, value in arguments.items()),
        "    )",
        *_exactly(winner),
        "    sink = Sink(shape=(1,), buffer=length)",
        "    neuron.s_out.connect(sink.a_in)",
        '    config = Loihi2SimCfg(select_tag="fixed_pt")',
    )
    yield from _biased() if biased else _graded(winner)
    yield from (
        "    spikes = sink.data.get()[0]",
        "    neuron.stop()",
        "    return np.flatnonzero(spikes)",
    )


def _exactly(winner: Winner) -> Iterator[str]:
    """What the process computes from its arguments, and may round, is set."""
    from brian2lava.interop.stock_neurons import stock_settings

    for name, value in stock_settings(_population(winner)).items():
        yield f"    neuron.{name}.init = {value}"


def _graded(winner: Winner) -> Iterator[str]:
    settings = winner.found.settings
    weight, exponent = int(settings.weights[0, 0]), int(settings.exponents[0, 0])
    port = MODELS[settings.model].ports[0]
    yield from (
        "    # graded spikes reach the neuron one step after they were sent",
        '    payload = data["payload"][:length, sweep].astype(np.int32)',
        "    source = Source(data=np.append(payload[1:], 0)[None])",
        f"    synapse = Dense(weights=np.array([[{weight}]]), weight_exp={exponent},"
        " num_message_bits=24)",
        "    source.s_out.connect(synapse.s_in)",
        f"    synapse.a_out.connect(neuron.{port})",
        "    # so the first one comes without a synapse",
        "    first = np.zeros((1, length), np.int32)",
        '    first[0, 0] = data["arriving"][0, sweep]',
        "    start = Source(data=first)",
        f"    start.s_out.connect(neuron.{port})",
        "    neuron.run(RunSteps(length), config)",
    )


def _biased() -> Iterator[str]:
    yield from (
        '    levels = data["bias_mant"][:length, sweep]',
        "    begins = np.append(0, np.flatnonzero(np.diff(levels)) + 1)",
        "    neuron.bias_mant.init = levels[0]",
        "    for begin, end in zip(begins, np.append(begins[1:], length)):",
        "        if begin:  # the host writes the bias wherever it changes",
        "            neuron.bias_mant.set(levels[[begin]])",
        "        neuron.run(RunSteps(int(end - begin)), config)",
    )


# ---------------------------------------------------------------- ours
def _ours(winner: Winner) -> Iterator[str]:
    settings = winner.found.settings
    if winner.found.frame.drive == "bias":
        raise FitError(
            f"{settings.model} is no process of Lava's, and a bias can't be written in each step of"
            " ours. Export the Brian2 script instead."
        )
    from brian2lava.fit.batch import Stimulus

    network = network_of(settings, Stimulus([0.0]), arithmetic=winner.arithmetic)
    registers = {name: int(values[0]) for name, values in settings.registers.items()}
    names = ["ChipNetwork", "Population", "Stimulus"]
    names += ["Projection"] if network.projections else []
    arithmetic = "LAVA" if winner.arithmetic == LAVA else winner.arithmetic.name.upper()
    yield from (
        "",
        f"from brian2lava.chip.network import {', '.join(sorted(names))}",
        f"from brian2lava.chip.profiles import {arithmetic}",
        "from brian2lava.interop.lava_run import run_lava",
        "",
        "",
        "def spikes_of(data, sweep, length):",
        "    # a process of ours: Lava's library has none that computes this",
        "    population = Population(",
        f'        "{NEURON}",',
        f'        "{settings.model}",',
        "        1,",
        f"        {registers!r},",
        "    )",
        "    stimuli = (",
    )
    arrays = dict(zip(MODELS[settings.model].ports, ("arriving", "arriving2")))
    for k, port in enumerate(MODELS[settings.model].ports):
        if k == 0 or settings.weights[k].any():
            yield (
                f'        Stimulus("{port}", "{NEURON}", data["{arrays[port]}"][:length, sweep],'
                f' "{port}"),'
            )
    yield "    )"
    yield "    own = ("
    for each in network.projections:
        yield (
            f'        Projection("{each.name}", "{NEURON}", "{NEURON}", [0], [0],'
            f" {each.weights.tolist()}, exponent={each.exponent}, port={each.port!r}),"
        )
    yield from (
        "    )",
        f"    network = ChipNetwork((population,), (), own, stimuli, {arithmetic})",
        f'    return run_lava(network, length).spikes["{NEURON}"][0]',
    )
