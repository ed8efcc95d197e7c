"""Signs in the tree for the worst finding of a row, or inside a folded row."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

from rich.text import Text

from resnet_inspect.analysis.browse.outline import NodeKind, Outline, OutlineNode
from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.graph import Graph, PlaceKind, marked
from resnet_inspect.graph import Place as FindingPlace
from resnet_inspect.render.pages.findings_page import MARKS, STYLES
from resnet_inspect.tui.run.places import Place

WORST = list(Severity)


KINDS: dict[PlaceKind, Literal["layer", "op", "variable"]] = {
    PlaceKind.LAYER: "layer",
    PlaceKind.OP: "op",
    PlaceKind.TENSOR: "op",
    PlaceKind.VARIABLE: "variable",
}


def link_to(place: FindingPlace) -> Place | None:
    """Return the link of a finding, None for places outside the network such as a scalar."""
    kind = KINDS.get(place.kind)
    return Place(kind, place.name) if kind is not None else None


class FindingMarks:
    """Marks each place with its worst finding."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._worst: dict[str, Severity] = {}
        self._inside: dict[int, list[tuple[int, Severity]]] = {}

    def show(self, findings: Sequence[Finding]) -> None:
        """Replace the marks by those of `findings`."""
        self._worst, self._inside = {}, {}
        for finding in reversed(findings):  # the worst come first and overwrite the others
            if row := marked(self._graph, finding.place).row:
                self._worst[row] = finding.severity

    def of(self, node: OutlineNode, outline: Outline, *, folded: bool) -> Text:
        """Return the sign of the worst finding of a row.

        The sign is in brackets if the finding is inside a folded row.
        """
        if not self._worst:
            return Text()
        own = self._worst.get(node.name) if node.kind != NodeKind.SCOPE else None
        inside = self._worst_in(node, outline) if folded or not node.opens else None
        severities = [severity for severity in (own, inside) if severity is not None]
        worst = min(severities, key=WORST.index, default=None)
        if worst is None:
            return Text()
        at_row = worst == own or not node.opens
        sign = MARKS[worst] if at_row else f"({MARKS[worst]})"
        return Text(f" {sign}", STYLES[worst])

    def _worst_in(self, node: OutlineNode, outline: Outline) -> Severity | None:
        if node.kind == NodeKind.OP and not node.opens:
            return None  # a finding of a layer does not mark its ops
        leaves = self._leaves(outline)
        severities = [severity for at, severity in leaves if _contains(node.members, at)]
        return min(severities, key=WORST.index, default=None)

    def _leaves(self, outline: Outline) -> list[tuple[int, Severity]]:
        """Return the marked leaves of an outline with their severity."""
        key = id(outline)
        if key not in self._inside:
            pairs = ((outline.place_of(name), severity) for name, severity in self._worst.items())
            self._inside[key] = [(at, severity) for at, severity in pairs if at is not None]
        return self._inside[key]


def _contains(members: Sequence[int], place: int) -> bool:
    """Whether the sorted `members` contain a leaf."""
    at = bisect_left(members, place)
    return at < len(members) and members[at] == place
