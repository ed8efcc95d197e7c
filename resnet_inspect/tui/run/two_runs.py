"""Two runs side by side: what is different between them, and what each calls what is selected.

Names of places are those of A, and those that the union of both graphs gives to what only B has.
What is different is worked out once, in a thread, of the runs as they are then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec

from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.analysis.diff.alignment import Alignment, align
from resnet_inspect.analysis.diff.differences import Change, Distance, RunDiff
from resnet_inspect.analysis.diff.union import Union, united
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Layer, Op, place_named
from resnet_inspect.store.info import Status
from resnet_inspect.tui.run.opened_run import OpenedRun, State
from resnet_inspect.tui.run.outlines import Outlines
from resnet_inspect.tui.run.places import AxisOf, Link, Place, PlaceKind
from resnet_inspect.tui.widgets.finding_marks import link_to

SIGNS = ("A", "B")
ONLY_A, ONLY_B, CHANGED, NUMBERS = "−", "+", "~", "≈"
MEANING = {
    ONLY_A: "only in A",
    ONLY_B: "only in B",
    CHANGED: "changed",
    NUMBERS: "held other numbers",
}
STYLES = {ONLY_A: "red", ONLY_B: "green", CHANGED: "yellow", NUMBERS: "cyan"}


@dataclass(frozen=True)
class Selected:
    """One run's part of what is selected, by the name that it has there. `sign` is A or B, or
    empty where there is only one run.
    """

    sign: str
    recording: OpenedRun
    place: Place | None


class Compared:
    """What is different between two runs, and how their names correspond."""

    def __init__(
        self, a: OpenedRun, b: OpenedRun, states: tuple[State, State], found: RunDiff
    ) -> None:
        by_op = found.graph.depth == Depth.OP
        self.found = found
        self.findings = a.findings(states[0])
        self.alignment: Alignment = align(a.graph, b.graph, every_op=by_op)
        self.union: Union = united(a.graph, b.graph, self.alignment, every_op=by_op)
        self.outlines = Outlines(self.union.graph)
        self.states = states
        self._a, self._b = a.graph, b.graph

    @property
    def by_op(self) -> bool:
        """Whether ops were compared, as where a graph has no layers."""
        return self.found.graph.depth == Depth.OP

    @cached_property
    def common_findings(self) -> Sequence[Finding]:
        """What was found in A and in B as well."""
        left = list(self.findings)
        for one in self.found.findings.only_a if self.found.findings is not None else ():
            if one in left:
                left.remove(one)
        return left

    @cached_property
    def changes(self) -> Mapping[str, Change]:
        """What changed of layers, or ops, by their names in A."""
        return {one.a: one for one in self.found.graph.changed}

    @cached_property
    def distances(self) -> Mapping[str, list[Distance]]:
        """Tensors that held other numbers by their layers, ops and variables in A, most different
        first.
        """
        rows: dict[str, list[Distance]] = {}
        for row in self.found.distributions.rows:
            for name in {row.layer_a, row.tensor_a, row.tensor_a.rpartition(":")[0]} - {""}:
                rows.setdefault(name, []).append(row)
        return rows

    @cached_property
    def signs(self) -> Mapping[str, str]:
        """How layers, or ops, differ: the sign of each that does, by its name in the tree."""
        graph = self.found.graph
        lone_b = self.union.ops if self.by_op else self.union.layers
        signs = {name: NUMBERS for name in self.distances}
        signs |= {one.a: CHANGED for one in graph.renamed if not one.numbered}
        signs |= dict.fromkeys(self.changes, CHANGED)
        signs |= {one.name: ONLY_A for one in graph.only_a}
        return signs | dict.fromkeys(lone_b, ONLY_B)

    def sign_of_op(self, name: str) -> str:
        """How an op differs, as far as that is known where layers were compared: of those in layers
        that only one run has.
        """
        if self.by_op:
            return self.signs.get(name, "")
        if name in self.union.ops:
            return ONLY_B
        lone = name in self._a.layer_of_op and name not in self.alignment.ops
        return ONLY_A if lone else ""

    @cached_property
    def jumps(self) -> frozenset[str]:
        """The layers, or ops, to go to one after another: those that are not in both alike, or,
        where all are, those that held other numbers.
        """
        marked = {name for name, sign in self.signs.items() if sign != NUMBERS}
        graph = self.union.graph
        known = graph.op_by_name if self.by_op else graph.layer_by_name
        return frozenset(name for name in marked or self.signs if name in known)

    def in_a(self, name: str, kind: str) -> str | None:
        """The name in A of what is selected, None where only B has it."""
        return None if name in self._lone(kind) else name

    def in_b(self, name: str, kind: str) -> str | None:
        """The name in B of what is selected, None where only A has it."""
        lone = self._lone(kind)
        if name in lone:
            return lone[name]
        found = self._pairs(kind)
        if name in found:
            return found[name]
        if kind == "op" and not self.by_op and name not in self._a.layer_of_op:
            here, there = self._a.op_by_name.get(name), self._b.op_by_name.get(name)
            return name if here and there and here.type == there.type else None
        return None

    def _lone(self, kind: str) -> Mapping[str, str]:
        union = self.union
        return {"layer": union.layers, "op": union.ops, "variable": union.variables}[kind]

    def _pairs(self, kind: str) -> Mapping[str, str]:
        found = self.alignment
        return {"layer": found.layers, "op": found.ops, "variable": found.variables}[kind]

    @cached_property
    def _back(self) -> Mapping[str, Mapping[str, str]]:
        """For each kind of thing the names in the tree of those in B."""
        return {
            kind: {
                there: here
                for names in (self._pairs(kind), self._lone(kind))
                for here, there in names.items()
            }
            for kind in ("layer", "op", "variable")
        }

    def from_b(self, name: str, kind: str) -> str | None:
        """The name in the tree of something of B, None where it is not there."""
        here = self._back[kind].get(name)
        return here if here is not None or self.in_b(name, kind) != name else name

    def shown(self, name: str, *, of_b: bool = False) -> Place | None:
        """A layer, op or variable as a place of the tree, by its name in A or in B."""
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
        """The layers, or ops, of a scope that a run has."""
        found: list[Op | Layer] = []
        graph = self._b if of_b else self._a
        for leaf in place.leaves:
            kind = "op" if isinstance(leaf, Op) else "layer"
            name = (self.in_b if of_b else self.in_a)(leaf.name, kind)
            if name is not None:
                found.append(graph.op_by_name[name] if kind == "op" else graph.layer_by_name[name])
        return found


class TwoRuns:
    """Two open runs; `compared` is None until that is done."""

    def __init__(self, a: OpenedRun, b: OpenedRun) -> None:
        self.a, self.b = a, b
        self.compared: Compared | None = None

    def compare(self) -> Compared:
        """Work out what is different; takes a second, in a thread. Raises InspectErrors."""
        from resnet_inspect import api

        states = self.a.state, self.b.state
        found = Compared(self.a, self.b, states, api.diff(self.a.run, self.b.run))
        _ = found.signs
        found.outlines.prepare()
        return found

    def findings_in_tree(self) -> list[Finding]:
        """What was found in A, and in B alone, with the names that things have in the tree; worst
        first.
        """
        assert self.compared is not None
        found = list(self.compared.findings)
        only = self.compared.found.findings
        for one in only.only_b if only is not None else ():
            link = self.linked(link_to(one.place))
            if isinstance(link, Place):
                place = place_named(self.compared.outlines.graph, link.name)
                found.append(msgspec.structs.replace(one, place=place))
        severities = list(Severity)
        return sorted(found, key=lambda one: severities.index(one.severity))

    @property
    def gone_on(self) -> bool:
        """Whether a run has steps that were not there when both were compared, or has ended."""
        if self.compared is None:
            return False
        now = self.a.state, self.b.state
        pairs = zip(self.compared.states, now, strict=True)
        return any(_extent(then) != _extent(state) for then, state in pairs)

    @property
    def live(self) -> bool:
        """Whether a run was still being written when both were compared."""
        states = self.compared.states if self.compared else (self.a.state, self.b.state)
        return any(state.info.status == Status.RUNNING for state in states)

    def sides(self, place: Place | None) -> list[Selected]:
        """What is selected as each run has it, A first; A's alone until both were compared."""
        if self.compared is None or place is None:
            return [Selected("A", self.a, place)]
        found = self.compared
        sides = []
        for sign, run in (("A", self.a), ("B", self.b)):
            if place.kind == "scope":
                leaves = found.leaves(place, of_b=run is self.b)
                own = replace(place, held=tuple(leaves)) if leaves else None
            else:
                name = (found.in_a if run is self.a else found.in_b)(place.name, place.kind)
                own = replace(place, name=name) if name is not None else None
            if own is not None:
                sides.append(Selected(sign, run, own))
        return sides

    def axis_of(self, side: Selected, axis: AxisOf | None) -> AxisOf | None:
        """An axis that was asked for by its name in a run; None where that has none of it."""
        if axis is None or self.compared is None:
            return axis
        name, found = axis.tensor, self.compared
        translate = found.in_a if side.recording is self.a else found.in_b
        if name in found.union.graph.variable_by_name:
            other = translate(name, "variable")
        else:
            op, _, index = name.rpartition(":")
            there = translate(op, "op")
            other = f"{there}:{index}" if there is not None else None
        return replace(axis, tensor=other) if other is not None else None

    def linked(self, link: Link | None) -> Link | None:
        """Where a line of B leads in the tree; nowhere if that is not there."""
        if link is None or self.compared is None:
            return None
        if isinstance(link, Place):
            if link.kind == "scope":
                return None
            here = self.compared.from_b(link.name, link.kind)
            return replace(link, name=here) if here is not None else None
        if link.tensor in self.b.graph.variable_by_name:
            here = self.compared.from_b(link.tensor, "variable")
        else:
            op, _, index = link.tensor.rpartition(":")
            here = self.compared.from_b(op, "op")
            here = f"{here}:{index}" if here is not None else None
        return replace(link, tensor=here) if here is not None else None


def _extent(state: State) -> tuple[int, Status]:
    return len(state.steps), state.info.status
