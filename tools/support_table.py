"""Fills the README's support table from the results of a test run.

    python -m pytest --junitxml=results.xml
    python tools/support_table.py results.xml            # writes the table
    python tools/support_table.py results.xml --check    # fails where the README says otherwise

A row names a feature and a pattern; the tests whose names match it stand for the feature.
"""

from __future__ import annotations

import argparse
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- support table: begin -->", "<!-- support table: end -->"

#: Feature, pattern for "file::test" (without the folder and the ending of the file).
ROWS = (
    ("neuron groups: equations, methods, thresholds, refractoriness", "test_features_neurons::"),
    ("synapses: connections, pathways, plasticity, summed variables", "test_features_synapses::"),
    ("delays", "test_delays::"),
    ("Poisson groups and inputs, spike generators, timed arrays", "test_features_inputs::"),
    ("user functions in Python and C++", "test_(features|python)_functions::"),
    ("random numbers and seeds", "test_features_random"),
    ("morphologies (`SpatialNeuron`)", "test_features_spatial"),
    ("monitors with their options", "test_features_monitors::"),
    ("several runs and clocks, store and restore, stop, reports", "test_features_runs::"),
    ("options, Brian2's preferences, sweeps of standalone scripts",
     "test_(features_options|compiler_options|standalone_api)::"),
    ("kernels for graphics cards, run by the processor",
     "test_(emulated|text|through_cupy|without_a_card)::"),
    ("the same bits from every engine and machine (`deterministic=True`)", "test_deterministic::"),
    ("networks drawn at random agree with Brian2's runtime", "test_random_networks::"),
    ("a sample of Brian2's own tests", "test_brian2_sample::"),
    ("killed processes, Ctrl-C, damaged caches", "test_(reliability|host)::"),
    ("threads, pools, notebooks, other platforms", "test_platforms::"),
    ("Lava's own LIF-Dense-LIF, with the import shim", "test_lava_shim::"),
    ("scripts in a chip's integers, with the report",
     "test_(on_chip|recognise|quantise|poisson_input|noise|timed|verify|dt_scan|model_scripts"
     "|chip_warnings)"),
    ("the same scripts in Lava's own processes", "test_backend_scripts::"),
    ("Brian2's feature tests in a chip's integers", "test_feature_tests_on_chip::"),
    ("the chip's emulator against its plain definition", "test_(emulator|arithmetic|weights)"),
    ("the chip's models against Lava's own", "test_models"),
    ("chip networks as Lava graphs", "test_lava_graph"),
    ("learning rules of the chip", "test_learning"),
    ("Brian2Loihi's classes", "test_loihi_classes"),
    ("resources and energy of a chip", "test_resources"),
    ("preset models of Brian2Lava 1.0 beta", "test_preset_mode::"),
    ("one Lava process a Brian2 object", "test_granularity"),
    ("Lava processes connected to Brian2 groups, networks in Lava programs",
     "test_(plug_in|as_process|camera_network_motor)::"),
    ("any Lava graph in one compiled loop", "test_compiled_cfg"),
    ("networks as plain Lava processes, for lava-nc alone", "test_export_lava::"),
    ("NIR graphs, in and out; lava-dl's networks", "test_(nir|through_nir)"),
    ("fits: targets from models and recordings", "test_(targets|recordings)::"),
    ("fits: register sets side by side, against emulator and Lava", "test_(batch|network)::"),
    ("fits: searches, registers recovered, equations, synapses",
     "test_((search|loss_weights|pareto|precision|recover|float_fit)"
     "|synapse_(learning|response|targets))::"),
    ("fits: many cells and many models", "test_(many|batch_page)::"),
    ("fits: metrics", "test_metrics"),
    ("fits: sessions, exports, the command line",
     "test_(session|session_synapses|export|fit_cli|fit_docs)::"),
    ("the studio's server and bench",
     "test_(server|workbench|export_page|fit_best|fit_run|precision_page|real_model|synapse_page"
     "|typed_equations)::"),
    ("`brian2lava run`, `doctor` and `demo`", "test_cli::"),
    ("the examples", "test_examples::"),
)  # fmt: skip


@dataclass(frozen=True)
class Result:
    """One test: "file::test[parameters]", and "passed", "failed" or "skipped"."""

    name: str
    outcome: str


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="JUnit XML, as pytest writes it")
    parser.add_argument("--check", action="store_true", help="change nothing, fail if it would")
    arguments = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    filled = fill(text, table(read_results(arguments.results)))
    if arguments.check:
        return 0 if filled == text else 1
    README.write_text(filled, encoding="utf-8")
    return 0


def read_results(path: Path) -> list[Result]:
    """The results of a JUnit XML file. Raises OSError and ParseError."""
    results = []
    for case in ElementTree.parse(path).iter("testcase"):
        file = case.get("classname", "").rsplit(".", 1)[-1]
        tags = {child.tag for child in case}
        outcome = "failed" if tags & {"failure", "error"} else "skipped" if tags else "passed"
        results.append(Result(f"{file}::{case.get('name')}", outcome))
    return results


def table(results: Iterable[Result]) -> str:
    """The table in Markdown: a row is a feature, its verdict, and how many tests passed."""
    results = list(results)
    lines = ["| feature | works | tests that passed |", "|---|---|---|"]
    for feature, pattern in ROWS:
        mine = [result for result in results if re.match(pattern, result.name)]
        lines.append(f"| {feature} | {verdict(mine)} | {passed(mine)} |")
    return "\n".join(lines)


def verdict(results: list[Result]) -> str:
    """ "yes", "not in full", or "not tested" where no test says anything."""
    if any(result.outcome == "failed" for result in results):
        return "not in full"
    return "yes" if any(result.outcome == "passed" for result in results) else "not tested"


def passed(results: list[Result]) -> str:
    count = sum(result.outcome == "passed" for result in results)
    said = sum(result.outcome != "skipped" for result in results)
    return f"{count} of {said}"


def fill(text: str, table: str) -> str:
    """``text`` with ``table`` between its two marks. Raises ValueError where they are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{README.name} lacks the marks {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


if __name__ == "__main__":
    sys.exit(main())
