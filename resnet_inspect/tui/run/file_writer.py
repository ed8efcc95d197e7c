"""An app that writes files in a thread, and tells how that went."""

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
    """Writes what a function makes; messages show names as they are."""

    @work(thread=True, group="files")
    def write_file(self, write: Callable[[], Path]) -> None:
        """Write a file in a thread; tell its path and copy it."""
        try:
            file = write()
        except (InspectError, OSError) as error:
            self.call_from_thread(self.tell, str(error), severity="error")
            return
        self.call_from_thread(self._written, file)

    def _written(self, file: Path) -> None:
        self.copy_to_clipboard(str(file))
        self.tell(f"wrote {spelling.path(file)} (path copied)")

    def tell(self, text: str, *, severity: Severity = "information") -> None:
        """Show a message; nothing in it is markup or obeyed."""
        lines = (printable(line) for line in text.split("\n"))
        self.notify("\n".join(lines), severity=severity, markup=False)
