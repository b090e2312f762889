"""Takes the pictures of the documentation anew: ``python -m tests.studio.browser.pictures``.

Every view in light and dark, 1280 and 800 pixels wide; those of ``KEPT`` go to the documentation.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[3] / "docs" / "pictures" / "studio"
VIEWS = ("target", "equations", "tune", "fit", "compare", "export", "precision", "synapse", "batch")
KEPT = {
    ("tune", 1280, "light"), ("tune", 800, "dark"), ("target", 1280, "light"),
    ("equations", 1280, "light"),
    ("fit", 1280, "light"), ("fit", 1280, "dark"), ("compare", 1280, "light"),
    ("export", 1280, "light"), ("precision", 1280, "dark"), ("synapse", 1280, "light"),
    ("batch", 1280, "light"),
}  # fmt: skip


def main(elsewhere: Path | None = None) -> None:
    """Take all pictures; those that are not kept go to ``elsewhere``, if that is given."""
    home = tempfile.mkdtemp()
    os.environ["HOME"] = home  # no picture shows where somebody works
    from playwright.sync_api import sync_playwright

    from brian2lava.studio import show

    page = show(session=Path(home, ".cache", "brian2lava", "studio", "session.b2l"))
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        prepare(chromium.new_page(), page.url)
        for scheme in ("light", "dark"):
            for width in (1280, 800):
                context = chromium.new_context(
                    color_scheme=scheme, viewport={"width": width, "height": 900}
                )
                tab = context.new_page()
                for view in VIEWS:
                    kept = (view, width, scheme) in KEPT
                    folder = FOLDER if kept else elsewhere
                    if folder is not None:
                        name = f"{view}_{width}_{scheme}.png"
                        folder.mkdir(parents=True, exist_ok=True)
                        (folder / name).write_bytes(picture(tab, page.url, view))
                context.close()
        chromium.close()
    page.close()
    shutil.rmtree(home, ignore_errors=True)


def prepare(tab: Any, url: str) -> None:
    """A fit, a synapse, and many cells, so that there is something to see."""
    tab.goto(f"{url}#fit")
    tab.wait_for_selector("html[data-ready=yes]")
    tab.click("#fit-start")
    tab.get_by_text("Done in").wait_for(timeout=300_000)
    tab.goto(f"{url}#synapse")
    tab.wait_for_timeout(500)
    tab.select_option("#synapse-kind", "pair_stdp")
    tab.click("#synapse-fit")
    tab.get_by_text("Done.").wait_for(timeout=300_000)
    tab.goto(f"{url}#batch")
    tab.wait_for_timeout(500)
    tab.get_by_text("Models of the literature").click()
    tab.get_by_role("button", name="Add", exact=True).click()
    tab.get_by_role("heading", name="Cells (8)").wait_for()
    tab.get_by_role("button", name="Fit all").click()
    tab.get_by_text("Done: ").wait_for(timeout=300_000)
    tab.close()


def picture(tab: Any, url: str, view: str) -> bytes:
    """The whole page of a view, in few colours."""
    from PIL import Image

    tab.goto("about:blank")
    tab.goto(f"{url}#{'target' if view == 'equations' else view}")
    tab.wait_for_selector("html[data-ready=yes]")
    tab.wait_for_timeout(2500)
    if view == "equations":
        tab.get_by_text("Brian2 equations of your own").click()
        tab.locator(".equations").evaluate("section => section.scrollIntoView()")
    if view == "export":
        tab.get_by_label("Look at on_loihi2.py").click()
    shot = Image.open(io.BytesIO(tab.screenshot(full_page=True))).convert("RGB")
    small = io.BytesIO()
    # the palette is moved to the means of what it stands for: a pale ground keeps its hue
    few = shot.quantize(255, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    few.save(small, "PNG", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
