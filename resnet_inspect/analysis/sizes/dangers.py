"""What is done to axes and hardly meant: the one judgement of rules, pages and postmortems.

A mean over channels, a normalization over something else, a batch that is mixed or cut, a channel
that is repeated. Rules say which of them make a result wrong; see `unjudged` for the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from resnet_inspect.analysis.sizes.meanings import BATCH, CHANNEL, Meaning, Meanings, product_of
from resnet_inspect.graph import AxisRef, Graph, Op, Phase, Source, TensorRef
from resnet_inspect.graph.lineage import FromAxis, Lineage, Relation

ELEMENTWISE = ("AddV2", "Add", "Sub", "Mul", "RealDiv")
REDUCTIONS = ("Mean", "Sum", "Max", "Min", "Prod")
NORMALIZATIONS = ("FusedBatchNormV3", "FusedBatchNormV2", "FusedBatchNorm")


class DangerKind(StrEnum):
    """REDUCED: channels or the batch; NORMALIZED: over something else than channels; MIXED: the
    batch with other axes; SCRAMBLED: examples among one another; STRETCHED: a channel of size 1.
    """

    REDUCED = "reduced"
    NORMALIZED = "normalized"
    MIXED = "mixed"
    SCRAMBLED = "scrambled"
    STRETCHED = "stretched"


class Danger(msgspec.Struct, frozen=True):
    """Something done to axes that is hardly meant, at `layer` (or op), with its line.

    `op` is where. `axes` names what a reduction removes, such as height and channel; `cut` says how
    a Reshape cuts through the batch, empty for one that merges or parts whole axes.
    """

    layer: str
    text: str
    source: Source | None
    kind: DangerKind
    op: str = ""
    axes: tuple[str, ...] = ()
    cut: str = ""


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
        apart = layer is not None and "Norm" in layer.type
        name, source = layer.name if layer else op.name, op.source[0] if op.source else None
        found += (
            msgspec.structs.replace(one, layer=name, source=source, op=op.name)
            for one in _at(op, lineage, meanings, graph)
            if not (apart and one.kind is DangerKind.REDUCED)
        )
    return tuple(found)


def unjudged(graph: Graph, found: Sequence[Danger]) -> tuple[Danger, ...]:
    """Those that no rule judges: what was stretched; and mixed batches, where no output is known
    that a rule could ask whether they were parted again.
    """
    kinds = {DangerKind.STRETCHED}
    if graph.training is None or not graph.training.objectives:
        kinds |= {DangerKind.MIXED, DangerKind.SCRAMBLED}
    return tuple(one for one in found if one.kind in kinds)


def _at(op: Op, lineage: Lineage, meanings: Meanings, graph: Graph) -> Iterator[Danger]:
    """What one op does, without its place."""
    yield from _reduced(op, lineage, meanings, graph)
    for text in _normalized(op, lineage, meanings):
        yield Danger("", text, None, DangerKind.NORMALIZED)
    cuts = list(_cuts(op, meanings, graph))
    mixed = list(_mixed(op, lineage, meanings, graph))
    for text in mixed:
        yield Danger("", text, None, DangerKind.MIXED, cut=next(iter(cuts), ""))
    for cut in cuts if not mixed else ():
        yield Danger("", cut, None, DangerKind.SCRAMBLED, cut=cut)
    for text in _stretched(op, meanings, graph):
        yield Danger("", text, None, DangerKind.STRETCHED)


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


def _reduced(op: Op, lineage: Lineage, meanings: Meanings, graph: Graph) -> Iterator[Danger]:
    gone = reduced_axes(op, lineage, graph)
    removed = [meanings.of(AxisRef(op.inputs[0], axis)) for axis in gone]
    if any(one.names[:1] in ((CHANNEL,), (BATCH,)) for one in removed):
        text = f"{op.type} over axes {gone} runs over {' and '.join(map(str, removed))}"
        axes = tuple(dict.fromkeys(name for one in removed for name in one.names))
        yield Danger("", text, None, DangerKind.REDUCED, axes=axes)


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


def _cuts(op: Op, meanings: Meanings, graph: Graph) -> Iterator[str]:
    """A Reshape that cuts the batch where it lies: its rows begin inside of the batch's axis, and
    do not keep where that axis begins or ends. To merge or to part whole axes keeps both.
    """
    before = graph.spec(op.inputs[0]).shape if op.type == "Reshape" else None
    after = op.outputs[0].shape if op.outputs else None
    if not before or not after:
        return
    cuts = {product_of(after[axis:]) for axis in range(len(after) + 1)}
    for axis, size in enumerate(before):
        inner, outer = product_of(before[axis + 1 :]), product_of(before[axis:])
        if inner is None or meanings.of(AxisRef(op.inputs[0], axis)) != Meaning((BATCH,)):
            continue
        inside = [cut for cut in cuts if cut and cut > inner and (outer is None or cut < outer)]
        whole = inner in cuts and (axis == 0 or outer in cuts)
        if inside and not whole:
            held = min(inside) // inner
            told = "?" if size is None else size
            yield f"Reshape cuts the batch, axis {axis} of {told}: each row is of {held} examples"
