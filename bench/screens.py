"""Measures the time from pressing a key to the screen that results.

Pauses of Pilot are not counted, nor repaints that do not change the screen.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

SIZE = (140, 45)
# The screen is settled after CHECKS checks in a row, INTERVAL seconds apart, without a repaint and
# with at most IDLE seconds of CPU time between two checks.
CHECKS, INTERVAL, IDLE = 6, 0.015, 0.003


@dataclass(frozen=True)
class Duration:
    """Wall time and CPU time of the process in seconds. Waiting for a frame has no CPU time."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Duration:
        """Return the current time."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, start: Duration) -> Duration:
        """Return the time since `start`."""
        return Duration(self.wall - start.wall, self.cpu - start.cpu)


class PaintingApp(App[None]):
    """An app that renders each screen as for a terminal, and records when the screen changes."""

    last_change: Duration | None = None
    first_change: Duration | None = None  # the first change since this was set to None
    _shown: object = None
    _comparing = Duration(0.0, 0.0)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate):
            renderable.render_segments(self.console)  # Textual skips this without a terminal
        painted = self.now()
        shown = [list(strip) for strip in self.screen._compositor.render_strips()]
        if shown != self._shown:
            self._shown, self.last_change = shown, painted
            self.first_change = self.first_change or painted
        spent = self.now().since(painted)
        total = self._comparing
        self._comparing = Duration(total.wall + spent.wall, total.cpu + spent.cpu)

    def now(self) -> Duration:
        """Return the current time, without the time that this class spent comparing screens."""
        return Duration.now().since(self._comparing)


def painted_browser(path: Path) -> PaintingApp:
    """Return the browser of a run as a `PaintingApp`."""
    # Imported here, because the import is part of the start that is measured.
    from resnet_inspect.tui import app

    class Browser(PaintingApp, app.BrowseApp):
        CSS_PATH = str(Path(app.__file__).with_name("browse.tcss"))

    return Browser(path)


class Stopwatch:
    """Presses keys in an app and measures the response times."""

    def __init__(self, app: PaintingApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.first: Duration | None = None
        app.animation_level = "none"  # the line below the tabs moves for 0.3 s
        for query in app.screen.query(Input):
            query.cursor_blink = False

    async def settled(self) -> Duration:
        """Wait until the app neither paints nor computes. Return the time of the last change."""
        checks, change, used = 0, self.app.last_change, time.process_time()
        while checks < CHECKS:
            await asyncio.sleep(INTERVAL)
            worked = time.process_time() - used > IDLE
            checks = 0 if worked or self.app.last_change is not change else checks + 1
            change, used = self.app.last_change, time.process_time()
        assert change is not None
        return change

    async def press(self, *keys: str) -> Duration | None:
        """Press keys. Return the time until the screen is complete; None if it does not change.

        `first` is set to the time until the first change.
        """
        before = await self.settled()
        self.app.first_change = None
        start = self.app.now()
        await self.pilot.press(*keys)
        end = await self.settled()
        self.first = self.app.first_change.since(start) if self.app.first_change else None
        return end.since(start) if end is not before else None
