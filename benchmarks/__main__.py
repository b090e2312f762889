"""The command line: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .measures import MEASURES
from .plan import Plan
from .process import CaseError
from .table import Row, markdown


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the lava device against cpp_standalone."
    )
    add = parser.add_argument
    add("--only", default=",".join(MEASURES), help=f"some of {','.join(MEASURES)}")
    add("--sizes", default="mid,large", help="mid, large or both: the networks of run_loop")
    add("--match", default="", help="only cases whose name contains this text")
    add("--repeats", type=int, default=3, help="how often each side runs (default: 3)")
    add("--quick", action="store_true", help="small networks, short runs, one repeat")
    add("--out", type=Path, default=Path("benchmark_results"), help="folder for the results")
    options = parser.parse_args(arguments)
    options.only, options.sizes = options.only.split(","), tuple(options.sizes.split(","))
    if unknown := set(options.only) - set(MEASURES) | set(options.sizes) - {"mid", "large"}:
        parser.error(f"not known: {', '.join(sorted(unknown))}")
    return options


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("brian2", "numpy", "lava-nc", "brian2lava")},
    }


def rows(measure: str, plan: Plan) -> Iterator[Row]:
    """The rows of a measure; a case that breaks becomes a failed row and ends the measure."""
    try:
        yield from MEASURES[measure](plan)
    except CaseError as error:
        yield Row(measure, "broke off", None, None, "", str(error), "", False, None, {})


def main() -> int:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    taken: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="benchmarks_") as folder:
        repeats = 1 if options.quick else options.repeats
        plan = Plan(Path(folder), options.sizes, repeats, options.quick, options.match)
        for measure in options.only:
            for row in rows(measure, plan):
                print(markdown([row]).splitlines()[-1], flush=True)
                taken.append(row)
                _write(options.out, taken)
    failed = sum(row.failed for row in taken)
    print(f"{len(taken)} figures, {failed} of them below their bar or with different results")
    return 1 if failed else 0


def _write(folder: Path, taken: list[Row]) -> None:
    results = {"machine": machine(), "rows": [asdict(row) for row in taken]}
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "table.md").write_text(markdown(taken))


if __name__ == "__main__":
    sys.exit(main())
