"""A studio and a browser that looks at it; skipped where there is no browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from brian2lava.studio import Page, show


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium: the system's, or Playwright's own."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed; `make test-browser` brings it"
    )
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    with playwright.sync_playwright() as started:
        try:
            # without a sandbox: in containers there is none, and only our own page is shown
            chromium = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium starts here ({str(error).splitlines()[0]})")
        yield chromium
        chromium.close()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Page]:
    """A studio as it is when it is opened for the first time."""
    page = show(session=tmp_path / "session.b2l")
    yield page
    page.close()


def is_wrong(said: Any) -> bool:
    """Errors, but for those of a page whose server went away, as tests want it."""
    return bool(said.type == "error" and "WebSocket connection" not in said.text)


@pytest.fixture
def tab(browser: Any, studio: Page) -> Iterator[Any]:
    """The page in a browser; an error in its script fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if is_wrong(said) else None)
    opened.goto(studio.url)
    opened.wait_for_selector("html[data-ready=yes]")
    yield opened
    context.close()
    assert not wrong
