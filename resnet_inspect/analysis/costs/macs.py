"""Multiply-accumulates of ops: of convolutions and matrix products, also in nested functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import msgspec

from resnet_inspect.analysis.costs.batch_sizes import Rows, Sizes
from resnet_inspect.analysis.costs.dimensions import Dimensions
from resnet_inspect.analysis.costs.products import Products, Unknown
from resnet_inspect.graph import Graph, Note, Op, Phase, TensorRef

# Ops that only need the shape of their input.
# Ops that a note names.
SHOWN = 3
SHAPES = ("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike")


class Uncounted(msgspec.Struct, frozen=True):
    """An op with an unknown number of multiply-accumulates, and the reason.

    `op` is the name of the op in the network's graph, also if the cause is in a nested function.
    """

    op: str
    reason: str


def uncounted_notes(uncounted: Sequence[Uncounted]) -> tuple[Note, ...]:
    """Return a note on ops with an unknown number, if there are any."""
    if not uncounted:
        return ()
    named = ", ".join(f"{entry.op} ({entry.reason})" for entry in uncounted[:SHOWN])
    more = f" and {len(uncounted) - SHOWN} more" if len(uncounted) > SHOWN else ""
    return (Note("MACs", f"the total is a lower bound without these ops: {named}{more}"),)


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
        if (
            op.phase != Phase.FORWARD
            or not self._products.multiplies(op)
            or op.name not in self._used
        ):
            return 0
        total, batch = self._products.count(op), self._batch.size
        if isinstance(total, Unknown):
            return total
        first = (op.outputs[0].shape or (None,))[0] if op.outputs else None
        per_batch = batch and (first == batch or op.name in self._dependent)
        return round(total.per_example / batch) if per_batch else round(total.per_example)

    @cached_property
    def _batch(self) -> _Batch:
        return _Batch.of(self._graph)

    @cached_property
    def _products(self) -> Products:
        graph, given = self._graph, self._batch.given
        return Products(Dimensions(graph, graph.functions, given), {})

    @cached_property
    def _dependent(self) -> frozenset[str]:
        """The ops that compute with the values of the network's inputs, not only their shapes."""
        dependent = {ref.op for ref in self._batch.sources}
        for op in self._graph.ops:
            if op.type not in SHAPES and any(ref.op in dependent for ref in op.inputs):
                dependent.add(op.name)
        return frozenset(dependent)

    @cached_property
    def _used(self) -> frozenset[str]:
        """The ops whose results something uses.

        Keras calls the cell of a recurrent layer once before the loop, only for its shapes.
        TensorFlow removes such ops.
        """
        graph = self._graph
        used = {layer.output.op for layer in graph.layers}
        for op in reversed(graph.ops):
            if op.name in used or not self._is_part_of_layer(op):
                used.add(op.name)
                if op.type not in SHAPES:
                    used |= {ref.op for ref in op.inputs} | set(op.control_inputs)
        return frozenset(used)

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
