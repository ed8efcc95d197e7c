"""Files that commands write for people: whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from resnet_inspect.errors import OutputError


def write_whole(path: Path, content: str | bytes, what: str) -> None:
    """Write a text or bytes into a file beside `path` and give it that name: who looks meanwhile,
    or after a failure, finds the older file. What is no plain file (a pipe, a device) is
    written to.

    Raises OutputError, which says that `what`, such as "the report", cannot be written; for a run
    file too, also by way of a link: what was recorded is not to be had again.
    """
    _spare_runs(path, what)
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path.resolve(), data)
    except OSError as error:
        raise OutputError(
            f"{what} cannot be written",
            where=str(path),
            got=error.strerror or str(error),
            fix="give another place to write to",
        ) from error


def _spare_runs(path: Path, what: str) -> None:
    from resnet_inspect.store.schema import begins_as_run

    if path.is_file() and begins_as_run(path):
        raise OutputError(
            f"{what} cannot be written over a run",
            where=str(path),
            expected="a new file, or an older one of the same kind",
            got=f"the run file {path.resolve()}" if path.is_symlink() else "a run file",
            fix="give another place to write to, or delete the run by hand",
        )


def _replace(path: Path, data: bytes) -> None:
    beside = path.with_name(f".resnet-inspect-{os.getpid()}.part")
    try:
        with beside.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
