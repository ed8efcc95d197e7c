"""Keeps the frames that Keras and TensorFlow remove from tracebacks.

Both filter the traceback of each exception that passes through them. The removed frames have the
tensors of the failed call. The traceback that the user sees is not changed. This module imports no
framework.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import wraps
from types import FrameType, ModuleType, TracebackType
from typing import Any, NamedTuple

FRAMES = "_resnet_inspect_frames"  # attribute of an exception
MOST_FRAMES = 400


class Entry(NamedTuple):
    """A frame of a traceback: its current line and instruction."""

    frame: FrameType
    line: int
    instruction: int


def keep_frames(filters: ModuleType) -> None:
    """Keep the frames that `filters._process_traceback_frames` removes, from now on."""
    original: Any = vars(filters)["_process_traceback_frames"]
    if getattr(original, "keeps_frames", False):
        return

    @wraps(original)
    def process(trace: Any) -> Any:
        error = sys.exc_info()[1]
        if error is not None:
            try:
                _keep(error, trace)
            except Exception:  # a failure to keep frames must not change the user's exception
                vars(error).pop(FRAMES, None)
        return original(trace)

    process.keeps_frames = True  # type: ignore[attr-defined]
    vars(filters)["_process_traceback_frames"] = process


def _keep(error: BaseException, trace: TracebackType | None) -> None:
    known = vars(error).get(FRAMES, [])
    vars(error)[FRAMES] = _merged(list(_entries(trace)), known)[:MOST_FRAMES]


def frames_of(error: BaseException) -> list[Entry]:
    """Return all frames of an exception, outermost first.

    The frames below the one that caught the exception are included, as are those of an exception
    that a framework replaced by this one.
    """
    entries = list(_entries(error.__traceback__))
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        inner = [*vars(current).get(FRAMES, ())]
        if current is not error:
            inner = _merged(list(_entries(current.__traceback__)), inner)
        shared = {id(entry.frame) for entry in entries}
        if current is error or any(id(entry.frame) in shared for entry in inner):
            entries = _merged(entries, inner)
        current = current.__cause__ or current.__context__
    outer: list[Entry] = []
    frame = entries[0].frame.f_back if entries else None
    while frame is not None:
        outer.append(Entry(frame, frame.f_lineno, frame.f_lasti))
        frame = frame.f_back
    return [*reversed(outer), *entries]


def _merged(outer: list[Entry], inner: list[Entry]) -> list[Entry]:
    """Return the frames of `outer` that `inner` lacks, then `inner`."""
    known = {id(entry.frame) for entry in inner}
    return [*(entry for entry in outer if id(entry.frame) not in known), *inner]


def _entries(trace: TracebackType | None) -> Iterator[Entry]:
    while trace is not None:
        yield Entry(trace.tb_frame, trace.tb_lineno, trace.tb_lasti)
        trace = trace.tb_next
