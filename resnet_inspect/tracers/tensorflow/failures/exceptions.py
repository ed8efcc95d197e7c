"""Extracts the cause, the op and the user's lines from an exception of a traced function."""

from __future__ import annotations

import re
import traceback

import msgspec
import tensorflow as tf

from resnet_inspect.graph import Failure, Graph, Source
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder, is_own

REFUSALS = (ValueError, TypeError, tf.errors.OpError)
NODE = re.compile(r"\{\{node ([^}]+)\}\}")
# End of a run-time message, where TensorFlow appends the op that raised it.
OP_NAMED = re.compile(r"\s*\[\[\{\{.*", re.DOTALL)
FIRST_OF_SEVERAL = re.compile(r"\d+ root error\(s\) found\.\s+\(0\) \w+: (.*?)(?=\n|\Z)", re.DOTALL)
OF_A_LAYER = re.compile(r"Exception encountered when calling .*?\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
WHILE_BUILT = re.compile(r"Error encountered:\s+(.+?)\s+Arguments received by", re.DOTALL)
REWRITTEN = "in user code:"
REWRITTEN_LINE = re.compile(r'File "(.+)", line (\d+), in (\S+)  \*')


def describe(error: BaseException, during: str) -> Failure:
    """Return the failure that an exception reports.

    The lines of a run-time error are in the graph. `located_in` adds them.
    """
    text = str(getattr(error, "message", None) or error)
    node = NODE.search(text)
    return Failure(
        kind=type(error).__name__,
        message=_cause(error, text),
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


def _cause(error: BaseException, text: str) -> str:
    """Return the line of a message that has the cause, without text that TensorFlow adds."""
    if isinstance(error, SystemExit):
        return f"the program exited with code {error.code!r}"
    if isinstance(error, KeyError) and error.args:
        text = repr(error.args[0])
    while_built = WHILE_BUILT.search(text)
    text = while_built[1] if while_built else text
    several = FIRST_OF_SEVERAL.search(text)
    of_layer = OF_A_LAYER.search(text)
    if of_layer:
        text = of_layer[1]
    elif several:
        text = several[1]
    elif OP_NAMED.search(text):
        text = _last_line(OP_NAMED.sub("", text))
    elif text.startswith(REWRITTEN):
        text = _last_line(text).partition(": ")[2] or _last_line(text)
    text = re.sub(r"\{\{function_node [^}]+\}\}\s*", "", text).strip()
    return text.splitlines()[0] if text else "no message"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


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
