"""Which settings move a size: what the re-traces with one setting changed say of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.graph.lineage import Formula, Lineage, Relation, Variation


class ProofRow(msgspec.Struct, frozen=True):
    """The axis under a re-trace with one setting changed.

    `moved` is None where the axis could not be matched, because the structure changed.
    """

    setting: str
    before: int
    after: int
    size_before: int | None
    size_after: int | None
    moved: bool | None
    note: str


# Proofs by what they follow from.
Proofs = dict[tuple[Any, ...], tuple[ProofRow, ...]]


class _Known(NamedTuple):
    """What the re-traces know a size by; an empty name if they do not."""

    name: str
    axis: int
    rank: int


def prove(
    graph: Graph,
    lineage: Lineage,
    size: int | None,
    places: tuple[tuple[str, Relation | None], ...],
    formula: Formula | None,
    ops: frozenset[str],
    seen: Proofs | None = None,
) -> tuple[ProofRow, ...]:
    """A row for each setting that was varied; who asks for many axes hands on what was `seen`.

    `places` are the axes on the size's way, with how the one before each follows it; the size
    goes by the first of them that the re-traces know and that it equals. `formula` is what it was
    written as, `ops` are those it comes through.
    """
    known = _known(graph, lineage, places)
    seen = {} if seen is None else seen
    met = tuple(_met(one, known, ops) for one in lineage.variations)
    key = (size, id(formula), not known.name, met)
    if key not in seen:
        rows = (_proof_row(one, size, known, formula, ops) for one in lineage.variations)
        seen[key] = tuple(rows)
    return seen[key]


def _met(variation: Variation, known: _Known, ops: frozenset[str]) -> tuple[Any, ...]:
    """All that a row takes from a re-trace: sizes of which this is equal are proved alike."""
    name, changed = known.name, variation.shapes.get(known.name)
    same = changed is not None and len(changed) == known.rank
    after = changed[known.axis] if changed is not None and same else None
    rewired = ops & variation.rewired
    return name in variation.missing, changed is None, same, after, min(rewired, default="")


def _known(
    graph: Graph, lineage: Lineage, places: tuple[tuple[str, Relation | None], ...]
) -> _Known:
    for place, relation in places:
        if relation not in (None, Relation.SAME):
            break
        name, _, axis = place.rpartition(" axis ")
        if name in lineage.traced and axis.isdigit():
            return _Known(name, int(axis), _rank(graph, name))
    return _Known("", 0, 0)


def _rank(graph: Graph, name: str) -> int:
    if name in graph.variable_by_name:
        return len(graph.variable_by_name[name].spec.shape or ())
    op, _, index = name.rpartition(":")
    return len(graph.spec(TensorRef(op, int(index))).shape or ())


def _proof_row(
    variation: Variation,
    before: int | None,
    known: _Known,
    formula: Formula | None,
    ops: frozenset[str],
) -> ProofRow:
    """One setting's row; `known` is what the re-trace knows the size by, with an empty name if it
    does not; `ops` are those the size comes through.
    """
    name, axis = known.name, known.axis
    changed = variation.shapes.get(name)
    gone = not name or name in variation.missing
    matched = not gone and (changed is None or len(changed) == known.rank)
    after = None if not matched else before if changed is None else changed[axis]
    refused = ", ".join(variation.conflicts)
    notes = []
    if not name:
        notes.append("not part of the forward pass, which is what was traced again")
    elif gone and variation.ended:
        notes.append(f"the network cannot be built then: {refused} refuses its inputs")
    elif gone:
        notes.append("the structure changes: it is not there then")
    elif not matched:
        notes.append("the structure changes: another number of axes")
    elif refused and not variation.ended:
        notes.append(f"{refused} refuses its inputs then; passed over")
    elif refused:
        notes.append(f"further on {variation.conflicts[-1]} refuses its inputs then")
    elif variation.missing or variation.added:
        notes.append("the structure changes, not this axis" if after == before else "")
    moved = None if not matched else after != before
    if moved and refused and formula is not None and variation.setting not in formula.values:
        moved, after = None, None
        notes = [f"cannot be told: it lies behind {refused}, which refuses its inputs then"]
    rewired = ops & variation.rewired
    if moved and rewired and (formula is None or variation.setting not in formula.values):
        moved, after = None, None
        notes = [f"the structure changes: {min(rewired)} takes another input then"]
    return ProofRow(
        setting=variation.setting,
        before=variation.before,
        after=variation.after,
        size_before=before,
        size_after=after,
        moved=moved,
        note="; ".join(note for note in notes if note),
    )
