"""Puts a run file in its place: it appears under its name whole, and never over another file.

A file is written as a draft in the same folder. A draft that a killed process leaves blocks no name
and is not listed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, ENOTDIR
from pathlib import Path
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows, which cannot lock folders
    fcntl = None  # type: ignore[assignment]

from resnet_inspect.errors import InspectError, OutputError
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import SIDE_FILES, Run

DRAFT = ".run-draft"  # how the names of drafts end


@contextmanager
def draft_of(path: Path, *, force: bool) -> Iterator[Path]:
    """An empty file for the body to fill and close, which then becomes the file at `path`.

    Of several writers of one name the first succeeds. Raises OutputError as `check_free` does;
    then, and where the body raises, nothing is left behind.
    """
    check_free(path, force=force)
    draft = path.with_name(f".{uuid4().hex}{DRAFT}")
    with writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("xb"):
            pass
    try:
        yield draft
        with writable(path), _locked(path.parent):
            check_free(path, force=force)
            _put(draft, path)
    finally:
        _remove(draft)


def _put(draft: Path, path: Path) -> None:
    """Bring a draft to its name, in place of a run that `check_free` lets be replaced."""
    if _is_there(path):
        for side in _parts(path)[1:]:  # SQLite would read an old log into the new file
            side.unlink(missing_ok=True)
        draft.replace(path)
        return
    try:
        try:
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            with path.open("xb"):
                pass
            draft.replace(path)
    except FileExistsError as error:
        raise _taken(path) from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other writers from putting files into a folder, where the system can lock folders."""
    if fcntl is None:
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):  # a process forked meanwhile would keep the lock
            fcntl.flock(opened, fcntl.LOCK_UN)
        os.close(opened)


def _remove(path: Path) -> None:
    """Delete a run file with its side files."""
    for part in _parts(path):
        part.unlink(missing_ok=True)


def _parts(path: Path) -> list[Path]:
    """The file and what SQLite may have left beside it, which holds steps too."""
    return [path, *(path.with_name(path.name + suffix) for suffix in SIDE_FILES)]


def _is_there(part: Path) -> bool:
    """Whether there is anything of that name, also a link that leads nowhere."""
    try:
        part.lstat()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn the system's refusals into one clear error."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            "the run file cannot be written",
            where=str(path),
            got=error.strerror or str(error),
            fix="give another place with -o",
        ) from error


def _check_folder(path: Path) -> None:
    """Raise OSError unless files can be made in the folder of `path`, or the folder be made."""
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(EACCES, os.strerror(EACCES))


def check_free(path: Path, *, force: bool) -> None:
    """Raise OutputError unless a run may be written to `path`; changes nothing.

    An existing file stands in the way unless `force` is given and it is a run that nobody writes
    to any more.
    """
    with writable(path):
        there = [part for part in _parts(path) if _is_there(part)]
        _check_folder(path)
    if not there:
        return
    if not force:
        raise _taken(there[0])
    try:
        with Run.open(path) as run:
            busy = run.info.status == Status.RUNNING
    except InspectError as error:
        raise OutputError(
            "--force replaces run files only, and this is none that can be read",
            where=str(path),
            got=error.what,
            fix="choose another name with -o, or remove the file yourself",
        ) from error
    if busy:
        raise OutputError(
            "the run in this file is still being written",
            where=str(path),
            got="a running writer",
            fix="wait for it, stop it, or choose another name with -o",
        )


def _taken(file: Path) -> OutputError:
    return OutputError(
        "the file exists already",
        where=str(file),
        expected="a name that is free",
        fix="choose another with -o, or add --force to replace that run",
    )
