"""The package as text and data: the script, its processes, its numbers, and how to run it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from brian2lava.errors import NotSupported
from brian2lava.interop.export import recorder
from brian2lava.interop.export.given import Given
from brian2lava.interop.export.module_text import INTEGERS, MARK, wrapped
from brian2lava.interop.export.python_text import function
from brian2lava.interop.export.readme import readme
from brian2lava.interop.export.sections import Pieces, as_rows
from brian2lava.interop.lava_graph import MOST_PROCESSES

SCRIPT, DATA, EXPECTED, FOUND = "run.py", "parameters.npz", "expected_spikes.npz", "spikes.npz"
#: Sources and stimuli are written out step by step when the script runs (bytes).
MOST_BYTES = 4 << 30

_HELPERS = {
    "trains": '''def trains(name, size):
    """What a source sends: its neurons in rows, steps in columns."""
    sent = np.zeros((size, STEPS), np.int32)
    values = data[f"{name}.values"] if f"{name}.values" in data else 1
    sent[data[f"{name}.indices"], data[f"{name}.steps"]] = values
    return sent''',
    "matrix": '''def matrix(name, what, shape):
    """Weights or delays of a projection: targets in rows, sources in columns."""
    table = np.zeros(shape, int)
    table[data[f"{name}.post"], data[f"{name}.pre"]] = data[f"{name}.{what}"]
    return table''',
    "sparse": '''def sparse(name, what, shape):
    """The same where few neurons are joined, as SciPy's matrix."""
    values = data[f"{name}.{what}"].astype(int if what == "delays" else np.int32)
    table = csr_matrix((values, (data[f"{name}.post"], data[f"{name}.pre"])), shape=shape)
    table.eliminate_zeros()
    return table''',
}


@dataclass(frozen=True)
class Package:
    """What a folder gets.

    Attributes
    ----------
    texts : dict of path to str
        Paths are relative, with "/".
    tables : dict of path to dict of key to array
        NPZ files.
    own : dict of object to str
        Populations and projections that are processes of the package's own, and why.
    """

    texts: Mapping[str, str]
    tables: Mapping[str, Mapping[str, Any]]
    own: Mapping[str, str]


def package(given: Given) -> Package:
    """The package of a run.

    Raises
    ------
    NotSupported
        Names what is too large, or a learning rule that is not written out.
    """
    _check_size(given)
    pieces = Pieces(given)
    sections = list(_sections(pieces))
    sizes = {pieces.names[name]: given.network.population(name).size for name in given.spikes}
    pieces.modules[recorder.MODULE] = recorder.module(sizes)
    if pieces.count + 1 > MOST_PROCESSES:
        raise NotSupported(
            f"export: the network becomes {pieces.count + 1} Lava processes, and Lava starts a"
            f" process of the system for each; more than {MOST_PROCESSES} are not written. Join"
            " populations and projections."
        )
    modules = {**pieces.modules, **_integers(pieces)}
    script = [*_head(pieces), *_helpers(pieces), *sections, *_ending(pieces, sizes)]
    texts = {
        SCRIPT: "\n".join(script) + "\n",
        "README.md": readme(given, pieces.own, pieces.names),
        "processes/__init__.py": f'{MARK}\n"""Lava processes of this network\'s own."""\n',
        **{f"processes/{name}.py": text for name, text in modules.items()},
    }
    expected = as_rows(given.spikes, pieces.names)
    return Package(texts, {DATA: pieces.arrays, EXPECTED: expected}, pieces.own)


def _check_size(given: Given) -> None:
    network = given.network
    sizes = {source.name: source.size for source in network.sources}
    sizes |= {each.name: network.population(each.target).size for each in network.stimuli}
    for name, size in sizes.items():
        needed = 4 * size * given.steps
        if needed > MOST_BYTES:
            raise NotSupported(
                f"export: {given.steps} steps of {name!r} are {needed >> 20} MiB, more than"
                f" {MOST_BYTES >> 20}: Lava's RingBuffer has a number for each step. Run fewer"
                " steps, or fewer sources."
            )


def _sections(pieces: Pieces) -> Iterator[str]:
    network = pieces.given.network
    for source in network.sources:
        if source.size:
            yield from pieces.source(source)
    for population in network.populations:
        if population.size:
            yield from pieces.population(population)
    for place, stimulus in enumerate(network.stimuli):
        if network.population(stimulus.target).size:
            yield from pieces.stimulus(place, stimulus)
    for place, projection in enumerate(network.projections):
        if projection.size:
            yield from pieces.projection(place, projection)


def _head(pieces: Pieces) -> Iterator[str]:
    given = pieces.given
    length = f" of {given.dt * 1e3:g} ms" if given.dt else ""
    pieces.use("lava.magma.core.run_conditions", "RunSteps")
    pieces.use("lava.magma.core.run_configs", "Loihi2SimCfg")
    pieces.use(f"processes.{recorder.MODULE}", recorder.PROCESS)
    yield MARK
    yield f'"""{_plain(given.title)}, as Lava processes with the integers of a Loihi chip.'
    yield ""
    yield f"Needs lava-nc 0.10.0; run it in this folder: python {SCRIPT}"
    yield f"Steps are counted from 0, and are{length or ' whole numbers'}. A spike of step n over a"
    yield "synapse without delay is seen by its target in step n + 1."
    for note in given.notes:
        yield ""
        yield from wrapped(_plain(note), "")
    yield '"""'
    yield from ("", "import sys", "from pathlib import Path", "", "import numpy as np")
    if "sparse" in pieces.helpers:
        pieces.use("scipy.sparse", "csr_matrix")
    for ours in (False, True):
        modules = [each for each in sorted(pieces.imports) if each.startswith("processes.") == ours]
        yield from [""] if ours else []
        for module in modules:
            yield f"from {module} import {', '.join(sorted(pieces.imports[module]))}"
    yield from (
        "",
        f"STEPS = {given.steps}",
        "HERE = Path(__file__).resolve().parent",
        f'data = np.load(HERE / "{DATA}")  # weights, delays, spikes of sources, ...',
    )


def _helpers(pieces: Pieces) -> Iterator[str]:
    for name, text in _HELPERS.items():
        if name in pieces.helpers:
            yield from ("", "", *text.splitlines())
    yield ""


def _integers(pieces: Pieces) -> dict[str, str]:
    """The module with operations on integers, if there are processes that use it."""
    if not any(f"processes.{INTEGERS}" in text for text in pieces.modules.values()):
        return {}
    word = pieces.given.network.arithmetic.word
    lines = [
        MARK,
        '"""Operations of the chip on integers that Python has no operator for."""',
        "",
        "import numpy as np",
        "",
        f"WORD = np.int{word}  # sums are formed in words of so many bits",
    ]
    for name in sorted(pieces.operations):
        lines += ["", "", *function(name, word).splitlines()]
    return {INTEGERS: "\n".join(lines) + "\n"}


def _ending(pieces: Pieces, sizes: Mapping[str, int]) -> Iterator[str]:
    yield from (
        "",
        f"# {'-' * 60} what is recorded",
        f'recorder = {recorder.PROCESS}(steps=STEPS, path=str(HERE / "{FOUND}"))',
    )
    for name in sizes:
        yield f"{name}.s_out.connect(recorder.from_{name})"
    for source in pieces.given.network.sources:
        if source.size and not _used(pieces, source.name):
            yield f"# {source.name!r} reaches nobody, so Lava does not run it."
    yield from (
        "",
        'if __name__ == "__main__":',
        '    recorder.run(condition=RunSteps(STEPS), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))',
        "    recorder.stop()",
        f'    spikes, expected = np.load(HERE / "{FOUND}"), np.load(HERE / "{EXPECTED}")',
        "    fine = True",
        "    for name in expected:",
        "        same = np.array_equal(spikes[name], expected[name])",
        "        fine &= same",
        '        print(f"{name}: {len(spikes[name])} spikes,", end=" ")',
        '        print("those of brian2lava\'s emulator" if same else "NOT the emulator\'s")',
        "    sys.exit(0 if fine else 1)",
    )


def _used(pieces: Pieces, source: str) -> bool:
    return any(each.source == source and each.size for each in pieces.given.network.projections)


def _plain(text: str) -> str:
    """Without what would end a docstring."""
    return "".join(c if c.isprintable() and c not in '"\\' else " " for c in text)
