"""The page Synapse: what was found is there after a reload and a restart."""

from __future__ import annotations

import time
from typing import Any

import pytest

from brian2lava.studio import Page, show
from tests.studio.browser.test_page import ink, settled, view

pytestmark = pytest.mark.browser


def shown(tab: Any) -> list[str]:
    """The table, and what is asked for."""
    tab.locator(".stage tbody tr").first.wait_for()
    texts: list[str] = tab.locator(".stage tbody tr").all_inner_texts()
    return [*texts, tab.locator("#synapse-of").inner_text(), tab.get_by_label("rise").input_value()]


def test_a_synapse_survives_reload_and_restart(tab: Any, studio: Page, browser: Any) -> None:
    view(tab, "Synapse")
    settled(tab)
    tab.get_by_label("What it has to do").select_option("double_exponential")
    tab.get_by_label("rise", exact=True).fill("3")
    tab.get_by_role("button", name="Fit the synapse").click()
    tab.get_by_text("Done.").wait_for(timeout=120_000)
    settled(tab)
    before = shown(tab)
    assert "rise 0.003 s" in before[-2] and before[-1] == "3"
    tab.reload()
    tab.wait_for_selector("html[data-ready=yes]")
    settled(tab)
    assert shown(tab) == before
    deadline = time.monotonic() + 10
    while studio.desk.unsaved and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.1)
    again = show(session=studio.desk.session)  # the first is not closed: as if it were killed
    try:
        other = browser.new_page()
        other.goto(again.url + "#synapse")
        other.wait_for_selector("html[data-ready=yes]")
        settled(other)
        assert shown(other) == before
        assert ink(other, ".side-by-side canvas") > 500
        other.get_by_role("button", name="Brian2 script").click()
        other.get_by_text("set_device").first.wait_for()
        other.close()
    finally:
        again.close()
