"""docs/through_nir.md, and every kind of NIR's nodes in a chip's integers."""

from __future__ import annotations

import io
import re
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from brian2 import second

import brian2lava
from brian2lava.errors import NotSupported
from tests.chip.test_on_chip import on_chip
from tests.networks.devices import reference
from tests.test_nir import DT, GRAPHS, PAPER, chain, events, lif, run, simulate, weights

STEPS = 150


def kinds() -> list[str]:
    """All that a chip can have."""
    return [name for name in GRAPHS if name != "voltages into neurons"]


@pytest.mark.parametrize("name", kinds())
def test_every_kind_of_node_runs_in_a_chips_integers(name: str) -> None:
    """As many spikes as NIR's equations have, to a hundredth; voltages of what does not fire.

    Without a leak the rounding of weights adds up, and some spikes come a step early or late.
    """
    moved = 0.12 if name == "Conv2d, AvgPool" else 0.02
    graph = GRAPHS[name]()
    x = events(STEPS, graph.nodes["input"].input_type["input"], 0.08, seed=3)
    theirs = simulate(graph, x, DT)
    with on_chip():
        ours = run(brian2lava.from_nir(graph, DT * second, check_gains=False), STEPS, x)
    for node, values in ours.items():
        expected = theirs[node].reshape(STEPS, -1)
        if isinstance(graph.nodes[node], nir.LI | nir.CubaLI | nir.I | nir.Output):
            assert np.abs(values - expected).max() < 0.002 * np.ptp(expected), node
        else:
            assert expected.sum() > 15, node
            assert abs(values.sum() - expected.sum()) <= 0.01 * expected.sum(), node
            assert np.abs(values - expected).sum() <= moved * expected.sum(), node


def test_voltages_are_no_input_of_a_chips_neuron() -> None:
    with on_chip():
        made = brian2lava.from_nir(GRAPHS["voltages into neurons"](), DT * second)
        with pytest.raises(NotSupported, match="'b_to_d'"):
            run(made, 3)


def nested(reset: str) -> Any:
    """A loop inside a graph that stands between two layers."""
    inner = nir.NIRGraph(
        nodes={
            "in": nir.Input(input_type={"input": np.array([2])}),
            "lif": lif(v_reset=0),
            "back": nir.Linear(weight=weights(2, 2, 4, -0.5)),
            "out": nir.Output(output_type={"output": np.array([2])}),
        },
        edges=[("in", "lif"), ("lif", "back"), ("back", "lif"), ("lif", "out")],
        type_check=False,
    )
    inner.nodes["lif"].metadata = {"reset": reset}
    return chain(nir.Linear(weight=weights(2, 3)), inner, nir.Linear(weight=weights(2, 2)), lif())


@pytest.mark.parametrize("reset", ["v_reset", "subtract"])
def test_both_resets_in_a_nested_loop_there_and_back(reset: str) -> None:
    """On the chip, and through a graph that only the Brian2 objects were written to."""
    x = events(STEPS, 3, 0.08)
    with reference():
        made = brian2lava.from_nir(nested(reset), DT * second)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*takes the threshold off v")
            back = brian2lava.to_nir(made.network)
        expected = run(made, STEPS, x)["b.lif"]
        again = run(brian2lava.from_nir(back), STEPS, x)
    assert expected.sum() > 20
    np.testing.assert_array_equal(again["b_lif"], expected)
    with on_chip():
        made = brian2lava.from_nir(nested(reset), DT * second)
        assert made.resets["b.lif"] == reset
        found = run(made, STEPS, x)["b.lif"]
    assert np.abs(found - expected).sum() <= 0.05 * expected.sum()


def test_the_papers_lif_goes_on_to_lava(tmp_path: Path) -> None:
    """The four spikes of Lava's own run of it, in a package for lava-nc alone."""
    from tests.test_export_lava import found
    from tests.test_nir import lif_input

    with on_chip():
        made = brian2lava.from_nir(PAPER / "lif_norse.nir", 0.0001 * second)
        run(made, 1000, lif_input())
        package = brian2lava.export_lava(tmp_path / "package", made.network)
    assert package.own == {}
    (spikes,) = found(package).values()
    assert spikes[:, 0].tolist() == [461, 511, 711, 761]


def test_the_tutorial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[1] / "docs" / "through_nir.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.S)
    shown = re.findall(r"```text\n(.*?)```", page, flags=re.S)
    assert len(blocks) == len(shown) == 4
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    with reference(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*takes the threshold off v")
        for block, expected in zip(blocks, shown):
            told = io.StringIO()
            with redirect_stdout(told):
                exec(compile(block, "docs/through_nir.md", "exec"), names)
            assert re.sub(r"_\d+\b", "", told.getvalue()) == re.sub(r"_\d+\b", "", expected)
