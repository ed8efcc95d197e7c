"""Meanings of axes (batch, height, width, channel), propagated from the inputs along the lineage.

A size in another proportion than its origin is written with the factor: `height/4`. A size made
from several axes names all of them: `batch·height`. An axis that a Reshape does not change, such
as the batch in [-1, features], keeps its meaning. An axis that originates at the last axis of a
kernel is a `channel`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod

import msgspec

from resnet_inspect.graph import AxisRef, Graph, Op, TensorRef
from resnet_inspect.graph.lineage import (
    FromAxis,
    FromLiteral,
    Lineage,
    Origin,
    Relation,
    axis_key,
)

CHANNEL = "channel"
BATCH = "batch"


class Meaning(msgspec.Struct, frozen=True):
    """Names of the axes that a size originates from, and its share of their product (1: equal)."""

    names: tuple[str, ...]
    share: Fraction = Fraction(1)

    def __str__(self) -> str:
        """Return a text such as `batch·height/64`, or an empty text without a meaning.

        A size that is not an exact fraction of several axes is `part of batch·height`.
        """
        text = "·".join(self.names)
        if not text or self.share == 1:
            return text
        if self.share.numerator == 1:
            return f"{text}/{self.share.denominator}"
        if len(self.names) > 1 and self.share < 1:
            return f"part of {text}"
        return f"{text}×{self.share}"


class Meanings:
    """Meanings of the axes of a graph, computed on first use."""

    def __init__(self, graph: Graph, lineage: Lineage) -> None:
        self._graph = graph.whole
        self._lineage = lineage
        self._partners = {(pair.op, pair.literal): pair.partner for pair in lineage.couplings}
        self._known: dict[str, Meaning] = {}
        for name, ref in graph.inputs.items():
            for axis, meaning in enumerate(graph.axes.get(name, ())):
                self._known[axis_key(ref, axis)] = Meaning((meaning,) if meaning else ())

    def of(self, ref: AxisRef) -> Meaning:
        """Return the meaning of an axis, without names where it is unknown."""
        key = axis_key(ref.tensor, ref.axis)
        if key not in self._known:
            self._find(ref)
        return self._known[key]

    def axes(self, ref: TensorRef) -> tuple[str, ...]:
        """Return the meaning of each axis of a tensor, as an empty text where it is unknown."""
        shape = self._graph.spec(ref).shape or ()
        return tuple(str(self.of(AxisRef(ref, axis))) for axis in range(len(shape)))

    def spell(self, ref: TensorRef) -> str:
        """Return a shape with meanings, such as `batch 128 × height/4 8 × channel 64`."""
        shape = self._graph.spec(ref).shape
        if shape is None:
            return "unknown"
        named = zip(self.axes(ref), shape, strict=True)
        parts = [f"{name} {'?' if size is None else size}".strip() for name, size in named]
        return " × ".join(parts) or "scalar"

    def _find(self, wanted: AxisRef) -> None:
        """Compute the meaning of an axis after those of its origins.

        Paths can be too long for recursion, so a stack is used.
        """
        waiting, begun = [wanted], set[AxisRef]()
        while waiting:
            ref = waiting[-1]
            op = self._graph.op_by_name[ref.tensor.op]
            before = [] if ref in begun else [axis for axis in self._before(op, ref) if axis != ref]
            begun.add(ref)
            before = [
                axis
                for axis in before
                if axis_key(axis.tensor, axis.axis) not in self._known and axis not in begun
            ]
            if before:
                waiting += before
                continue
            waiting.pop()
            key = axis_key(ref.tensor, ref.axis)
            if key not in self._known:
                self._known[key] = Meaning(())  # a loop may read it meanwhile
                self._known[key] = self._meaning(op, ref)

    def _before(self, op: Op, ref: AxisRef) -> Iterator[AxisRef]:
        """Yield the axes from which an axis may get its meaning."""
        start = self._start(op, ref)
        if start is not None:
            yield start
        for link in self._lineage.of(ref):
            origin = link.origin
            if isinstance(origin, FromAxis):
                yield origin.ref
            elif isinstance(origin, FromLiteral) and (op.name, origin) in self._partners:
                yield self._partners[op.name, origin].ref

    def _meaning(self, op: Op, ref: AxisRef) -> Meaning:
        links = self._lineage.of(ref)
        whole = self._whole(op, ref)
        if whole.names:
            return whole
        for link in links:
            if link.relation == Relation.SAME:
                meaning = self._of_origin(op, link.origin)
                if meaning.names:
                    return meaning
        size = self._size(ref)
        names: dict[str, None] = {}
        product = Fraction(1)
        for link in links:
            origin = link.origin
            if link.relation == Relation.DERIVED and isinstance(origin, FromAxis):
                source, before = self.of(origin.ref), self._size(origin.ref)
                if source.names and before is not None and before != 1:
                    names.update(dict.fromkeys(source.names))
                    product *= before / source.share
        if not names or size is None:
            return Meaning(())
        if len(names) > 1:
            return Meaning(tuple(names), size / product)
        return Meaning(tuple(names), _share(size, product))

    def _whole(self, op: Op, ref: AxisRef) -> Meaning:
        """Return the meaning of an axis that a Reshape keeps or separates again from the batch.

        Axes match where the same number of elements follows them in row-major order.
        """
        start = self._start(op, ref)
        if start is None:
            return Meaning(())
        before, after = self._graph.spec(start.tensor).shape, self._graph.spec(ref.tensor).shape
        size, now = (before or ())[start.axis], (after or ())[ref.axis]
        behind = product_of((before or ())[start.axis + 1 :])
        meaning = self.of(start)
        if now == size and behind == product_of((after or ())[ref.axis + 1 :]) is not None:
            return meaning
        if meaning.names == (BATCH,) and now is not None and now * meaning.share == size:
            return Meaning((BATCH,))
        return Meaning(())

    def _start(self, op: Op, ref: AxisRef) -> AxisRef | None:
        """Return the input axis of a Reshape that begins at the same element as an output axis."""
        before = self._graph.spec(op.inputs[0]).shape if op.type == "Reshape" else None
        after = self._graph.spec(ref.tensor).shape
        if not before or after is None or after[ref.axis] == 1:
            return None
        left = product_of(after[ref.axis :])
        for axis, size in enumerate(before):
            if size != 1 and (
                ref.axis == axis == 0 or left == product_of(before[axis:]) is not None
            ):
                return AxisRef(op.inputs[0], axis)
        return None

    def _of_origin(self, op: Op, origin: Origin) -> Meaning:
        if isinstance(origin, FromAxis):
            return self.of(origin.ref)
        if isinstance(origin, FromLiteral):
            partner = self._partners.get((op.name, origin))
            return self.of(partner.ref) if partner else Meaning(())
        shape = self._graph.variable_by_name[origin.variable].spec.shape or ()
        last = len(shape) > 1 and origin.axis == len(shape) - 1
        return Meaning((CHANNEL,)) if last else Meaning(())

    def _size(self, ref: AxisRef) -> int | None:
        shape = self._graph.spec(ref.tensor).shape
        return shape[ref.axis] if shape else None


def product_of(sizes: Sequence[int | None]) -> int | None:
    """Return the product of sizes, or None if one is unknown."""
    return None if None in sizes else prod(size or 0 for size in sizes)


def _share(size: int, product: Fraction) -> Fraction:
    """Return a size as a share of an axis. A stride rounds up, so 17 of 33 is 1/2."""
    share = Fraction(size) / product
    if 0 < share < 1 and share.numerator != 1:
        stride = int(product // size) or 1
        for divisor in (stride, stride + 1):
            if -(-product // divisor) == size:
                return Fraction(1, divisor)
    return share
