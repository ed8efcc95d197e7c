"""Asks TensorFlow's own shape functions what an op makes of other input shapes.

An op is built again in a scratch graph on placeholders of the shapes in question; the shape
function that TensorFlow has for every op type then runs, so no table of rules is needed. Where an
input is a small vector of integers that the graph computes from constants and shapes (the target
of a Reshape), the ops that compute it are built too, and TensorFlow folds them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

Shape = tuple[int | None, ...] | None
Literal = tuple[int, ...]
# Ops of which only the shape of the input matters.
SHAPE_READERS = ("Shape", "ShapeN", "Size", "Rank")
LARGEST_FEEDER = 64
STAND_IN = 48


@dataclass(frozen=True)
class Leaf:
    """Something a probed op takes: a tensor by shape, or a constant of integers by value."""

    name: str
    index: int
    dtype: str
    shape: Shape
    literal: Literal | None = None
    stand_in: int = STAND_IN

    @property
    def sizes(self) -> tuple[int, ...]:
        """What can be changed about it: the sizes of its axes, or its elements.

        A size that is unknown is taken to be a number with many divisors: what depends on it can
        be asked all the same.
        """
        if self.literal is not None:
            return self.literal
        return tuple(self.stand_in if size is None else size for size in self.shape or ())


class Scratch:
    """A graph to try ops in. Placeholders and constants in it are made once."""

    def __init__(self) -> None:
        self.graph = tf.Graph()
        self._made: dict[Any, Any] = {}
        self._ops = 0

    def leaf(self, leaf: Leaf, sizes: tuple[int, ...]) -> Any:
        """A tensor like `leaf`, but of these sizes; one by value has these elements."""
        unknown = leaf.literal is None and leaf.shape is None
        scalar = leaf.literal is not None and not leaf.shape
        key = (leaf.dtype, leaf.literal is None, unknown, scalar, sizes)
        if key not in self._made:
            if leaf.literal is None:
                shape = None if unknown else sizes
                self._made[key] = tf.compat.v1.placeholder(leaf.dtype, shape)
            else:
                self._made[key] = tf.constant(sizes[0] if scalar else list(sizes), leaf.dtype)
        return self._made[key]

    def outputs(self, node: Any, inputs: list[Any]) -> list[Any]:
        """The outputs of a new op like `node` on these inputs; ValueError if its shape function
        rejects them. `Graph.create_op` does the same in three times the time.
        """
        self._ops += 1
        node.name = f"op_{self._ops}"
        made = tf.__internal__.create_c_op(self.graph, node, inputs, [], extract_traceback=False)
        return list(tf.Operation._from_c_op(c_op=made, g=self.graph).outputs)


class Probe:
    """One op with all it takes, ready to be built with other leaves."""

    def __init__(self, op: Any, nodes: dict[str, Any], scratch: Scratch) -> None:
        self._op = op
        self._nodes = nodes
        self._scratch = scratch
        self.leaves: list[Leaf] = []
        self._places: dict[tuple[str, int], int] = {}
        self._inside: list[Any] = []
        self._drafts: dict[str, Any] = {}
        for tensor in op.inputs:
            self._take(tensor)

    @property
    def type(self) -> str:
        """The type of the op."""
        return str(self._op.type)

    def takes_tensors(self) -> bool:
        """Whether the op depends on the shapes of tensors alone, not on values."""
        return not self._inside and all(leaf.literal is None for leaf in self.leaves)

    def assume(self, size: int) -> bool:
        """Take all unknown sizes to be `size` from now on; False if there are none."""
        self.leaves = [replace(leaf, stand_in=size) for leaf in self.leaves]
        return any(None in (leaf.shape or ()) for leaf in self.leaves)

    def signature(self) -> tuple[Any, ...]:
        """Equal for probes that behave alike, whatever their ops are called."""
        order = {op.name: place for place, op in enumerate(self._inside)}

        def where(tensor: Any) -> Any:
            key = (tensor.op.name, tensor.value_index)
            return self._places.get(key, (order.get(tensor.op.name), tensor.value_index))

        built = [
            (op.type, _attributes(self._nodes[op.name]), tuple(where(t) for t in op.inputs))
            for op in (*self._inside, self._op)
        ]
        return (*built, *((leaf.dtype, leaf.shape, leaf.literal) for leaf in self.leaves))

    def run(self, sizes: list[tuple[int, ...]]) -> tuple[Shape, ...] | None:
        """The shapes of the op's outputs if its leaves have these sizes; None if it refuses."""
        made: dict[tuple[str, int], Any] = {}
        try:
            with self._scratch.graph.as_default():
                for (name, index), place in self._places.items():
                    made[name, index] = self._scratch.leaf(self.leaves[place], sizes[place])
                for op in self._inside:
                    for index, tensor in enumerate(self._build(op, made)):
                        made[op.name, index] = tensor
                return tuple(_shape(tensor) for tensor in self._build(self._op, made))
        except (ValueError, TypeError):
            return None

    def _take(self, tensor: Any) -> None:
        feeder = self._feeder(tensor)
        if feeder is None:
            self._add_leaf(tensor, None)
            return
        for op in feeder:
            if op.type == "Const":
                self._add_leaf(op.outputs[0], _literal(op.outputs[0]))
                continue
            if op.type in SHAPE_READERS:
                for source in op.inputs:
                    self._add_leaf(source, None)
            if op not in self._inside:
                self._inside.append(op)

    def _feeder(self, tensor: Any) -> list[Any] | None:
        """The ops that compute a small integer tensor, inputs first; None if it is not such."""
        if tensor.dtype not in (tf.int32, tf.int64) or tensor.shape.rank not in (0, 1):
            return None
        found: list[Any] = []
        waiting = [tensor.op]
        while waiting:
            op = waiting.pop()
            if op in found:
                found.remove(op)
            found.insert(0, op)
            if op.type == "Placeholder" or len(found) > LARGEST_FEEDER:
                return None
            if op.type not in SHAPE_READERS:
                waiting.extend(source.op for source in op.inputs)
        return found

    def _add_leaf(self, tensor: Any, literal: Literal | None) -> None:
        key = (tensor.op.name, tensor.value_index)
        if key not in self._places:
            self._places[key] = len(self.leaves)
            leaf = Leaf(*key, tensor.dtype.base_dtype.name, _shape(tensor), literal)
            self.leaves.append(leaf)

    def _build(self, op: Any, made: dict[tuple[str, int], Any]) -> Any:
        inputs = [made[tensor.op.name, tensor.value_index] for tensor in op.inputs]
        return self._scratch.outputs(self._draft(op), inputs)

    def _draft(self, op: Any) -> Any:
        """The node of an op without a name, inputs and TensorFlow's internal attributes."""
        if op.name not in self._drafts:
            node = self._nodes[op.name]
            draft = type(node)(op=node.op)
            for name, value in node.attr.items():
                if name[0] != "_":
                    draft.attr[name].CopyFrom(value)
            self._drafts[op.name] = draft
        return self._drafts[op.name]


def _attributes(node: Any) -> tuple[Any, ...]:
    named = ((name, node.attr[name]) for name in sorted(node.attr) if name[0] != "_")
    return tuple((name, value.SerializeToString(deterministic=True)) for name, value in named)


def _literal(tensor: Any) -> Literal:
    return tuple(int(value) for value in tf.get_static_value(tensor).reshape(-1))


def _shape(tensor: Any) -> Shape:
    return None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
