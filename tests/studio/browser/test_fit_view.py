"""The page Fit: the best trace by now."""

from __future__ import annotations

from typing import Any

import pytest

from brian2lava.studio import Page
from tests.studio.browser.test_page import fitted, ink, settled, view

pytestmark = pytest.mark.browser


def test_the_best_trace_is_there_while_the_fit_runs(tab: Any) -> None:
    view(tab, "Fit")
    settled(tab)
    assert not tab.get_by_role("heading", name="Best so far").is_visible()
    tab.get_by_label("A candidate and seed").select_option("40000")
    tab.get_by_role("button", name="Fit", exact=True).click()
    tab.locator("#best[data-drawn]").wait_for(timeout=60_000)
    assert tab.get_by_role("button", name="Pause").is_visible()  # it runs still
    for plot in ("voltage", "membrane", "spikes"):
        assert ink(tab, f"[data-plot=best-{plot}] canvas") > 300, plot
    first = tab.locator("#best").get_attribute("data-drawn")
    tab.wait_for_function(
        "first => document.querySelector('#best').dataset.drawn !== first", arg=first,
        timeout=60_000,
    )  # fmt: skip
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_text("Paused at").wait_for(timeout=60_000)
    tab.wait_for_timeout(1200)
    settled(tab)
    leads = tab.evaluate("studio.views.get('fit').best.bests[0]")
    assert tab.locator("#best-caption").inner_text().startswith(leads["candidate"])
    assert tab.locator("#best").get_attribute("data-drawn") == (
        f"{leads['candidate']} {leads['loss']}"
    )


def test_the_best_of_a_candidate_can_be_looked_at_closely(tab: Any) -> None:
    fitted(tab, ("LIF", "ATRLIF"))
    tab.locator("#best[data-drawn]").wait_for()
    tab.locator("#best-of").select_option("LIF")
    settled(tab)
    assert tab.locator("#best-caption").inner_text().startswith("LIF, seed")
    box = tab.locator("[data-plot=best-membrane] .u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 0.2 * box["width"], y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 0.3 * box["width"], y, steps=4)
    tab.mouse.up()
    settled(tab)
    scale = "u => [u.scales.x.min, u.scales.x.max]"
    low, high = tab.evaluate(f"({scale})(studio.views.get('fit').best.spikes.u)")
    assert low == pytest.approx(0.6, abs=0.03) and high == pytest.approx(0.9, abs=0.03)


def test_weights_are_edited_kept_and_shown_in_python(tab: Any, studio: Page) -> None:
    view(tab, "Fit")
    settled(tab)
    tab.get_by_text("Weights of the loss").click()
    field = tab.get_by_label("gamma 2ms")
    assert field.input_value() == "0" and tab.get_by_label("f1", exact=True).input_value() == "0.5"
    field.fill("1.5")
    field.press("Enter")
    settled(tab)
    tab.get_by_text("The same in Python").click()
    settled(tab)
    text = tab.locator("details.code pre").last.inner_text()
    assert "weights={'gamma_2ms': 1.5}" in text
    compile(text, "shown", "exec")
    # what is none is told, and changes nothing
    field.fill("-2")
    field.press("Enter")
    settled(tab)
    assert "a number of 0 or more is needed" in tab.get_by_role("alert").last.inner_text()
    assert field.input_value() == "1.5"
    field.fill("much")
    field.press("Enter")
    settled(tab)
    assert "is no number" in tab.get_by_role("alert").last.inner_text()
    assert field.input_value() == "1.5"
    tab.reload()
    tab.wait_for_selector("html[data-ready=yes]")
    tab.get_by_text("Weights of the loss").click()
    assert tab.get_by_label("gamma 2ms").input_value() == "1.5"
    fitted(tab, ("LIF",))
    assert studio.desk.fit.fitting is not None
    assert studio.desk.fit.fitting.options.weights == {"gamma_2ms": 1.5}
    tab.get_by_role("button", name="Reset weights").click()
    settled(tab)
    assert tab.get_by_label("gamma 2ms").input_value() == "0"
    tab.locator("h2").first.click()
    tab.keyboard.press("Control+z")
    settled(tab)
    assert tab.get_by_label("gamma 2ms").input_value() == "0"  # one step back: as it was at first
    assert tab.get_by_label("Seeds").input_value() == "3"
