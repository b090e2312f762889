"""The command line: `python -m tests.brian2_suite --help`."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time
from pathlib import Path

from .phases import PHASES
from .supervisor import Outcome, Setting, SuiteError, collect, run_tests
from .verdict import Outcomes, count, count_line, judge, read_expected

Expected = dict[tuple[str, str], str]


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.brian2_suite", description="Run Brian2's own tests on a device."
    )
    add = parser.add_argument
    add("--phases", default="standalone,multiple_runs", help=f"'all', or of {','.join(PHASES)}")
    add("--device", default="lava", help="the device to test (default: lava)")
    add("--module", help="what to import first (default for the lava device: brian2lava)")
    add(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of set_device, for example granularity=object; several are possible",
    )
    add("--match", default="", help="only tests whose id contains this text")
    add("--sample", type=int, help="only so many tests of each phase, drawn with --seed")
    add("--seed", type=int, default=0)
    add("--again", type=Path, help="only the tests that did not pass in this result file")
    add("--limit", type=float, default=180.0, help="seconds that a test may take (default: 180)")
    add("--out", type=Path, help="write the outcomes to this JSON file")
    add("--list", action="store_true", help="show the tests and run none")
    options = parser.parse_args(arguments)
    if options.module is None:
        options.module = "brian2lava" if options.device == "lava" else ""
    wrong = [each for each in options.option if "=" not in each]
    if wrong:
        parser.error(f"--option {wrong[0]}: NAME=VALUE is needed")
    options.phases = list(PHASES) if options.phases == "all" else options.phases.split(",")
    for name in options.phases:
        if name not in PHASES:
            parser.error(f"there is no phase {name!r}; there are {', '.join(PHASES)}")
    return options


def select(options: argparse.Namespace, phase: str, tests: list[str]) -> list[str]:
    """Those of `tests` (sorted node ids) that the options ask for."""
    if options.again:
        before = json.loads(options.again.read_text())["outcomes"].get(phase, {})
        tests = [t for t in tests if t in before and before[t]["status"] != "passed"]
    tests = [test for test in tests if options.match in test]
    if options.sample is not None and options.sample < len(tests):
        tests = sorted(random.Random(options.seed).sample(tests, options.sample))
    return tests


def run_phase(
    setting: Setting, phase: str, tests: list[str], expected: Expected
) -> dict[str, Outcome]:
    """Run `tests` of one phase and print what does not pass."""

    def tell(test: str, outcome: Outcome) -> None:
        verdict = judge(outcome, expected.get((phase, test)))
        if verdict != "passed":
            told = "" if verdict == outcome["status"] else f" ({outcome['status']})"
            print(f"  {verdict}{told}: {test}: {outcome.get('reason', '')}", flush=True)

    return run_tests(setting, phase, tests, tell)


def _option(text: str) -> tuple[str, object]:
    """``name=value``; true, false and whole numbers are taken for what they are."""
    name, _, value = text.partition("=")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    return name, int(value) if value.isdecimal() else value


def main() -> int:
    options = parse()
    given = dict(_option(each) for each in options.option)
    setting = Setting(options.device, options.module, options.limit, options=given)
    expected = read_expected()
    outcomes: Outcomes = {}
    start = time.monotonic()
    for phase in options.phases:
        tests = select(options, phase, collect(setting, phase))
        print(f"{phase}: {len(tests)} tests", flush=True)
        if options.list:
            print("\n".join(f"  {test}" for test in tests))
            continue
        outcomes[phase] = run_phase(setting, phase, tests, expected)
        if options.out:
            options.out.write_text(
                json.dumps({"device": options.device, "outcomes": outcomes}, indent=1) + "\n"
            )
    if options.list:
        return 0
    counts = count(outcomes, expected)
    print(f"{options.device}: {time.monotonic() - start:.0f} s")
    print(count_line(counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    # As an exception, so that the worker and its folder go too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except SuiteError as error:
        sys.exit(f"brian2_suite: {error}")
