"""Computes the output shapes of an op for other input shapes, with TensorFlow's shape functions.

An op is rebuilt in a scratch graph on placeholders of the given shapes. TensorFlow then runs the
shape function of the op's type, so no table of rules is needed. If an input is a small integer
vector computed from constants and shapes, such as the target of a Reshape, the ops that compute it
are rebuilt too, and TensorFlow evaluates them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

Shape = tuple[int | None, ...] | None
Literal = tuple[int, ...]
# Ops whose result depends only on the shape of their input.
SHAPE_READERS = ("Shape", "ShapeN", "Size", "Rank")
MAX_FEEDER_OPS = 64
STAND_IN = 48


@dataclass(frozen=True)
class Leaf:
    """An input of a probed op: a tensor given by its shape, or an integer constant by its value."""

    name: str
    index: int
    dtype: str
    shape: Shape
    literal: Literal | None = None
    stand_in: int = STAND_IN

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the numbers that can be changed: the sizes of the axes, or the elements.

        An unknown size is replaced by `stand_in`. Its default has many divisors, so that most ops
        accept it.
        """
        if self.literal is not None:
            return self.literal
        return tuple(self.stand_in if size is None else size for size in self.shape or ())


class Scratch:
    """A graph for rebuilt ops, which reuses its placeholders and constants."""

    def __init__(self) -> None:
        self.graph = tf.Graph()
        self._tensors: dict[Any, Any] = {}
        self._ops = 0

    def leaf(self, leaf: Leaf, sizes: tuple[int, ...]) -> Any:
        """Return a tensor like `leaf` with these sizes, or a constant with these elements."""
        unknown = leaf.literal is None and leaf.shape is None
        scalar = leaf.literal is not None and not leaf.shape
        key = (leaf.dtype, leaf.literal is None, unknown, scalar, sizes)
        if key not in self._tensors:
            if leaf.literal is None:
                shape = None if unknown else sizes
                self._tensors[key] = tf.compat.v1.placeholder(leaf.dtype, shape)
            else:
                self._tensors[key] = tf.constant(sizes[0] if scalar else list(sizes), leaf.dtype)
        return self._tensors[key]

    def outputs(self, node: Any, inputs: list[Any]) -> list[Any]:
        """Return the outputs of a new op like `node` on these inputs.

        Raises ValueError if the shape function rejects them. This is three times faster than
        `Graph.create_op`.
        """
        self._ops += 1
        node.name = f"op_{self._ops}"
        op = tf.__internal__.create_c_op(self.graph, node, inputs, [], extract_traceback=False)
        return list(tf.Operation._from_c_op(c_op=op, g=self.graph).outputs)


class Probe:
    """One op with the ops that compute its integer inputs, which can be rebuilt on other leaves."""

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
        """Return the type of the op."""
        return str(self._op.type)

    def takes_tensors(self) -> bool:
        """Return whether the op's output shapes depend only on input shapes, not on values."""
        return not self._inside and all(leaf.literal is None for leaf in self.leaves)

    def assume(self, size: int) -> bool:
        """Replace all unknown sizes by `size` from now on; return False if there are none."""
        self.leaves = [replace(leaf, stand_in=size) for leaf in self.leaves]
        return any(None in (leaf.shape or ()) for leaf in self.leaves)

    def signature(self) -> tuple[Any, ...]:
        """Return a key that is equal for probes whose ops differ only in their names."""
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
        """Return the output shapes if the leaves have these sizes; None if the op rejects them."""
        tensors: dict[tuple[str, int], Any] = {}
        try:
            with self._scratch.graph.as_default():
                for (name, index), place in self._places.items():
                    tensors[name, index] = self._scratch.leaf(self.leaves[place], sizes[place])
                for op in self._inside:
                    for index, tensor in enumerate(self._build(op, tensors)):
                        tensors[op.name, index] = tensor
                return tuple(_shape(tensor) for tensor in self._build(self._op, tensors))
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
        """Return the ops that compute a small integer tensor, inputs first; None for others."""
        if tensor.dtype not in (tf.int32, tf.int64) or tensor.shape.rank not in (0, 1):
            return None
        ops: list[Any] = []
        waiting = [tensor.op]
        while waiting:
            op = waiting.pop()
            if op in ops:
                ops.remove(op)
            ops.insert(0, op)
            if op.type == "Placeholder" or len(ops) > MAX_FEEDER_OPS:
                return None
            if op.type not in SHAPE_READERS:
                waiting.extend(source.op for source in op.inputs)
        return ops

    def _add_leaf(self, tensor: Any, literal: Literal | None) -> None:
        key = (tensor.op.name, tensor.value_index)
        if key not in self._places:
            self._places[key] = len(self.leaves)
            leaf = Leaf(*key, tensor.dtype.base_dtype.name, _shape(tensor), literal)
            self.leaves.append(leaf)

    def _build(self, op: Any, tensors: dict[tuple[str, int], Any]) -> Any:
        inputs = [tensors[tensor.op.name, tensor.value_index] for tensor in op.inputs]
        return self._scratch.outputs(self._draft(op), inputs)

    def _draft(self, op: Any) -> Any:
        """Return the node of an op without name, inputs and TensorFlow's internal attributes."""
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
