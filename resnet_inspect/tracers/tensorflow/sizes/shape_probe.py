"""Computes the output shapes of an op for other input shapes, with TensorFlow's shape functions.

An op is rebuilt in a scratch graph on placeholders of the given shapes. TensorFlow then runs the
shape function of the op's type, so no table of rules is needed. If an input is a small integer
tensor computed from constants and shapes, such as the target of a Reshape, the ops that compute it
are rebuilt too, and TensorFlow evaluates them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from resnet_inspect.graph import Op, TensorRef
from resnet_inspect.graph.tensors import Shape
from resnet_inspect.tracers.tensorflow.sizes.definitions import UnknownOpError, node_definition
from resnet_inspect.tracers.tensorflow.sizes.op_types import (
    AMOUNTS,
    ARITHMETIC,
    SHAPE_READERS,
    UNKNOWN_VALUES,
    VALUES,
)

Literal = tuple[int, ...]
INTEGERS = ("int32", "int64")
MAX_FEEDER_OPS = 64
STAND_IN = 48  # for unknown sizes; most ops accept it, as it has many divisors


@dataclass(frozen=True)
class Leaf:
    """An input of a probed op: a tensor given by its shape, or an integer constant by its value.

    `assumed` is the shape with a number for each unknown size. `amount`: the elements of the
    constant are amounts that a size is computed from, such as paddings, not positions of axes.
    """

    name: str
    index: int
    dtype: str
    shape: Shape
    assumed: Shape
    literal: Literal | None = None
    amount: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the numbers that can be changed: the sizes of the axes, or the elements."""
        if self.literal is not None:
            return self.literal
        return filled(self.assumed) or ()


class Scratch:
    """A graph for rebuilt ops, which reuses its placeholders and constants."""

    def __init__(self) -> None:
        self.graph = tf.Graph()
        self._tensors: dict[Any, Any] = {}
        self._ops = 0

    def leaf(self, leaf: Leaf, sizes: tuple[int, ...]) -> Any:
        """Return a tensor like `leaf` with these sizes, or a constant with these elements."""
        unknown = leaf.literal is None and leaf.assumed is None
        key = (leaf.dtype, leaf.shape if leaf.literal is not None else unknown, sizes)
        if key not in self._tensors:
            if leaf.literal is None:
                shape = None if unknown else sizes
                self._tensors[key] = tf.compat.v1.placeholder(leaf.dtype, shape)
            else:
                self._tensors[key] = tf.constant(sizes, leaf.dtype, leaf.shape)
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
    """One op with the ops that compute its integer inputs, which can be rebuilt on other leaves.

    Args:
        op: The op.
        ops: All ops by name.
        assumed: The shapes of tensors with unknown sizes, with a number for each unknown size.
        scratch: The graph in which the op is rebuilt.
    """

    def __init__(
        self,
        op: Op,
        ops: Mapping[str, Op],
        assumed: Mapping[TensorRef, Shape],
        scratch: Scratch,
    ) -> None:
        self._op = op
        self._ops = ops
        self._assumed = assumed
        self._scratch = scratch
        self.leaves: list[Leaf] = []
        self._places: dict[TensorRef, int] = {}
        self._inside: dict[str, Op] = {}
        self._definitions: dict[str, Any] = {}
        values = VALUES.get(op.type)
        for number, ref in enumerate(op.inputs):
            by_value = values is None or number in values or number - len(op.inputs) in values
            self._take(ref, by_value=by_value)

    @property
    def type(self) -> str:
        """Return the type of the op."""
        return self._op.type

    def takes_tensors(self) -> bool:
        """Return whether the op's output shapes depend only on input shapes, not on values."""
        return not self._inside and all(leaf.literal is None for leaf in self.leaves)

    def assume(self, size: int) -> bool:
        """Replace all unknown sizes by `size` from now on; return False if there are none."""
        self.leaves = [replace(leaf, assumed=filled(leaf.shape, size)) for leaf in self.leaves]
        return any(None in (leaf.shape or ()) for leaf in self.leaves)

    def signature(self) -> tuple[Any, ...]:
        """Return a key that is equal for probes whose ops differ only in their names."""
        order = {name: place for place, name in enumerate(self._inside)}
        built = [
            (
                op.type,
                *((name, str(value)) for name, value in op.attrs.items()),
                *((self._places.get(ref), order.get(ref.op), ref.index) for ref in op.inputs),
            )
            for op in (*self._inside.values(), self._op)
        ]
        return (
            *built,
            *((leaf.dtype, leaf.shape, leaf.assumed, leaf.literal) for leaf in self.leaves),
        )

    def run(self, sizes: list[tuple[int, ...]]) -> tuple[Shape, ...] | None:
        """Return the output shapes if the leaves have these sizes; None if the op rejects them.

        Raises:
            UnknownOpError: the op cannot be rebuilt.
        """
        tensors: dict[TensorRef, Any] = {}
        try:
            with self._scratch.graph.as_default():
                for ref, place in self._places.items():
                    tensors[ref] = self._scratch.leaf(self.leaves[place], sizes[place])
                for op in self._inside.values():
                    for index, tensor in enumerate(self._build(op, tensors)):
                        tensors[TensorRef(op.name, index)] = tensor
                return tuple(_shape(tensor) for tensor in self._build(self._op, tensors))
        except UnknownOpError:
            raise
        except (ValueError, TypeError):
            return None

    def _take(self, ref: TensorRef, *, by_value: bool) -> None:
        feeder = self._feeder(ref) if by_value else None
        if feeder is None:
            self._add_leaf(ref, None, amount=False)
            return
        users = [(op, source) for op in feeder for source in op.inputs]
        for op in feeder:
            literal = _literal(op) if op.type == "Const" else None
            if literal is not None:
                own = ref.op == op.name and self._op.type in AMOUNTS | ARITHMETIC
                amount = own or any(u.type in ARITHMETIC for u, s in users if s.op == op.name)
                self._add_leaf(TensorRef(op.name), literal, amount=amount)
                continue
            if op.type in SHAPE_READERS:
                for source in op.inputs:
                    self._add_leaf(source, None, amount=False)
            self._inside.setdefault(op.name, op)

    def _feeder(self, ref: TensorRef) -> list[Op] | None:
        """Return the ops that compute a small integer tensor, inputs first; None for others."""
        spec = self._ops[ref.op].outputs[ref.index]
        if spec.dtype not in INTEGERS or spec.shape is None or len(spec.shape) > 2:
            return None
        done: dict[str, Op] = {}
        begun: set[str] = set()
        waiting = [ref.op]
        while waiting:
            op = self._ops[waiting[-1]]
            if op.name in begun:
                waiting.pop()
                done.setdefault(op.name, op)
                continue
            begun.add(op.name)
            unknown = op.type in UNKNOWN_VALUES or (op.type == "Const" and _elements(op) is None)
            if unknown or len(begun) > MAX_FEEDER_OPS:
                return None
            if op.type not in SHAPE_READERS:
                waiting += (source.op for source in op.inputs if source.op not in done)
        return list(done.values())

    def _add_leaf(self, ref: TensorRef, literal: Literal | None, *, amount: bool) -> None:
        if ref not in self._places:
            self._places[ref] = len(self.leaves)
            spec = self._ops[ref.op].outputs[ref.index]
            assumed = self._assumed.get(ref, spec.shape)
            leaf = Leaf(ref.op, ref.index, spec.dtype, spec.shape, assumed, literal, amount)
            self.leaves.append(leaf)

    def _build(self, op: Op, tensors: dict[TensorRef, Any]) -> Any:
        if op.type == "Const":  # not an integer
            spec = op.outputs[0]
            return [tf.constant(_elements(op), spec.dtype, spec.shape)]
        if op.name not in self._definitions:
            self._definitions[op.name] = node_definition(op)
        inputs = [tensors[ref] for ref in op.inputs]
        return self._scratch.outputs(self._definitions[op.name], inputs)


def filled(shape: Shape, size: int = STAND_IN) -> tuple[int, ...] | None:
    """Return a shape with `size` for each unknown size; None for an unknown rank."""
    return None if shape is None else tuple(size if axis is None else axis for axis in shape)


def _literal(op: Op) -> Literal | None:
    """Return the elements of an integer constant; None for other constants."""
    elements = _elements(op)
    if elements is None or op.outputs[0].dtype not in INTEGERS:
        return None
    return tuple(int(element) for element in elements)


def _elements(op: Op) -> list[bool | int | float | str] | None:
    """Return the elements of a constant; None if they were not recorded."""
    value = op.attrs.get("value")
    if value is None:
        return [] if op.outputs[0].elements == 0 else None
    return value if isinstance(value, list) else [value]


def _shape(tensor: Any) -> Shape:
    return None if tensor.shape.rank is None else tuple(tensor.shape.as_list())
