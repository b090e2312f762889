"""The studio's page, by what a person does with it and sees of it."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brian2lava.studio import Page, show

pytestmark = pytest.mark.browser


def view(tab: Any, name: str) -> None:
    """Go to a view by its tab."""
    tab.get_by_role("tablist", name="Views").get_by_role("tab", name=name, exact=True).click()


def tile(tab: Any, name: str) -> float:
    """The large number of a tile."""
    text = tab.locator(f"[data-tile={name}] b").inner_text()
    return float(text.replace("−", "-"))


def settled(tab: Any) -> None:
    """Wait until nothing more is asked for."""
    tab.wait_for_timeout(150)
    for _ in range(200):
        if tab.evaluate("studio.connection.idle"):
            break
        tab.wait_for_timeout(50)
    tab.wait_for_timeout(60)


#: Pixels of a canvas that are not empty.
INK = """canvas => {
    const { width, height } = canvas;
    const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    let count = 0;
    for (let k = 3; k < data.length; k += 4) if (data[k] > 40) count++;
    return count;
}"""


def ink(tab: Any, selector: str) -> int:
    """How much is drawn."""
    return int(tab.locator(selector).first.evaluate(INK))


def drag(tab: Any, plot: str, start: float, stop: float) -> None:
    """Drag over a plot, from one part of its width to another."""
    box = tab.locator(f"[data-plot={plot}] .u-over").bounding_box()
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + start * box["width"], y)
    tab.mouse.down()
    tab.mouse.move(box["x"] + (start + stop) / 2 * box["width"], y, steps=4)
    tab.mouse.move(box["x"] + stop * box["width"], y, steps=4)
    tab.mouse.up()


def test_one_lands_on_a_neuron_that_runs(tab: Any) -> None:
    settled(tab)
    assert tab.get_by_role("heading", name="AdEx on ATRLIF").is_visible()
    assert tile(tab, "gamma2") > 0.7
    for plot in ("voltage", "membrane", "spikes", "stimulus"):
        assert ink(tab, f"[data-plot={plot}] canvas") > 500, plot
    assert tab.locator(".explore canvas").count() == 1  # the f-I curve


def test_a_slider_moves_register_traces_and_numbers(tab: Any) -> None:
    settled(tab)
    before = tile(tab, "gamma2"), tab.get_by_label("register delta_v").input_value()
    slider = tab.get_by_label("membrane time constant", exact=True)
    box = slider.bounding_box()
    tab.mouse.click(box["x"] + 0.2 * box["width"], box["y"] + box["height"] / 2)
    settled(tab)
    assert tile(tab, "gamma2") < before[0]
    assert int(tab.get_by_label("register delta_v").input_value()) > int(before[1])
    assert "redrawn in" in tab.get_by_role("status").first.inner_text()


def test_arrow_keys_step_one_bit(tab: Any) -> None:
    register = tab.get_by_label("register delta_v")
    before = int(register.input_value())
    tab.get_by_label("membrane time constant", exact=True).focus()
    tab.keyboard.press("ArrowRight")
    settled(tab)
    assert int(register.input_value()) == before - 1  # a longer time constant decays less
    tab.keyboard.press("ArrowLeft")
    tab.keyboard.press("ArrowLeft")
    settled(tab)
    assert int(register.input_value()) == before + 1


def test_values_and_registers_can_be_typed(tab: Any) -> None:
    value = tab.get_by_label("membrane time constant, value")
    value.fill("20")
    value.press("Enter")
    settled(tab)
    assert tab.get_by_label("register delta_v").input_value() == "41"  # 4096 (1 - exp(-0.2/20))
    register = tab.get_by_label("register delta_v")
    register.fill("4096")
    register.press("Enter")
    settled(tab)
    assert "outside 0..4095" in tab.get_by_role("alert").inner_text()
    register.fill("82")
    register.press("Enter")
    settled(tab)
    assert value.input_value().startswith("9.8") or value.input_value().startswith("9.9")


def test_what_is_no_number_is_told_and_changes_nothing(tab: Any) -> None:
    settled(tab)
    before = tab.get_by_label("register delta_v").input_value()
    value = tab.get_by_label("membrane time constant, value")
    value.fill("abc")
    value.press("Enter")
    assert "is no number" in tab.get_by_role("alert").inner_text()
    settled(tab)
    assert tab.get_by_label("register delta_v").input_value() == before
    value.fill("20")
    value.press("Enter")
    settled(tab)
    assert tab.get_by_label("register delta_v").input_value() == "41"


def test_lock_reset_undo(tab: Any) -> None:
    slider = tab.get_by_label("membrane time constant", exact=True)
    value = tab.get_by_label("membrane time constant, value")
    first = value.input_value()
    tab.get_by_label("Lock membrane time constant").click()
    settled(tab)
    assert slider.is_disabled()
    tab.get_by_label("Unlock membrane time constant").click()
    settled(tab)
    slider.focus()
    for _ in range(3):
        tab.keyboard.press("ArrowRight")
    settled(tab)
    changed = value.input_value()
    assert changed != first
    tab.keyboard.press("Control+z")
    settled(tab)
    assert value.input_value() == first
    tab.get_by_label("Redo").click()
    settled(tab)
    assert value.input_value() == changed
    tab.get_by_label("Reset membrane time constant").click()
    settled(tab)
    assert value.input_value() == first


def test_zoom_is_one_for_all_plots(tab: Any) -> None:
    settled(tab)
    drag(tab, "membrane", 0.2, 0.3)
    settled(tab)
    for name in ("voltage", "membrane", "stimulus"):
        low, high = tab.evaluate(
            f"(u => [u.scales.x.min, u.scales.x.max])(studio.views.get('tune').traces.{name}.u)"
        )
        assert low == pytest.approx(0.6, abs=0.02) and high == pytest.approx(0.9, abs=0.02)
    tab.locator("[data-plot=membrane] .u-over").dblclick()
    settled(tab)
    assert tab.evaluate("studio.views.get('tune').traces.membrane.u.scales.x.max") == 3


def test_another_candidate(tab: Any) -> None:
    tab.get_by_label("Candidate", exact=True).select_option("RF_IZ")
    settled(tab)
    assert tab.get_by_role("heading", name="AdEx on RF_IZ").is_visible()
    assert tab.get_by_label("frequency of the resonance", exact=True).is_visible()


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("Step", "Spikes:"),
        ("Ramp", "Spikes:"),
        ("Chirp", "Spikes:"),
        ("Bits", "Every register in its bits"),
        ("What if n bits", "if the chip had so many bits"),
        ("Time step", "over the chip's time step"),
        ("Phase plane", "states against each other"),
    ],
)
def test_tabs_below_the_traces(tab: Any, name: str, seen: str) -> None:
    explore = tab.get_by_role("tablist", name="Explore")
    explore.get_by_role("tab", name=name, exact=True).click()
    settled(tab)
    assert seen in tab.locator(".explore .caption").inner_text()
    drawn = tab.locator(".explore canvas").count()
    assert drawn or tab.locator(".explore tbody tr").count() > 5


def test_a_model_becomes_the_target(tab: Any) -> None:
    view(tab, "Target")
    settled(tab)
    tab.get_by_label("Model", exact=True).select_option("Izhikevich")
    tab.get_by_label("Firing pattern").select_option("tonic bursting")
    tab.get_by_role("button", name="Use this model").click()
    settled(tab)
    assert tab.get_by_role("heading", name="Izhikevich, tonic bursting").is_visible()
    view(tab, "Tune")
    settled(tab)
    assert tab.get_by_role("heading", name="Izhikevich, tonic bursting on ATRLIF").is_visible()


def test_a_recording_is_dropped(tab: Any, tmp_path: Path) -> None:
    t = np.arange(0, 2, 5e-4)
    voltage = np.where(np.arange(t.size) % 100 == 50, 30.0, -65.0)
    rows = np.stack([t * 1e3, 200 + 100 * np.sin(9 * t), voltage], axis=1)
    path = tmp_path / "cell 7.csv"
    np.savetxt(path, rows, delimiter=",", header="t (ms),I (pA),V (mV)", comments="", fmt="%.6g")
    view(tab, "Target")
    settled(tab)
    tab.set_input_files("#file", path)
    settled(tab)
    assert tab.get_by_role("heading", name="cell 7").is_visible()
    facts = tab.locator(".facts").inner_text()
    assert "0.1 to 0.3 nA" in facts and "−65 to 30 mV" in facts and "0.5 ms" in facts
    path.write_text("a,b\n1,2\n")
    tab.set_input_files("#file", path)
    settled(tab)
    assert "there is no current; found" in tab.get_by_role("alert").last.inner_text()
    assert tab.get_by_role("heading", name="cell 7").is_visible()  # nothing is lost


def test_spans_are_brushed(tab: Any) -> None:
    view(tab, "Target")
    settled(tab)
    tab.get_by_role("button", name="Brush what is held out").click()
    drag(tab, "target-current", 0.0, 0.1)
    settled(tab)
    spans = tab.locator(".span").all_inner_texts()
    assert len(spans) == 3 and sum("held out" in span for span in spans) == 2
    tab.get_by_role("button", name="Two thirds, one third").click()
    settled(tab)
    assert len(tab.locator(".span").all()) == 2


def fitted(tab: Any, names: tuple[str, ...] = ("LIF", "ALIF", "ATRLIF")) -> None:
    """Fit some candidates, quickly."""
    view(tab, "Fit")
    tab.get_by_role("button", name="None").click()
    for name in names:
        tab.locator(f"#fit-{name}").check()
    tab.get_by_label("A candidate and seed").select_option("1500")
    tab.get_by_label("Seeds").fill("2")
    tab.get_by_role("button", name="Fit", exact=True).click()
    tab.get_by_text("Done in").wait_for(timeout=120_000)


def test_fit_ranks_and_compare_says_why(tab: Any) -> None:
    fitted(tab)
    rows = tab.locator(".stage tbody tr")
    assert rows.count() == 3
    assert ink(tab, ".stage canvas") > 500
    best = rows.first.get_attribute("data-candidate")
    view(tab, "Compare")
    settled(tab)
    assert tab.locator("tr.selected").get_attribute("data-candidate") == best
    assert ink(tab, "[data-plot=raster] canvas") > 500
    before = tab.locator(".single .caption").inner_text()
    tab.get_by_role("button", name="next error").click()
    settled(tab)
    assert tab.locator(".single .caption").inner_text() != before
    assert tab.get_by_role("heading", name=f"What one bit does to {best}").is_visible()
    tab.locator("tr[data-candidate=LIF]").get_by_role("button", name="Tune").click()
    settled(tab)
    assert tab.get_by_role("heading", name="AdEx on LIF").is_visible()


def test_a_fit_pauses_and_survives_reload_and_restart(tab: Any, studio: Page, browser: Any) -> None:
    view(tab, "Fit")
    tab.get_by_label("A candidate and seed").select_option("40000")
    tab.get_by_role("button", name="Fit", exact=True).click()
    tab.get_by_role("button", name="Pause").wait_for()
    tab.wait_for_timeout(1500)
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_text("Paused at").wait_for(timeout=60_000)
    tab.reload()
    tab.wait_for_selector("html[data-ready=yes]")
    tab.get_by_text("Paused at").wait_for()
    shown = tab.locator("#fit-state").inner_text()
    session = studio.desk.session
    studio.close()
    tab.get_by_text("The server is away").wait_for()
    again = show(session=session)
    try:
        other = browser.new_page()
        other.goto(again.url + "#fit")
        other.wait_for_selector("html[data-ready=yes]")
        other.get_by_text("Paused at").wait_for()
        assert other.locator("#fit-state").inner_text() == shown
        other.get_by_role("button", name="Go on").click()
        other.get_by_role("button", name="Pause").wait_for()
        other.get_by_role("button", name="Stop and keep").click()
        other.locator(".stage tbody tr").first.wait_for(timeout=60_000)
        other.close()
    finally:
        again.close()


def test_export_looks_downloads_and_proves(tab: Any, tmp_path: Path) -> None:
    view(tab, "Export")
    settled(tab)
    tab.get_by_label("Look at on_loihi2.py").click()
    assert 'hardware="Loihi2"' in tab.locator(".preview pre").inner_text()
    tab.get_by_label("Look at response.svg").click()
    image = tab.locator(".preview img")
    image.wait_for()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Download all (zip)").click()
    path = tmp_path / "all.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as archive:
        assert "on_loihi2.py" in archive.namelist()
    tab.get_by_label("Run on_loihi2.py").click()
    tab.get_by_text("It prints the same").wait_for(timeout=120_000)


def test_precision_leads_to_another_step(tab: Any) -> None:
    view(tab, "Precision")
    settled(tab)
    tab.get_by_label("step 0.5 ms, 12 bits").click()
    settled(tab)
    assert "The bench is at 0.5 ms" in tab.locator("#decay-note").inner_text()
    view(tab, "Tune")
    settled(tab)
    assert tab.get_by_label("Chip's time step").input_value() == "0.0005"


def test_a_synapse_is_fitted(tab: Any) -> None:
    view(tab, "Synapse")
    settled(tab)
    tab.get_by_label("What it has to do").select_option("alpha")
    tab.get_by_label("tau", exact=True).fill("6")
    tab.get_by_role("button", name="Fit the synapse").click()
    tab.get_by_text("Done.").wait_for(timeout=120_000)
    settled(tab)
    assert tab.locator(".stage tbody tr").count() >= 2
    assert ink(tab, ".side-by-side canvas") > 500
    tab.get_by_role("button", name="Brian2 script").click()
    tab.get_by_text("set_device").first.wait_for()


@pytest.mark.parametrize("name", ["Target", "Tune", "Fit", "Compare", "Export", "Precision"])
def test_every_page_shows_its_code(tab: Any, name: str) -> None:
    view(tab, name)
    settled(tab)
    tab.get_by_text("The same in Python").click()
    settled(tab)
    text = tab.locator("details.code pre").last.inner_text()
    assert "model_target('AdEx'" in text
    compile(text, "shown", "exec")


def test_views_by_keyboard(tab: Any) -> None:
    tab.get_by_role("tab", name="Tune", exact=True).focus()
    tab.keyboard.press("ArrowRight")
    settled(tab)
    assert tab.get_by_role("tab", name="Fit", exact=True).get_attribute("aria-selected") == "true"
    assert tab.url.endswith("#fit")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_light_and_dark(browser: Any, studio: Page, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 800, "height": 900})
    tab = context.new_page()
    tab.goto(studio.url)
    tab.wait_for_selector("html[data-ready=yes]")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    shown = [int(x) for x in tab.evaluate(ground)[4:-1].split(",")]
    assert (sum(shown) > 600) == (scheme == "light")
    tab.get_by_label("Theme").click()
    turned = [int(x) for x in tab.evaluate(ground)[4:-1].split(",")]
    assert (sum(turned) > 600) != (scheme == "light")
    for view_name in ("Target", "Tune", "Fit", "Compare", "Export", "Precision", "Synapse"):
        view(tab, view_name)
        settled(tab)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 800, view_name
    context.close()


def test_nothing_is_fetched_from_elsewhere(browser: Any, studio: Page) -> None:
    tab = browser.new_page()
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(studio.url)
    tab.wait_for_selector("html[data-ready=yes]")
    assert len(asked) > 5
    assert all(url.startswith(studio.url) or url.startswith("data:") for url in asked)
    tab.close()


def test_what_was_done_is_there_after_a_kill(tab: Any, studio: Page, browser: Any) -> None:
    value = tab.get_by_label("membrane time constant, value")
    value.fill("17")
    value.press("Enter")
    settled(tab)
    deadline = time.monotonic() + 10
    while studio.desk.unsaved and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.1)
    again = show(session=studio.desk.session)  # the first is not closed: as if it were killed
    try:
        other = browser.new_page()
        other.goto(again.url)
        other.wait_for_selector("html[data-ready=yes]")
        assert other.get_by_label("membrane time constant, value").input_value() == "17"
        other.close()
    finally:
        again.close()
