"""Outcomes against the list of expected exceptions: what counts as passed, failed, skipped.

`expected.json` is a list of `{"phase", "test", "status", "reason"}`: tests that are known to end
otherwise than in "passed", and why. Skips that a test asks for itself need no entry. A listed test
that ends in any other way than listed, "passed" too, is a failure: the list stays true.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from .supervisor import Outcome

EXPECTED_FILE = Path(__file__).with_name("expected.json")

Outcomes = dict[str, dict[str, Outcome]]
"""phase -> test -> outcome"""


def read_expected(path: Path = EXPECTED_FILE) -> dict[tuple[str, str], str]:
    """(phase, test) -> expected status.

    Raises ValueError where an entry gives no reason.
    """
    expected = {}
    for entry in json.loads(path.read_text()):
        if not entry["reason"].strip():
            raise ValueError(f"{path.name}: {entry['test']} is listed without a reason")
        expected[entry["phase"], entry["test"]] = entry["status"]
    return expected


def judge(outcome: Outcome, expected: str | None) -> str:
    """The verdict (passed, failed, skipped or expected) for an outcome and the listed status."""
    status: str = outcome["status"]
    if expected is not None:
        return "expected" if status == expected else "failed"
    return status if status in ("passed", "skipped") else "failed"


def count(outcomes: Outcomes, expected: dict[tuple[str, str], str]) -> Counter[str]:
    """How many outcomes there are of each verdict."""
    return Counter(
        judge(outcome, expected.get((phase, test)))
        for phase, tests in outcomes.items()
        for test, outcome in tests.items()
    )


def count_line(counts: Counter[str]) -> str:
    """`N passed, N failed, N skipped`, and the expected exceptions where there are any."""
    line = ", ".join(f"{counts[verdict]} {verdict}" for verdict in ("passed", "failed", "skipped"))
    return line + (f", {counts['expected']} expected exceptions" if counts["expected"] else "")
