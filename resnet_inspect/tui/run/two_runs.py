"""Two open runs, their differences, and the names of a place in each of them.

Places have the names of A. Places that only B has get their name from the union of both graphs.
The runs are compared once, in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec

from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.analysis.diff.alignment import Alignment, align
from resnet_inspect.analysis.diff.differences import Change, Distance, RunDiff
from resnet_inspect.analysis.diff.union import MergedGraph, merge_graphs
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Layer, Op, place_named
from resnet_inspect.store.info import Status
from resnet_inspect.tui.run.opened_run import OpenedRun, State
from resnet_inspect.tui.run.outlines import Outlines
from resnet_inspect.tui.run.places import AxisOf, Link, Place, PlaceKind
from resnet_inspect.tui.widgets.finding_marks import link_to

SIGNS = ("A", "B")
ONLY_A, ONLY_B, CHANGED, VALUES = "−", "+", "~", "≈"
MEANINGS = {
    ONLY_A: "only in A",
    ONLY_B: "only in B",
    CHANGED: "changed",
    VALUES: "different values",
}
STYLES = {ONLY_A: "red", ONLY_B: "green", CHANGED: "yellow", VALUES: "cyan"}


@dataclass(frozen=True)
class RunPlace:
    """A place of one run, with its name in that run.

    `sign` is A or B, or empty for a single run.
    """

    sign: str
    recording: OpenedRun
    place: Place | None


class ComparisonResult:
    """The differences between two runs, and the mapping of their names."""

    def __init__(
        self, a: OpenedRun, b: OpenedRun, states: tuple[State, State], diff: RunDiff
    ) -> None:
        by_op = diff.graph.depth == Depth.OP
        self.diff = diff
        self.findings = a.findings(states[0])
        self.alignment: Alignment = align(a.graph, b.graph, every_op=by_op)
        self.union: MergedGraph = merge_graphs(a.graph, b.graph, self.alignment, every_op=by_op)
        self.outlines = Outlines(self.union.graph)
        self.states = states
        self._a, self._b = a.graph, b.graph

    @property
    def by_op(self) -> bool:
        """Whether ops were compared, because a graph has no layers."""
        return self.diff.graph.depth == Depth.OP

    @cached_property
    def common_findings(self) -> Sequence[Finding]:
        """The findings of A that B has, too."""
        common = list(self.findings)
        for finding in self.diff.findings.only_a if self.diff.findings is not None else ():
            if finding in common:
                common.remove(finding)
        return common

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """The changes of layers or ops, by name in A."""
        return {change.a: change for change in self.diff.graph.changed}

    @cached_property
    def distances(self) -> Mapping[str, list[Distance]]:
        """Tensors with different values by layer, op and variable of A, most different first."""
        rows: dict[str, list[Distance]] = {}
        for row in self.diff.distributions.rows:
            for name in {row.layer_a, row.tensor_a, row.tensor_a.rpartition(":")[0]} - {""}:
                rows.setdefault(name, []).append(row)
        return rows

    @cached_property
    def signs(self) -> Mapping[str, str]:
        """The sign of each layer or op that differs, by its name in the tree."""
        graph = self.diff.graph
        lone_b = self.union.ops if self.by_op else self.union.layers
        signs = {name: VALUES for name in self.distances}
        signs |= {row.a: CHANGED for row in graph.renamed if not row.numbered}
        signs |= dict.fromkeys(self.changes, CHANGED)
        signs |= {row.name: ONLY_A for row in graph.only_a}
        return signs | dict.fromkeys(lone_b, ONLY_B)

    def sign_of_op(self, name: str) -> str:
        """Return the sign of an op, or empty.

        Where layers were compared, only ops of layers that one run lacks have a sign.
        """
        if self.by_op:
            return self.signs.get(name, "")
        if name in self.union.ops:
            return ONLY_B
        lone = name in self._a.layer_of_op and name not in self.alignment.ops
        return ONLY_A if lone else ""

    @cached_property
    def differing(self) -> frozenset[str]:
        """The layers or ops that `m` visits: those that differ in structure, else in values."""
        marked = {name for name, sign in self.signs.items() if sign != VALUES}
        graph = self.union.graph
        known = graph.op_by_name if self.by_op else graph.layer_by_name
        return frozenset(name for name in marked or self.signs if name in known)

    def in_a(self, name: str, kind: str) -> str | None:
        """Return the name in A of a name in the tree, None if only B has it."""
        return None if name in self._lone(kind) else name

    def in_b(self, name: str, kind: str) -> str | None:
        """Return the name in B of a name in the tree, None if only A has it."""
        lone = self._lone(kind)
        if name in lone:
            return lone[name]
        pairs = self._pairs(kind)
        if name in pairs:
            return pairs[name]
        if kind == "op" and not self.by_op and name not in self._a.layer_of_op:
            here, there = self._a.op_by_name.get(name), self._b.op_by_name.get(name)
            return name if here and there and here.type == there.type else None
        return None

    def _lone(self, kind: str) -> Mapping[str, str]:
        union = self.union
        return {"layer": union.layers, "op": union.ops, "variable": union.variables}[kind]

    def _pairs(self, kind: str) -> Mapping[str, str]:
        names = self.alignment
        return {"layer": names.layers, "op": names.ops, "variable": names.variables}[kind]

    @cached_property
    def _tree_names(self) -> Mapping[str, Mapping[str, str]]:
        """The names in the tree by name in B, for each kind of place."""
        return {
            kind: {
                there: here
                for names in (self._pairs(kind), self._lone(kind))
                for here, there in names.items()
            }
            for kind in ("layer", "op", "variable")
        }

    def from_b(self, name: str, kind: str) -> str | None:
        """Return the name in the tree of a name in B, None if the tree lacks it."""
        here = self._tree_names[kind].get(name)
        return here if here is not None or self.in_b(name, kind) != name else name

    def place_in_tree(self, name: str, *, of_b: bool = False) -> Place | None:
        """Return the place in the tree of a name in A, or in B."""
        graph = self._b if of_b else self._a
        kinds: tuple[tuple[PlaceKind, Mapping[str, object]], ...] = (
            ("layer", graph.layer_by_name),
            ("op", graph.op_by_name),
            ("variable", graph.variable_by_name),
        )
        for kind, known in kinds:
            if name in known:
                here = self.from_b(name, kind) if of_b else name
                return Place(kind, here) if here is not None else None
        return None

    def leaves(self, place: Place, *, of_b: bool) -> list[Op | Layer]:
        """Return the layers or ops of a scope that exist in one run."""
        leaves: list[Op | Layer] = []
        graph = self._b if of_b else self._a
        for leaf in place.leaves:
            kind = "op" if isinstance(leaf, Op) else "layer"
            name = (self.in_b if of_b else self.in_a)(leaf.name, kind)
            if name is not None:
                leaves.append(graph.op_by_name[name] if kind == "op" else graph.layer_by_name[name])
        return leaves


class TwoRuns:
    """Two open runs. `result` is None until they are compared."""

    def __init__(self, a: OpenedRun, b: OpenedRun) -> None:
        self.a, self.b = a, b
        self.result: ComparisonResult | None = None

    def compare(self) -> ComparisonResult:
        """Compare the runs. Takes about a second, for use in a thread. Raises InspectError."""
        from resnet_inspect import api

        states = self.a.state, self.b.state
        result = ComparisonResult(self.a, self.b, states, api.diff(self.a.run, self.b.run))
        _ = result.signs
        result.outlines.prepare()
        return result

    def findings_in_tree(self) -> list[Finding]:
        """Return the findings of A and those of B only, with names of the tree, worst first."""
        assert self.result is not None
        findings = list(self.result.findings)
        only = self.result.diff.findings
        for finding in only.only_b if only is not None else ():
            link = self.link_in_tree(link_to(finding.place))
            if isinstance(link, Place):
                place = place_named(self.result.outlines.graph, link.name)
                findings.append(msgspec.structs.replace(finding, place=place))
        severities = list(Severity)
        return sorted(findings, key=lambda finding: severities.index(finding.severity))

    @property
    def outdated(self) -> bool:
        """Whether a run has new steps or another status since the comparison."""
        if self.result is None:
            return False
        now = self.a.state, self.b.state
        pairs = zip(self.result.states, now, strict=True)
        return any(_extent(then) != _extent(state) for then, state in pairs)

    @property
    def live(self) -> bool:
        """Whether a run was still being written at the comparison."""
        states = self.result.states if self.result else (self.a.state, self.b.state)
        return any(state.info.status == Status.RUNNING for state in states)

    def sides(self, place: Place | None) -> list[RunPlace]:
        """Return a place in each run that has it, A first. Before the comparison: only in A."""
        if self.result is None or place is None:
            return [RunPlace("A", self.a, place)]
        result = self.result
        sides = []
        for sign, run in (("A", self.a), ("B", self.b)):
            if place.kind == "scope":
                leaves = result.leaves(place, of_b=run is self.b)
                own = replace(place, own_leaves=tuple(leaves)) if leaves else None
            else:
                name = (result.in_a if run is self.a else result.in_b)(place.name, place.kind)
                own = replace(place, name=name) if name is not None else None
            if own is not None:
                sides.append(RunPlace(sign, run, own))
        return sides

    def axis_of(self, side: RunPlace, axis: AxisOf | None) -> AxisOf | None:
        """Return an axis with the name of its tensor in one run, None if the run lacks it."""
        if axis is None or self.result is None:
            return axis
        name, result = axis.tensor, self.result
        translate = result.in_a if side.recording is self.a else result.in_b
        if name in result.union.graph.variable_by_name:
            other = translate(name, "variable")
        else:
            op, _, index = name.rpartition(":")
            there = translate(op, "op")
            other = f"{there}:{index}" if there is not None else None
        return replace(axis, tensor=other) if other is not None else None

    def link_in_tree(self, link: Link | None) -> Link | None:
        """Return a link of run B with the names of the tree, None if the tree lacks it."""
        if link is None or self.result is None:
            return None
        if isinstance(link, Place):
            if link.kind == "scope":
                return None
            here = self.result.from_b(link.name, link.kind)
            return replace(link, name=here) if here is not None else None
        if link.tensor in self.b.graph.variable_by_name:
            here = self.result.from_b(link.tensor, "variable")
        else:
            op, _, index = link.tensor.rpartition(":")
            here = self.result.from_b(op, "op")
            here = f"{here}:{index}" if here is not None else None
        return replace(link, tensor=here) if here is not None else None


def _extent(state: State) -> tuple[int, Status]:
    return len(state.steps), state.info.status
