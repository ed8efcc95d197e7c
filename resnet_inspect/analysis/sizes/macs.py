"""Multiply-accumulates of ops: of convolutions and matrix products, also in nested functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import msgspec

from resnet_inspect.analysis.sizes.constants import Constants
from resnet_inspect.analysis.sizes.dimensions import (
    CALLS,
    LOOPS,
    Dimensions,
    Rows,
    Size,
    Sizes,
    product,
)
from resnet_inspect.analysis.sizes.loops import repetitions
from resnet_inspect.graph import Graph, Op, Phase, TensorRef

CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative")
# They multiply each element of their third input with the kernel.
TRANSPOSED = (
    "Conv2DBackpropInput",
    "Conv3DBackpropInputV2",
    "DepthwiseConv2dNativeBackpropInput",
)
PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "SparseMatMul")
# The two inputs of a matrix product in names of attributes.
SIDES = (("a", "x"), ("b", "y"))
# Ops that only need the shape of their input.
SHAPES = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike")
COUNTED = (*CONVOLUTIONS, *TRANSPOSED, *PRODUCTS, "Einsum")
BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
# Other ops with these words in their type multiply too, or their contents are unknown.
UNCOUNTED = re.compile("Conv[23]?D|Conv2d|MatMul|Einsum|RNN|LSTM|GRU|PyFunc|Xla|TRT|^Conv$")


class Uncounted(msgspec.Struct, frozen=True):
    """An op with an unknown number of multiply-accumulates, and the reason.

    `op` is the name of the op in the network's graph, also if the cause is in a nested function.
    """

    op: str
    reason: str


class Unknown(NamedTuple):
    """The reason for an unknown number of multiply-accumulates."""

    reason: str


class Macs:
    """Multiply-accumulates of the forward ops of a graph, per example.

    Only convolutions and matrix products are counted, without bias additions. A product that
    does not depend on the network's inputs is counted once.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def of(self, op: Op) -> int | None:
        """Return the count of an op: 0 outside the forward pass, None if it is unknown."""
        count = self._count(op)
        return None if isinstance(count, Unknown) else count

    def sum(self, ops: Iterable[Op]) -> int | None:
        """Return the count of several ops; None if one is unknown."""
        total = 0
        for op in ops:
            count = self.of(op)
            if count is None:
                return None
            total += count
        return total

    def lower_bound(self, ops: Iterable[Op]) -> tuple[int, tuple[Uncounted, ...]]:
        """Return the sum of the known counts of ops, and the ops with an unknown one."""
        total, uncounted = 0, []
        for op in ops:
            count = self._count(op)
            if isinstance(count, Unknown):
                uncounted.append(Uncounted(op.name, count.reason))
            else:
                total += count
        return total, tuple(uncounted)

    def _count(self, op: Op) -> int | Unknown:
        if op.phase != Phase.FORWARD or not self._frame.multiplies(op) or op.name not in self._used:
            return 0
        total, batch = self._frame.count(op), self._batch.size
        if isinstance(total, Unknown):
            return total
        first = (op.outputs[0].shape or (None,))[0] if op.outputs else None
        per_batch = batch and (first == batch or op.name in self._dependent)
        return round(total.per_example / batch) if per_batch else round(total.per_example)

    @cached_property
    def _batch(self) -> _Batch:
        return _Batch.of(self._graph)

    @cached_property
    def _frame(self) -> _Frame:
        graph, given = self._graph, self._batch.given
        return _Frame(Dimensions(graph, graph.functions, given, Constants(graph)), {})

    @cached_property
    def _dependent(self) -> frozenset[str]:
        """The ops that compute with the values of the network's inputs, not only their shapes."""
        found = {ref.op for ref in self._batch.sources}
        for op in self._graph.ops:
            if op.type not in SHAPES and any(ref.op in found for ref in op.inputs):
                found.add(op.name)
        return frozenset(found)

    @cached_property
    def _used(self) -> frozenset[str]:
        """The ops whose results something uses.

        Keras calls the cell of a recurrent layer once before the loop, only for its shapes.
        TensorFlow removes such ops.
        """
        graph = self._graph
        found = {layer.output.op for layer in graph.layers}
        for op in reversed(graph.ops):
            if op.name in found or not self._is_part_of_layer(op):
                found.add(op.name)
                if op.type not in SHAPES:
                    found |= {ref.op for ref in op.inputs} | set(op.control_inputs)
        return frozenset(found)

    def _is_part_of_layer(self, op: Op) -> bool:
        return bool(op.outputs) and op.name in self._graph.layer_of_op


class _Batch(NamedTuple):
    """The inputs of a network, its batch size (0 if unknown), and the inputs' unknown sizes."""

    sources: tuple[TensorRef, ...]
    size: int
    given: dict[TensorRef, Sizes]

    @classmethod
    def of(cls, graph: Graph) -> _Batch:
        axes = {ref: graph.axes.get(name, ()) for name, ref in graph.inputs.items()}
        if not axes:
            sources = [op for op in graph.ops if op.type in ("IteratorGetNext", "Placeholder")]
            axes = {
                TensorRef(op.name, index): () for op in sources for index in range(len(op.outputs))
            }
        given, known = {}, []
        for ref, meanings in axes.items():
            shape = graph.spec(ref).shape
            place = meanings.index("batch") if "batch" in meanings else 0
            sizes = {
                axis: Rows(Fraction(1)) if axis == place else None
                for axis, size in enumerate(shape or ())
                if size is None
            }
            given[ref] = Sizes(dict(sizes), frozenset(sizes.values()))
            if shape and place < len(shape):
                known.append(shape[place])
        size = 0 if None in known else next((size for size in known if size), 0)
        return cls(tuple(axes), size, given)


class _Frame:
    """Counts the ops of the network or of one nested function, for the whole batch.

    `known` has, for functions by name, whether they may multiply.
    """

    def __init__(self, dimensions: Dimensions, known: dict[str, bool]) -> None:
        self._dimensions, self._functions, self._known = dimensions, dimensions.functions, known

    def multiplies(self, op: Op) -> bool:
        """Whether an op multiplies and accumulates, or may do so."""
        if op.type in COUNTED or op.type in CALLS or UNCOUNTED.search(op.type):
            return True
        return any(self._may_multiply(name) for name in self._called(op))

    def _may_multiply(self, name: str) -> bool:
        if name not in self._known:
            self._known[name] = True  # ends a recursion
            self._known[name] = any(map(self.multiplies, self._functions[name].ops))
        return self._known[name]

    def count(self, op: Op) -> Rows | Unknown:
        """Return a count, per example of an unknown batch."""
        if op.type in (*CALLS, *LOOPS, *BRANCHES):
            return self._function(op)
        factors = self._factors(op)
        if factors is None:
            return Unknown(f"{op.type} is not counted")
        total = product(factors)
        if total is None:
            return Unknown(f"a size of {op.type} is unknown")
        return Rows(Fraction(total)) if isinstance(total, int) else total

    def _factors(self, op: Op) -> list[Size] | None:
        """Return the numbers whose product is the count; None for an op of an unknown kind."""
        sizes = self._sizes
        if op.type in CONVOLUTIONS:
            return [*sizes(op.inputs[1]), *_positions(op, sizes(self._convolved(op)))]
        if op.type in TRANSPOSED:
            return [*sizes(op.inputs[1]), *_positions(op, sizes(op.inputs[2]))]
        if op.type in PRODUCTS:
            return [self._contracted(op), *sizes(TensorRef(op.name))]
        if op.type == "Einsum":
            return self._einsum(op)
        return None

    def _sizes(self, ref: TensorRef) -> tuple[Size, ...]:
        """Return the sizes of a tensor; one unknown size for an unknown rank."""
        sizes = self._dimensions.of(ref)
        return (None,) if sizes is None else sizes

    def _convolved(self, op: Op) -> TensorRef:
        """Return the output of a convolution.

        TensorFlow may split the input of a dilated one into blocks with additional padding. Their
        outputs count after they are merged.
        """
        output, graph = TensorRef(op.name), self._dimensions.graph
        users = [graph.op_by_name[name] for name in graph.consumers.get(output, ())]
        merging = [user for user in users if user.type == "BatchToSpaceND"]
        return TensorRef(merging[0].name) if merging else output

    def _contracted(self, op: Op) -> Size:
        """Return the size over which a matrix product sums."""
        left, right = (self._sizes(ref) for ref in op.inputs[:2])
        flipped = [bool(op.attrs.get(f"transpose_{s}") or op.attrs.get(f"adj_{t}")) for s, t in SIDES]
        first = left[-2 if flipped[0] else -1] if len(left) > 1 else None
        second = right[-1 if flipped[1] else -2] if len(right) > 1 else None
        return second if first is None else first

    def _einsum(self, op: Op) -> list[Size]:
        """Return the size of each letter of the equation. An ellipsis is in the output."""
        if len(op.inputs) == 1:
            return [0]
        terms, _, result = str(op.attrs["equation"]).partition("->")
        letters: dict[str, Size] = {}
        for term, ref in zip((*terms.split(","), result), (*op.inputs, TensorRef(op.name)),
                             strict=True):  # fmt: skip
            sizes = self._sizes(ref)
            before, dots, after = term.partition("...")
            middle = len(sizes) - len(before) - len(after)
            if middle < 0 or (middle and not dots):
                return [None]
            names = [*before, *(f".{place}" for place in range(middle, 0, -1)), *after]
            for name, size in zip(names, sizes, strict=True):
                if letters.get(name) in (None, 1):
                    letters[name] = size
        return list(letters.values())

    def _function(self, op: Op) -> Rows | Unknown:
        """Return the count of a call, of a loop, or of branches with equal counts."""
        names = self._called(op)
        names = [str(op.attrs["body"])] if op.type in LOOPS and names else names
        if not names:
            return Unknown(f"the function of {op.type} is not recorded")
        counts = [self._body(op, name) for name in names]
        first = counts[0]
        if isinstance(first, Unknown):
            return first
        if any(count != first for count in counts[1:]):
            return Unknown(f"the branches of {op.type} differ")
        if op.type not in LOOPS or not first.per_example:
            return first
        times = repetitions(op, self._dimensions)
        if times is None:
            return Unknown("the number of steps of a loop is unknown")
        return Rows(first.per_example * times)

    def _body(self, op: Op, name: str) -> Rows | Unknown:
        """Return the count of one call of a function."""
        total = Fraction()
        if self._may_multiply(name):
            frame = _Frame(self._dimensions.inside(op, name), self._known)
            for inner in filter(self.multiplies, self._functions[name].ops):
                count = frame.count(inner)
                if isinstance(count, Unknown):
                    return count
                total += count.per_example
        return Rows(total)

    def _called(self, op: Op) -> list[str]:
        """Return the names of the nested functions that an op runs."""
        values = (value if isinstance(value, list) else [value] for value in op.attrs.values())
        names = (name for value in values for name in value if isinstance(name, str))
        return [name for name in names if name in self._functions]


def _positions(op: Op, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
    """Return the sizes of a tensor without that of its channels."""
    first = str(op.attrs.get("data_format", "")).startswith("NC")
    return (sizes[0], *sizes[2:]) if first and len(sizes) > 1 else sizes[:-1] or (None,)
