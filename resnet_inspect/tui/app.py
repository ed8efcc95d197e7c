"""The program in the terminal: opens a run, knows keys, theme and palette, writes files."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from resnet_inspect.analysis.outline import Only
from resnet_inspect.config.browser import BrowserSettings
from resnet_inspect.tui.browse_screen import BrowseScreen
from resnet_inspect.tui.file_writer import FileWriter
from resnet_inspect.tui.preferences import check
from resnet_inspect.tui.recording import Recording

# A hundred thousand ops are no garbage: to look at what is new seldom halves the time to open them.
COLLECT = (100_000, 20, 100)


class BrowseApp(FileWriter):
    """Browses one run. Raises ConfigError for keys or a theme that do not do."""

    TITLE = "resnet-inspect"
    CSS_PATH = "browse.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "toggle_help", "Help", key_display="?", id="help"),
        Binding("q", "quit", "Quit", id="quit"),
    ]

    def __init__(self, path: Path, settings: BrowserSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or BrowserSettings()
        check(self.settings, BrowseApp)
        gc.set_threshold(*COLLECT)
        gc.disable()
        try:
            self.recording = Recording(path)
            gc.freeze()  # what was read stays, and holds no cycles
        finally:
            gc.enable()

    def on_mount(self) -> None:
        """Take keys and theme from the user's configuration."""
        self.theme = self.settings.theme
        self.set_keymap(dict(self.settings.keys))
        self.push_screen(BrowseScreen(self.recording))

    def action_toggle_help(self) -> None:
        """Show or hide what the keys do where the focus is."""
        if self.screen.query("HelpPanel"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action, for the palette."""
        yield from super().get_system_commands(screen)
        if not isinstance(screen, BrowseScreen):
            return
        for name, active in screen.active_bindings.items():
            binding = active.binding
            if binding.description and active.enabled and active.node is not self:
                text = f"{binding.description} ({binding.key_display or name})"

                async def act(action: str = binding.action, node=active.node) -> None:  # type: ignore[no-untyped-def]
                    await self.run_action(action, node)

                yield SystemCommand(text, binding.tooltip or binding.description, act)
        for only in Only:
            yield SystemCommand(
                f"Show {only}", "confine the tree", lambda only=only: screen.confine(only)
            )
