"""The browser of a run: how soon it opens, how soon a key is answered, how soon a text is found."""

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
from bench.screens import SIZE, Stopwatch, Taken, painted_browser

OPENED, ROUNDS = 5, 2
OPS = 100_000
KEY, SEARCH, OPEN = 0.050, 0.100, 1.0
PAGE = "tab: run"
# Keys in turn, as somebody would walk; each that is measured with what it is for.
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
    """A run of n=18 with every op summarized, and one of 100,000 ops."""
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        ops = 2_000 if quick else OPS
        runs = {f"{ops:,} ops": write_large(Path(folder) / "large.db", ops)}
        if not quick and (recorded := _recorded(Path(folder) / "n18.db")):
            runs = {"n=18": recorded, **runs}
        for what, path in runs.items():
            found += measured(what, path, 1 if quick else ROUNDS)
    return found


def _recorded(path: Path) -> Path | None:
    """The tutorial's largest network, where there is TensorFlow to record it."""
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
    """All rows of one run."""
    yield _row(
        f"browse {what}: opens, beyond an empty Textual app",
        opened(path, OPENED if rounds > 1 else 1),
        OPEN,
    )
    keys: dict[str, list[Taken]] = {}
    searches: dict[str, list[Taken]] = {}
    for _ in range(rounds):
        asyncio.run(_walk(path, keys, searches))
    for name, times in keys.items():
        yield _row(
            f"browse {what}, {name}", times, KEY if name != f"{PAGE}, drawn together" else None
        )
    for name, times in searches.items():
        yield _row(f"browse {what}, search {name}", times, SEARCH)


def opened(path: Path, rounds: int) -> list[Taken]:
    """What the run adds to the start of a process with an interface; each beside an empty one."""
    return [_started(str(path)).since(_started()) for _ in range(rounds)]


def _started(*arguments: str) -> Taken:
    command = [sys.executable, "-m", "bench.browse_start", *arguments]
    begun = time.time()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    there, cpu = json.loads(done.stdout)
    return Taken(there - begun, cpu)


async def _walk(path: Path, keys: dict[str, list[Taken]], found: dict[str, list[Taken]]) -> None:
    app = painted_browser(path)
    async with app.run_test(size=SIZE) as pilot:
        watch = Stopwatch(app, pilot)
        for name, pressed in WALK:
            taken = await watch.press(*pressed)
            if name == PAGE:  # made in a thread, while keys go on being answered
                _note(keys, f"{name}, drawn together", taken)
                taken = watch.first
            _note(keys, name, taken)
        for depth in ("layers", "ops"):
            for text in TEXTS:
                await watch.press("/")
                for sign in text:
                    _note(found, f"of {depth}", await watch.press(sign))
                _note(keys, "search ended", await watch.press("escape"))
            await watch.press("o")


def _note(times: dict[str, list[Taken]], name: str, taken: Taken | None) -> None:
    if taken is not None:
        times.setdefault(name, []).append(taken)


def _row(what: str, times: Sequence[Taken], limit: float | None) -> Row:
    """Median and worst on the clock, and in CPU time."""
    wall, cpu = ([1000 * getattr(one, name) for one in times] for name in ("wall", "cpu"))
    told = (
        f"{statistics.median(wall):.0f} ms (worst {max(wall):.0f}), CPU "
        f"{statistics.median(cpu):.0f} ({max(cpu):.0f})"
    )
    return what, told, f"target ≤ {1000 * limit:.0f} ms" if limit else "no target"
