"""What is exported does what the fit found: spikes, registers, and how to do it again."""

from __future__ import annotations

import dataclasses
import html.parser
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.errors import ChipLimit, FitError, OptionError
from brian2lava.fit import CANDIDATES, FitOptions, candidate
from brian2lava.fit.batch import Settings
from brian2lava.fit.export import (
    Request,
    Winner,
    brian2_script,
    entry,
    export,
    figures,
    html_report,
    lava_script,
    plotting,
    settings_of,
)
from brian2lava.fit.export.brian2_forms import FORMS
from brian2lava.fit.verify import verify
from brian2lava.options import Options
from tests.fit.winners import result, winner

#: (candidate, drive): scripts that `make test` runs, and those that `make test-all` runs as well.
_BRIAN2 = [("LIF", "graded"), ("ALIF2", "graded"), ("ATRLIF", "graded"), ("RF_IZ", "graded"),
           ("CubaLIF2Slow", "graded"), ("LIFReset", "graded"), ("ALIF", "bias")]  # fmt: skip
_LAVA = [("LIF", "graded"), ("ALIF", "graded"), ("RF", "graded"), ("ATRLIF", "bias")]
_MORE_BRIAN2 = [
    (name, drive)
    for name in CANDIDATES
    for drive in ("graded", "bias")
    if (name, drive) not in _BRIAN2 and not (drive == "bias" and name.startswith("RF"))
]
_MORE_LAVA = [(name, "graded") for name in CANDIDATES if (name, "graded") not in _LAVA]


def suited(name: str, drive: str) -> Winner:
    """LIFReset only where its current keeps enough for v and u to be set between two runs."""
    for seed in range(3, 60):
        found = winner(name, drive, seed)
        try:
            brian2_script(found)
        except FitError:
            continue
        return found
    raise AssertionError(f"no script of {name}")


def printed(folder: Path, makers: Mapping[str, Any], scripts: Any) -> dict[Any, tuple[str, str]]:
    """By script: what it prints, and what it should."""
    paths, wanted = {}, {}
    for name, drive in scripts:
        for kind, make in makers.items():
            found = suited(name, drive)
            place = folder / f"{name}_{drive}"
            place.mkdir(exist_ok=True)
            np.savez(place / "input.npz", **found.data())
            paths[name, drive] = place / f"in_{kind}.py"
            paths[name, drive].write_text(make(found), encoding="utf-8")
            wanted[name, drive] = "\n".join(found.spike_lines()) + "\n"
    done = subprocess.run(
        [sys.executable, "-m", "tests.fit.run_scripts", *map(str, paths.values())],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {
        key: (Path(f"{path}.out").read_text(encoding="utf-8"), wanted[key])
        for key, path in paths.items()
    }


@pytest.fixture(scope="module")
def brian2_prints(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, tuple[str, str]]:
    return printed(tmp_path_factory.mktemp("brian2"), {"brian2": brian2_script}, _BRIAN2)


@pytest.fixture(scope="module")
def lava_prints(tmp_path_factory: pytest.TempPathFactory) -> dict[Any, tuple[str, str]]:
    return printed(tmp_path_factory.mktemp("lava"), {"lava": lava_script}, _LAVA)


def assert_same_spikes(found: tuple[str, str]) -> None:
    own, wanted = found
    assert own == wanted
    assert wanted.count(" ") > 14  # some spikes are there


@pytest.mark.parametrize("which", _BRIAN2, ids="-".join)
def test_the_brian2_script_has_the_spikes_of_the_fit(which: Any, brian2_prints: Any) -> None:
    assert_same_spikes(brian2_prints[which])


@pytest.mark.parametrize("which", _LAVA, ids="-".join)
def test_the_lava_script_has_the_spikes_of_the_fit(which: Any, lava_prints: Any) -> None:
    assert_same_spikes(lava_prints[which])


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_all_other_brian2_scripts_have_the_spikes(tmp_path: Path) -> None:
    for found in printed(tmp_path, {"brian2": brian2_script}, _MORE_BRIAN2).values():
        assert found[0] == found[1]


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_all_other_lava_scripts_have_the_spikes(tmp_path: Path) -> None:
    for found in printed(tmp_path, {"lava": lava_script}, _MORE_LAVA).values():
        assert found[0] == found[1]


# ------------------------------------------------------------------ what can't be written
def with_settings(found: Winner, **changed: Any) -> Winner:
    settings = dataclasses.replace(found.found.settings, **changed)
    return dataclasses.replace(found, found=dataclasses.replace(found.found, settings=settings))


def test_every_candidate_has_a_form() -> None:
    assert {each.model for each in CANDIDATES.values()} <= set(FORMS)


def test_a_model_without_equations_is_refused() -> None:
    found = winner("LIF")
    other = Settings("TernaryLIF", {}, 1, 0, 1.0)
    changed = dataclasses.replace(found.found, settings=other)
    with pytest.raises(FitError, match="TernaryLIF can't be written as Brian2 equations"):
        brian2_script(dataclasses.replace(found, found=changed))


def test_a_resonator_with_fewer_bits_is_refused() -> None:
    found = winner("RF")
    registers = {**found.found.settings.registers, "decay_bits": 9}
    with pytest.raises(FitError, match="decay_bits=9.*Export the Lava script"):
        brian2_script(with_settings(found, registers=registers))


def test_a_bias_of_a_process_of_ours_has_no_lava_script() -> None:
    with pytest.raises(FitError, match="ALIF is no process of Lava's.*Export the Brian2 script"):
        lava_script(winner("ALIF", "bias"))


def test_a_reset_of_a_current_that_forgets_is_refused() -> None:
    found = winner("LIFReset")
    registers = {**found.found.settings.registers, "du": 4094}
    with pytest.raises(FitError, match="arrives in the step of a reset; no value"):
        brian2_script(with_settings(found, registers=registers))


# ------------------------------------------------------------------ the option that it needs
@pytest.mark.parametrize("scales", [3, {"a": 0}, {"a": float("inf")}, {1: 2}, {"a": "b"}])
def test_scales_are_numbers_by_group(scales: Any) -> None:
    with pytest.raises(OptionError, match=r"scales=.*a number above 0 for each name of a group"):
        Options.parse({"hardware": "Loihi2", "scales": scales})


def test_scales_are_for_chips() -> None:
    assert Options.parse({"hardware": "Loihi2", "scales": {"a": 64}}).scales == {"a": 64.0}
    with pytest.raises(OptionError, match="scales.*that is for chips"):
        Options.parse({"scales": {"a": 64}})


# ------------------------------------------------------------------ entry
@pytest.mark.parametrize("name", CANDIDATES)
def test_an_entry_has_the_registers(name: str) -> None:
    found = winner(name)
    made = json.loads(json.dumps(entry(found), allow_nan=False))
    own, read = found.found.settings, settings_of(json.dumps(made))
    assert read.model == own.model and read.scale == own.scale
    for register, values in own.registers.items():
        assert np.array_equal(read.registers[register], values)
    for synapse in ("weights", "exponents", "own_weights", "own_exponents"):
        assert np.array_equal(getattr(read, synapse), getattr(own, synapse))
    assert made["physical"].keys() == {each.name for each in candidate(name).parameters}


def test_what_is_no_entry_is_refused() -> None:
    made = entry(winner("LIF"))
    with pytest.raises(FitError, match="of version 2, known is 1; update"):
        settings_of({**made, "version": 2})
    with pytest.raises(FitError, match="no entry of a chip neuron but 'song'"):
        settings_of({**made, "kind": "song"})
    for given in ("[", "[]", "{}", '{"kind": "brian2lava chip neuron", "version": 1}'):
        with pytest.raises(FitError, match="no entry of a chip neuron"):
            settings_of(given)
    registers = {**made["settings"]["registers"], "dv": [5000]}
    with pytest.raises(ChipLimit, match=r"'dv'.*5000 is outside 0..4095"):
        settings_of({**made, "settings": {**made["settings"], "registers": registers}})


# ------------------------------------------------------------------ report and figures
class Page(html.parser.HTMLParser):
    """Tags that are open, and whatever would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "link", "img"):
            self.open.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.fetched += [value for name, value in attrs if name in ("src", "href")]


def test_the_report_is_one_page_that_fetches_nothing() -> None:
    found = winner("ALIF2")
    request = Request("AdEx", "tonic", ("ALIF2",), FitOptions(seeds=2))
    text = html_report(result(found, winner("LIF")), found, request, "checked & same")
    page = Page()
    page.feed(text)
    assert not page.open and not page.fetched and "url(" not in text
    assert "a &quot;quoted&quot; target" in text and "checked &amp; same" in text
    for register, values in found.found.settings.registers.items():
        assert f'<td>{register}</td><td class="number">{int(values[0])}</td>' in text
    assert "brian2lava fit AdEx --pattern tonic --candidates ALIF2 --seeds 2" in text
    assert text.count("<svg") == 4  # ranking, two sweeps, search


def test_figures_are_svg_with_every_spike() -> None:
    found = winner("LIF")
    tree = ElementTree.fromstring(figures.response(found))
    texts = {each.text for each in tree.iter("{http://www.w3.org/2000/svg}text")}
    assert {"target", "hit", "missed", "extra", "chip: v / threshold"} <= texts
    paths = [each.get("d") for each in tree.iter("{http://www.w3.org/2000/svg}path")]
    drawn = [path.count("M") for path in paths if path is not None]
    wanted, own = found.target.sweeps[0].spikes[0], found.found.evaluation.trains[0]
    target, hit, missed, extra = drawn
    assert target == len(wanted) == hit + missed and hit + extra == len(own)
    for text in (figures.convergence(found.found), figures.ranking(result(found))):
        ElementTree.fromstring(text)


def test_a_long_line_keeps_its_extremes() -> None:
    y = np.random.default_rng(0).normal(size=100_000)
    y[51_234] = 99.0
    x, kept = plotting.thinned(np.arange(y.size, dtype=float), y)
    assert x.size < 2000 and kept.max() == 99.0 and kept.min() == y.min()
    assert np.all(np.diff(x) > 0)


@pytest.mark.parametrize(
    ("span", "values"),
    [((0.0, 1.0), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]), ((-0.02, 1.02), [0.0, 0.5, 1.0]),
     ((0.0, 12_000.0), [0.0, 5000.0, 10_000.0])],
)  # fmt: skip
def test_ticks_are_round(span: tuple[float, float], values: list[float]) -> None:
    assert plotting.nice(*span) == values


# ------------------------------------------------------------------ the folder
def test_a_folder_has_it_all(tmp_path: Path) -> None:
    found = winner("LIF")
    request = Request("AdEx", None, ("LIF",), FitOptions(dt=5e-4))
    made = export(result(found), tmp_path / "out", request=request)
    assert sorted(made.files) == sorted(p.name for p in (tmp_path / "out").iterdir())
    assert not made.left_out
    for name in ("on_loihi2.py", "in_lava.py", "again.py"):
        compile((tmp_path / "out" / name).read_text(), name, "exec")
    data = np.load(tmp_path / "out" / "input.npz", allow_pickle=False)
    assert data["payload"].shape == (400, 2) and data["steps"].tolist() == [400, 250]
    assert verify(found.found, found.target, lava=False).spikes == sum(map(len, found.trains))


def test_what_can_t_be_written_is_told(tmp_path: Path) -> None:
    found = winner("ALIF", "bias")
    made = export(result(found), tmp_path / "out")
    assert "in_lava.py" not in made.files and "no process of Lava's" in made.left_out["in_lava.py"]
    (tmp_path / "file").write_text("")
    with pytest.raises(FitError, match="can't be written"):
        export(result(found), tmp_path / "file" / "out")


# ------------------------------------------------------------------ doing it again
def test_the_command_and_the_python_are_what_was_asked() -> None:
    options = FitOptions(evaluations=700, seeds=1, dt=1e-3, drive="bias")
    request = Request("AdEx", "adapting", ("LIF", "ALIF"), options)
    assert request.command() == (
        "brian2lava fit AdEx --pattern adapting --candidates LIF,ALIF --evaluations 700 --seeds 1"
        " --dt 0.001 --drive bias"
    )
    namespace: dict[str, Any] = {}
    asked: list[Any] = []
    text = request.python().replace("from brian2lava.fit import fit\n", "")
    namespace["fit"] = lambda *given, **named: asked.append((given, named))
    exec(text, namespace)
    (((made, candidates), named),) = asked
    assert made.name == request.target().name and candidates == ["LIF", "ALIF"]
    assert FitOptions(**named) == options


def test_a_file_is_told_from_a_model(tmp_path: Path) -> None:
    path = tmp_path / "cell.csv"
    path.write_text("t (ms),I (pA),V (mV)\n" + "".join(f"{k},{k % 7},-65\n" for k in range(50)))
    assert Request(str(path)).is_file and Request("nothing.csv").is_file
    assert not Request("AdEx").is_file and not Request("adex").is_file
    assert f"read_recording({str(path)!r})" in Request(str(path)).python()
    with pytest.raises(FitError, match="is a recording, and pattern='tonic'"):
        Request(str(path), "tonic").target()
    with pytest.raises(FitError, match="nothing.csv"):
        Request("nothing.csv").target()
