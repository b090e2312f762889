"""The notebook *One neuron on Loihi, bit by bit*, and the call that draws its picture."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brian2 import Network, NeuronGroup, PoissonGroup, Synapses, ms

import brian2lava
from brian2lava import lava_device
from brian2lava.chip.one_neuron import Word
from brian2lava.errors import NotSupported, OptionError
from tests.chip.test_on_chip import on_chip

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "one_neuron_on_loihi.ipynb"

#: Runs the cells one after another in one namespace, as a notebook does.
RUN_CELLS = """
import json, sys
names = {"__name__": "__main__"}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
assert names["picture"]._repr_png_()[:4] == b"\\x89PNG"
"""


def test_the_notebook_runs_and_its_claims_hold(tmp_path: Path) -> None:
    """The claims are assertions in its cells: a step by hand is the emulator's, for one."""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", RUN_CELLS, str(NOTEBOOK)],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "100 steps, all integers identical; spikes in steps" in done.stdout
    assert "Recommended: 1 ms, the present one: it has no flags." in done.stdout
    # each bit that is taken away makes the voltage coarser
    lines = done.stdout.split("bits of the threshold")[1].splitlines()[1:7]
    differs = [float(line.split()[3].rstrip("%")) for line in lines]
    assert differs[-1] > 100 * differs[0] and differs[2:] == sorted(differs[2:])


def test_the_notebook_is_kept_without_outputs() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 5 and len({cell["id"] for cell in cells}) == len(cells)
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code)


# ---------------------------------------------------------------- the call
def drawn_network() -> tuple[Network, NeuronGroup]:
    group = NeuronGroup(
        5,
        """dv/dt = (12*mV + i*mV - v + ge + gi)/(20*ms) : volt (unless refractory)
        dge/dt = -ge/(5*ms) : volt
        dgi/dt = -gi/(10*ms) : volt""",
        threshold="v > 15*mV",
        reset="v = -2*mV",
        refractory=2 * ms,
        method="exact",
        name="group",
    )
    group.v = "-1*mV"
    rain = PoissonGroup(20, rates="200*Hz", name="rain")
    excite = Synapses(rain, group, on_pre="ge += 3*mV", name="excite")
    excite.connect()
    inhibit = Synapses(rain, group, on_pre="gi -= 1.4*mV", name="inhibit")
    inhibit.connect()
    return Network(group, rain, excite, inhibit), group


def texts(picture: Any) -> str:
    """All words in a figure."""
    from matplotlib.text import Text

    found = picture.figure.findobj(Text)
    return "\n".join(text.get_text() for text in found)


def test_a_picture_shows_what_the_run_had(tmp_path: Path) -> None:
    with on_chip():
        net, group = drawn_network()
        net.run(30 * ms)
        picture = brian2lava.bit_by_bit(group, neuron=3)
        trace = picture.trace
        chip: Any = lava_device.report().chip
    assert trace.steps == 200 and picture.at == trace.telling
    assert trace.levels == ("u", "u2", "v")
    registers = chip.quantised.network.population("group").registers
    assert trace.registers["bias_mant"] == int(registers["bias_mant"][3])
    # what integers mean is close to floating point before the first spike
    before = slice(0, int(min(*trace.spikes[:1], *trace.expected[:1], trace.steps)))
    assert np.abs(trace.chip["v"] - trace.floating["v"])[before].max() < 0.5e-3  # of 17 mV
    assert trace.integers["u2"].min() < 0 < trace.integers["u"].max()
    shown = texts(picture)
    expected = (
        "v of neuron 3 of 'group' (mV)", "u2 (gi): its 24 bits", "threshold",
        f"dv = {trace.registers['dv']:,}", f"vth = {trace.registers['vth']:,}",
        "17 mV above the reset", "core memory", f"states after step {picture.at}",
    )  # fmt: skip
    for words in expected:
        assert words in shown, words
    path = picture.save(tmp_path / "picture.png")
    assert path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 30_000


def test_it_starts_from_the_states_of_the_run() -> None:
    with on_chip():
        net, group = drawn_network()
        net.run(1 * ms)
        trace = brian2lava.bit_by_bit("group", 0, steps=1, at=0).trace
        chip: Any = lava_device.report().chip
    start = int(chip.quantised.network.population("group").initial["v"][0])
    decayed = (abs(start) * (4096 - trace.registers["dv"])) >> 12
    drive = trace.registers["bias_mant"] << trace.registers["bias_exp"]
    assert trace.integers["v"][0] == decayed + drive + trace.integers["u"][0]


@pytest.mark.parametrize(
    ("word", "bits"),
    [
        (Word("v", 5, 24, 0, "state"), "0" * 21 + "101"),
        (Word("v", -1, 24, 0, "state"), "1" * 24),
        (Word("v", -(1 << 23), 24, 0, "state"), "1" + "0" * 23),
        (Word("w", -228, 8, 7, "level"), "11100100"),
        (Word("dv", 20, 12, 0, "fraction"), "000000010100"),
    ],
)
def test_bits_of_a_word(word: Word, bits: str) -> None:
    assert "".join(str(int(one)) for one in word.ones()) == bits


def test_weights_stand_where_they_are_added() -> None:
    """The bits of a word, where they stand, are what a spike or a step adds."""
    with on_chip():
        net, group = drawn_network()
        net.run(5 * ms)
        trace = brian2lava.bit_by_bit(group).trace
        chip: Any = lava_device.report().chip
    projections = chip.quantised.network.projections
    added = {p.name: int(np.abs(p.weights).max() << (6 + p.exponent)) for p in projections}
    words = {word.name: word for word in trace.words(0)}
    for name, units in added.items():
        word = words[f"w of {name}"]
        digits = "".join(str(int(one)) for one in word.ones())
        assert int(digits, 2) << word.low == units
    vth = words["vth"]
    assert vth.low == 6 and abs((vth.value << 6) / trace.scale - 17e-3) < 1e-6


def test_neurons_of_several_models_can_be_drawn() -> None:
    with on_chip():
        adaptive = NeuronGroup(
            1,
            """dv/dt = (2 - v)/(10*ms) : 1
            dtheta/dt = (1 - theta)/(40*ms) : 1""",
            threshold="v > theta", reset="v = 0; theta += 0.2", method="exact", name="adaptive",
        )  # fmt: skip
        adaptive.theta = 1
        random = NeuronGroup(3, "", threshold="rand() < 0.2", name="random")
        turning = NeuronGroup(
            2,
            """dx/dt = -x/(60*ms) - y/(4*ms) : volt
            dy/dt = x/(4*ms) - y/(60*ms) : volt
            y_before = y : volt (constant over dt)""",
            threshold="x >= 2*mV and y >= 0*volt and y_before < 0*volt", reset="",
            method="euler", name="turning",
        )  # fmt: skip
        turning.x = "3*mV"
        Network(adaptive, random, turning).run(20 * ms)
        shown = texts(brian2lava.bit_by_bit(turning))
        assert "y of neuron 0 of 'turning' (mV)" in shown and "real (x): its 24 bits" in shown
        assert "sin_decay = " in shown
        shown = texts(brian2lava.bit_by_bit("adaptive"))
        assert "theta1 (theta): its 24 bits" in shown and "dtheta1 = " in shown
        assert "Core 0 of Loihi2" in texts(brian2lava.bit_by_bit(random))


def test_what_cannot_be_drawn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_chip():
        lava_device.reinit()
        with pytest.raises(RuntimeError, match="nothing has run in a chip's integers"):
            brian2lava.bit_by_bit()
        net, group = drawn_network()
        net.run(1 * ms)
        with pytest.raises(OptionError, match="the last run had the groups 'group'"):
            brian2lava.bit_by_bit("rain")
        with pytest.raises(OptionError, match=r"has neurons 0\.\.4, and not 5"):
            brian2lava.bit_by_bit(group, 5)
        with pytest.raises(OptionError, match="at least one step"):
            brian2lava.bit_by_bit(group, steps=0)
        with pytest.raises(OptionError, match=r"the steps are 0\.\.9"):
            brian2lava.bit_by_bit(group, at=10)
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        with pytest.raises(NotSupported, match=r"pip install 'brian2lava\[demo\]'"):
            brian2lava.bit_by_bit(group)
