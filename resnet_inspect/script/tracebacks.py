"""Removes frames of this package from a user's traceback, and finds the line that failed."""

from __future__ import annotations

import linecache
import os
import re
import sys
import sysconfig
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType

PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
LAUNCH = str(Path(__file__).with_name("launch.py"))
INSTALLED = tuple(
    f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def strip(error: BaseException) -> None:
    """Remove this package's frames from an exception, its causes and its contexts.

    TensorFlow lists frames in the text of exceptions, too.
    """
    _strip(error, set(), _frame_pattern())


def outer_files() -> list[str]:
    """Return the files of the frames that called this package's `launch`, which runs a program."""
    files: list[str] = []
    outer: list[str] = []
    frame = sys._getframe(1)
    while frame is not None:
        files.append(frame.f_code.co_filename)
        if files[-1] == LAUNCH:
            outer = []
        elif not files[-1].startswith(PACKAGE):
            outer.append(files[-1])
        frame = frame.f_back  # type: ignore[assignment]
    return list(dict.fromkeys(outer)) if LAUNCH in files else []


def _frame_pattern() -> re.Pattern[str]:
    """Return a pattern of the lines of a frame of this package, or of its callers, in a text."""
    files = "|".join([rf'{re.escape(PACKAGE)}[^"\n]*', *map(re.escape, outer_files())])
    return re.compile(
        rf'^( +)File "(?:{files})", line \d+, in .*(?:\n|\Z)(?:\1 +.*(?:\n|\Z))*', re.MULTILINE
    )


def _strip_text(error: BaseException, frames: re.Pattern[str]) -> None:
    """Remove frames from the text of an exception, which may compose the text when printed."""
    text = str(error)
    shorter = frames.sub("", text)
    if shorter == text:
        return
    kind = type(error)
    body = {"__str__": lambda _: shorter, "__module__": kind.__module__, "__doc__": kind.__doc__}
    error.__class__ = type(kind.__name__, (kind,), body | {"__qualname__": kind.__qualname__})


def _strip(error: BaseException | None, done: set[int], frames: re.Pattern[str]) -> None:
    while error is not None and id(error) not in done:
        done.add(id(error))
        error.__traceback__ = _stripped(error.__traceback__)
        with suppress(Exception):  # the text of an exception may be any code
            _strip_text(error, frames)
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                _strip(member, done, frames)
        _strip(error.__cause__, done, frames)
        error = error.__context__


def _stripped(trace: TracebackType | None) -> TracebackType | None:
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    kept = [item for item in frames if not item.tb_frame.f_code.co_filename.startswith(PACKAGE)]
    for item, following in zip(kept, [*kept[1:], None], strict=False):
        item.tb_next = following
    return kept[0] if kept else None


def failing_line(error: BaseException) -> traceback.FrameSummary | None:
    """Return the innermost line of the user's code in a traceback; None without such a line.

    For a syntax error this is the line that Python cannot parse.
    """
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        text = error.text or linecache.getline(error.filename, error.lineno)
        return traceback.FrameSummary(error.filename, error.lineno, "<module>", line=text.strip())
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((PACKAGE, "<"))
    ]
    own = [frame for frame in frames if is_own(frame.filename)]
    return next(reversed(own or frames), None)


def is_own(file: str) -> bool:
    """Return whether a file is neither of this package nor installed."""
    return not file.startswith((PACKAGE, "<", *INSTALLED))
