"""Places a run file: it appears under its name when it is complete, and replaces no other file.

A file is first a draft in the same folder. A draft left by a killed process blocks no name and is
not listed.
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

DRAFT = ".run-draft"  # the end of the names of drafts


@contextmanager
def draft_of(path: Path, *, force: bool) -> Iterator[Path]:
    """Yield an empty file for the body to fill and close; then it becomes the file at `path`.

    If several processes write the same name, the first succeeds. Raises OutputError as `check_free`
    does. No draft is left if the body or this function raises.
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
    """Rename a draft to `path`, which may replace a run that `check_free` accepted."""
    if _exists(path):
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
    """Lock a folder against other writers, on systems that can lock folders."""
    if fcntl is None:
        yield
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):  # a process forked in between would keep the lock
            fcntl.flock(opened, fcntl.LOCK_UN)
        os.close(opened)


def _remove(path: Path) -> None:
    """Delete a run file with its side files."""
    for part in _parts(path):
        part.unlink(missing_ok=True)


def _parts(path: Path) -> list[Path]:
    """The file and the side files of SQLite, which may contain steps."""
    return [path, *(path.with_name(path.name + suffix) for suffix in SIDE_FILES)]


def _exists(part: Path) -> bool:
    """Whether the name exists, including a dangling link."""
    try:
        part.lstat()
    except FileNotFoundError:
        return False
    return True


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Raise OutputError for an OSError of the body."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            "the run file cannot be written",
            where=str(path),
            got=error.strerror or str(error),
            fix="choose another file with -o",
        ) from error


def _check_folder(path: Path) -> None:
    """Raise OSError unless the folder of `path` is writable or can be created."""
    folder = path.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(EACCES, os.strerror(EACCES))


def check_free(path: Path, *, force: bool) -> None:
    """Raise OutputError unless a run may be written to `path`. Changes nothing.

    With `force` an existing run may be replaced, unless a process still writes it.
    """
    with writable(path):
        existing = [part for part in _parts(path) if _exists(part)]
        _check_folder(path)
    if not existing:
        return
    if not force:
        raise _taken(existing[0])
    try:
        with Run.open(path) as run:
            busy = run.info.status == Status.RUNNING
    except InspectError as error:
        raise OutputError(
            "--force replaces only readable run files",
            where=str(path),
            got=error.what,
            fix="choose another file with -o, or delete the file first",
        ) from error
    if busy:
        raise OutputError(
            "a process still writes this run file",
            where=str(path),
            expected="a run that has ended",
            got="a run that is being recorded",
            fix="wait for its end, stop it, or choose another file with -o",
        )


def _taken(file: Path) -> OutputError:
    return OutputError(
        "the file already exists",
        where=str(file),
        expected="an unused file name",
        fix="choose another file with -o, or add --force to replace a run",
    )
