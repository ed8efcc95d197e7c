"""A list of run files that several processes of one program add to."""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from pathlib import Path

from resnet_inspect.errors import StorageFullError


class Ledger:
    """Entries are files of a folder: 1, 2, 3 …, each with the path of a run file in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def number(self) -> int:
        """A number that no other process has; raises StorageFullError where none can be noted."""
        for number in count(len(self.paths()) + 1):
            try:
                with (self.folder / str(number)).open("x"):
                    return number
            except FileExistsError:
                continue
            except OSError as error:
                raise StorageFullError(
                    "the run files of this program cannot be listed",
                    where=str(self.folder),
                    got=error.strerror or str(error),
                    fix="free space there, or set TMPDIR to another folder",
                ) from error
        raise AssertionError

    def note(self, number: int, path: Path) -> None:
        """Write which run file has a number."""
        with suppress(OSError):
            (self.folder / str(number)).write_text(str(path))

    def paths(self) -> list[Path]:
        """The run files so far, in the order of their numbers."""
        found = {}
        with suppress(OSError):
            for entry in self.folder.iterdir():
                found[int(entry.name)] = entry.read_text()
        return [Path(text) for _, text in sorted(found.items()) if text]
