"""What `check` found, brought onto the boxes of a diagram: the worst at each, shaded and told."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.analysis.diagram.diagram import Box, Diagram
from resnet_inspect.commands import Command, spelled
from resnet_inspect.graph import Graph, marked
from resnet_inspect.render.diagram.look import Shade
from resnet_inspect.render.pages.findings_page import MARKS

# Places in the shades of boxes: darker is worse.
LEVELS = {Severity.ERROR: 4, Severity.WARNING: 2, Severity.INFO: 1}
WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "to know"}
MOST_REMARKS = 5


def findings_at(
    graph: Graph, diagram: Diagram, findings: Sequence[Finding]
) -> dict[str, list[Finding]]:
    """The findings of each box by its id, in their order: a box of layers has those of all of them,
    with those of their ops and variables; what is found at a layer is drawn at its main op.
    """
    names = [marked(graph, one.place).boxes for one in findings]
    found: dict[str, list[Finding]] = {}
    for node in diagram.nodes:
        if node.box != Box.GRADIENT:
            alone = node.box in (Box.INPUT, Box.OP, Box.VARIABLE)
            own = {node.name} if alone else {node.name, *node.layers}
            here = [one for one, told in zip(findings, names, strict=True) if told & own]
            if here:
                found[node.id] = here
    return found


def shades_of(
    found: dict[str, list[Finding]], findings: Sequence[Finding]
) -> tuple[dict[str, Shade], tuple[tuple[int, str], ...], tuple[str, ...]]:
    """A shade for each box with findings, worst first in each; the legend; words below it, of what
    has no box.
    """
    shades = {}
    for key, here in found.items():
        worst = here[0]
        more = f" and {len(here) - 1} more" if len(here) > 1 else ""
        text = f"{MARKS[worst.severity]} {worst.severity}: {worst.rule}{more}"
        shades[key] = Shade(LEVELS[worst.severity], text)
    there = {here[0].severity for here in found.values()}
    legend = tuple(
        (LEVELS[level], f"{MARKS[level]} {WORDS[level]}") for level in Severity if level in there
    )
    placed = {id(one) for here in found.values() for one in here}
    rest = [one for one in findings if id(one) not in placed]
    remarks = [f"{MARKS[one.severity]} {one.severity}, of no box: {one.rule}" for one in rest]
    if len(remarks) > MOST_REMARKS:
        remarks[MOST_REMARKS:] = [
            f"and {len(remarks) - MOST_REMARKS} more: {spelled(Command('check'))}"
        ]
    return shades, legend, tuple(remarks)
