"""The Textual app: opens run files, applies the keys and theme of the user, fills the palette."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from resnet_inspect.analysis.browse.outline import OutlineFilter
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

# Keys that only the panes Distribution and Why use.
PANE_KEYS = ("view", "tensor", "scale", "sides", "step-back", "step-ahead", "next-axis",
             "previous-axis")  # fmt: skip
# Rare garbage collections halve the time to open a graph of 100,000 ops, which are never garbage.
GC_THRESHOLDS = (100_000, 20, 100)

FILTER_HELP = {
    OutlineFilter.ALL: "show the whole network in the tree",
    OutlineFilter.PARAMETERS: "show only layers with parameters in the tree",
    OutlineFilter.RELU: "show only ReLU layers in the tree",
    OutlineFilter.FORWARD: "show only the forward pass in the tree",
    OutlineFilter.BACKWARD: "show only ops of the backward pass in the tree",
    OutlineFilter.OPTIMIZER: "show only ops of the optimizer in the tree",
}


class BrowseApp(FileWriter):
    """Browses one run, or compares it with a second run, `other`.

    Raises ConfigError for an unknown key or theme, and the errors of `Run.open`.
    """

    TITLE = "resnet-inspect"
    CSS_PATH = "browse.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "show_help", "Help", key_display="?", id="help",
                tooltip="show all keys"),
        Binding("q", "quit", "Quit", id="quit", tooltip="quit the program"),
    ]  # fmt: skip

    def __init__(
        self, path: Path, settings: BrowserSettings | None = None, other: Path | None = None
    ) -> None:
        super().__init__()
        self.settings = settings or BrowserSettings()
        check(self.settings, BrowseApp)
        gc.set_threshold(*GC_THRESHOLDS)
        gc.disable()
        try:
            self.recording = OpenedRun(path)
            self.other = OpenedRun(other) if other is not None else None
            gc.freeze()  # the runs stay in memory and contain no reference cycles
        finally:
            gc.enable()

    def on_mount(self) -> None:
        """Apply the user's keys and theme, then open the screen for one run or for two."""
        self.theme = self.settings.theme
        self.set_keymap(dict(self.settings.keys))
        if self.other is None:
            self.push_screen(BrowseScreen(self.recording))
        else:
            self.push_screen(CompareScreen(TwoRuns(self.recording, self.other)))

    def action_show_help(self) -> None:
        """Open the help screen, which lists all keys."""
        screen_keys = _bindings(BrowseScreen.BINDINGS)
        two = _bindings(CompareScreen.BINDINGS)
        groups = [
            ("Everywhere", [key for key in screen_keys if key.id not in PANE_KEYS]),
            ("In the tree and in lists", _bindings([*NetworkTree.BINDINGS, *LineList.BINDINGS])),
            *([("Two runs", two)] if isinstance(self.screen, CompareScreen) else []),
            ("Distribution and Why", [key for key in screen_keys if key.id in PANE_KEYS]),
            ("Program", _bindings(BrowseApp.BINDINGS)),
        ]
        self.push_screen(HelpScreen(self.focused, groups, dict(self.settings.keys)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Return every available action for the command palette."""
        kept = ("Theme", "Screenshot")
        commands = super().get_system_commands(screen)
        yield from (command for command in commands if command.title in kept)
        if not isinstance(screen, BrowseScreen):
            return
        listed: set[str] = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.description or not active.enabled or binding.action in listed:
                continue
            listed.add(binding.action)

            async def act(action: str = binding.action, node=active.node) -> None:  # type: ignore[no-untyped-def]
                await self.run_action(action, node)

            yield SystemCommand(binding.description, binding.tooltip or "", act)
        for only in OutlineFilter:
            yield SystemCommand(
                f"Filter: {only}", FILTER_HELP[only], lambda only=only: screen.confine(only)
            )


def _bindings(bindings: Iterable[BindingType]) -> list[Binding]:
    return [binding for binding in bindings if isinstance(binding, Binding)]
