"""The content of a page about two runs: their differences and what they have in common.

`RunDiff` lists only differences. A page that shows both runs also needs the equal parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from resnet_inspect.analysis.diff.alignment import Alignment, align
from resnet_inspect.analysis.diff.differences import Change, RunDiff
from resnet_inspect.analysis.diff.distributions import partners
from resnet_inspect.analysis.diff.runs import ComparedRun, compare, effective_depth
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, shapes
from resnet_inspect.graph import Graph
from resnet_inspect.stats import Tap

_T = TypeVar("_T")


class Mark(StrEnum):
    """How a layer of one run relates to the other run.

    RENAMED: the same layer under another name, matched by its place in the graph. REWIRED: only
    its inputs differ, which follows from other changes.
    """

    SAME = "same"
    RENAMED = "renamed"
    REWIRED = "rewired"
    CHANGED = "changed"
    ONLY_A = "only in A"
    ONLY_B = "only in B"


class Pair(msgspec.Struct, frozen=True):
    """A layer, or an op of graphs without layers, with its partner. None where a run lacks it.

    `path` names the groups that contain it: in A, or in B if A lacks it. `change` lists what
    differs.
    """

    a: ShapeRow | None
    b: ShapeRow | None
    path: tuple[str, ...]
    change: Change | None = None

    @property
    def mark(self) -> Mark:
        """How the two sides differ."""
        if self.a is None or self.b is None:
            return Mark.ONLY_B if self.a is None else Mark.ONLY_A
        if self.change is not None:
            return Mark.REWIRED if self.change.rewired else Mark.CHANGED
        return Mark.SAME if self.a.name == self.b.name else Mark.RENAMED


class Comparison(msgspec.Struct, frozen=True):
    """Two runs side by side.

    Attributes:
        diff: what differs.
        pairs: all layers or ops, in the order of the graphs.
        tensors: all recorded tensors; None where one run did not record the tensor.
        shared: findings of A that B has too.
        settings: name and both values, also of equal ones; None where a run has no value.
        facts: the same for status, steps, device and so on.
    """

    diff: RunDiff
    pairs: tuple[Pair, ...]
    tensors: tuple[tuple[Tap | None, Tap | None], ...]
    shared: tuple[Any, ...]
    settings: tuple[tuple[str, Any, Any], ...]
    facts: tuple[tuple[str, Any, Any], ...]


def side_by_side(
    a: ComparedRun, b: ComparedRun, taps_a: Iterable[Tap], taps_b: Iterable[Tap]
) -> Comparison:
    """Compare two runs at all common recorded steps; `taps_…` are all taps of each run."""
    depth = effective_depth(a, b, Depth.LAYER)
    alignment = align(a.graph, b.graph, every_op=depth == Depth.OP)
    diff = compare(a, b, depth, every_step=True, alignment=alignment)
    only_a = () if diff.findings is None else diff.findings.only_a
    shared = (row for row in a.findings or () if not any(row is unshared for unshared in only_a))
    return Comparison(
        diff=diff,
        pairs=tuple(_pairs(a.graph, b.graph, alignment, depth, diff)),
        tensors=tuple(_tensors(a.graph, b.graph, alignment, list(taps_a), list(taps_b))),
        shared=tuple(shared),
        settings=tuple(_values(a.settings, b.settings)),
        facts=tuple(_values(a.facts, b.facts)),
    )


def _pairs(a: Graph, b: Graph, alignment: Alignment, depth: Depth, diff: RunDiff) -> Iterator[Pair]:
    rows_a, rows_b = _rows(a, depth), _rows(b, depth)
    changes = {change.a: change for change in diff.graph.changed}
    to_b = alignment.ops if depth == Depth.OP else alignment.layers
    for name, partner in merged(list(rows_a), list(rows_b), to_b):
        graph, own_name = (b, partner) if name is None else (a, name)
        yield Pair(
            a=None if name is None else rows_a[name],
            b=None if partner is None else rows_b[partner],
            path=_path(graph, own_name or "", depth),
            change=None if name is None else changes.get(name),
        )


def _rows(graph: Graph, depth: Depth) -> dict[str, ShapeRow]:
    return {row.name: row for row in shapes(graph, depth).rows}


def _path(graph: Graph, name: str, depth: Depth) -> tuple[str, ...]:
    if depth == Depth.OP:
        return tuple(name.split("/")[:-1])
    return graph.layer_by_name[name].path


def merged(
    a: Sequence[_T], b: Sequence[_T], to_b: Mapping[_T, _T]
) -> Iterator[tuple[_T | None, _T | None]]:
    """Both lists as one, in the order of A. An item of B alone follows its predecessor in B."""
    to_a = {item_b: item_a for item_a, item_b in to_b.items()}
    only_b_after: dict[_T | None, list[_T]] = {}
    last: _T | None = None
    for item in b:
        if item in to_a:
            last = to_a[item]
        else:
            only_b_after.setdefault(last, []).append(item)
    yield from ((None, item) for item in only_b_after.get(None, ()))
    for item in a:
        yield item, to_b.get(item)
        yield from ((None, only_b) for only_b in only_b_after.get(item, ()))


def _tensors(
    a: Graph, b: Graph, alignment: Alignment, first: list[Tap], second: list[Tap]
) -> Iterator[tuple[Tap | None, Tap | None]]:
    pairs = partners(a, b, alignment, first, second)
    # Tensors outside of layers are not aligned; equal names mean the same tensor.
    taken, by_name = set(pairs.values()), {(tap.kind, tap.tensor): tap for tap in second}
    for tap in first:
        partner = by_name.get((tap.kind, tap.tensor))
        if tap not in pairs and partner is not None and partner not in taken:
            pairs[tap] = partner
    paired = set(pairs.values())
    yield from ((tap, pairs.get(tap)) for tap in first)
    yield from ((None, tap) for tap in second if tap not in paired)


def _values(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*a, *b]):
        yield name, a.get(name), b.get(name)
