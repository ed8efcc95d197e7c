"""Takes the frames of this package out of a user's traceback."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

PACKAGE = f"{Path(__file__).parents[1]}{os.sep}"


def strip(error: BaseException) -> None:
    """Remove this package's frames from an exception and from all that it was raised for."""
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
    kept = [one for one in frames if not one.tb_frame.f_code.co_filename.startswith(PACKAGE)]
    for one, after in zip(kept, [*kept[1:], None], strict=False):
        one.tb_next = after
    return kept[0] if kept else None
