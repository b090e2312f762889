"""Tables of what quantisation did."""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from brian2lava.chip.dt_scan import Retimed, dt_scan
from brian2lava.chip.profiles import LAVA
from brian2lava.chip.quantise import Span, float_ranges, quantise
from brian2lava.chip.table import (
    TABLES,
    Table,
    costs,
    integer,
    parameters,
    per_unit,
    percent,
    physical,
)
from brian2lava.errors import BrianLavaError, OptionError
from tests.chip.quantise_networks import cuba, lif, network, projection, quantity


@pytest.mark.parametrize(
    ("span", "unit", "expected"),
    [
        (Span(20e-3, 20e-3), "s", "20 ms"),
        (Span(1e-3, 5e-3), "s", "1 .. 5 ms"),
        (Span(-9e-3, 1.62e-3), "V", "-9 .. 1.62 mV"),
        (Span(5.5e-5, 5.5e-5), "V/step", "55 µV/step"),
        (Span(1.0, 1.0), "V", "1 V"),
        (Span(0.0, 0.0), "V", "0 V"),
        (Span(1e-20, 1e-20), "A", "1e-05 fA"),
        (Span(50.0, 50.0), "", "50"),
        (Span(0.005, 0.005), "/step", "0.005 /step"),
        (Span(np.inf, np.inf), "s", "inf s"),
        (Span(0.2, 0.2), "1", "0.2"),
        (Span(0.2, 0.3), "1/step", "0.2 .. 0.3 /step"),
    ],
)
def test_values_are_shown_with_their_unit(span: Span, unit: str, expected: str) -> None:
    assert physical(span, unit) == expected


def test_numbers_are_shown_briefly_and_no_error_is_hidden() -> None:
    assert [percent(e) for e in (0.0, 0.024, -0.001, 2e-6, -3e-9, np.inf, -1.0)] == [
        "0", "+2.40%", "-0.10%", "+0.0002%", "-3e-07%", "all", "-100.00%",
    ]  # fmt: skip
    assert [per_unit(*given) for given in ((6.634e8, "V"), (57_280.0, "1"), (64.0, ""))] == [
        "663,400 per mV", "57,280 per 1", "64 per 1",
    ]  # fmt: skip
    assert integer(Span(20, 20)) == "20"
    assert integer(Span(-3, 255)) == "-3 .. 255"


def made() -> Any:
    return quantise(float_ranges(cuba(200, 0), 200), "Loihi2", LAVA)


def test_there_is_a_row_for_every_parameter() -> None:
    quantised = made()
    text = str(parameters(quantised))
    for part in ("du2", "time constant behind dv", "20 ms", "20.48 ms", "+2.40%", "weights to a"):
        assert part in text
    assert len(parameters(quantised).rows) == len(quantised.rows)
    flagged = [line for line in text.splitlines() if line.startswith("a ") and "  !" in line]
    assert len(flagged) == 1
    assert "\n! a: time constant behind dv" in text
    assert "range of v" in str(costs(quantised))
    assert set(TABLES) == {"parameters", "costs"}


def test_columns_are_aligned() -> None:
    table = Table(("name", "count"), (("a", 1), ("longer", 1234)), "Title", ("note",))
    assert str(table).splitlines() == [
        "Title", "", "name    count", "------  -----", "a           1", "longer   1234", "",
        "! note",
    ]  # fmt: skip


def test_columns_stand_to_the_right_where_they_are_told_to() -> None:
    table = Table(("a", "b"), (("x", "1 mV"), ("y", "100 mV")), remarks=("as it is",), right=("b",))
    assert str(table).splitlines() == [
        "a       b", "-  ------", "x    1 mV", "y  100 mV", "", "as it is",
    ]  # fmt: skip
    assert table.to_html().count("text-align:right") == 3


def test_rows_with_a_flag_have_a_colour() -> None:
    def coloured(columns: tuple[str, ...], row: tuple[str, ...]) -> bool:
        return "<tr style=" in Table(columns, (row,)).to_html()

    assert coloured(("a", "flag"), ("x", "!")) and not coloured(("a", "flag"), ("x", ""))
    assert coloured(("a", "flags"), ("x", "2")) and not coloured(("a", "flags"), ("x", "0"))
    assert not coloured(("a",), ("x",))


def test_a_table_without_rows_is_a_table() -> None:
    assert str(Table(("a", "bc"), ())).splitlines() == ["a  bc", "-  --"]
    with pytest.raises(BrianLavaError, match="a row of 1 cells under 2 columns"):
        Table(("a", "b"), (("x",),))


def test_html_is_escaped_and_needs_nothing_from_outside() -> None:
    text = Table(("a<b",), (("<script>x</script>",),), "T & U", ("1 < 2",)).to_html()
    tags: list[str] = []
    words: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert all(name == "style" for name, _ in attrs)

        def handle_data(self, data: str) -> None:
            words.append(data.strip())

    Reader().feed(text)
    assert set(tags) == {"table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert {"a<b", "<script>x</script>", "T & U", "1 < 2"} <= set(words)
    assert "http" not in text
    assert parameters(made())._repr_html_().startswith("<table")


def test_a_frame_needs_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(("a", "b"), (("x", 1), ("y", 2)))
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(BrianLavaError, match="pip install pandas"):
        table.to_frame()
    stand_in = ModuleType("pandas")
    stand_in.DataFrame = lambda rows, columns: (rows, columns)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pandas", stand_in)
    assert table.to_frame() == ([("x", 1), ("y", 2)], ["a", "b"])


def test_other_time_steps_are_compared() -> None:
    steps = [1e-5, 1e-4, 2e-4, 6e-3]

    def retimed(dt: float) -> Retimed:
        ideal = network(lif(dt=dt), [projection([1e-5 * dt / 1e-4])], dt=dt)
        return Retimed(ideal, dt / 2, ("'a': 1 of 1 delays become 0 steps",) if dt < 5e-5 else ())

    table = dt_scan(retimed, steps, 1e-4)
    rows = {row["time step"]: row for row in table.to_dicts()}
    assert list(rows) == ["10 µs", "100 µs", "200 µs", "6 ms"]
    assert str(rows["10 µs"]["remark"]).startswith("'a': 1 of 1 delays become 0 steps (and ")
    assert rows["100 µs"]["time constants"] == "+2.40%"
    assert rows["100 µs"]["flags"] == "1"
    assert str(rows["100 µs"]["remark"]).startswith(
        "a: time constant behind dv (dv) is off by +2.40%"
    )
    assert rows["200 µs"]["time constants"] == "-0.10%"
    assert rows["200 µs"]["times"] == "100 µs"
    assert rows["200 µs"]["flags"] == "0"
    assert rows["6 ms"]["flags"] == "does not fit"
    assert "1.2 of it would be lost a step" in str(rows["6 ms"]["remark"])
    assert table.remarks[0] == "Recommended: 200 µs, the nearest to 100 µs without a flag."
    assert "Recommended: none" in str(dt_scan(retimed, [6e-3]))
    with pytest.raises(OptionError, match="a time step of 0.0 s"):
        dt_scan(retimed, [0.0])


def test_options_of_a_scan_reach_quantisation() -> None:
    def retimed(dt: float) -> Retimed:
        return Retimed(network(lif(more=[quantity("refractory", "count", 63)], dt=dt), dt=dt))

    table = dt_scan(retimed, [1e-4], None, "Loihi1", scales={"a": 1e12})
    assert table.to_dicts()[0]["flags"] == "does not fit"
    assert "Loihi1" in table.title
