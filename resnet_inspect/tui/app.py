"""The program in the terminal: opens a run, knows keys, theme and palette, writes files."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from resnet_inspect.analysis.browse.outline import Only
from resnet_inspect.config.browser import BrowserSettings
from resnet_inspect.tui.browse_screen import BrowseScreen
from resnet_inspect.tui.compare_screen import CompareScreen
from resnet_inspect.tui.help_screen import HelpScreen
from resnet_inspect.tui.preferences import check
from resnet_inspect.tui.run.file_writer import FileWriter
from resnet_inspect.tui.run.opened_run import OpenedRun
from resnet_inspect.tui.run.two_runs import TwoRuns
from resnet_inspect.tui.widgets.line_list import LineList
from resnet_inspect.tui.widgets.network_tree import NetworkTree

# Keys of the screen that concern two panes only.
OF_PANES = ("view", "tensor", "scale", "sides", "step-back", "step-ahead", "next-axis",
            "previous-axis")  # fmt: skip
# A hundred thousand ops are no garbage: to look at what is new seldom halves the time to open them.
COLLECT = (100_000, 20, 100)


class BrowseApp(FileWriter):
    """Browses a run, or two that are compared.

    Raises ConfigError for keys or a theme that do not do, and what opening a run raises.
    """

    TITLE = "resnet-inspect"
    CSS_PATH = "browse.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "show_help", "Help", key_display="?", id="help"),
        Binding("q", "quit", "Quit", id="quit"),
    ]

    def __init__(
        self, path: Path, settings: BrowserSettings | None = None, other: Path | None = None
    ) -> None:
        super().__init__()
        self.settings = settings or BrowserSettings()
        check(self.settings, BrowseApp)
        gc.set_threshold(*COLLECT)
        gc.disable()
        try:
            self.recording = OpenedRun(path)
            self.other = OpenedRun(other) if other is not None else None
            gc.freeze()  # what was read stays, and holds no cycles
        finally:
            gc.enable()

    def on_mount(self) -> None:
        """Take keys and theme from the user's configuration."""
        self.theme = self.settings.theme
        self.set_keymap(dict(self.settings.keys))
        if self.other is None:
            self.push_screen(BrowseScreen(self.recording))
        else:
            self.push_screen(CompareScreen(TwoRuns(self.recording, self.other)))

    def action_show_help(self) -> None:
        """Show what all keys do."""
        screens = [one for one in BrowseScreen.BINDINGS if isinstance(one, Binding)]
        two = [one for one in CompareScreen.BINDINGS if isinstance(one, Binding)]
        lists = [*NetworkTree.BINDINGS, *LineList.BINDINGS]
        groups = [
            ("Everywhere", [one for one in screens if one.id not in OF_PANES]),
            ("In the tree and in lists", [one for one in lists if isinstance(one, Binding)]),
            *([("Two runs", two)] if isinstance(self.screen, CompareScreen) else []),
            ("Distribution and Why", [one for one in screens if one.id in OF_PANES]),
            ("Program", [one for one in BrowseApp.BINDINGS if isinstance(one, Binding)]),
        ]
        self.push_screen(HelpScreen(self.focused, groups, dict(self.settings.keys)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action, for the palette."""
        kept = ("Theme", "Screenshot")
        yield from (one for one in super().get_system_commands(screen) if one.title in kept)
        if not isinstance(screen, BrowseScreen):
            return
        told: set[str] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.description or not active.enabled or binding.action in told:
                continue
            told.add(binding.action)

            async def act(action: str = binding.action, node=active.node) -> None:  # type: ignore[no-untyped-def]
                await self.run_action(action, node)

            yield SystemCommand(binding.description, binding.tooltip or "", act)
        for only in Only:
            yield SystemCommand(
                f"Show {only}", "confine the tree", lambda only=only: screen.confine(only)
            )
