"""A Brian2 script that has the spikes of a fit when it runs on the device, integer by integer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from brian2lava.chip.arithmetic import DECAY_UNITY, Name, decay, evaluate
from brian2lava.chip.limits import ALIGNMENT, STATE_MAX
from brian2lava.errors import FitError
from brian2lava.fit.export.brian2_forms import Form, form_of
from brian2lava.fit.export.winner import PRINT, Winner, plain_name

#: What the group is called.
_GROUP = "neuron"


def brian2_script(winner: Winner, data: str = "input.npz") -> str:
    """The script.

    Parameters
    ----------
    winner : Winner
    data : str
        The name of the file beside the script with the arrays of :meth:`Winner.data`.

    Raises
    ------
    FitError
        Brian2's equations have no such neuron, or not in its arithmetic.
    """
    return "\n".join(_Script(winner, data).lines()) + "\n"


class _Script:
    def __init__(self, winner: Winner, data: str) -> None:
        self.winner, self.data = winner, data
        self.settings, self.drive = winner.found.settings, winner.found.frame.drive
        self.form: Form = form_of(self.settings, self.drive)
        self.biased = self.drive == "bias"
        #: steps of rest before the first of the stimulus
        self.rest = 1 if self.form.late else 0

    def lines(self) -> Iterator[str]:
        """All lines."""
        yield from self._head()
        yield from self._stimulus()
        for name, text in self.form.constants.items():
            yield f"{name} = {text}"
        yield from self._neuron()
        yield from self._run()
        yield from (
            "",
            f"steps = np.rint(spikes.t / step).astype(int){' - 1' if self.rest else ''}",
            'for sweep, length in enumerate(data["steps"]):',
            "    train = steps[(spikes.i == sweep) & (steps < length)]",
            PRINT,
        )

    def _head(self) -> Iterator[str]:
        winner = self.winner
        chip = "Loihi2" if winner.arithmetic.name == "lava" else "Loihi1"
        title = winner.found.candidate.title
        yield f'"""{winner.found.candidate.name} ({title}) in the place of {plain_name(winner)}.'
        yield ""
        yield "Prints the steps in which it fires: those of the fit, for all integers are the same."
        yield '"""'
        names = ["Network", "NeuronGroup", "SpikeMonitor", "defaultclock", "second", "set_device"]
        names += ["Synapses"] if self.form.jumps else []
        names += ["TimedArray"] if self.form.inputs else []
        names += ["hertz"] if any("hertz" in each for each in self.form.equations) else []
        yield from (
            "",
            "from pathlib import Path",
            "",
            "import numpy as np",
            f"from brian2 import {', '.join(sorted(names, key=str.lower))}",
            "",
            "import brian2lava  # noqa: F401  its device is known from here on",
            "",
            f"SCALE = {self.form.scale}  # of the chip's units are one unit of the voltage",
            f'set_device("lava", hardware="{chip}", scales={{"{_GROUP}": SCALE}})',
            f"defaultclock.dt = {winner.target.dt!r} * second",
            "step = defaultclock.dt",
            "",
            f'data = np.load(Path(__file__).with_name("{self.data}"))',
        )

    def _stimulus(self) -> Iterator[str]:
        if self.biased:
            exponent = int(self.settings.registers["bias_exp"][0])
            yield f'levels = data["bias_mant"] * 2**{exponent} / SCALE  # (steps, sweeps)'
        for name, (port, late) in self.form.inputs.items():
            weight = f"{self.settings.weights[port, 0]} * 2**{self.settings.exponents[port, 0]}"
            array = "arriving" if port == 0 else f"arriving{port + 1}"
            yield f"# payloads times the weight {weight}, in {1 << ALIGNMENT} of the chip's units"
            yield f'{array} = data["{array}"] * {1 << ALIGNMENT} / SCALE  # (steps, sweeps)'
            if self.rest and not late:
                yield f"{array} = np.concatenate([np.zeros_like({array}[:1]), {array}])"
            yield f"{name} = TimedArray({array}, dt=step)"

    def _neuron(self) -> Iterator[str]:
        form = self.form
        refractory = f"\n    refractory={form.refractory} * step," if form.refractory else ""
        equations = "\n".join(f"    {each}" for each in form.equations)
        yield f'''
{_GROUP} = NeuronGroup(
    len(data["steps"]),  # one a sweep
    """
{equations}
    """,
    threshold="{form.threshold}",
    reset="{form.reset}",{refractory}
    method="euler",
    name="{_GROUP}",
)'''
        for name, text in form.initial.items():
            if name != "bias":
                yield f"{_GROUP}.{name} = {text}"
        if form.jumps:
            jumps = "; ".join(f"{name}_post += {jump!r}" for name, jump in form.jumps.items())
            yield f'own = Synapses({_GROUP}, {_GROUP}, on_pre="{jumps}")'
            yield 'own.connect(j="i")'
        yield f"spikes = SpikeMonitor({_GROUP})"
        own = ", own" if form.jumps else ""
        yield f"network = Network({_GROUP}, spikes{own})"

    def _run(self) -> Iterator[str]:
        if self.rest:
            yield "# on the chip v feels a current in the step in which it comes, in Brian2 in the"
            yield "# next one: so the run begins one step earlier, with a v of which 0 is left"
            yield f"{_GROUP}.v = {self._v()} / SCALE"
        if not self.biased and "bias" in self.form.initial:
            yield f"{_GROUP}.bias = {self.form.initial['bias']}"
        length = "len(levels)" if self.biased else 'len(data["payload"])'
        rest = " + step" if self.rest else ""
        if not (self.biased or self.form.resets):
            yield f"network.run({length} * step{rest})"
            return
        yield from ["network.run(step)"] if self.rest else []
        yield "begins = {0}"
        if self.biased:
            yield "# the host writes the bias wherever it changes"
            yield "begins.update(np.flatnonzero(np.any(np.diff(levels, axis=0), axis=1)) + 1)"
        if self.form.resets:
            yield from self._resets(length)
        yield f"times = [*sorted(begins), {length}]"
        yield "for begin, end in zip(times[:-1], times[1:]):"
        if self.biased:
            yield f"    {_GROUP}.bias = levels[begin]"
        if self.form.resets:
            yield "    if begin in resets:"
            yield f"        {_GROUP}.v = 0"
            for name in self.form.late:
                yield f"        {_GROUP}.{name} = first_{name}[begin]"
        yield "    network.run((end - begin) * step)"

    def _v(self) -> int:
        """The v of which, with the bias, 0 is left after a step."""
        r = self.settings.registers
        dv = int(r["delta_v" if self.settings.model == "ATRLIF" else "dv"][0])
        bias = int(r["bias_mant"][0]) << int(r["bias_exp"][0])
        whole = -(-abs(bias) * DECAY_UNITY // (DECAY_UNITY - dv))
        if whole > STATE_MAX:
            raise FitError(
                f"{self.settings.model}: its voltage loses {dv} of {DECAY_UNITY} in a step and gets"
                f" the bias {bias}; no v before the first step leaves 0. Export the Lava script"
                " instead."
            )
        return -whole if bias > 0 else whole

    def _resets(self, length: str) -> Iterator[str]:
        assert self.form.resets is not None
        interval, offset = self.form.resets
        begins = range((offset - 1) % interval, max(self.winner.steps), interval)
        yield "# the chip sets v and its currents to 0 before these steps"
        yield f"resets = range({begins.start}, {length}, {interval})"
        yield "begins.update(resets)"
        for name, lost in self.form.late.items():
            yield f"# {name} is then what comes in the step, before it decays"
            values = self._before_decay(name, lost, np.array(begins, int)) if begins else []
            pairs = ", ".join(f"{begin}: {row}" for begin, row in zip(begins, values))
            yield f"first_{name} = {{{pairs}}}"

    def _before_decay(self, name: str, lost: int, steps: Any) -> list[list[float]]:
        """What a current is before ``steps``, so that just what arrives there is left of it.

        That is the integer U with dec(U, lost) = 64 a; Brian2 counts what will be left.
        """
        port = "arriving" if name == "u" else "arriving2"
        wanted = self.winner.data()[port][steps].astype(np.int64) << ALIGNMENT
        kept = DECAY_UNITY - lost
        whole = -(-np.abs(wanted) * DECAY_UNITY // kept) if kept else np.abs(wanted) * 0
        found = np.sign(wanted) * whole
        left = evaluate(decay(Name("u"), Name("d")), {"u": found, "d": np.int64(lost)}, 64)
        if np.any(left != wanted) or np.any(whole > STATE_MAX):
            raise FitError(
                f"{self.settings.model}: its current loses {lost} of {DECAY_UNITY} in a step, and"
                f" {int(np.abs(wanted).max()) >> ALIGNMENT} arrives in the step of a reset; no"
                " value before the step leaves that. Export the Lava script instead."
            )
        return [[float(u) for u in row * (kept / DECAY_UNITY) / self.form.scale] for row in found]
