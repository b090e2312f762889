"""How long the page takes to redraw while a slider is dragged.

    python -m tests.studio.browser.redraw

How long the page takes to load; three drags of a slider over AdEx on ATRLIF, as one lands on it,
then single bits by arrow keys; and the same with a stimulus of 34,000 steps. In Chromium without a
window, from the event in the browser to the last curve drawn. A move of the
mouse is sent every 16 ms; moves that come while a redraw is under way wait, and of these only the
newest is drawn.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from brian2lava.fit import Target, model_target
from brian2lava.fit.target.stimuli import Noise

MOVES, EVERY, PRESSES = 120, 16, 60


def main() -> None:
    """Measure, and print a line for loading, for drags and for keys."""
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        measure(chromium, "as it opens", None)
        noise = Noise(mean=0.5e-9, sigma=0.2e-9, tau=5e-3, duration=3.4)
        measure(chromium, "34,000 steps", model_target("AdEx", "tonic", stimulus=noise))
        chromium.close()


def measure(chromium: Any, what: str, target: Target | None) -> None:
    """A page of its own with a target."""
    from brian2lava.studio import show

    home = tempfile.mkdtemp()
    page = show(target, session=Path(home, "session.b2l"))
    tab = chromium.new_page(viewport={"width": 1280, "height": 900})
    loads = []
    for _ in range(5):
        began = time.perf_counter()
        tab.goto(page.url)
        tab.wait_for_selector("html[data-ready=yes]")
        loads.append(1e3 * (time.perf_counter() - began))
    print(f"{what}: page loaded {len(loads)} times, median {np.median(loads):.0f} ms,"
          f" longest {max(loads):.0f} ms")  # fmt: skip
    settle(tab)
    slider = tab.get_by_label("membrane time constant", exact=True)
    drag(tab, slider)  # the first one compiles nothing, but warms the browser up
    told(f"{what}: drag", *(drag(tab, slider) for _ in range(3)))
    told(f"{what}: arrow key", step(tab, slider))
    tab.close()
    page.close()
    shutil.rmtree(home, ignore_errors=True)


def settle(tab: Any) -> None:
    """Until the traces, the scores and the tab below them are there."""
    tab.wait_for_timeout(1500)
    tab.wait_for_function("studio.connection.idle")
    tab.wait_for_timeout(300)


def drag(tab: Any, slider: Any) -> np.ndarray:
    """One drag from left to right: milliseconds of each redraw."""
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    tab.mouse.move(box["x"] + 0.1 * box["width"], y)
    tab.mouse.down()
    settle(tab)
    tab.evaluate("studio.times.length = 0")
    for move in range(MOVES):
        tab.mouse.move(box["x"] + (0.1 + 0.8 * move / MOVES) * box["width"], y)
        tab.wait_for_timeout(EVERY)
    tab.mouse.up()
    settle(tab)
    return np.array(tab.evaluate("studio.times"))


def step(tab: Any, slider: Any) -> np.ndarray:
    """One bit up, one down, with a rest after each: milliseconds of each redraw."""
    slider.focus()
    settle(tab)
    tab.evaluate("studio.times.length = 0")
    for press in range(PRESSES):
        tab.keyboard.press("ArrowLeft" if press % 2 else "ArrowRight")
        tab.wait_for_timeout(50)
    settle(tab)
    return np.array(tab.evaluate("studio.times"))


def told(what: str, *runs: np.ndarray) -> None:
    """Median, 90 and 95 of 100, and the longest."""
    times = np.concatenate(runs)
    load = os.getloadavg()[0]
    print(
        f"{what}: {len(times)} redraws, median {np.median(times):.1f} ms,"
        f" 90 % under {np.quantile(times, 0.9):.1f} ms, 95 % under {np.quantile(times, 0.95):.1f}"
        f" ms, longest {times.max():.1f} ms"
        f" (load {load:.1f} on {os.cpu_count()} cores)"
    )


if __name__ == "__main__":
    main()
