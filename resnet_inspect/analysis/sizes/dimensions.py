"""Sizes of tensors as multiples of the batch, where TensorFlow does not know them.

With an unknown batch, TensorFlow knows of a reshape from ?×50×8 only the shape ?×8. Its first
size is 50 times the batch. `Dimensions` follows such sizes through a graph and its functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import prod
from typing import NamedTuple

from resnet_inspect.analysis.sizes.constants import Constants
from resnet_inspect.graph import Graph, Op, Phase, TensorRef, TensorSpec
from resnet_inspect.graph.tensors import Shape

CALLS = ("PartitionedCall", "StatefulPartitionedCall")
LOOPS = ("While", "StatelessWhile")
# Ops that create sizes from the values of their inputs.
CREATORS = ("Where", "Unique", "UniqueV2", "UniqueWithCounts", "DynamicPartition", "Range")
CREATOR_PREFIXES = ("NonMaxSuppression", "Ragged", "Sparse", "StringSplit")


class Rows(NamedTuple):
    """A size that is a multiple of the unknown batch."""

    per_example: Fraction


Size = int | Rows | None


class Sizes(NamedTuple):
    """What is known about the sizes of a tensor that TensorFlow does not know.

    Attributes:
        open: those sizes by axis.
        origins: all such sizes of the tensors from which this one was computed. They are the only
            knowledge about lists of tensors and about shapes as tensors.
    """

    open: dict[int, Size]
    origins: frozenset[Size]


NO_SIZES = Sizes({}, frozenset())


class Dimensions:
    """The sizes of the tensors of one graph.

    Args:
        graph: A network or a nested function.
        functions: The nested functions of the network.
        given: Sizes of the arguments of a nested function.
        constants: Values of small tensors of the graph.
    """

    def __init__(
        self,
        graph: Graph,
        functions: Mapping[str, Graph],
        given: Mapping[TensorRef, Sizes],
        constants: Constants,
    ) -> None:
        self.graph, self.functions, self.constants = graph, functions, constants
        self._known: dict[TensorRef, Sizes] = dict(given)
        self._inner: dict[tuple[str, str], Dimensions] = {}
        for op in graph.ops:
            if op.phase in (Phase.BACKWARD, Phase.OPTIMIZER):
                continue
            for index, sizes in enumerate(self._of_op(op)):
                self._known.setdefault(TensorRef(op.name, index), sizes)

    def known(self, ref: TensorRef) -> Sizes:
        """Return what is known about the open sizes of a tensor."""
        return self._known.get(ref, NO_SIZES)

    def of(self, ref: TensorRef) -> tuple[Size, ...] | None:
        """Return all sizes of a tensor; None for an unknown rank."""
        shape = self.graph.spec(ref).shape
        return None if shape is None else completed(shape, self.known(ref))

    def _of_op(self, op: Op) -> list[Sizes]:
        inputs = [self.known(ref) for ref in op.inputs]
        origins = frozenset(size for sizes in inputs for size in sizes.origins)
        results = self._of_function(op, inputs)
        if op.type == "TensorListFromTensor":  # an element of the list has no first axis
            origins = frozenset(size for axis, size in inputs[0].open.items() if axis)
        outputs = []
        for index, spec in enumerate(op.outputs):
            result = results[index] if index < len(results) else None
            unknown = [axis for axis, size in enumerate(spec.shape or ()) if size is None]
            if result is None:
                sizes = {axis: self._size(op, axis, spec.shape, inputs, origins) for axis in unknown}
            else:
                sizes = {axis: result.open.get(axis) for axis in unknown}
            made = frozenset(sizes.values()) if unknown and result is None else origins
            outputs.append(Sizes(sizes, made if result is None else result.origins))
        return outputs

    def inside(self, op: Op, name: str) -> Dimensions:
        """Return the sizes in a function that an op calls."""
        key = op.name, name
        if key not in self._inner:
            body = self.functions[name]
            outside = op.inputs[len(op.inputs) - len(body.inputs) :]  # after the condition
            pairs = list(zip(body.inputs.values(), outside, strict=False))
            kept = loop_invariants(body) if op.type in LOOPS else range(len(pairs))
            values = {pairs[place][0]: self.constants.of(pairs[place][1]) for place in kept}
            given = {ref: self._passed(ref_outside, body.spec(ref)) for ref, ref_outside in pairs}
            constants = Constants(body, values)
            self._inner[key] = Dimensions(body, self.functions, given, constants)
        return self._inner[key]

    def _of_function(self, op: Op, inputs: list[Sizes]) -> list[Sizes]:
        """Return the sizes of the outputs of a call or a loop; an empty list for other ops."""
        name = str(op.attrs.get("body" if op.type in LOOPS else "f", ""))
        if op.type not in (*CALLS, *LOOPS) or name not in self.functions:
            return []
        inner = self.inside(op, name)
        results = []
        for place, ref in enumerate(inner.graph.outputs):
            source, origins = inner.of(ref), inner.known(ref).origins
            if op.type in LOOPS and place < len(inputs):
                source, origins = self.of(op.inputs[place]), origins | inputs[place].origins
            results.append(Sizes(dict(enumerate(source or ())), origins))
        return results

    def _passed(self, outside: TensorRef, inside: TensorSpec) -> Sizes:
        """Return the sizes of an argument that a function knows less about than its caller."""
        every = self.of(outside) or ()
        unknown = [axis for axis, size in enumerate(inside.shape or ()) if size is None]
        sizes = {axis: every[axis] if axis < len(every) else None for axis in unknown}
        return Sizes(sizes, self.known(outside).origins | frozenset(sizes.values()))

    def _size(
        self, op: Op, axis: int, shape: Shape, inputs: list[Sizes], origins: frozenset[Size]
    ) -> Size:
        """Return one open size of an output."""
        if op.type in CREATORS or op.type.startswith(CREATOR_PREFIXES):
            return None
        if op.type == "TensorListStack" and axis == 0:
            return None
        if op.type == "Reshape":
            return self._reshaped(op, axis, shape or (), inputs[0])
        if op.type in MOVERS:
            values = [self.constants.vector(ref) for ref in op.inputs[1:]]
            return MOVERS[op.type](op, axis, inputs[0], values)
        if op.type == "ConcatV2" and self.constants.scalar(op.inputs[-1]) == axis:
            return _sum([(self.of(ref) or (None,) * 99)[axis] for ref in op.inputs[:-1]])
        return _inherited(axis, inputs, origins)

    def _reshaped(self, op: Op, axis: int, shape: Sequence[int | None], before: Sizes) -> Size:
        """Return a size from the number of elements, or that of a leading axis that is kept."""
        every, target = self.of(op.inputs[0]), self.constants.vector(op.inputs[1])
        if target is not None:
            shape = [size if size is None or size >= 0 else None for size in target]  # type: ignore[misc]
        if shape[axis] is not None:
            return shape[axis]
        others = [size for place, size in enumerate(shape) if place != axis]
        if every is not None and None not in others:
            total, rest = product(every), prod(size for size in others if size is not None)
            return divided(total, rest) if rest else None
        return before.open.get(0) if axis == 0 else None


def loop_invariants(body: Graph) -> set[int]:
    """Return the positions of the loop variables that the body of a loop returns unchanged."""
    return {
        place
        for place, (inside, result) in enumerate(
            zip(body.inputs.values(), body.outputs, strict=False)
        )
        if without_copies(body, result) == inside
    }


def without_copies(graph: Graph, ref: TensorRef) -> TensorRef:
    """Return the tensor of which a tensor is a copy."""
    while (op := graph.op_by_name[ref.op]).type == "Identity":
        ref = op.inputs[0]
    return ref


def completed(shape: Sequence[int | None], sizes: Sizes) -> tuple[Size, ...]:
    """Return a shape with its open sizes."""
    return tuple(
        sizes.open.get(axis) if size is None else size for axis, size in enumerate(shape)
    )


def product(sizes: Iterable[Size]) -> Size:
    """Return the product of sizes; None if it is unknown or has the batch twice."""
    number, batches = Fraction(1), 0
    for size in sizes:
        if size is None:
            return None
        number *= size.per_example if isinstance(size, Rows) else size
        batches += isinstance(size, Rows)
    if batches > 1:
        return None
    return Rows(number) if batches else int(number)


def divided(size: Size, number: int) -> Size:
    """Return a part of a size; None if it is no whole number."""
    if isinstance(size, Rows):
        return Rows(size.per_example / number)
    return None if size is None or size % number else size // number


def _sum(sizes: Iterable[Size]) -> Size:
    every = list(sizes)
    if all(isinstance(size, Rows) for size in every):
        return Rows(sum((size.per_example for size in every if isinstance(size, Rows)), Fraction()))
    if all(isinstance(size, int) for size in every):
        return sum(size for size in every if isinstance(size, int))
    return None


def _inherited(axis: int, inputs: list[Sizes], origins: frozenset[Size]) -> Size:
    """Return the size that all inputs with an open size at this axis have, else the only one."""
    same = {sizes.open[axis] for sizes in inputs if axis in sizes.open}
    candidates = same or set(origins)
    return next(iter(candidates)) if len(candidates) == 1 else None


Vectors = list[list[int | float | None] | None]


def _transposed(op: Op, axis: int, before: Sizes, values: Vectors) -> Size:
    order = values[0]
    place = order[axis] if order is not None else None
    return before.open.get(int(place)) if place is not None else None


def _tiled(op: Op, axis: int, before: Sizes, values: Vectors) -> Size:
    times = values[0][axis] if values[0] is not None else None
    return None if times is None else product((before.open.get(axis), int(times)))


def _sliced(op: Op, axis: int, before: Sizes, values: Vectors) -> Size:
    """Return the size of an axis that a slice keeps whole."""
    masks = {name: op.attrs.get(f"{name}_mask", 0) for name in ("ellipsis", "new_axis")}
    if any(masks.values()):
        return next(iter(before.origins)) if len(before.origins) == 1 else None
    dropped, begin, end = (
        int(str(op.attrs.get(f"{name}_mask", 0))) for name in ("shrink_axis", "begin", "end")
    )
    kept = [place for place in range(32) if not dropped >> place & 1]
    place = kept[axis]
    sliced = values[0] is None or place < len(values[0])
    whole = begin >> place & 1 and end >> place & 1
    return before.open.get(place) if whole or not sliced else None


def _part(op: Op, axis: int, before: Sizes, values: Vectors) -> Size:
    begin, size = values[0], values[1]
    whole = begin is not None and size is not None and (begin[axis], size[axis]) == (0, -1)
    return before.open.get(axis) if whole else None


def _blocks(values: Vectors) -> int | None:
    sizes = values[0]
    return None if sizes is None or None in sizes else prod(int(size or 1) for size in sizes)


def _into_batch(op: Op, axis: int, before: Sizes, values: Vectors) -> Size:
    blocks = _blocks(values) if axis == 0 else 1
    return None if blocks is None else product((before.open.get(axis), blocks))


def _out_of_batch(op: Op, axis: int, before: Sizes, values: Vectors) -> Size:
    blocks = _blocks(values) if axis == 0 else 1
    return None if blocks is None else divided(before.open.get(axis), blocks)


# Ops that move, repeat or cut axes. They read how from their other inputs.
MOVERS = {
    "Transpose": _transposed,
    "Tile": _tiled,
    "StridedSlice": _sliced,
    "Slice": _part,
    "SpaceToBatchND": _into_batch,
    "BatchToSpaceND": _out_of_batch,
}
