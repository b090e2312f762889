"""The chapter on fits does what it says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

CHAPTER = Path(__file__).parents[2] / "docs" / "fit.md"
BLOCKS = re.compile(r"```(python|text)\n(.*?)```", re.DOTALL)


def test_the_examples_of_the_chapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python runs, block after block; what is said to be printed is printed last."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    printed, compared = "", 0
    for kind, text in BLOCKS.findall(CHAPTER.read_text(encoding="utf-8")):
        if kind == "text":
            assert _numbers_apart(printed) == _numbers_apart(text)
            compared += 1
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(text, "fit.md", "exec"), namespace)
        printed = out.getvalue()
    assert compared == 3
    made = {path.name for path in (tmp_path / "adex_on_loihi").iterdir()}
    assert {"on_loihi2.py", "report.html"} <= made
    assert (tmp_path / "adex.b2l.before").exists()


def _numbers_apart(text: str) -> list[str]:
    """Words without scores and counts, which may differ between compilers, and in any order."""
    return sorted(re.sub(r"-?\d+(\.\d+)?", "#", text).split())


def test_what_is_said_of_adex_is_what_its_table_shows() -> None:
    text = (CHAPTER.parent / "fit_quality.md").read_text(encoding="utf-8")
    table = text.split("### AdEx, noise\n")[1].split("###")[0].strip().splitlines()
    head, _, *rows = ([cell.strip(" *") for cell in line.split("|")[1:-1]] for line in table)
    place = head.index("ALIF2")
    passed = [row[0] for row in rows if float(row[place].split()[0]) >= 0.7]
    assert len(rows) == 8 and len(passed) >= 5
    said = re.search(r"`ALIF2` reaches five:\n(.*?)\.", text, re.DOTALL)
    assert said and said[1].split(", ") == passed
