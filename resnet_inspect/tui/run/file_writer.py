"""The base class of the app: writes files in a thread and shows messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from textual import work
from textual.app import App

from resnet_inspect.errors import InspectError
from resnet_inspect.paths import printable
from resnet_inspect.render import spelling

Severity = Literal["information", "warning", "error"]


class FileWriter(App[None]):
    """An app that writes files and shows messages. Names in messages are never markup."""

    @work(thread=True, group="files")
    def write_file(self, write: Callable[[], Path]) -> None:
        """Call `write` in a thread, then show and copy the path that it returns."""
        try:
            file = write()
        except (InspectError, OSError) as error:
            self.call_from_thread(self.show_message, str(error), severity="error")
            return
        self.call_from_thread(self._show_path, file)

    def _show_path(self, file: Path) -> None:
        self.copy_to_clipboard(str(file))
        self.show_message(f"wrote {spelling.path(file)} (path copied)")

    def show_message(self, text: str, *, severity: Severity = "information") -> None:
        """Show a message as plain text."""
        lines = (printable(line) for line in text.split("\n"))
        self.notify("\n".join(lines), severity=severity, markup=False)
