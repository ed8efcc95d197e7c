"""Finds ops that treat axes in ways the author probably did not intend.

Examples: a mean over channels, a batch normalization over another axis, a Reshape that mixes or
splits the batch, a broadcast channel. Rules, pages and shape errors use these results. Rules
decide which of them make a result wrong; `unjudged` returns the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum

import msgspec

from resnet_inspect.analysis.sizes.meanings import BATCH, CHANNEL, Meaning, Meanings, product_of
from resnet_inspect.analysis.sizes.rows import RowChange, batch_first, rows
from resnet_inspect.graph import AxisRef, Graph, Op, Phase, Source, TensorRef
from resnet_inspect.graph.lineage import FromAxis, Lineage, Relation
from resnet_inspect.graph.tensors import spell_shape

ELEMENTWISE = ("AddV2", "Add", "Sub", "Mul", "RealDiv")
REDUCTIONS = ("Mean", "Sum", "Max", "Min", "Prod")
NORMALIZATIONS = ("FusedBatchNormV3", "FusedBatchNormV2", "FusedBatchNorm")


class DangerKind(StrEnum):
    """What an op does to an axis.

    - REDUCED: reduces channels or the batch.
    - NORMALIZED: normalizes per another axis than channels.
    - MIXED: mixes the batch with other axes.
    - SCRAMBLED: splits the batch, so that a row contains several examples.
    - STRETCHED: broadcasts a channel of size 1.
    """

    REDUCED = "reduced"
    NORMALIZED = "normalized"
    MIXED = "mixed"
    SCRAMBLED = "scrambled"
    STRETCHED = "stretched"


class Danger(msgspec.Struct, frozen=True):
    """A probable mistake with axes.

    Attributes:
        layer: name of the layer, or of the op where no layer contains it.
        text: description for the user, without the place.
        source: the user's line that created the op.
        op: name of the op.
        axes: meanings of the axes that a reduction removes, such as height and channel.
        cut: how a Reshape splits the batch. Empty if it only merges or splits whole axes.
        order: the order of axes of the transpose that a Reshape was probably meant to be.
    """

    layer: str
    text: str
    source: Source | None
    kind: DangerKind
    op: str = ""
    axes: tuple[str, ...] = ()
    cut: str = ""
    order: tuple[int, ...] = ()


def dangers(
    graph: Graph, lineage: Lineage, meanings: Meanings, *, everywhere: bool = False
) -> tuple[Danger, ...]:
    """Return all probable mistakes in layers, or `everywhere` in the forward pass."""
    result: list[Danger] = []
    batches = batch_first(graph)
    for op in graph.ops:
        layer = graph.layer_of_op.get(op.name)
        if layer is None and not (everywhere and op.phase is Phase.FORWARD):
            continue
        normalizes = layer is not None and "Norm" in layer.type
        name, source = layer.name if layer else op.name, op.source[0] if op.source else None
        result += (
            msgspec.structs.replace(danger, layer=name, source=source, op=op.name)
            for danger in _at(op, lineage, meanings, graph, batches)
            if not (normalizes and danger.kind is DangerKind.REDUCED)
        )
    return tuple(result)


def unjudged(graph: Graph, known: Sequence[Danger]) -> tuple[Danger, ...]:
    """Return the dangers that no rule judges.

    These are broadcast channels. Mixed batches are added where the graph has no known output: a
    rule needs the output to see whether the batch is separated again. A Reshape in the place of a
    transpose is wrong in any case.
    """
    kinds = {DangerKind.STRETCHED}
    if graph.training is None or not graph.training.objectives:
        kinds |= {DangerKind.MIXED, DangerKind.SCRAMBLED}
    return tuple(danger for danger in known if danger.kind in kinds and not danger.order)


def _at(
    op: Op, lineage: Lineage, meanings: Meanings, graph: Graph, batches: Collection[TensorRef]
) -> Iterator[Danger]:
    """Yield the dangers of one op, without its place."""
    yield from _reduced(op, lineage, meanings, graph)
    for text in _normalized(op, lineage, meanings):
        yield Danger("", text, None, DangerKind.NORMALIZED)
    order = _exchanged(op, meanings, graph, batches)
    cuts = [] if order else list(_cuts(op, meanings, graph, batches))
    mixed = [] if order else list(_mixed(op, lineage, meanings, graph))
    for text in mixed[:1]:  # other axes of the op were mixed with the batch by the same mistake
        yield Danger("", text, None, DangerKind.MIXED, cut=next(iter(cuts), ""))
    for cut in cuts if not mixed else ():
        yield Danger("", cut, None, DangerKind.SCRAMBLED, cut=cut)
    if order:
        before, after = graph.spec(op.inputs[0]).shape, op.outputs[0].shape
        text = (
            f"a reshape from {spell_shape(before)} to {spell_shape(after)} does not exchange axes:"
            " rows have parts of several examples"
        )
        yield Danger("", text, None, DangerKind.SCRAMBLED, cut=text, order=order)
    for text in _stretched(op, meanings, graph):
        yield Danger("", text, None, DangerKind.STRETCHED)


def reduced_axes(op: Op, lineage: Lineage, graph: Graph) -> list[int]:
    """Return the input axes that a reduction removes, except axes of size 1."""
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


def _reduced(op: Op, lineage: Lineage, meanings: Meanings, graph: Graph) -> Iterator[Danger]:
    numbers = reduced_axes(op, lineage, graph)
    removed = [meanings.of(AxisRef(op.inputs[0], axis)) for axis in numbers]
    if any(meaning.names[:1] in ((CHANNEL,), (BATCH,)) for meaning in removed):
        text = f"{op.type} over axes {numbers} reduces {' and '.join(map(str, removed))}"
        axes = tuple(dict.fromkeys(name for meaning in removed for name in meaning.names))
        yield Danger("", text, None, DangerKind.REDUCED, axes=axes)


def _normalized(op: Op, lineage: Lineage, meanings: Meanings) -> Iterator[str]:
    if op.type not in NORMALIZATIONS:
        return
    for tie in lineage.ties.get(op.name, ()):
        for origin in tie:
            if isinstance(origin, FromAxis) and origin.ref.tensor == op.inputs[0]:
                axis, meaning = origin.ref.axis, meanings.of(origin.ref)
                if meaning.names and CHANNEL not in meaning.names:
                    yield f"batch normalization is per {meaning} (axis {axis}), not per channel"


def _stretched(op: Op, meanings: Meanings, graph: Graph) -> Iterator[str]:
    """Yield channels of size 1 that broadcasting repeats. A bias has fewer axes and is skipped."""
    if op.type not in ELEMENTWISE or not op.outputs:
        return
    output = op.outputs[0].shape or ()
    for ref in op.inputs:
        shape = graph.spec(ref).shape or ()
        if len(shape) == len(output):
            for axis, (size, after) in enumerate(zip(shape, output, strict=True)):
                meaning = str(meanings.of(AxisRef(ref, axis)))
                if size == 1 and after != 1 and meaning:
                    yield f"{ref} axis {axis} ({meaning} 1) is broadcast to {after}"


def _mixed(op: Op, lineage: Lineage, meanings: Meanings, graph: Graph) -> Iterator[str]:
    """Yield axes that an op makes of the batch and other axes, but not of whole positions.

    Rows of whole positions, as of [-1, channels], may be separated again, or be what is trained.
    """
    kept = rows(graph, op)
    if kept is not None and kept.change is RowChange.POSITIONS:
        return
    for axis, size in enumerate(op.outputs[0].shape or () if op.outputs else ()):
        ref = AxisRef(TensorRef(op.name), axis)
        meaning = meanings.of(ref)
        links = lineage.of(ref)
        before_it = [meanings.of(at.origin.ref) for at in links if isinstance(at.origin, FromAxis)]
        new = any(link.relation == Relation.DERIVED for link in links) and not any(
            set(meaning.names) <= set(earlier.names) for earlier in before_it
        )
        if new and BATCH in meaning.names and len(meaning.names) > 1:
            before = graph.spec(op.inputs[0]).shape or ()
            shown = before[axis] if axis < len(before) else "?"
            change = f"axis {axis} changes from {shown} to {size} ({meaning})"
            yield f"{op.type} mixes the batch with other axes: {change}"


def _exchanged(
    op: Op, meanings: Meanings, graph: Graph, batches: Collection[TensorRef]
) -> tuple[int, ...]:
    """Return the transpose that a Reshape seems to be meant for: the batch and another axis.

    The Reshape from (batch, steps, features) to (steps, batch, features) keeps the order of the
    elements, so that its rows have parts of several examples.
    """
    before = graph.spec(op.inputs[0]).shape if op.type == "Reshape" else None
    after = op.outputs[0].shape if op.outputs else None
    if not before or not after or len(before) != len(after) or 1 in before[:2]:
        return ()
    if before[:2] == after[:2] or (before[1], before[0], *before[2:]) != after:
        return ()
    first = op.inputs[0] in batches or meanings.of(AxisRef(op.inputs[0], 0)) == Meaning((BATCH,))
    return (1, 0, *range(2, len(before))) if first else ()


def _cuts(
    op: Op, meanings: Meanings, graph: Graph, batches: Collection[TensorRef]
) -> Iterator[str]:
    """Yield how a Reshape splits the batch axis without keeping its bounds.

    Then rows of the output begin inside the batch axis, or have parts of several examples. A
    Reshape that merges or splits whole axes keeps the bounds of the batch axis and yields nothing.
    """
    before = graph.spec(op.inputs[0]).shape if op.type == "Reshape" else None
    after = op.outputs[0].shape if op.outputs else None
    if not before or not after:
        return
    cuts = {product_of(after[axis:]) for axis in range(len(after) + 1)}
    for axis, size in enumerate(before):
        inner, outer = product_of(before[axis + 1 :]), product_of(before[axis:])
        known = meanings.of(AxisRef(op.inputs[0], axis)) == Meaning((BATCH,))
        if not inner or not (known or (axis == 0 and op.inputs[0] in batches)):
            continue
        inside = [
            cut
            for cut in cuts
            if cut and (cut > inner or inner % cut) and (outer is None or cut < outer)
        ]
        whole = inner in cuts and (axis == 0 or outer in cuts)
        if inside and not whole:
            examples, rest = divmod(min(inside), inner)
            batch = "?" if size is None else size
            place = f"axis {axis}, size {batch}"
            each = "parts of several" if rest else examples
            yield f"Reshape splits the batch ({place}): each row has {each} examples"
