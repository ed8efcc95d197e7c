"""A real browser for tests of pages, and what a page asked for and said meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@dataclass
class Opened:
    """A page with all it asked a network for, and all that came up in its console."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        """The visible text of an element."""
        return str(self.page.inner_text(selector))


# Opens the page of a recording, or of a run file: run, hash, width and what a context takes.
Open = Callable[..., Opened]


def started() -> Iterator[Browser]:
    """A browser; skips with the reason where there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("playwright is not installed: pip install playwright")
    found = next((place for name in NAMES if (place := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"there is no browser; looked for {', '.join(NAMES)}")
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


def opened(
    browser: Browser, file: Path, hash_: str = "", width: int = 1000, **options: Any
) -> tuple[Opened, BrowserContext]:
    """Open a page from disk and wait until it has drawn itself."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    found = Opened(context.new_page())
    page = found.page
    page.on("request", lambda one: found.requests.append(one.url))
    page.on("console", lambda one: found.messages.append(one.text))
    page.on("pageerror", lambda one: found.messages.append(str(one)))
    page.goto(file.as_uri() + hash_)
    page.wait_for_selector("html[data-ready]", state="attached")
    return found, context
