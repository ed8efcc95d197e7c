"""A browser for tests of pages, with the requests and console messages of each page."""

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
    """An opened page, the URLs that it requested, and the messages in its console."""

    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        """The visible text of an element."""
        return str(self.page.inner_text(selector))


# Opens the page of a recording or a run file. Arguments: run, hash, width, options of a context.
Open = Callable[..., Opened]


def started() -> Iterator[Browser]:
    """A browser; skips the test if none is installed."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        pytest.skip("playwright is not installed: pip install playwright")
    path = next((file for name in NAMES if (file := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"there is no browser; looked for {', '.join(NAMES)}")
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def opened(
    browser: Browser, file: Path, hash_: str = "", width: int = 1000, **options: Any
) -> tuple[Opened, BrowserContext]:
    """Open a page from disk and wait until it is ready."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    result = Opened(context.new_page())
    page = result.page
    page.on("request", lambda request: result.requests.append(request.url))
    page.on("console", lambda message: result.messages.append(message.text))
    page.on("pageerror", lambda error: result.messages.append(str(error)))
    page.goto(file.as_uri() + hash_)
    page.wait_for_selector("html[data-ready]", state="attached")
    return result, context
