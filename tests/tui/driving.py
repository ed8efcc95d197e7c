"""Drives the terminal interface without a terminal: presses keys, reads text and state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from textual.message_pump import MessagePump
from textual.pilot import Pilot

from resnet_inspect.config.browser import BrowserSettings
from resnet_inspect.tui.app import BrowseApp
from resnet_inspect.tui.browse_screen import BrowseScreen
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.network_tree import NetworkTree

Script = Callable[["Driver"], Awaitable[None]]
PAUSE = 0.005  # seconds between two looks at a timer or a thread
QUIET = 5  # turns of the event loop without a message until all messages are processed
FRAME = 1.5 / 60  # seconds in which Textual's timer, of 60 Hz, draws and resizes what changed


class Driver:
    """A running interface and its keys."""

    def __init__(self, app: BrowseApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> BrowseScreen:
        """The screen of the run."""
        assert isinstance(self.app.screen, BrowseScreen)
        return self.app.screen

    @property
    def network(self) -> NetworkTree:
        """The tree."""
        return self.screen.network

    async def press(self, *keys: str) -> None:
        """Press keys one after another, and wait until the panes are updated.

        `Pilot.press` waits at least 40 ms after each key.
        """
        for key in keys:
            self.app.simulate_key(key)
            await self._process_messages()
        await self.settle()

    async def settle(self) -> None:
        """Wait until the panes are updated and have their final sizes."""
        for pause in (PAUSE, FRAME):
            await asyncio.sleep(pause)
            await self._refresh()
            while self._busy:
                await asyncio.sleep(PAUSE)
                await self._refresh()

    async def _refresh(self) -> None:
        """Draw the screen twice: the first drawing can cause messages that change it."""
        for _ in range(2):
            await self._process_messages()
            await self.pilot.pause(0)

    async def _process_messages(self) -> None:
        """Wait until the queues of all widgets stay empty."""
        quiet = 0
        while quiet < QUIET:
            await asyncio.sleep(0)
            quiet = 0 if any(node.message_queue_size for node in self._nodes()) else quiet + 1

    def _nodes(self) -> Iterator[MessagePump]:
        yield self.app
        for screen in self.app.screen_stack:
            yield from screen.walk_children(with_self=True)

    @property
    def _busy(self) -> bool:
        """Whether a thread computes a pane, or the panes wait for the cursor to rest."""
        return any(
            worker.group == "page" and not worker.is_finished for worker in self.app.workers
        ) or any(
            isinstance(screen, BrowseScreen) and screen.awaits_rest
            for screen in self.app.screen_stack
        )

    async def poll(self) -> None:
        """Read the run file now, as the timer of the interface does."""
        self.screen.poll()
        await self.settle()

    def rows(self) -> list[str]:
        """Return the texts of all rows of the tree."""
        return [self.network.text_of(at).plain for at in range(self.network.count)]

    def labels(self) -> list[str]:
        """Return the labels of all rows of the tree."""
        return [node.label for node in self.network.nodes]

    def pane_text(self) -> str:
        """Return all lines of the visible pane, also those outside the window."""
        lines = self.screen.pane.query_one(LineList)
        return "\n".join(lines.text_of(at).plain.rstrip() for at in range(lines.count))

    def shown(self) -> str:
        """Return the screen as text."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips()
        rows = ["".join(segment.text for segment in strip)[:width] for strip in strips]
        return "\n".join(row.rstrip() for row in rows[:height])


def browse(
    path: Path,
    script: Script,
    *,
    size: tuple[int, int] = (120, 40),
    settings: BrowserSettings | None = None,
    other: Path | None = None,
) -> None:
    """Open one run, or two, in a window of `size` columns and rows, and run the script."""

    async def play() -> None:
        app = BrowseApp(path, settings, other)
        app.animation_level = "none"
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, pilot)
            await driver.settle()
            await script(driver)

    asyncio.run(play())
