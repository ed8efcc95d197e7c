"""Extracts the cause, the op and the user's lines from an exception of a traced function."""

from __future__ import annotations

import re
import traceback

import msgspec
import tensorflow as tf

from resnet_inspect.graph import Failure, Graph, Source
from resnet_inspect.tracers.error_texts import REWRITTEN, cause, message
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder, is_own

REFUSALS = (ValueError, TypeError, tf.errors.OpError)
NODE = re.compile(r"\{\{node ([^}]+)\}\}")
REWRITTEN_LINE = re.compile(r'File "(.+)", line (\d+), in (\S+)  \*')


def describe(error: BaseException, during: str) -> Failure:
    """Return the failure that an exception reports.

    The lines of a run-time error are in the graph. `located_in` adds them.
    """
    text = message(error)
    node = NODE.search(text)
    return Failure(
        kind=type(error).__name__,
        message=cause(error),
        during=during,
        op=node[1] if node else "",
        source=_lines(error, text),
    )


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
