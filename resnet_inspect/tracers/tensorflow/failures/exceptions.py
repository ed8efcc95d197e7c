"""Extracts the cause, the op and the user's lines from an exception of a traced function."""

from __future__ import annotations

import re
import traceback

import msgspec
import tensorflow as tf

from resnet_inspect.graph import Failure, Graph, Source
from resnet_inspect.graph.crash import Crash
from resnet_inspect.tracers.error_texts import REWRITTEN, cause, message
from resnet_inspect.tracers.full_tracebacks import known_of
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder, is_own
from resnet_inspect.tracers.tensorflow.failures.actions import action
from resnet_inspect.tracers.tensorflow.failures.crash import crash_of

REFUSALS = (ValueError, TypeError, tf.errors.OpError)
NODE = re.compile(r"\{\{node ([^}]+)\}\}")
REWRITTEN_LINE = re.compile(r'File "(.+)", line (\d+), in (\S+)  \*')


def describe(error: BaseException, during: str = "", step: int | None = None) -> Failure:
    """Return the failure that an exception reports, with its crash.

    The lines of a run-time error are in the graph. `located_in` adds them. The crash is None if it
    cannot be made.

    Args:
        error: the exception.
        during: what was done; by default it is found in the crash.
        step: the training step that failed, from 0; None outside a training.
    """
    known_of(error).recorded = True
    crash = _crash(error, step)
    return Failure(
        kind=type(error).__name__,
        message=cause(error),
        during=during or action(crash),
        op=failed_op(error),
        source=_lines(error, message(error)),
        crash=crash,
    )


def at_step(failure: Failure | None, step: int | None) -> Failure | None:
    """Return the failure with its training step."""
    if failure is None or failure.crash is None or step is None:
        return failure
    crash = msgspec.structs.replace(failure.crash, step=step)
    return msgspec.structs.replace(failure, crash=crash)


def failed_op(error: BaseException) -> str:
    """Return the name of the op that an exception names, or ""."""
    node = NODE.search(message(error))
    return node[1] if node else ""


def _crash(error: BaseException, step: int | None) -> Crash | None:
    """Return the crash of an exception, made once; None if that fails."""
    known = known_of(error)
    try:
        crash: Crash = known.crash or crash_of(error)
        known.crash = crash
        return crash if step is None else msgspec.structs.replace(crash, step=step)
    except Exception:  # a failure to make the crash must not lose the failure
        return None


def located_in(graph: Graph, failure: Failure) -> Failure:
    """Return the failure, with the lines that created its op if it has no lines of its own.

    For an op in a branch, these are the lines of the op that contains the branch.
    """
    name = failure.op
    while name and name not in graph.op_by_name:
        name = name.rpartition("/")[0]
    if failure.source or not name:
        return failure
    return msgspec.structs.replace(failure, source=graph.op_by_name[name].source)


def _lines(error: BaseException, text: str) -> tuple[Source, ...]:
    """Return the user's lines, innermost first, without repetitions.

    For code that AutoGraph rewrote, the lines are read from the message.
    """
    find = SourceFinder()
    frames = find(traceback.extract_tb(error.__traceback__))
    if text.startswith(REWRITTEN):
        listed = [
            traceback.FrameSummary(file, int(line), function)
            for file, line, function in REWRITTEN_LINE.findall(text)
        ]
        frames = (*find(frame for frame in listed if is_own(frame.filename)), *frames)
    return tuple(dict.fromkeys(frames))
