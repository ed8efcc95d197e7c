"""The crash of a program that did not import TensorFlow: its lines, without values."""

from __future__ import annotations

import linecache
import traceback

from resnet_inspect import paths
from resnet_inspect.graph.crash import Crash, CrashFrame, Site
from resnet_inspect.script.tracebacks import failing_line, is_own
from resnet_inspect.tracers.error_texts import cause, message


def plain_crash(error: BaseException) -> Crash:
    """The crash of an exception, from its traceback alone."""
    entries = [
        entry for entry in traceback.extract_tb(error.__traceback__) if is_own(entry.filename)
    ]
    last = failing_line(error)
    if isinstance(error, SyntaxError) and last is not None:
        entries.append(last)
    frames = tuple(CrashFrame(_site(entry)) for entry in entries)
    texts = {
        paths.short(entry.filename): "".join(linecache.getlines(entry.filename))
        for entry in entries
    }
    return Crash(
        kind=type(error).__name__,
        message=message(error),
        cause=cause(error),
        bases=tuple(base.__name__ for base in type(error).__mro__[1:-2]),
        frames=frames,
        files={name: text for name, text in texts.items() if text},
    )


def _site(entry: traceback.FrameSummary) -> Site:
    return Site(
        paths.short(entry.filename),
        entry.lineno or 1,
        entry.name,
        entry.end_lineno or 0,
        entry.colno or 0,
        entry.end_colno or 0,
    )
