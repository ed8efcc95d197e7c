"""A list of run files that is shared by the processes of a program."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from pathlib import Path

from resnet_inspect.errors import StorageFullError


class Ledger:
    """A folder with files 1, 2, 3 …; each contains the path of a run file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def number(self) -> int:
        """Reserve an unused number. Raises StorageFullError if the folder is not writable."""
        for number in count(len(self.paths()) + 1):
            try:
                with (self.folder / str(number)).open("x"):
                    return number
            except FileExistsError:
                continue
            except OSError as error:
                raise StorageFullError(
                    "the list of run files cannot be written",
                    where=str(self.folder),
                    got=error.strerror or str(error),
                    fix="free space on this disk, or set TMPDIR to another folder",
                ) from error
        raise AssertionError

    def note(self, number: int, path: Path) -> None:
        """Store the run file of a number."""
        with suppress(OSError):
            (self.folder / str(number)).write_text(str(path))

    def paths(self) -> list[Path]:
        """The run files so far, in the order of their numbers."""
        texts = {}
        with suppress(OSError):
            for entry in self.folder.iterdir():
                texts[int(entry.name)] = entry.read_text()
        return [Path(text) for _, text in sorted(texts.items()) if text]
