"""Which settings change a size, from the re-traces with one setting changed."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.graph.lineage import Formula, Lineage, Relation, Variation


class ProofRow(msgspec.Struct, frozen=True):
    """The size of an axis before and after a re-trace with one setting changed.

    `moved` is None where the axis could not be matched because the graph changed.
    """

    setting: str
    before: int
    after: int
    size_before: int | None
    size_after: int | None
    moved: bool | None
    note: str


# Rows by everything that decides them.
Proofs = dict[tuple[Any, ...], tuple[ProofRow, ...]]


class _TracedAxis(NamedTuple):
    """The axis that represents a size in the re-traces. The name is empty if there is none."""

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
    cache: Proofs | None = None,
) -> tuple[ProofRow, ...]:
    """Return a row for each re-traced setting.

    `places` are the axes on the path to the origin of `size`, each with its relation to the axis
    before. The first of them that was re-traced and has the same size represents the size. `ops`
    are the ops on the path. `cache` has rows of earlier calls for the same run.
    """
    known = _traced_axis(graph, lineage, places)
    cache = {} if cache is None else cache
    facts = tuple(_facts(variation, known, ops) for variation in lineage.variations)
    key = (size, id(formula), not known.name, facts)
    if key not in cache:
        rows = (_proof_row(change, size, known, formula, ops) for change in lineage.variations)
        cache[key] = tuple(rows)
    return cache[key]


def _facts(variation: Variation, known: _TracedAxis, ops: frozenset[str]) -> tuple[Any, ...]:
    """Return everything that a row uses of a re-trace. Equal facts give equal rows."""
    name, changed = known.name, variation.shapes.get(known.name)
    same = changed is not None and len(changed) == known.rank
    after = changed[known.axis] if changed is not None and same else None
    rewired = ops & variation.rewired
    return name in variation.missing, changed is None, same, after, min(rewired, default="")


def _traced_axis(
    graph: Graph, lineage: Lineage, places: tuple[tuple[str, Relation | None], ...]
) -> _TracedAxis:
    for place, relation in places:
        if relation not in (None, Relation.SAME):
            break
        name, _, axis = place.rpartition(" axis ")
        if name in lineage.traced and axis.isdigit():
            return _TracedAxis(name, int(axis), _rank(graph, name))
    return _TracedAxis("", 0, 0)


def _rank(graph: Graph, name: str) -> int:
    if name in graph.variable_by_name:
        return len(graph.variable_by_name[name].spec.shape or ())
    op, _, index = name.rpartition(":")
    return len(graph.spec(TensorRef(op, int(index))).shape or ())


def _proof_row(
    variation: Variation,
    before: int | None,
    known: _TracedAxis,
    formula: Formula | None,
    ops: frozenset[str],
) -> ProofRow:
    """Return the row of one setting. `ops` are the ops on the path to the origin."""
    name, axis = known.name, known.axis
    changed = variation.shapes.get(name)
    missing = not name or name in variation.missing
    matched = not missing and (changed is None or len(changed) == known.rank)
    after = None if not matched else before if changed is None else changed[axis]
    failing = ", ".join(variation.conflicts)
    fails = "fail" if len(variation.conflicts) > 1 else "fails"
    notes = []
    if not name:
        notes.append("not re-traced: outside the forward pass")
    elif missing and variation.ended:
        notes.append(f"not created: the build fails at {failing}")
    elif missing:
        notes.append("the graph changes: this tensor no longer exists")
    elif not matched:
        notes.append("the graph changes: the number of axes differs")
    elif failing and not variation.ended:
        notes.append(f"{failing} {fails} (ignored to continue)")
    elif failing:
        notes.append(f"the build fails later, at {variation.conflicts[-1]}")
    elif variation.missing or variation.added:
        notes.append("the graph changes, but not this size" if after == before else "")
    moved = None if not matched else after != before
    if moved and failing and formula is not None and variation.setting not in formula.values:
        moved, after = None, None
        notes = [f"unknown: this size comes after {failing}, which {fails}"]
    rewired = ops & variation.rewired
    if moved and rewired and (formula is None or variation.setting not in formula.values):
        moved, after = None, None
        notes = [f"the graph changes: {min(rewired)} has another input"]
    return ProofRow(
        setting=variation.setting,
        before=variation.before,
        after=variation.after,
        size_before=before,
        size_after=after,
        moved=moved,
        note="; ".join(note for note in notes if note),
    )
