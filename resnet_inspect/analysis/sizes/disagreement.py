"""Explains a rejected call: which two sizes disagree and where each originates."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import prod

import msgspec

from resnet_inspect.analysis.sizes.dangers import Danger, dangers
from resnet_inspect.analysis.sizes.meanings import BATCH, Meanings
from resnet_inspect.analysis.sizes.paths import ChainStep, path_to_origin, size_of, spell_origin
from resnet_inspect.graph import AxisRef, Graph, TensorRef
from resnet_inspect.graph.lineage import (
    Correction,
    Formula,
    FromAxis,
    FromLiteral,
    Lineage,
    Mismatch,
    Origin,
    Relation,
    Remedy,
)


class DisagreeingSize(msgspec.Struct, frozen=True):
    """One of two sizes that disagree, with the path to its origin.

    `changes` are the pairs of steps of the chain between which the size changes.
    """

    place: str
    meaning: str
    size: int
    chain: tuple[ChainStep, ...]
    changes: tuple[tuple[ChainStep, ChainStep], ...]
    formula: Formula | None
    origin: str


class ReshapedRow(msgspec.Struct, frozen=True):
    """A row of a tensor that does not fit the target [-1, n] of a reshape.

    Attributes:
        sizes: the sizes of the tensor after axis 0. Their product is the elements of a row.
        example: whether axis 0 is the batch, so that a row is an example.
        target: n.
    """

    sizes: tuple[int, ...]
    example: bool
    target: DisagreeingSize


class Postmortem(msgspec.Struct, frozen=True):
    """The explanation of a rejected call.

    Attributes:
        function: the function that was called.
        tensors: names of the call's tensors, and their shapes with meanings.
        sides: the two sizes that disagree, or a size and a number in the call. Empty where no
            single change makes the call pass, and where `row` explains the call.
        row: the row that a reshape cannot keep; no change of a single size would keep axis 0.
        meet: the nearest op on the paths to both origins. Empty without one.
        remedies: changes of a single size with which the call passes.
        dangers: probable mistakes with axes in the recorded graph.
        corrections: settings with which the network builds.
        others: other changes of the call with which it passes.
        hints: possible causes that the sizes suggest.
    """

    function: str
    tensors: tuple[tuple[str, str], ...]
    sides: tuple[DisagreeingSize, ...]
    row: ReshapedRow | None
    meet: str
    remedies: tuple[Remedy, ...]
    dangers: tuple[Danger, ...]
    corrections: tuple[Correction, ...]
    others: tuple[str, ...]
    hints: tuple[str, ...]


def postmortem(graph: Graph, lineage: Lineage) -> Postmortem | None:
    """Explain the rejected call of a failed run. Return None where no such call was recorded."""
    mismatch = lineage.mismatch
    if mismatch is None:
        return None
    meanings = Meanings(graph, lineage)
    sides: tuple[DisagreeingSize, ...] = ()
    row = _row(graph, lineage, meanings, mismatch)
    if mismatch.remedies and row is None:
        first = mismatch.remedies[0]
        sides = tuple(_side(graph, lineage, meanings, p) for p in (first.place, first.other))
    return Postmortem(
        function=mismatch.function,
        tensors=tuple((name, _spelled(graph, meanings, name)) for name in mismatch.tensors),
        sides=sides,
        row=row,
        meet=_meeting(sides),
        remedies=mismatch.remedies if row is None else (),
        dangers=dangers(graph, lineage, meanings),
        corrections=lineage.corrections,
        others=tuple(remedy.text for remedy in mismatch.others),
        hints=tuple(dict.fromkeys(_hints(graph, meanings, mismatch))),
    )


def reshaped_row(graph: Graph, mismatch: Mismatch) -> tuple[int, ...]:
    """Return the sizes after axis 0 of a tensor whose rows do not fit a reshape to [-1, n].

    Empty for other calls, and if a remedy keeps axis 0: then that size disagrees with n.
    """
    for remedy in mismatch.remedies[:1]:
        if isinstance(remedy.place, FromAxis) and isinstance(remedy.other, FromLiteral):
            target = graph.op_by_name[remedy.other.op].attrs.get("value")
            shape = graph.spec(remedy.place.ref.tensor).shape or ()
            row = tuple(size for size in shape[1:] if size is not None)
            whole = len(row) == len(shape) - 1
            if whole and target == [-1, remedy.after] and prod(row) != remedy.before:
                return row
    return ()


def _row(
    graph: Graph, lineage: Lineage, meanings: Meanings, mismatch: Mismatch
) -> ReshapedRow | None:
    sizes = reshaped_row(graph, mismatch)
    for remedy in mismatch.remedies[:1] if sizes else ():
        if isinstance(remedy.place, FromAxis):
            return ReshapedRow(
                sizes=sizes,
                example=str(meanings.of(AxisRef(remedy.place.ref.tensor, 0))) == BATCH,
                target=_side(graph, lineage, meanings, remedy.other),
            )
    return None


def _hints(graph: Graph, meanings: Meanings, mismatch: Mismatch) -> Iterator[str]:
    """Yield axes that were probably transposed.

    Exactly one other axis of the tensor has the expected size, it is not the batch, and the call
    passes if the two axes are swapped.
    """
    for remedy in mismatch.remedies:
        if not isinstance(remedy.place, FromAxis):
            continue
        ref = remedy.place.ref
        sizes = graph.spec(ref.tensor).shape or ()
        matching = [axis for axis, size in enumerate(sizes) if size == remedy.after]
        if len(matching) != 1:
            continue
        other = AxisRef(ref.tensor, matching[0])
        meaning = str(meanings.of(other))
        swapped = (ref, other) in mismatch.swaps or (other, ref) in mismatch.swaps
        if swapped and meaning != "batch":
            named = f" ({meaning})" if meaning else ""
            place = f"{ref.tensor} axis {other.axis}{named}"
            yield f"{place} has the expected size {remedy.after}; the axes may be transposed"


def _side(graph: Graph, lineage: Lineage, meanings: Meanings, place: Origin) -> DisagreeingSize:
    chain, end, formula = path_to_origin(graph, lineage, place)
    pairs = pairwise(chain)
    return DisagreeingSize(
        place=spell_origin(place),
        meaning=str(meanings.of(place.ref)) if isinstance(place, FromAxis) else "",
        size=size_of(graph, place) or 0,
        chain=chain,
        changes=tuple(pair for pair in pairs if pair[1].relation == Relation.DERIVED),
        formula=formula,
        origin=spell_origin(end),
    )


def _spelled(graph: Graph, meanings: Meanings, name: str) -> str:
    op, _, index = name.rpartition(":")
    if op in graph.op_by_name:
        return meanings.spell(TensorRef(op, int(index)))
    shape = graph.variable_by_name[name].spec.shape or ()
    return " × ".join(str(size) for size in shape)


def _meeting(sides: tuple[DisagreeingSize, ...]) -> str:
    """Return the nearest op on both paths, or an empty text if they share none."""
    if len(sides) < 2:
        return ""
    others = {step.op for step in sides[1].chain if step.op}
    return next((step.op for step in sides[0].chain if step.op in others), "")
