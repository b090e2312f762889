"""The README's support table says what a test run said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.support_table import BEGIN, END, README, ROWS, fill, read_results, table

RESULTS = """<testsuites><testsuite>
<testcase classname="tests.test_delays" name="test_zero[inline]"/>
<testcase classname="tests.test_delays" name="test_long"><skipped/></testcase>
<testcase classname="tests.test_cli" name="test_a"/>
<testcase classname="tests.test_cli" name="test_b"><failure/></testcase>
<testcase classname="tests.test_unlisted" name="test_c"/>
</testsuite></testsuites>
"""


def test_a_row_counts_the_tests_that_stand_for_it(tmp_path: Path) -> None:
    (tmp_path / "results.xml").write_text(RESULTS)
    rows = table(read_results(tmp_path / "results.xml")).splitlines()
    assert "| delays | yes | 1 of 1 |" in rows
    assert "| `brian2lava run`, `doctor` and `demo` | not in full | 1 of 2 |" in rows
    assert "| the examples | not tested | 0 of 0 |" in rows


def test_filling_replaces_what_stands_between_the_marks() -> None:
    once = fill(f"a\n{BEGIN}\nold\n{END}\nb", "new")
    assert once == f"a\n{BEGIN}\nnew\n{END}\nb"
    assert fill(once, "new") == once


def test_a_text_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the marks"):
        fill("no marks here", "table")


def test_the_readme_has_the_marks() -> None:
    text = README.read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1


def test_every_row_of_the_readme_works() -> None:
    """The table is there, has today's rows, and each is borne out by tests that all passed."""
    text = README.read_text(encoding="utf-8")
    shown = text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown]
    assert [row[0] for row in rows] == [feature for feature, _ in ROWS]
    for feature, works, count in rows:
        passed, said = map(int, count.split(" of "))
        assert works == "yes" and 0 < passed == said, feature
