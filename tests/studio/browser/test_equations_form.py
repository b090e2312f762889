"""Equations typed on the page, by what a person does."""

from __future__ import annotations

from typing import Any

import pytest

from brian2lava.studio import Page
from tests.studio.browser.test_page import ink, settled, view

pytestmark = pytest.mark.browser


def put(tab: Any, field: str, text: str) -> None:
    """Type into a field and leave it."""
    tab.locator(f"#eq-{field}").fill(text)
    tab.locator(f"#eq-{field}").blur()
    settled(tab)


def error(tab: Any, field: str) -> str:
    """What stands beside a field; empty if nothing does."""
    place = tab.locator(f"#eq-error-{field}")
    return str(place.inner_text()) if place.count() and place.is_visible() else ""


def test_equations_are_typed_mended_used_and_kept(tab: Any, studio: Page) -> None:
    view(tab, "Target")
    settled(tab)
    tab.get_by_text("Brian2 equations of your own").click()
    put(tab, "equations", "dv/dt = (EL - v)/tau_m + I/C : mV")
    put(tab, "reset", "v = EL")
    assert "'tau_m' has no value; give one" in error(tab, "value-tau_m")
    put(tab, "value-tau_m", "20")
    assert tab.get_by_label("unit of tau_m").input_value() == "ms"
    assert "Use 'volt'" in error(tab, "equations")
    tab.get_by_role("button", name="Use these equations").click()
    settled(tab)
    assert "AdEx" in tab.locator(".stage h2").first.inner_text()
    put(tab, "equations", "dv/dt = (EL - v)/tau_m + I/C : volt")
    put(tab, "threshold", "")
    assert "a threshold is missing" in error(tab, "threshold")
    put(tab, "threshold", "v > VT")
    assert tab.locator("#eq-said").inner_text() == ""
    tab.select_option("#eq-stimulus", "Step")
    put(tab, "stimulus-amplitude", "0,4")
    tab.get_by_role("button", name="Use these equations").click()
    tab.get_by_text("equations is the target now").wait_for()
    settled(tab)
    assert ink(tab, "[data-plot=target-voltage] canvas") > 500
    assert studio.desk.bench.setup.target.sweeps[0].current[0] == pytest.approx(4e-10)
    tab.get_by_text("The same in Python").locator("visible=true").click()
    settled(tab)
    assert "equations_target(" in tab.get_by_label("Equivalent Python code").first.inner_text()
    tab.reload()
    tab.wait_for_selector("html[data-ready=yes]")
    settled(tab)
    assert tab.locator("#eq-value-tau_m").input_value() == "20"
    assert tab.locator("#eq-stimulus-amplitude").input_value() == "0.4"
    view(tab, "Tune")
    settled(tab)
    assert tab.get_by_role("heading", name="equations on ATRLIF").is_visible()
    assert ink(tab, ".explore canvas") > 500
