"""Why a network could not be built: which two sizes disagree, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec

from resnet_inspect.analysis.sizes.dangers import Danger, dangers
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.analysis.sizes.why import ChainStep, size_of, spell_origin, trail
from resnet_inspect.graph import AxisRef, Graph, TensorRef
from resnet_inspect.graph.lineage import (
    Correction,
    Formula,
    FromAxis,
    Lineage,
    Mismatch,
    Origin,
    Relation,
    Remedy,
)


class DisagreeingSize(msgspec.Struct, frozen=True):
    """One of two sizes that disagree, and where it comes from.

    `changes` are the steps of its chain at which the size becomes another.
    """

    place: str
    meaning: str
    size: int
    chain: tuple[ChainStep, ...]
    changes: tuple[tuple[ChainStep, ChainStep], ...]
    formula: Formula | None
    origin: str


class Postmortem(msgspec.Struct, frozen=True):
    """What is known of a refused call.

    `tensors` are its tensors by name, with their shapes spelled with meanings. `sides` are the two
    sizes (or a size and a number of the call) that disagree, none where no single change makes the
    call pass; `meet` is the op both come from, if there is one, where their ways part. `dangers`
    are earlier things done to axes that are hardly meant; `corrections` settings with which the
    network builds, `others` ways to make the same call that pass, `hints` guesses that the sizes
    suggest.
    """

    function: str
    tensors: tuple[tuple[str, str], ...]
    sides: tuple[DisagreeingSize, ...]
    meet: str
    remedies: tuple[Remedy, ...]
    dangers: tuple[Danger, ...]
    corrections: tuple[Correction, ...]
    others: tuple[str, ...]
    hints: tuple[str, ...]


def postmortem(graph: Graph, lineage: Lineage) -> Postmortem | None:
    """Explain the refused call of a failed run; None where none was recorded."""
    mismatch = lineage.mismatch
    if mismatch is None:
        return None
    meanings = Meanings(graph, lineage)
    sides: tuple[DisagreeingSize, ...] = ()
    if mismatch.remedies:
        first = mismatch.remedies[0]
        sides = tuple(_side(graph, lineage, meanings, p) for p in (first.place, first.other))
    return Postmortem(
        function=mismatch.function,
        tensors=tuple((name, _spelled(graph, meanings, name)) for name in mismatch.tensors),
        sides=sides,
        meet=_meeting(sides),
        remedies=mismatch.remedies,
        dangers=dangers(graph, lineage, meanings),
        corrections=lineage.corrections,
        others=tuple(one.text for one in mismatch.others),
        hints=tuple(dict.fromkeys(_hints(graph, meanings, mismatch))),
    )


def _hints(graph: Graph, meanings: Meanings, mismatch: Mismatch) -> Iterator[str]:
    """Where the size that is wanted stands at one other axis of the same tensor, not the batch,
    and the call passes if the two change places: a transposition.
    """
    for remedy in mismatch.remedies:
        if not isinstance(remedy.place, FromAxis):
            continue
        ref = remedy.place.ref
        sizes = graph.spec(ref.tensor).shape or ()
        found = [axis for axis, size in enumerate(sizes) if size == remedy.after]
        if len(found) != 1:
            continue
        other = AxisRef(ref.tensor, found[0])
        meaning = str(meanings.of(other))
        swapped = (ref, other) in mismatch.swaps or (other, ref) in mismatch.swaps
        if swapped and meaning != "batch":
            named = f", its {meaning}," if meaning else ""
            place = f"axis {other.axis} of {ref.tensor}{named}"
            yield f"{place} is {remedy.after}: were axes transposed?"


def _side(graph: Graph, lineage: Lineage, meanings: Meanings, place: Origin) -> DisagreeingSize:
    chain, end, formula = trail(graph, lineage, place)
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
    """The nearest op on both ways; empty where they have none in common."""
    if len(sides) < 2:
        return ""
    others = {step.op for step in sides[1].chain if step.op}
    return next((step.op for step in sides[0].chain if step.op in others), "")
