"""Records the crash of an exception: what is needed to explain it later."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from resnet_inspect.graph.crash import Crash
from resnet_inspect.tracers.error_texts import cause, message
from resnet_inspect.tracers.full_tracebacks import Entry, frames_of
from resnet_inspect.tracers.tensorflow.capture.source_lines import ROOM, named
from resnet_inspect.tracers.tensorflow.failures.frames import file_of, own_frame
from resnet_inspect.tracers.tensorflow.failures.framework_calls import during, framework_calls
from resnet_inspect.tracers.tensorflow.failures.layers import LayerRecorder
from resnet_inspect.tracers.tensorflow.failures.tensors import NodeRecorder
from resnet_inspect.tracers.tensorflow.failures.values import ValueRecorder

CONTROL_CODES = re.compile(r"\x1b\[[0-9;]*m")
NODE = re.compile(r"\{\{node ([^}]+)\}\}")
CALLERS = frozenset(
    str(ROOM / f"{name}.py")
    for name in (
        "tutorial/source",
        "model/source",
        "model/targets",
        "model/fitting",
        "tf1/graph_trace",
        "tf1/graph_run",
    )
)  # files from which a trace calls the traced code
MOST_TEXT = 400_000  # signs of a user's file that is recorded
MOST_MESSAGE = 20_000


def crash_of(error: BaseException, step: int | None = None) -> Crash:
    """Return the crash of an exception, while its frames still exist.

    `step` is the training step that failed, from 0.
    """
    entries = _traced(frames_of(error))
    files: set[str] = set()
    layers = LayerRecorder(files)
    nodes = NodeRecorder(layers, files)
    record = ValueRecorder(nodes, layers)
    frames, numbers = [], []
    for at in range(len(entries)):
        frame = own_frame(entries, at, record)
        if frame is not None:
            frames.append(frame)
            files.add(file_of(entries, at))
        numbers.append(len(frames) - 1)
    calls = framework_calls(entries, numbers, record, layers)
    op_name, op = _failed_op(error, entries)
    op_node = nodes.of_op(op) if op is not None else -1
    node_records = nodes.records()
    return Crash(
        kind=type(error).__name__,
        message=CONTROL_CODES.sub("", message(error))[:MOST_MESSAGE],
        cause=CONTROL_CODES.sub("", cause(error)),
        bases=tuple(base.__name__ for base in type(error).__mro__[1:-2]),
        during=during(entries),
        step=step,
        frames=tuple(frames),
        calls=calls,
        op=op_name,
        op_node=op_node,
        nodes=node_records,
        layers=layers.records(),
        files=dict(_texts(files)),
    )


def _traced(entries: list[Entry]) -> list[Entry]:
    """Return the frames of the traced code: without the callers of a trace."""
    files = [entry.frame.f_code.co_filename for entry in entries]
    start = max((at for at, file in enumerate(files) if file in CALLERS), default=-1)
    return entries[start + 1 :]


def _texts(files: set[str]) -> Iterator[tuple[str, str]]:
    for file in sorted(files):
        text = "".join(linecache.getlines(file))
        if 0 < len(text) <= MOST_TEXT:
            yield named(file), text


def _failed_op(error: BaseException, entries: Sequence[Entry]) -> tuple[str, Any]:
    """Return the name of the op that failed when it ran, and the op itself if it can be found."""
    if not isinstance(error, tf.errors.OpError):
        return "", None
    if error.op is not None:
        return str(error.op.name), _forward(error.op.graph, error.op.name) or error.op
    named_node = NODE.search(message(error))
    name = named_node[1] if named_node else ""
    for graph in _graphs(entries) if name else ():
        for operation in graph.get_operations():
            if operation.name == name or name.endswith(f"/{operation.name}"):
                return name, _forward(graph, operation.name) or operation
    return name, None


def _forward(graph: Any, name: str) -> Any:
    """Return the op whose gradient an op computes, None for other ops."""
    _, gradient, inner = name.rpartition("gradient_tape/")
    if not gradient:
        _, gradient, inner = name.rpartition("gradients/")
    inner = inner.replace("_grad/", "/")
    while gradient and "/" in inner:
        inner = inner.rpartition("/")[0]
        try:
            return graph.get_operation_by_name(inner)
        except KeyError:
            continue
    return None


def _graphs(entries: Sequence[Entry]) -> Iterator[Any]:
    """Yield the graphs of the functions in the frames, innermost first, and of their functions."""
    seen: set[int] = set()
    for entry in reversed(entries):
        for value in list(entry.frame.f_locals.values()):
            graph = getattr(value, "graph", None) if not isinstance(value, tf.Tensor) else None
            waiting = [graph] if isinstance(graph, tf.Graph) else []
            while waiting:
                graph = waiting.pop()
                if id(graph) not in seen:
                    seen.add(id(graph))
                    yield graph
                    inner = getattr(graph, "_functions", {}).values()
                    waiting += [function.graph for function in inner if hasattr(function, "graph")]
