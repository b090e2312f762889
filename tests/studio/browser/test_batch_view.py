"""The page Batch, by what a person does with it and sees of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.studio import Page, show
from tests.studio.browser.test_page import settled, view

pytestmark = pytest.mark.browser


def recording(
    folder: Path, name: str, period: int = 53, broken: bool = False, samples: int = 900
) -> str:
    """A recording's file; ``period`` 0: spikes at random, which no fit ends with early."""
    rng = np.random.default_rng(1)
    fires = rng.random(samples) < 0.02 if period == 0 else np.arange(samples) % period == 0
    rows = "".join(f"{n},{100 + n % 40},{20 if fires[n] else -65}\n" for n in range(samples))
    text = "nonsense\n1\n" if broken else "time (ms),current (pA),voltage (mV)\n" + rows
    (folder / name).write_text(text)
    return str(folder / name)


def asked(tab: Any, *files: str, names: tuple[str, ...] = ("LIF", "ALIF")) -> None:
    """Cells and candidates, and as little as a fit can be."""
    view(tab, "Batch")
    settled(tab)
    tab.locator("#batch-files").set_input_files(list(files))
    tab.get_by_role("heading", name=f"Cells ({len(files)})").wait_for()
    tab.locator("aside").get_by_role("button", name="None").click()
    settled(tab)
    for name in names:
        tab.locator(f"#batch-{name}").check()
        settled(tab)
    tab.get_by_label("A row and seed").select_option("500")
    tab.locator("#batch-seeds").fill("1")
    tab.locator("#batch-seeds").press("Enter")
    tab.get_by_label("Chip's time step").select_option("0.001")
    settled(tab)


def column(tab: Any, k: int) -> list[str]:
    """What stands in a column of the queue."""
    found: list[str] = tab.evaluate(
        "k => Array.from(document.querySelectorAll('.queue tbody tr'),"
        " row => row.children[k].innerText)",
        k,
    )
    return found


def test_cells_are_dropped_fitted_sorted_and_tuned(tab: Any, tmp_path: Path) -> None:
    one = recording(tmp_path, "one.csv")
    two = recording(tmp_path, "two.csv", broken=True)
    three = recording(tmp_path, "three.csv", period=31)
    asked(tab, one, two, three)
    assert "two.csv: there is no current" in tab.get_by_role("alert").last.inner_text()
    assert "16 spikes in 0.9 s" in tab.locator(".cells li").first.inner_text()
    tab.get_by_text("on this machine").first.wait_for(timeout=60_000)
    tab.get_by_role("button", name="Fit all").click()
    tab.get_by_text("Done: 4 done, 2 failed").wait_for(timeout=120_000)
    settled(tab)
    assert column(tab, 0) == ["one", "one", "two", "two", "three", "three"]
    assert "two.csv: there is no current" in column(tab, 2)[2]
    # sorted by a column, with the keyboard, too; what has no score comes last
    tab.get_by_role("button", name="Γ held out", exact=True).click()
    best = column(tab, 3)
    numbers = [float(text.replace("−", "-")) for text in best[:4]]
    assert numbers == sorted(numbers, reverse=True) and best[4:] == ["–", "–"]
    head = tab.locator("th[data-column=held_out]")
    assert head.get_attribute("aria-sort") == "descending"
    head.get_by_role("button").press("Enter")
    assert head.get_attribute("aria-sort") == "ascending" and column(tab, 3)[:4] == best[3::-1]
    # distributions: a dot each cell, and one that is found everywhere
    dots = tab.locator("[data-plot=batch-scores] .dot")
    assert dots.count() == 4
    assert tab.locator("[data-plot=batch-scores] .box").count() == 2
    tab.locator("[data-plot=batch-scores] .dot[data-cell=three]").first.click()
    assert tab.locator("[data-plot=batch-parameter] .chosen").count() == 2
    assert tab.locator("tr.selected").count() == 2
    tab.locator("#batch-parameter").select_option("gain")
    settled(tab)
    assert "gain (θ/nA)" in tab.locator("[data-plot=batch-parameter] svg").text_content()
    # a click on a row leads to Tune, with the score of the row
    score = tab.locator("tr[data-cell=three][data-candidate=ALIF] td").nth(2).inner_text()
    tab.locator("tr[data-cell=three][data-candidate=ALIF] th").click()
    tab.get_by_role("heading", name="three on ALIF").wait_for()
    settled(tab)
    assert tab.locator("[data-tile=gamma2] b").inner_text() == score


def test_a_queue_pauses_and_survives_reload_and_restart(
    tab: Any, studio: Page, browser: Any, tmp_path: Path
) -> None:
    asked(tab, recording(tmp_path, "one.csv", 0, samples=20_000), names=("LIF",))
    tab.get_by_label("A row and seed").select_option("40000")
    settled(tab)
    tab.locator("#batch-seeds").fill("8")
    tab.locator("#batch-seeds").press("Enter")
    settled(tab)
    tab.get_by_role("button", name="Fit all").click()
    tab.get_by_text("running, ").wait_for(timeout=60_000)
    tab.wait_for_function("() => !document.body.innerText.includes('running, 0 %')")
    assert tab.get_by_label("A row and seed").is_disabled()
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_text("Paused: 1 waiting").wait_for(timeout=60_000)
    tab.reload()
    tab.wait_for_selector("html[data-ready=yes]")
    tab.get_by_text("Paused: 1 waiting").wait_for()
    shown = column(tab, 2)
    session = studio.desk.session
    studio.close()
    tab.get_by_text("The server is away").wait_for()
    again = show(session=session)
    try:
        other = browser.new_page()
        other.goto(again.url + "#batch")
        other.get_by_text("Paused: 1 waiting").wait_for()
        assert column(other, 2) == shown and "waiting, " in shown[0]
        other.get_by_role("button", name="Go on").click()
        other.get_by_role("button", name="Stop and keep").click()
        other.get_by_text("1 stopped").wait_for(timeout=60_000)
        other.get_by_role("button", name="Forget all results").click()
        other.get_by_role("button", name="Press again to forget").click()
        other.get_by_text("1 waiting").first.wait_for()
        assert not other.get_by_label("A row and seed").is_disabled()
        other.close()
    finally:
        again.close()


def test_patterns_of_models_and_the_code(tab: Any) -> None:
    view(tab, "Batch")
    settled(tab)
    tab.get_by_text("Models of the literature").click()
    tab.get_by_label("Model", exact=True).select_option("MAT")
    tab.get_by_label("chattering").uncheck()
    tab.get_by_role("button", name="Add", exact=True).click()
    tab.get_by_role("heading", name="Cells (3)").wait_for()
    tab.get_by_role("button", name="Remove MAT, fast spiking").click()
    tab.get_by_role("heading", name="Cells (2)").wait_for()
    tab.get_by_text("The same in Python").click()
    settled(tab)
    text = tab.locator("details.code pre").last.inner_text()
    assert "model='MAT', pattern='regular spiking'" in text and "fit_many(" in text
    compile(text, "shown", "exec")


def test_the_tables_are_saved(tab: Any, tmp_path: Path) -> None:
    asked(tab, recording(tmp_path, "one.csv"), names=("LIF",))
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save as CSV").click()
    download.value.save_as(tmp_path / "saved.csv")
    assert (tmp_path / "saved.csv").read_text().startswith(("cell,", "candidate,"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_narrow_windows(browser: Any, studio: Page, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 800, "height": 900})
    tab = context.new_page()
    tab.goto(studio.url + "#batch")
    tab.wait_for_selector("html[data-ready=yes]")
    settled(tab)
    tab.get_by_role("button", name="Add the target of Tune").click()
    tab.get_by_role("heading", name="Cells (1)").wait_for()
    settled(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 800
    context.close()
