"""The page of a run: how long it takes to make, how large it is, how soon a browser shows it."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from bench import Row
from resnet_inspect import api
from resnet_inspect.config import Settings
from resnet_inspect.store.run import Run


def measure() -> list[Row]:
    """A run of n=5 with 50 steps and one of n=18 with 20, each recorded at every step."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for n, steps in ((5, 50), (18, 20)):
            settings = Settings(n=n, steps=steps, batch_size=32)
            page = Path(folder) / f"n{n}.html"
            found += made(api.record(settings, out=Path(folder) / f"n{n}.db"), page, n)
            found += shown(page, n)
    return found


def made(run: Path, page: Path, n: int) -> list[Row]:
    """Time and size of a page; the best of three, without the start of the program."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        with Run.open(run) as opened:
            text = api.report(opened)
        times.append(time.perf_counter() - begun)
    page.write_text(text, encoding="utf-8")
    return [
        (f"report of n={n}, made in", f"{min(times):.1f} s", "target ≤ 3 s" if n == 18 else ""),
        (
            f"report of n={n}, size",
            f"{page.stat().st_size / 1e6:.2f} MB",
            "target ≤ 2 MB" * (n == 5),
        ),
    ]


def shown(page: Path, n: int) -> list[Row]:
    """When a browser has drawn the page, from the start of its loading; the best of three."""
    browser = next((p for name in ("chromium", "google-chrome") if (p := shutil.which(name))), None)
    if browser is None:
        return []
    from playwright.sync_api import sync_playwright

    times = []
    with sync_playwright() as tool:
        opened = tool.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for _ in range(3):
            tab = opened.new_page()
            tab.goto(page.as_uri())
            tab.wait_for_selector("html[data-ready]", state="attached")
            times.append(tab.evaluate("performance.getEntriesByName('ready')[0].startTime") / 1000)
            tab.close()
        opened.close()
    return [(f"report of n={n}, ready in a browser", f"{min(times):.2f} s", "target ≤ 1 s")]
