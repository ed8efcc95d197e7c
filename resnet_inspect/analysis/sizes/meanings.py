"""What axes mean: batch, height, width, channel, carried from the inputs along the lineage.

A size that follows one axis in another proportion is written with the factor (`height/4`), one
that several axes flow into with all of them (`batch·height`). An axis that a Reshape leaves whole,
as [-1, features] leaves the batch, means what it meant. An axis born as the last one of a kernel is
a `channel`. Where a meaning is lost or mixed, `dangers` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import prod

import msgspec

from resnet_inspect.graph import AxisRef, Graph, Op, Phase, Source, TensorRef
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
ELEMENTWISE = ("AddV2", "Add", "Sub", "Mul", "RealDiv")
REDUCTIONS = ("Mean", "Sum", "Max", "Min", "Prod")
NORMALIZATIONS = ("FusedBatchNormV3", "FusedBatchNormV2", "FusedBatchNorm")


class Meaning(msgspec.Struct, frozen=True):
    """Names of the axes that a size comes from, and its share of their product (1: equal)."""

    names: tuple[str, ...]
    share: Fraction = Fraction(1)

    def __str__(self) -> str:
        """Such as batch, height/4, batch·height/64; empty for an axis without a meaning."""
        text = "·".join(self.names)
        if not text or self.share == 1:
            return text
        if self.share.numerator == 1:
            return f"{text}/{self.share.denominator}"
        return f"{text}×{self.share}"


class Danger(msgspec.Struct, frozen=True):
    """Something done to axes that is hardly meant, at `layer` (or op), with its line.

    `kind` is reduced (channels or the batch), normalized (over something else than channels), mixed
    (the batch with other axes), scrambled (examples among one another) or stretched (a channel of
    size 1); `op` is where.
    """

    layer: str
    text: str
    source: Source | None
    kind: str = ""
    op: str = ""


class Meanings:
    """The meanings of all axes of a graph."""

    def __init__(self, graph: Graph, lineage: Lineage) -> None:
        self._graph = graph
        self._lineage = lineage
        self._partners = {(one.op, one.literal): one.partner for one in lineage.couplings}
        self._known: dict[str, Meaning] = {}
        for name, ref in graph.inputs.items():
            for axis, meaning in enumerate(graph.axes.get(name, ())):
                self._known[axis_key(ref, axis)] = Meaning((meaning,) if meaning else ())

    def of(self, ref: AxisRef) -> Meaning:
        """What an axis means; no names where nothing is known."""
        key = axis_key(ref.tensor, ref.axis)
        if key not in self._known:
            self._find(ref)
        return self._known[key]

    def axes(self, ref: TensorRef) -> tuple[str, ...]:
        """The meaning of each axis of a tensor, empty texts where nothing is known."""
        shape = self._graph.spec(ref).shape or ()
        return tuple(str(self.of(AxisRef(ref, axis))) for axis in range(len(shape)))

    def spell(self, ref: TensorRef) -> str:
        """A shape with meanings, such as batch 128 × height/4 8 × channel 64."""
        shape = self._graph.spec(ref).shape
        if shape is None:
            return "unknown"
        named = zip(self.axes(ref), shape, strict=True)
        parts = [f"{name} {'?' if size is None else size}".strip() for name, size in named]
        return " × ".join(parts) or "scalar"

    def _find(self, wanted: AxisRef) -> None:
        """Work out an axis after all those it comes from; ways may be too long to recurse."""
        waiting, begun = [wanted], set[AxisRef]()
        while waiting:
            ref = waiting[-1]
            op = self._graph.op_by_name[ref.tensor.op]
            before = [] if ref in begun else [one for one in self._before(op, ref) if one != ref]
            begun.add(ref)
            before = [
                one
                for one in before
                if axis_key(one.tensor, one.axis) not in self._known and one not in begun
            ]
            if before:
                waiting += before
                continue
            waiting.pop()
            key = axis_key(ref.tensor, ref.axis)
            if key not in self._known:
                self._known[key] = Meaning(())  # where a loop comes back to it
                self._known[key] = self._meaning(op, ref)

    def _before(self, op: Op, ref: AxisRef) -> Iterator[AxisRef]:
        """The axes that the meaning of one may come from."""
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
                found = self._of_origin(op, link.origin)
                if found.names:
                    return found
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
        return Meaning(tuple(names), _share(size, product))

    def _whole(self, op: Op, ref: AxisRef) -> Meaning:
        """What an axis means that a Reshape hands on as it is, or that it parts again from what was
        merged into the batch; numbers are laid out row by row.
        """
        start = self._start(op, ref)
        if start is None:
            return Meaning(())
        before, after = self._graph.spec(start.tensor).shape, self._graph.spec(ref.tensor).shape
        size, now = (before or ())[start.axis], (after or ())[ref.axis]
        behind = _product((before or ())[start.axis + 1 :])
        found = self.of(start)
        if now == size and behind == _product((after or ())[ref.axis + 1 :]) is not None:
            return found
        if found.names == (BATCH,) and now is not None and now * found.share == size:
            return Meaning((BATCH,))
        return Meaning(())

    def _start(self, op: Op, ref: AxisRef) -> AxisRef | None:
        """The axis of a Reshape's input that begins where one of its output does."""
        before = self._graph.spec(op.inputs[0]).shape if op.type == "Reshape" else None
        after = self._graph.spec(ref.tensor).shape
        if not before or after is None or after[ref.axis] == 1:
            return None
        left = _product(after[ref.axis :])
        for axis, size in enumerate(before):
            if size != 1 and (ref.axis == axis == 0 or left == _product(before[axis:]) is not None):
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


def _product(sizes: Sequence[int | None]) -> int | None:
    """How many elements such axes have; None if one is unknown."""
    return None if None in sizes else prod(size or 0 for size in sizes)


def _share(size: int, product: Fraction) -> Fraction:
    """What part of a product a size is; a stride rounds up, so 17 of 33 is a half."""
    share = Fraction(size) / product
    if 0 < share < 1 and share.numerator != 1:
        stride = int(product // size) or 1
        for divisor in (stride, stride + 1):
            if -(-product // divisor) == size:
                return Fraction(1, divisor)
    return share


def dangers(
    graph: Graph, lineage: Lineage, meanings: Meanings, *, everywhere: bool = False
) -> tuple[Danger, ...]:
    """Means over channels, normalizations over something else, batches mixed or scrambled: in
    layers, or `everywhere` in the forward pass.
    """
    found: list[Danger] = []
    for op in graph.ops:
        layer = graph.layer_of_op.get(op.name)
        if layer is None and not (everywhere and op.phase is Phase.FORWARD):
            continue
        source = op.source[0] if op.source else None
        apart = layer is not None and "Norm" in layer.type
        reduced = () if apart else _reduced_channels(op, lineage, meanings, graph)
        mixed = list(_mixed(op, lineage, meanings, graph))
        for kind, texts in (
            ("reduced", reduced),
            ("normalized", _normalized(op, lineage, meanings)),
            ("mixed", mixed),
            ("scrambled", () if mixed else scrambled(op, meanings, graph)),
            ("stretched", _stretched(op, meanings, graph)),
        ):
            found += [
                Danger(layer.name if layer else op.name, text, source, kind, op.name)
                for text in texts
            ]
    return tuple(found)


def reduced_axes(op: Op, lineage: Lineage, graph: Graph) -> list[int]:
    """The axes of a reduction's input, not of size 1, that its output does not have."""
    if op.type not in REDUCTIONS:
        return []
    shape = graph.spec(op.inputs[0]).shape or ()
    kept = {
        link.origin.ref.axis
        for axis in range(len(op.outputs[0].shape or ()))
        for link in lineage.of(AxisRef(TensorRef(op.name), axis))
        if isinstance(link.origin, FromAxis) and link.origin.ref.tensor == op.inputs[0]
    }
    return [axis for axis, size in enumerate(shape) if axis not in kept and size != 1]


def _reduced_channels(op: Op, lineage: Lineage, meanings: Meanings, graph: Graph) -> Iterator[str]:
    gone = reduced_axes(op, lineage, graph)
    names = [str(meanings.of(AxisRef(op.inputs[0], axis))) for axis in gone]
    if any(name.startswith((CHANNEL, BATCH)) for name in names):
        yield f"{op.type} over axes {gone} runs over {' and '.join(names)}"


def _normalized(op: Op, lineage: Lineage, meanings: Meanings) -> Iterator[str]:
    if op.type not in NORMALIZATIONS:
        return
    for tie in lineage.ties.get(op.name, ()):
        for one in tie:
            if isinstance(one, FromAxis) and one.ref.tensor == op.inputs[0]:
                meaning = meanings.of(one.ref)
                if meaning.names and CHANNEL not in meaning.names:
                    yield f"batch normalization keeps axis {one.ref.axis}, {meaning}, not channels"


def _stretched(op: Op, meanings: Meanings, graph: Graph) -> Iterator[str]:
    """A channel of size 1 that broadcasting repeats: hardly a bias, which has fewer axes."""
    if op.type not in ELEMENTWISE or not op.outputs:
        return
    wide = op.outputs[0].shape or ()
    for ref in op.inputs:
        shape = graph.spec(ref).shape or ()
        if len(shape) == len(wide):
            for axis, (size, after) in enumerate(zip(shape, wide, strict=True)):
                meaning = str(meanings.of(AxisRef(ref, axis)))
                if size == 1 and after != 1 and meaning:
                    yield f"axis {axis} of {ref}, {meaning} 1, is repeated {after} times to fit"


def _mixed(op: Op, lineage: Lineage, meanings: Meanings, graph: Graph) -> Iterator[str]:
    for axis, size in enumerate(op.outputs[0].shape or () if op.outputs else ()):
        ref = AxisRef(TensorRef(op.name), axis)
        meaning = meanings.of(ref)
        new = any(link.relation == Relation.DERIVED for link in lineage.of(ref))
        if new and BATCH in meaning.names and len(meaning.names) > 1:
            before = graph.spec(op.inputs[0]).shape or ()
            shown = before[axis] if axis < len(before) else "?"
            told = f"axis {axis} is {meaning}, {shown} → {size}"
            yield f"{op.type} mixes the batch with other axes: {told}"


def scrambled(op: Op, meanings: Meanings, graph: Graph) -> Iterator[str]:
    """A Reshape that cuts the batch where it lies: its rows begin inside of the batch's axis, and
    do not keep where that axis begins or ends. To merge or to part whole axes keeps both.
    """
    before = graph.spec(op.inputs[0]).shape if op.type == "Reshape" else None
    after = op.outputs[0].shape if op.outputs else None
    if not before or not after:
        return
    cuts = {_product(after[axis:]) for axis in range(len(after) + 1)}
    for axis, size in enumerate(before):
        inner, outer = _product(before[axis + 1 :]), _product(before[axis:])
        if inner is None or meanings.of(AxisRef(op.inputs[0], axis)) != Meaning((BATCH,)):
            continue
        inside = [cut for cut in cuts if cut and cut > inner and (outer is None or cut < outer)]
        whole = inner in cuts and (axis == 0 or outer in cuts)
        if inside and not whole:
            held = min(inside) // inner
            told = "?" if size is None else size
            yield f"Reshape cuts the batch, axis {axis} of {told}: each row is of {held} examples"
