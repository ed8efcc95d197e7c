"""Signs beside rows of the tree: the worst that `check` found there, or inside what is folded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

from rich.text import Text

from resnet_inspect.analysis.browse.outline import NodeKind, Outline, OutlineNode
from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.graph import Graph, PlaceKind, marked
from resnet_inspect.graph import Place as FoundAt
from resnet_inspect.render.pages.findings_page import MARKS, STYLES
from resnet_inspect.tui.run.places import Place

WORST = list(Severity)


KINDS: dict[PlaceKind, Literal["layer", "op", "variable"]] = {
    PlaceKind.LAYER: "layer",
    PlaceKind.OP: "op",
    PlaceKind.TENSOR: "op",
    PlaceKind.VARIABLE: "variable",
}


def link_to(place: FoundAt) -> Place | None:
    """What a finding leads to; None for what is no part of the network, such as a scalar."""
    kind = KINDS.get(place.kind)
    return Place(kind, place.name) if kind is not None else None


class FindingMarks:
    """The worst finding at each place."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._worst: dict[str, Severity] = {}
        self._inside: dict[int, list[tuple[int, Severity]]] = {}

    def show(self, findings: Sequence[Finding]) -> None:
        """Mark the places of other findings."""
        self._worst, self._inside = {}, {}
        for one in reversed(findings):  # worst first
            if row := marked(self._graph, one.place).row:
                self._worst[row] = one.severity

    def of(self, node: OutlineNode, outline: Outline, *, folded: bool) -> Text:
        """The sign of a row's own worst finding; where one inside of what is folded is worse, that
        sign in brackets.
        """
        if not self._worst:
            return Text()
        own = self._worst.get(node.name) if node.kind != NodeKind.SCOPE else None
        inside = self._worst_in(node, outline) if folded or not node.opens else None
        worst = min(
            (one for one in (own, inside) if one is not None), key=WORST.index, default=None
        )
        if worst is None:
            return Text()
        at_row = worst == own or not node.opens
        sign = MARKS[worst] if at_row else f"({MARKS[worst]})"
        return Text(f" {sign}", STYLES[worst])

    def _worst_in(self, node: OutlineNode, outline: Outline) -> Severity | None:
        if node.kind == NodeKind.OP and not node.opens:
            return None  # what is found at a layer is no mark of its ops
        found = [severity for at, severity in self._leaves(outline) if _holds(node.members, at)]
        return min(found, key=WORST.index, default=None)

    def _leaves(self, outline: Outline) -> list[tuple[int, Severity]]:
        """The marked places as leaves of an outline."""
        key = id(outline)
        if key not in self._inside:
            pairs = ((outline.place_of(name), severity) for name, severity in self._worst.items())
            self._inside[key] = [(at, severity) for at, severity in pairs if at is not None]
        return self._inside[key]


def _holds(members: Sequence[int], place: int) -> bool:
    """Whether a leaf is among some, which are in order."""
    at = bisect_left(members, place)
    return at < len(members) and members[at] == place
