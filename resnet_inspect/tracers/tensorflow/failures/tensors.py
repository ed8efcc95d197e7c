"""Records the ops and layer calls that lead to the tensors of a crash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.graph.crash import Node, NodeKind, Setting, Shape, Site
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder, is_users
from resnet_inspect.tracers.tensorflow.failures.layers import LayerRecorder

MOST_NODES = 800
MOST_ELEMENTS = 16
CAPTURE_NUMBER = re.compile(r"/\d+$")  # at the end of a captured variable's name
# Attributes of ops that determine shapes.
SETTINGS = (
    "strides",
    "padding",
    "dilations",
    "data_format",
    "ksize",
    "transpose_a",
    "transpose_b",
    "adj_x",
    "adj_y",
    "axis",
    "squeeze_dims",
    "keep_dims",
    "begin_mask",
    "end_mask",
    "ellipsis_mask",
    "new_axis_mask",
    "shrink_axis_mask",
    "equation",
    "num_split",
    "N",
    "batch_dims",
)


class NodeRecorder:
    """Numbers what made the tensors of a crash; `records` returns the nodes, inputs first."""

    def __init__(self, layers: LayerRecorder, files: set[str]) -> None:
        self._layers = layers
        self._files = files
        self._find = SourceFinder()
        self._nodes: list[Node] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # ids are only unique while the objects exist

    def number(self, tensor: Any) -> int:
        """Return the number of the node that made a symbolic tensor; -1 if unknown.

        Nodes on the way to it are recorded first.
        """
        for start in _start(tensor):
            waiting = [start]
            while waiting:
                item = waiting[-1]
                inputs = [] if id(item) in self._numbers else list(_inputs(item))
                missing = [source for source in inputs if id(source) not in self._numbers]
                if missing and len(self._nodes) + len(waiting) < MOST_NODES:
                    waiting += missing
                    continue
                waiting.pop()
                if id(item) not in self._numbers and len(self._nodes) < MOST_NODES:
                    self._add(item, inputs)
            return self._numbers.get(id(start), -1)
        return -1

    def of_op(self, op: Any) -> int:
        """Return the number of the node of an op of a graph."""
        return self.number(op.outputs[0]) if op.outputs else self._of_sink(op)

    def _of_sink(self, op: Any) -> int:
        for tensor in op.inputs:
            self.number(tensor)
        if id(op) not in self._numbers:
            self._add(op, [tensor.op for tensor in op.inputs])
        return self._numbers[id(op)]

    def records(self) -> tuple[Node, ...]:
        """Return all nodes."""
        layers = self._layers.of_nodes(self._nodes)
        return tuple(
            node if node.layer >= 0 else msgspec.structs.replace(node, layer=layer)
            for node, layer in zip(self._nodes, layers, strict=True)
        )

    def _add(self, item: Any, inputs: list[Any]) -> None:
        numbers = tuple(self._numbers.get(id(source), -1) for source in inputs)
        self._numbers[id(item)] = len(self._nodes)
        self._kept.append(item)
        node = self._of_graph(item, numbers) if isinstance(item, tf.Operation) else None
        self._nodes.append(node or self._of_layer(item, numbers))

    def _of_graph(self, op: tf.Operation, inputs: tuple[int, ...]) -> Node:
        kind, name = _kind_of(op)
        outside = _captured(op) if kind is NodeKind.VARIABLE else None
        if outside is not None:
            name = self._layers.path_of(outside) or name
        return Node(
            kind=kind,
            name=name,
            type=op.type,
            inputs=inputs,
            shapes=tuple(shape_of(output) for output in op.outputs),
            dtype=op.outputs[0].dtype.base_dtype.name if op.outputs else "",
            value=_constant(op),
            settings=dict(_settings(op)),
            sites=self._sites(op),
        )

    def _of_layer(self, call: Any, inputs: tuple[int, ...]) -> Node:
        """Return the node of a call of a Keras layer, or of an object without a history."""
        operation = getattr(call, "operation", None)
        if operation is None:
            return Node(NodeKind.CONSTANT, "", type(call).__name__)
        is_input = type(operation).__name__ == "InputLayer"
        outputs = list(call.output_tensors)
        return Node(
            kind=NodeKind.INPUT if is_input else NodeKind.LAYER,
            name=str(operation.name),
            type=type(operation).__name__,
            inputs=inputs,
            shapes=tuple(shape_of(output) for output in outputs),
            dtype=str(outputs[0].dtype) if outputs else "",
            layer=self._layers.number(operation),
        )

    def _sites(self, op: tf.Operation) -> tuple[Site, ...]:
        users = [frame for frame in op.traceback or () if is_users(frame.filename)]
        self._files.update(frame.filename for frame in users)
        return tuple(
            Site(source.file, source.line, source.function) for source in self._find(users)
        )


def shape_of(tensor: Any) -> Shape | None:
    """Return the static shape of a tensor, array or variable; None for an unknown rank."""
    shape = getattr(tensor, "shape", None)
    if isinstance(shape, tf.TensorShape):
        return None if shape.rank is None else tuple(shape.as_list())
    try:
        return tuple(None if size is None else int(size) for size in shape)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        return None


def _start(tensor: Any) -> Iterator[Any]:
    """Yield the op, or the call of a Keras layer, that made a tensor."""
    history = getattr(tensor, "_keras_history", None)
    if history is not None:
        yield history.operation._inbound_nodes[history.node_index]
    elif isinstance(tensor, tf.Tensor) and not hasattr(tensor, "numpy"):
        yield tensor.op


def _inputs(item: Any) -> Iterator[Any]:
    if isinstance(item, tf.Operation):
        outside = _captured(item)
        for tensor in item.inputs:
            yield tensor.op
        if outside is not None and not hasattr(outside, "numpy"):
            yield outside.op
    else:
        for tensor in getattr(item, "input_tensors", ()):
            yield from _start(tensor)


def _captured(op: tf.Operation) -> Any:
    """Return the tensor outside of a function that a placeholder of it represents."""
    captures = getattr(op.graph, "captures", None)
    if op.type != "Placeholder" or not captures or not op.outputs:
        return None
    return next((outer for outer, inner in captures if inner is op.outputs[0]), None)


def _kind_of(op: tf.Operation) -> tuple[NodeKind, str]:
    name = str(op.name)
    if op.type in ("VarHandleOp", "VariableV2"):
        return NodeKind.VARIABLE, name
    if op.type == "Const":
        return NodeKind.CONSTANT, name
    if not op.type.startswith("Placeholder"):
        return NodeKind.OP, name
    if _captured(op) is not None:
        is_variable = op.outputs[0].dtype == tf.resource
        kind = NodeKind.VARIABLE if is_variable else NodeKind.CONSTANT
        return kind, CAPTURE_NUMBER.sub("", name)
    in_function = isinstance(getattr(op.graph, "outer_graph", None), tf.Graph)
    return (NodeKind.INPUT if in_function else NodeKind.PLACEHOLDER), name


def _constant(op: tf.Operation) -> str:
    if op.type != "Const" or op.outputs[0].dtype.base_dtype not in (tf.int32, tf.int64):
        return ""
    value = tf.get_static_value(op.outputs[0])
    small = value is not None and value.size <= MOST_ELEMENTS
    return str(value.tolist()) if small else ""


def _settings(op: tf.Operation) -> Iterator[tuple[str, Setting]]:
    for name in SETTINGS:
        try:
            value = op.get_attr(name)
        except ValueError:
            continue
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, list):
            value = tuple(value)
        if isinstance(value, bool | int | float | str | tuple):
            yield name, value
