"""Measures report pages of one and of two runs: time to make, size, time to show."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import Row
from resnet_inspect import api
from resnet_inspect.config import Settings
from resnet_inspect.store.run import Run


def measure(quick: bool = False) -> list[Row]:
    """Measure runs of n=5 with 50 steps and n=18 with 20 steps, all of them recorded."""
    rows: list[Row] = []
    small, few = (1, 2) if quick else (5, 50)
    with tempfile.TemporaryDirectory() as folder:
        for n, steps in ((small, few),) if quick else ((small, few), (18, 20)):
            settings = Settings.of({"n": n, "steps": steps, "batch_size": 32})
            page = Path(folder) / f"n{n}.html"
            run = api.record(settings, out=Path(folder) / f"n{n}.db")
            rows += [*made([run], page, f"report of n={n}"), *shown(page, f"report of n={n}")]
        settings = Settings.of({"n": small, "ver": 1, "steps": few, "batch_size": 32})
        first = api.record(settings, out=Path(folder) / "v1.db")
        page, what = Path(folder) / "both.html", f"report of two runs of n={small}"
        rows += [*made([first, Path(folder) / f"n{small}.db"], page, what), *shown(page, what)]
    return rows


def made(files: Sequence[Path], page: Path, what: str) -> list[Row]:
    """Measure the time and the size of a page: best of three, without the start of the program."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        with ExitStack() as stack:
            text = api.report(*(stack.enter_context(Run.open(file)) for file in files))
        times.append(time.perf_counter() - start)
    page.write_text(text, encoding="utf-8")
    return [
        (f"{what}, made in", f"{min(times):.1f} s", "target ≤ 3 s" * what.endswith("of n=18")),
        (
            f"{what}, size",
            f"{page.stat().st_size / 1e6:.2f} MB",
            "target ≤ 2 MB" * what.startswith("report of n=5"),
        ),
    ]


def shown(page: Path, what: str) -> list[Row]:
    """Measure the time from loading a page until a browser has drawn it: best of three."""
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
    return [(f"{what}, ready in a browser", f"{min(times):.2f} s", "target ≤ 1 s")]
