"""Sizes of tensors as multiples of the batch, where TensorFlow does not know them.

With an unknown batch, TensorFlow knows of a reshape from ?×50×8 only the shape ?×8. Its first
size is 50 times the batch. `Dimensions` follows such sizes through a graph and its functions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from resnet_inspect.analysis.costs.axis_moves import MOVERS, Move
from resnet_inspect.analysis.costs.batch_sizes import (
    NO_SIZES,
    Size,
    Sizes,
    completed,
    divided,
    product,
    summed,
)
from resnet_inspect.analysis.costs.constants import NOTHING, Constants, Value, as_size
from resnet_inspect.graph import Graph, MeasuredSize, Op, Phase, TensorRef, TensorSpec

CALLS = ("PartitionedCall", "StatefulPartitionedCall")
LOOPS = ("While", "StatelessWhile")
# Ops that create sizes from the values of their inputs.
CREATORS = ("Where", "Unique", "UniqueV2", "UniqueWithCounts", "DynamicPartition", "Range")
# Ops whose output has the shape that this input contains.
SHAPED = {
    "Fill": 0,
    "BroadcastTo": 1,
    "RandomUniform": 0,
    "RandomStandardNormal": 0,
    "StatelessRandomUniformV2": 0,
    "StatelessRandomNormalV2": 0,
}
# Ops whose inputs agree in each size, so that one of them with a known size is enough.
JOINING = ("Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv", "Maximum", "ConcatV2", "SelectV2")
CREATOR_PREFIXES = ("NonMaxSuppression", "Ragged", "Sparse", "StringSplit")


class Dimensions:
    """The sizes of the tensors of one graph.

    Args:
        graph: A network or a nested function.
        functions: The nested functions of the network.
        given: Sizes of the arguments of a nested function.
        values: Values of arguments of a nested function.
    """

    def __init__(
        self,
        graph: Graph,
        functions: Mapping[str, Graph],
        given: Mapping[TensorRef, Sizes],
        values: Mapping[TensorRef, Value] = NOTHING,
    ) -> None:
        self.graph, self.functions = graph, functions
        self.constants = Constants(graph, values, self.of)
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
            every = self.of(op.inputs[0]) or ()
            measured = {size for size in every[1:] if isinstance(size, MeasuredSize)}
            opened = {size for axis, size in inputs[0].open.items() if axis}
            origins = frozenset(measured | opened)
        outputs = []
        for index, spec in enumerate(op.outputs):
            result = results[index] if index < len(results) else None
            unknown = [axis for axis, size in enumerate(spec.shape or ()) if size is None]
            if result is None:
                sizes = {
                    axis: self._size(op, axis, spec.shape or (), inputs, origins)
                    for axis in unknown
                }
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
            self._inner[key] = Dimensions(body, self.functions, given, values)
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
        self,
        op: Op,
        axis: int,
        shape: Sequence[int | None],
        inputs: list[Sizes],
        origins: frozenset[Size],
    ) -> Size:
        """Return one open size of an output."""
        if op.type in CREATORS or op.type.startswith(CREATOR_PREFIXES):
            return None
        if op.type == "TensorListStack" and axis == 0:
            return None
        if op.type == "Reshape":
            return self._reshaped(op, axis, shape, inputs[0])
        if op.type in SHAPED:
            target = self.constants.vector(op.inputs[SHAPED[op.type]])
            if target is not None:
                return as_size(target[axis])
        if op.type in MOVERS:
            values = [self.constants.vector(ref) for ref in op.inputs[1:]]
            move = Move(op, self.of(op.inputs[0]) or (), inputs[0].origins, values)
            return MOVERS[op.type](move, axis)
        if op.type == "ConcatV2" and self.constants.scalar(op.inputs[-1]) == axis:
            return summed([self._at(ref, axis, shape) for ref in op.inputs[:-1]])
        if op.type in JOINING:
            sizes = {self._at(ref, axis, shape) for ref in op.inputs} - {None, 1}
            return next(iter(sizes)) if len(sizes) == 1 else None
        return _inherited(axis, inputs, origins)

    def _at(self, ref: TensorRef, axis: int, shape: Sequence[int | None]) -> Size:
        """Return the size of an input at an axis of the output. Axes are aligned at the last."""
        sizes = self.of(ref) or ()
        place = axis - len(shape) + len(sizes)
        return sizes[place] if place >= 0 else None

    def _reshaped(self, op: Op, axis: int, shape: Sequence[int | None], before: Sizes) -> Size:
        """Return a size from the number of elements, or that of a leading axis that is kept."""
        every, target = self.of(op.inputs[0]), self.constants.vector(op.inputs[1])
        sizes: list[Size] = list(shape)
        if target is not None:
            sizes = [as_size(size) if size != -1 else None for size in target]
        if sizes[axis] is not None:
            return sizes[axis]
        rest = product(size for place, size in enumerate(sizes) if place != axis)
        if every is not None and rest:
            return divided(product(every), rest)
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


def _inherited(axis: int, inputs: list[Sizes], origins: frozenset[Size]) -> Size:
    """Return the size that all inputs with an open size at this axis have, else the only one."""
    same = {sizes.open[axis] for sizes in inputs if axis in sizes.open}
    candidates = same or set(origins)
    return next(iter(candidates)) if len(candidates) == 1 else None
