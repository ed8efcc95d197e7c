"""Records the ops and layer calls that lead to the tensors of a crash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.graph.crash import Node, NodeKind, Shape, Site
from resnet_inspect.tracers.layer_scopes import layer_of
from resnet_inspect.tracers.tensorflow.capture.source_lines import SourceFinder, is_users
from resnet_inspect.tracers.tensorflow.failures.callers import calls_program
from resnet_inspect.tracers.tensorflow.failures.layers import LayerRecorder
from resnet_inspect.tracers.tensorflow.failures.op_settings import constant_of, settings_of
from resnet_inspect.tracers.tensorflow.failures.variables import KnownVariable, VariableIndex

MOST_NODES = 400
MOST_SITES = 4
IN_GRAPH = ("VarHandleOp", "VariableV2", "Variable")
ORIGINAL = "_resnet_inspect_original"  # attribute of a copied graph: function of op to op


class NodeRecorder:
    """Numbers what made the tensors of a crash; `records` returns the nodes, inputs first.

    Of a large graph, the ops nearest to the tensors are recorded.
    """

    def __init__(self, layers: LayerRecorder, variables: VariableIndex, files: set[str]) -> None:
        self._layers = layers
        self._variables = variables
        self._files = files
        self._find = SourceFinder()
        self._nodes: list[Node] = []
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # ids are only unique while the objects exist

    def number(self, tensor: Any) -> int:
        """Return the number of the node that made a symbolic tensor; -1 if unknown.

        Nodes on the way to it are recorded first.
        """
        start = _start(tensor)
        return -1 if start is None else self._number(start)

    def of_op(self, op: Any) -> int:
        """Return the number of the node of an op of a graph."""
        return self._number(op)

    def of_variable(self, variable: Any) -> int:
        """Return the number of the node of a Keras or TensorFlow variable."""
        known = self._variables.of(variable)
        if id(known.variable) not in self._numbers and len(self._nodes) < MOST_NODES:
            self._append(known.variable, self._variable_node(known))
        return self._numbers.get(id(known.variable), -1)

    def records(self) -> tuple[Node, ...]:
        """Return all nodes."""
        return tuple(self._nodes)

    def _number(self, start: Any) -> int:
        near = self._near(start)
        waiting = [start]
        while waiting:
            item = waiting[-1]
            if id(item) in near:  # for the first time
                near.remove(id(item))
                waiting += [source for source in _inputs(item) if id(source) in near]
                continue
            waiting.pop()
            if id(item) not in self._numbers:
                self._add(item, list(_inputs(item)))
        return self._numbers.get(id(start), -1)

    def _near(self, start: Any) -> set[int]:
        """Return the ids of the unrecorded ops nearest to one, as many as may be recorded."""
        near: dict[int, None] = {}
        waiting = [start]
        while waiting and len(near) + len(self._nodes) < MOST_NODES:
            following: list[Any] = []
            for item in waiting:
                if id(item) not in near and id(item) not in self._numbers:
                    near[id(item)] = None
                    following += _inputs(item)
            waiting = following
        return set(list(near)[: MOST_NODES - len(self._nodes)])

    def _append(self, item: Any, node: Node) -> None:
        self._numbers[id(item)] = len(self._nodes)
        self._kept.append(item)
        self._nodes.append(node)

    def _add(self, item: Any, inputs: list[Any]) -> None:
        if len(self._nodes) >= MOST_NODES:
            return
        numbers = tuple(self._numbers.get(id(source), -1) for source in inputs)
        if not isinstance(item, tf.Operation):
            self._append(item, self._of_layer(item, numbers))
            return
        known = self._variable_of(item)
        if known is None:
            self._append(item, self._of_graph(item, numbers))
            return
        if id(known.variable) not in self._numbers:
            node = self._variable_node(known)
            if not node.sites and item.type in IN_GRAPH:
                node = msgspec.structs.replace(node, sites=self._sites(item))
            self._append(known.variable, node)
        self._numbers[id(item)] = self._numbers[id(known.variable)]
        self._kept.append(item)

    def _variable_of(self, op: tf.Operation) -> KnownVariable | None:
        """Return the variable of an op of a graph."""
        outside = _outermost(op)
        is_handle = outside is not None and outside.dtype == tf.resource
        handle = outside if is_handle else op.outputs[0] if op.type in IN_GRAPH else None
        return self._variables.of_handle(handle) if handle is not None else None

    def _of_graph(self, op: tf.Operation, inputs: tuple[int, ...]) -> Node:
        kind = _kind_of(op)
        layer = layer_of(op) if kind is NodeKind.OP else None
        return Node(
            kind=kind,
            name=str(_original(op).name),
            type=op.type,
            inputs=inputs,
            shapes=tuple(shape_of(output) for output in op.outputs),
            dtype=op.outputs[0].dtype.base_dtype.name if op.outputs else "",
            value=constant_of(op),
            settings=dict(settings_of(op)),
            layer=self._layers.number(layer) if layer is not None else -1,
            sites=self._sites(op),
        )

    def _variable_node(self, known: KnownVariable) -> Node:
        variable, layer = known
        dtype = variable.dtype
        return Node(
            kind=NodeKind.VARIABLE,
            name=str(getattr(variable, "path", "") or variable.name).removesuffix(":0"),
            type=type(variable).__name__,
            shapes=(shape_of(variable),),
            dtype=dtype if isinstance(dtype, str) else dtype.base_dtype.name,
            layer=self._layers.number(layer) if layer is not None else -1,
            sites=self._variables.sites(variable),
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
        """Return the user's lines that made an op, innermost first."""
        op = _original(op)
        users = []
        for frame in reversed(list(op.traceback or ())):
            if calls_program(frame.filename, frame.name):
                break
            if is_users(frame.filename):
                users.append(frame)
        users = users[:MOST_SITES]
        self._files.update(frame.filename for frame in users)
        lines = self._find(reversed(users))
        return tuple(Site(line.file, line.line, line.function) for line in lines)


def shape_of(tensor: Any) -> Shape | None:
    """Return the static shape of a tensor, array or variable; None for an unknown rank."""
    shape = getattr(tensor, "shape", None)
    try:
        sizes = shape.as_list() if isinstance(shape, tf.TensorShape) else shape
        return tuple(None if size is None else int(size) for size in sizes)  # type: ignore[union-attr]
    except (TypeError, ValueError):
        return None


def _start(tensor: Any) -> Any:
    """Return the op, or the call of a Keras layer, that made a tensor; None if unknown."""
    history = getattr(tensor, "_keras_history", None)
    if history is not None:
        return history.operation._inbound_nodes[history.node_index]
    return tensor.op if isinstance(tensor, tf.Tensor) and not hasattr(tensor, "numpy") else None


def _inputs(item: Any) -> Iterator[Any]:
    if isinstance(item, tf.Operation):
        for tensor in item.inputs:
            yield tensor.op
        outside = _captured(item)
        if outside is not None and not hasattr(outside, "numpy") and outside.dtype != tf.resource:
            yield outside.op
    else:
        for tensor in getattr(item, "input_tensors", ()):
            start = _start(tensor)
            if start is not None:
                yield start


def _original(op: tf.Operation) -> tf.Operation:
    """Return the op that an op of a copied graph copies; other ops unchanged."""
    original = getattr(op.graph, ORIGINAL, None)
    return op if original is None else original(op)


def _captured(op: tf.Operation) -> Any:
    """Return the tensor outside of a function that a placeholder in it represents."""
    captures = getattr(op.graph, "captures", None)
    if op.type != "Placeholder" or not captures or not op.outputs:
        return None
    return next((outer for outer, inner in captures if inner is op.outputs[0]), None)


def _outermost(op: tf.Operation) -> Any:
    """Return the tensor outside of all functions that a placeholder represents, else None."""
    outside = _captured(op)
    while outside is not None and not hasattr(outside, "numpy"):
        further = _captured(outside.op)
        if further is None:
            break
        outside = further
    return outside


def _kind_of(op: tf.Operation) -> NodeKind:
    if op.type in IN_GRAPH:
        return NodeKind.VARIABLE
    if op.type == "Const":
        return NodeKind.CONSTANT
    if not op.type.startswith("Placeholder"):
        return NodeKind.OP
    if _captured(op) is not None:
        return NodeKind.VARIABLE if op.outputs[0].dtype == tf.resource else NodeKind.CONSTANT
    in_function = isinstance(getattr(op.graph, "outer_graph", None), tf.Graph)
    return NodeKind.INPUT if in_function else NodeKind.PLACEHOLDER
