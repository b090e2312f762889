"""The page Precision: bits of weights over their exponent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.studio.browser.test_page import settled, tile, view

pytestmark = pytest.mark.browser


def test_weights_over_exponents(tab: Any) -> None:
    settled(tab)
    shown = tile(tab, "gamma2")
    view(tab, "Precision")
    settled(tab)
    assert tab.get_by_role("heading", name="Bits of weights and their exponent").is_visible()
    here = tab.locator("#weight-map td.here button")
    assert here.count() == 1 and float(here.inner_text()) == pytest.approx(shown, abs=0.006)
    assert "weight of 8 bits, exponent -8" in here.get_attribute("aria-label")
    assert tab.locator("#weight-map td").count() == 8 * 16
    assert not tab.get_by_label("Of", exact=True).is_visible()  # ATRLIF has one synapse
    # what no spike holds is told where one points
    tab.get_by_label("weight of 8 bits, exponent -3").click()
    settled(tab)
    assert "The bench is at 8 bits and exponent −3" in tab.locator("#weight-note").inner_text()
    view(tab, "Tune")
    settled(tab)
    assert tab.evaluate("studio.header.registers.find((r) => r.name === 'exponent').value") == -3


def test_a_bias_is_told_and_so_is_a_synapse_onto_itself(tab: Any) -> None:
    tab.get_by_label("Current enters as").select_option("bias")
    settled(tab)
    view(tab, "Precision")
    settled(tab)
    assert "bits of weights do not apply" in tab.locator("#weight-means").inner_text()
    assert tab.locator("#weight-map tbody tr").count() == 1
    view(tab, "Tune")
    tab.get_by_label("Current enters as").select_option("graded")
    settled(tab)
    tab.get_by_label("Candidate", exact=True).select_option("CubaLIF2")
    settled(tab)
    value = tab.locator("[data-name=jump] input.number")
    value.fill("0.5")
    value.press("Enter")
    settled(tab)
    view(tab, "Precision")
    settled(tab)
    tab.get_by_label("Of", exact=True).select_option("own")
    settled(tab)
    assert "onto itself" in tab.locator("#weight-means").inner_text()
    assert tab.locator("#weight-map td.here").count() == 1
