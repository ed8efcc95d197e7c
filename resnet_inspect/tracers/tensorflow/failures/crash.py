"""Records the crash of an exception: what is needed to explain it later."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import tensorflow as tf

from resnet_inspect import paths
from resnet_inspect.graph.crash import Crash
from resnet_inspect.tracers.error_texts import CONTROL_CODES, cause, message
from resnet_inspect.tracers.full_tracebacks import Entry, frames_of, root_of
from resnet_inspect.tracers.tensorflow.capture.source_lines import named
from resnet_inspect.tracers.tensorflow.failures.batches import batch_of
from resnet_inspect.tracers.tensorflow.failures.callers import of_program
from resnet_inspect.tracers.tensorflow.failures.frames import own_frame, user_files
from resnet_inspect.tracers.tensorflow.failures.framework_calls import during, framework_calls
from resnet_inspect.tracers.tensorflow.failures.layers import LayerRecorder
from resnet_inspect.tracers.tensorflow.failures.tensors import NodeRecorder
from resnet_inspect.tracers.tensorflow.failures.values import ValueRecorder
from resnet_inspect.tracers.tensorflow.failures.variables import VariableIndex

# Gradients by a tape, such as gradient_tape/dense/MatMul/MatMul_1, and by `tf.gradients`, such as
# gradients/loss/sub_grad/BroadcastGradientArgs.
GRADIENT = re.compile(r"(?:(.*)/)?(?:gradient_tape/(.+)|gradients(?:_\d+)?/(.+)_grad/.*)$")
NODE = re.compile(r"\{\{node ([^}]+)\}\}")
MOST_TEXT = 300_000  # signs of the user's files that are recorded
MOST_MESSAGE = 20_000


def crash_of(error: BaseException, step: int | None = None) -> Crash:
    """Return the crash of an exception, while its frames still exist.

    If the program raised it from an exception of a framework, that one is recorded. `step` is the
    training step that failed, from 0.
    """
    error = root_of(error)
    entries = of_program(frames_of(error))
    files: set[str] = set()
    variables = VariableIndex(files)
    layers = LayerRecorder(variables, files)
    nodes = NodeRecorder(layers, variables, files)
    record = ValueRecorder(nodes, layers)
    # The innermost parts come first, because the numbers of nodes and values are limited.
    op_name, op = _failed_op(error, entries)
    op_node = nodes.of_op(op) if op is not None else -1
    own = user_files(entries)
    numbers = [number - 1 for number in accumulate(map(bool, own))]
    calls = framework_calls(entries, numbers, record, layers)
    batch = batch_of(entries, record)
    frames = [own_frame(entries, at, record) for at in reversed(range(len(own))) if own[at]]
    layer_records = layers.records()
    in_frames = list(dict.fromkeys(filter(None, reversed(own))))
    return Crash(
        kind=type(error).__name__,
        message=_plain(message(error))[:MOST_MESSAGE],
        cause=_plain(cause(error)),
        bases=tuple(base.__name__ for base in type(error).__mro__[1:-2]),
        during=during(entries),
        step=step,
        frames=tuple(reversed(frames)),
        calls=calls,
        op=op_name,
        op_node=op_node,
        batch=batch,
        nodes=nodes.records(),
        layers=layer_records,
        files=dict(_texts([*in_frames, *sorted(files - {*in_frames})])),
    )


def _plain(text: str) -> str:
    """Return a text without control codes and without the path of the home folder."""
    home = paths.home()
    text = CONTROL_CODES.sub("", text)
    return text if home in (None, "/") else text.replace(str(home), "~")


def _texts(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of files, as many as may be recorded."""
    left = MOST_TEXT
    for file in files:
        text = "".join(linecache.getlines(file))
        if 0 < len(text) <= left:
            left -= len(text)
            yield named(file), text


def _failed_op(error: BaseException, entries: Sequence[Entry]) -> tuple[str, Any]:
    """Return the name of the op that failed when it ran, and the op itself if it is known."""
    if not isinstance(error, tf.errors.OpError):
        return "", None
    op = error.op
    if op is not None:
        return str(op.name), _differentiated(op)
    matched = NODE.search(message(error))
    name = matched[1] if matched else ""
    for graph in _graphs(entries) if name else ():
        for operation in graph.get_operations():
            if operation.name == name or name.endswith(f"/{operation.name}"):
                return name, _differentiated(operation)
    return name, None


def _differentiated(op: Any) -> Any:
    """Return the op whose gradient a gradient op computes; other ops unchanged."""
    matched = GRADIENT.match(op.name)
    name = "/".join(filter(None, matched.groups())) if matched else ""
    while name:
        try:
            return op.graph.get_operation_by_name(name)
        except KeyError:
            name = name.rpartition("/")[0]
    return op


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
