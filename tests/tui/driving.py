"""Drives the terminal interface without a terminal: presses keys, reads text and state."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from resnet_inspect.config.browser import BrowserSettings
from resnet_inspect.tui.app import BrowseApp
from resnet_inspect.tui.browse_screen import BrowseScreen
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.network_tree import NetworkTree

Script = Callable[["Driver"], Awaitable[None]]
# Longer than the cursor must rest until the panes follow the tree, in seconds.
SETTLED = 0.06


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
        """Press keys, and wait until the panes are updated."""
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        """Wait until the panes are updated."""
        await self.pilot.pause(SETTLED)
        await self.pilot.pause()
        while any(worker.group == "page" and not worker.is_finished for worker in self.app.workers):
            await self.pilot.pause(0.01)

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
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, pilot)
            await driver.settle()
            await script(driver)

    asyncio.run(play())
