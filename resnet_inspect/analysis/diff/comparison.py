"""Everything that one page tells of two runs: what differs, and beside it what does not.

`RunDiff` lists differences alone; a page that shows both runs also needs what corresponds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from resnet_inspect.analysis.diff.alignment import Alignment, align
from resnet_inspect.analysis.diff.differences import Change, RunDiff
from resnet_inspect.analysis.diff.distributions import partners
from resnet_inspect.analysis.diff.runs import ComparedRun, compare, told_depth
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, shapes
from resnet_inspect.graph import Graph
from resnet_inspect.stats import Tap

_T = TypeVar("_T")


class Mark(StrEnum):
    """How a layer of one run stands to the other run.

    REWIRED: the same, but takes of others, which follows from other changes; RENAMED: the same
    under another name, found by its place.
    """

    SAME = "same"
    RENAMED = "renamed"
    REWIRED = "rewired"
    CHANGED = "changed"
    ONLY_A = "only in A"
    ONLY_B = "only in B"


class Pair(msgspec.Struct, frozen=True):
    """A layer, or an op of graphs without layers, with its partner; None where a run lacks it.

    `path` names the groups it stands in, in A if it is there. `change` tells what differs.
    """

    a: ShapeRow | None
    b: ShapeRow | None
    path: tuple[str, ...]
    change: Change | None = None

    @property
    def mark(self) -> Mark:
        """How it differs."""
        if self.a is None or self.b is None:
            return Mark.ONLY_B if self.a is None else Mark.ONLY_A
        if self.change is not None:
            return Mark.REWIRED if self.change.rewired else Mark.CHANGED
        return Mark.SAME if self.a.name == self.b.name else Mark.RENAMED


class Comparison(msgspec.Struct, frozen=True):
    """Two runs side by side.

    `pairs` are in the order of the graphs; `tensors` are all that were recorded, with None for what
    one run did not record; `shared` are findings of A that B has too. `settings` and `facts` are
    those of both, equal ones too, as name and values (None for none).
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
    """Compare two runs at all steps that both recorded; `taps_…` are all that they recorded."""
    depth = told_depth(a, b, Depth.LAYER)
    found = align(a.graph, b.graph, every_op=depth == Depth.OP)
    diff = compare(a, b, depth, every_step=True, found=found)
    lone = () if diff.findings is None else diff.findings.only_a
    return Comparison(
        diff=diff,
        pairs=tuple(_pairs(a.graph, b.graph, found, depth, diff)),
        tensors=tuple(_tensors(a.graph, b.graph, found, list(taps_a), list(taps_b))),
        shared=tuple(one for one in a.findings or () if not any(one is other for other in lone)),
        settings=tuple(_values(a.settings, b.settings)),
        facts=tuple(_values(a.facts, b.facts)),
    )


def _pairs(a: Graph, b: Graph, found: Alignment, depth: Depth, diff: RunDiff) -> Iterator[Pair]:
    rows_a, rows_b = _rows(a, depth), _rows(b, depth)
    changes = {change.a: change for change in diff.graph.changed}
    to_b = found.ops if depth == Depth.OP else found.layers
    for name, other in merged(list(rows_a), list(rows_b), to_b):
        graph, own = (b, other) if name is None else (a, name)
        yield Pair(
            a=None if name is None else rows_a[name],
            b=None if other is None else rows_b[other],
            path=_path(graph, own or "", depth),
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
    """Both lists as one in the order of A: what B alone has follows what it follows in B."""
    back = {other: one for one, other in to_b.items()}
    after: dict[_T | None, list[_T]] = {}
    last: _T | None = None
    for other in b:
        if other in back:
            last = back[other]
        else:
            after.setdefault(last, []).append(other)
    yield from ((None, other) for other in after.get(None, ()))
    for one in a:
        yield one, to_b.get(one)
        yield from ((None, other) for other in after.get(one, ()))


def _tensors(
    a: Graph, b: Graph, found: Alignment, first: list[Tap], second: list[Tap]
) -> Iterator[tuple[Tap | None, Tap | None]]:
    pairs = partners(a, b, found, first, second)
    # What lies in no layer is not aligned; of one name it is the same thing.
    taken, names = set(pairs.values()), {(tap.kind, tap.tensor): tap for tap in second}
    for tap in first:
        other = names.get((tap.kind, tap.tensor))
        if tap not in pairs and other is not None and other not in taken:
            pairs[tap] = other
    back = set(pairs.values())
    yield from ((tap, pairs.get(tap)) for tap in first)
    yield from ((None, tap) for tap in second if tap not in back)


def _values(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys([*a, *b]):
        yield name, a.get(name), b.get(name)
