"""Removes the frames of this package from a user's traceback."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"


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
