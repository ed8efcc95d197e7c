"""What an exception of a traced function tells: the cause, the op, the user's lines."""

from __future__ import annotations

import re
import traceback

import msgspec
import tensorflow as tf

from resnet_inspect.graph import Failure, Graph, Source
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder, is_own

REFUSALS = (ValueError, TypeError, tf.errors.OpError)
NODE = re.compile(r"\{\{node ([^}]+)\}\}")
# Where a run-time message ends and the op begins, in which it came up.
OP_NAMED = re.compile(r"\s*\[\[\{\{.*", re.DOTALL)
FIRST_OF_SEVERAL = re.compile(r"\d+ root error\(s\) found\.\s+\(0\) \w+: (.*?)(?=\n|\Z)", re.DOTALL)
OF_A_LAYER = re.compile(r"Exception encountered when calling .*?\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
WHILE_BUILT = re.compile(r"Error encountered:\s+(.+?)\s+Arguments received by", re.DOTALL)
REWRITTEN = "in user code:"
REWRITTEN_LINE = re.compile(r'File "(.+)", line (\d+), in (\S+)  \*')


def describe(error: BaseException, during: str) -> Failure:
    """The failure that an exception tells of; of a run-time error the graph knows the line, see
    `located_in`.
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
    """The failure with the lines that made its op, if it tells of none itself. An op in a branch
    has those of the op that holds the branch.
    """
    name = failure.op
    while name and name not in graph.op_by_name:
        name = name.rpartition("/")[0]
    if failure.source or not name:
        return failure
    return msgspec.structs.replace(failure, source=graph.op_by_name[name].source)


def _cause(error: BaseException, text: str) -> str:
    """The line of a message that says why, without what TensorFlow and Keras put around it."""
    if isinstance(error, SystemExit):
        return f"it ended the program, with {error.code!r}"
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
    """The user's lines, innermost first, each once. Of code that TensorFlow rewrote (AutoGraph)
    the message tells them.
    """
    find = SourceFinder()
    frames = find(traceback.extract_tb(error.__traceback__))
    if text.startswith(REWRITTEN):
        told = [
            traceback.FrameSummary(file, int(line), function)
            for file, line, function in REWRITTEN_LINE.findall(text)
        ]
        frames = (*find(one for one in told if is_own(one.filename)), *frames)
    return tuple(dict.fromkeys(frames))
