"""Files that commands write for people: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from resnet_inspect.errors import OutputError


def write_whole(path: Path, text: str, what: str) -> None:
    """Write a text into a file beside `path` and give it that name: who looks meanwhile, or after
    a failure, finds the older file. What is no plain file (a pipe, a device) is written to.

    Raises OutputError, which says that `what`, such as "the report", cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
        else:
            _replace(path.resolve(), text)
    except OSError as error:
        raise OutputError(
            f"{what} cannot be written",
            where=str(path),
            got=error.strerror or str(error),
            fix="give another place with -o",
        ) from error


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".resnet-inspect-{os.getpid()}.part")
    try:
        with beside.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
