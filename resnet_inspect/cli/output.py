"""Writes the output files of commands: completely or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from resnet_inspect.errors import OutputError


def write_whole(path: Path, content: str | bytes, what: str) -> None:
    """Write a new file, then rename it to `path`, so that a failure leaves the older file.

    A pipe or a device is written to directly.

    Args:
        path: the file to write or replace.
        content: the text, written as UTF-8, or the bytes.
        what: the name of the content in errors, such as "the report".

    Raises:
        OutputError: the file cannot be written, or is a run file or a link to a run file.
    """
    _reject_run_file(path, what)
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
            fix="choose another file",
        ) from error


def _reject_run_file(path: Path, what: str) -> None:
    from resnet_inspect.store.schema import is_run_file

    if path.is_file() and is_run_file(path):
        raise OutputError(
            f"{what} cannot be written over a run",
            where=str(path),
            expected="a new file, or an older file of the same type",
            got=f"the run file {path.resolve()}" if path.is_symlink() else "a run file",
            fix="choose another file, or delete the run first",
        )


def _replace(path: Path, data: bytes) -> None:
    draft = path.with_name(f".resnet-inspect-{os.getpid()}.part")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileNotFoundError):
            draft.chmod(path.stat().st_mode & 0o777)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
