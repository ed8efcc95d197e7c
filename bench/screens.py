"""Times what a key comes to: from its press to the screen it leads to.

The pauses of Pilot, and repaints after which the screen looks as before, are left out.
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
# The window is at rest after so many looks, so far apart, without a repaint or work (seconds).
LOOKS, APART, IDLE = 6, 0.015, 0.003


@dataclass(frozen=True)
class Taken:
    """Seconds on the clock and of the process; waiting for a frame costs the first only."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> Taken:
        """This moment."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, begun: Taken) -> Taken:
        """What went by."""
        return Taken(self.wall - begun.wall, self.cpu - begun.cpu)


class Painted(App[None]):
    """An app that draws what a terminal would get, and notes when what is seen changed last."""

    changed: Taken | None = None
    answered: Taken | None = None  # what changed first since this was None
    _seen: object = None
    _apart = Taken(0.0, 0.0)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate):
            renderable.render_segments(self.console)  # without a terminal Textual leaves this out
        painted = self.now()
        seen = [list(strip) for strip in self.screen._compositor.render_strips()]
        if seen != self._seen:
            self._seen, self.changed = seen, painted
            self.answered = self.answered or painted
        spent = self.now().since(painted)
        self._apart = Taken(self._apart.wall + spent.wall, self._apart.cpu + spent.cpu)

    def now(self) -> Taken:
        """This moment, on clocks that stand still while this class compares screens."""
        return Taken.now().since(self._apart)


def painted_browser(path: Path) -> Painted:
    """The browser of a run, watched; imported only here, for that is part of its start."""
    from resnet_inspect.tui import app

    class Browser(Painted, app.BrowseApp):
        CSS_PATH = str(Path(app.__file__).with_name("browse.tcss"))

    return Browser(path)


class Stopwatch:
    """Presses keys in an app and tells how long each took to be answered."""

    def __init__(self, app: Painted, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.first: Taken | None = None
        app.animation_level = "none"  # the line below the tabs moves for 0.3 s
        for query in app.screen.query(Input):
            query.cursor_blink = False

    async def settled(self) -> Taken:
        """Wait until nothing is painted or worked out any more; when something changed last."""
        looks, seen, used = 0, self.app.changed, time.process_time()
        while looks < LOOKS:
            await asyncio.sleep(APART)
            worked = time.process_time() - used > IDLE
            looks = 0 if worked or self.app.changed is not seen else looks + 1
            seen, used = self.app.changed, time.process_time()
        assert seen is not None
        return seen

    async def press(self, *keys: str) -> Taken | None:
        """How long from pressing keys to the screen they lead to; None where it stays as it is.

        `first` then is how long until anything changed.
        """
        before = await self.settled()
        self.app.answered = None
        begun = self.app.now()
        await self.pilot.press(*keys)
        ended = await self.settled()
        self.first = self.app.answered.since(begun) if self.app.answered else None
        return ended.since(begun) if ended is not before else None
