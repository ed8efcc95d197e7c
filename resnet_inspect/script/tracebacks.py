"""Removes frames of this package from a user's traceback, and finds the line that failed."""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"
INSTALLED = tuple(
    f"{sysconfig.get_path(name)}{os.sep}" for name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def strip(error: BaseException) -> None:
    """Remove this package's frames from an exception, its causes and its contexts."""
    _strip(error, set())


def _strip(error: BaseException | None, done: set[int]) -> None:
    while error is not None and id(error) not in done:
        done.add(id(error))
        error.__traceback__ = _stripped(error.__traceback__)
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                _strip(member, done)
        _strip(error.__cause__, done)
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
