"""Measures the response times of `browse`: opening a run, pressing a key, searching a text."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import Row
from bench.large_run import write_large
from bench.screens import SIZE, Duration, Stopwatch, painted_browser

OPENED, ROUNDS = 5, 2
OPS = 100_000
KEY, SEARCH, OPEN = 0.050, 0.100, 1.0
PAGE = "tab: run"
# A typical sequence of keys. Each entry has the name of the row and the keys to press.
WALK: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("down", ("down",)),
    ("open a scope", ("enter",)),
    ("down", ("down",)),
    ("open a scope", ("right",)),
    ("down", ("down",)),
    ("open a scope", ("right",)),
    ("down", ("down",)),
    ("open a scope", ("right",)),
    ("down", ("down",)),
    ("page down", ("pagedown",)),
    ("why", ("w",)),
    ("down", ("down",)),
    ("tab: detail", ("1",)),
    ("tab: histogram", ("H",)),
    ("down", ("down",)),
    ("tab: detail", ("1",)),
    ("ops and back", ("o",)),
    ("end", ("end",)),
    ("down", ("up",)),
    ("open a scope", ("right",)),
    ("down", ("down",)),
    ("page down", ("pagedown",)),
    ("filter", ("f",)),
    ("filter", ("f",)),
    ("filter", ("f",)),
    ("filter", ("f",)),
    ("filter", ("f",)),
    ("filter", ("f",)),
    ("home", ("home",)),
    ("ops and back", ("o",)),
    ("tab: scalars", ("4",)),
    (PAGE, ("5",)),
    ("tab: detail", ("1",)),
    ("fold", ("left",)),
)
TEXTS = ("relu", "conv", "e", "/")


def measure(quick: bool = False) -> list[Row]:
    """Measure a run of n=18 with every op summarized, and a run of 100,000 ops."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        ops = 2_000 if quick else OPS
        runs = {f"{ops:,} ops": write_large(Path(folder) / "large.db", ops)}
        if not quick and (recorded := _recorded(Path(folder) / "n18.db")):
            runs = {"n=18": recorded, **runs}
        for what, path in runs.items():
            rows += measured(what, path, 1 if quick else ROUNDS)
    return rows


def _recorded(path: Path) -> Path | None:
    """Record a deep network of the tutorial; return None if TensorFlow is not installed."""
    from resnet_inspect import api
    from resnet_inspect.config import Settings
    from resnet_inspect.errors import InspectError

    try:
        return api.record(
            Settings.of({"n": 18, "steps": 3, "batch_size": 8, "taps": "ops"}), out=path
        )
    except InspectError:
        return None


def measured(what: str, path: Path, rounds: int) -> Iterator[Row]:
    """Yield all rows of one run."""
    yield _row(
        f"browse {what}: opens, beyond an empty Textual app",
        opened(path, OPENED if rounds > 1 else 1),
        OPEN,
    )
    keys: dict[str, list[Duration]] = {}
    searches: dict[str, list[Duration]] = {}
    for _ in range(rounds):
        asyncio.run(_walk(path, keys, searches))
    for name, times in keys.items():
        yield _row(f"browse {what}, {name}", times, KEY if name != f"{PAGE}, complete" else None)
    for name, times in searches.items():
        yield _row(f"browse {what}, search {name}", times, SEARCH)


def opened(path: Path, rounds: int) -> list[Duration]:
    """Return the start times of processes with the run, minus those with an empty app."""
    return [_started(str(path)).since(_started()) for _ in range(rounds)]


def _started(*arguments: str) -> Duration:
    command = [sys.executable, "-m", "bench.browse_start", *arguments]
    start = time.time()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    settled, cpu = json.loads(done.stdout)
    return Duration(settled - start, cpu)


async def _walk(
    path: Path, keys: dict[str, list[Duration]], searches: dict[str, list[Duration]]
) -> None:
    app = painted_browser(path)
    async with app.run_test(size=SIZE) as pilot:
        watch = Stopwatch(app, pilot)
        for name, pressed in WALK:
            duration = await watch.press(*pressed)
            if name == PAGE:  # built in a thread, while the app still handles keys
                _note(keys, f"{name}, complete", duration)
                duration = watch.first
            _note(keys, name, duration)
        for depth in ("layers", "ops"):
            for text in TEXTS:
                await watch.press("/")
                for sign in text:
                    _note(searches, f"of {depth}", await watch.press(sign))
                _note(keys, "search ended", await watch.press("escape"))
            await watch.press("o")


def _note(times: dict[str, list[Duration]], name: str, duration: Duration | None) -> None:
    if duration is not None:
        times.setdefault(name, []).append(duration)


def _row(what: str, times: Sequence[Duration], limit: float | None) -> Row:
    """Return a row with the median and the maximum of wall time and of CPU time."""
    wall, cpu = ([1000 * getattr(t, name) for t in times] for name in ("wall", "cpu"))
    text = (
        f"{statistics.median(wall):.0f} ms (worst {max(wall):.0f}), CPU "
        f"{statistics.median(cpu):.0f} ({max(cpu):.0f})"
    )
    return what, text, f"target ≤ {1000 * limit:.0f} ms" if limit else "no target"
