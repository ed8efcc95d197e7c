"""Keeps the frames that Keras and TensorFlow remove from tracebacks.

Both filter the traceback of each exception that passes through them. The removed frames have the
tensors of the failed call. The traceback that the user sees is not changed: frames of this package
are removed before the filters decide which frames remain. What is known of an exception is an
attribute of it. This module imports no framework.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import wraps
from types import FrameType, ModuleType, TracebackType
from typing import Any, NamedTuple

from resnet_inspect.script.tracebacks import PACKAGE, is_own

KNOWN = "_resnet_inspect_known"  # attribute of an exception
MOST_FRAMES = 400


class Entry(NamedTuple):
    """A frame of a traceback: its current line and instruction."""

    frame: FrameType
    line: int
    instruction: int


class Known:
    """What is known of an exception; lost when the exception is pickled or copied.

    Attributes:
        frames: the removed frames, outermost first.
        crash: its crash once it was made.
        recorded: whether a run contains it.
    """

    def __init__(self) -> None:
        self.frames: list[Entry] = []
        self.crash: Any = None
        self.recorded = False

    def __reduce__(self) -> tuple[type[object], tuple[()]]:
        """Pickle as a plain object: frames cannot be pickled, and a reader may lack this module."""
        return object, ()


def known_of(error: BaseException) -> Known:
    """Return what is known of an exception."""
    known = vars(error).get(KNOWN)
    if not isinstance(known, Known):
        known = vars(error)[KNOWN] = Known()
    return known


def is_recorded(error: BaseException) -> bool:
    """Return whether a run contains an exception, or the one from which it was raised."""
    raised_from = [error, root_of(error), *([error.__cause__] if error.__cause__ else [])]
    return any(known_of(item).recorded for start in raised_from for item in _replaced(start))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and those in its chain of causes and contexts."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def keep_frames(filters: ModuleType) -> None:
    """Keep the frames that `filters._process_traceback_frames` removes, from now on."""
    original: Any = vars(filters)["_process_traceback_frames"]
    if getattr(original, "keeps_frames", False):
        return

    @wraps(original)
    def process(trace: Any) -> Any:
        error = sys.exc_info()[1]
        if error is not None:
            with suppress(Exception):  # a failure to keep frames must not change the exception
                _keep(error, trace)
        return original(_without_package(trace))

    process.keeps_frames = True  # type: ignore[attr-defined]
    vars(filters)["_process_traceback_frames"] = process


def _keep(error: BaseException, trace: TracebackType | None) -> None:
    known = known_of(error)
    known.frames = _merged(list(_entries(trace)), known.frames)[:MOST_FRAMES]


def _replaced(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, and those that a framework replaced by it, the latest first."""
    entries = _kept(error)
    for current in _causes(error):
        places = {id(entry.frame): entry for entry in _kept(current)}
        shared = [entry for entry in entries if id(entry.frame) in places]
        if not shared:
            continue
        caught = shared[-1]  # if it is in another line, it caught `current` and raised another one
        if caught != places[id(caught.frame)] and is_own(caught.frame.f_code.co_filename):
            return  # the program did, not a framework
        entries = _merged(entries, _kept(current))
        yield current


def _kept(error: BaseException) -> list[Entry]:
    """Return the frames of an exception alone, outermost first, with those that were removed."""
    return _merged(list(_entries(error.__traceback__)), known_of(error).frames)


def _without_package(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without frames of this package, or `trace` if it has no others."""
    entries = [e for e in _entries(trace) if not e.frame.f_code.co_filename.startswith(PACKAGE)]
    shorter: TracebackType | None = None
    for frame, line, instruction in reversed(entries):
        shorter = TracebackType(shorter, frame, instruction, line)
    return shorter or trace


def root_of(error: BaseException) -> BaseException:
    """Return the exception of a framework from which the program raised `error`, else `error`."""
    for item in _causes(error):
        entries = _kept(item)
        if entries and not is_own(entries[-1].frame.f_code.co_filename):
            return item
    return error


def frames_of(error: BaseException) -> list[Entry]:
    """Return all frames of an exception, outermost first.

    The frames below the one that caught the exception are included, as are those of an exception
    that a framework replaced by this one.
    """
    entries: list[Entry] = []
    for current in _replaced(error):
        entries = _merged(entries, _kept(current))
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
