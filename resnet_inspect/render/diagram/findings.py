"""Findings of `check` on a diagram: each box is shaded by its worst finding and names it."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.analysis.diagram.diagram import Box, Diagram
from resnet_inspect.commands import Command, spelled
from resnet_inspect.graph import Graph, marked
from resnet_inspect.render.diagram.look import Shade
from resnet_inspect.render.pages.findings_page import MARKS

# Indices into `look.SHADES`: darker is worse.
LEVELS = {Severity.ERROR: 4, Severity.WARNING: 2, Severity.INFO: 1}
WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}
MOST_REMARKS = 5


def findings_at(
    graph: Graph, diagram: Diagram, findings: Sequence[Finding]
) -> dict[str, list[Finding]]:
    """The findings of each box, by the box's id, in the order of `findings`.

    A box of layers has the findings of all its layers, of their ops and of their variables. In a
    diagram of ops, the main op of a layer has the layer's findings.
    """
    boxes = [marked(graph, finding.place).boxes for finding in findings]
    by_box: dict[str, list[Finding]] = {}
    for node in diagram.nodes:
        if node.box != Box.GRADIENT:
            alone = node.box in (Box.INPUT, Box.OP, Box.VARIABLE)
            own = {node.name} if alone else {node.name, *node.layers}
            here = [finding for finding, ids in zip(findings, boxes, strict=True) if ids & own]
            if here:
                by_box[node.id] = here
    return by_box


def shades_of(
    by_box: dict[str, list[Finding]], findings: Sequence[Finding]
) -> tuple[dict[str, Shade], tuple[tuple[int, str], ...], tuple[str, ...]]:
    """Shades by box id, the legend, and remarks on findings that belong to no box.

    `by_box` has the findings of each box, worst first (see `findings_at`).
    """
    shades = {}
    for key, here in by_box.items():
        worst = here[0]
        more = f" and {len(here) - 1} more" if len(here) > 1 else ""
        text = f"{MARKS[worst.severity]} {worst.severity}: {worst.rule}{more}"
        shades[key] = Shade(LEVELS[worst.severity], text)
    severities = {here[0].severity for here in by_box.values()}
    legend = tuple(
        (LEVELS[level], f"{MARKS[level]} {WORDS[level]}")
        for level in Severity
        if level in severities
    )
    placed = {id(finding) for here in by_box.values() for finding in here}
    rest = [finding for finding in findings if id(finding) not in placed]
    remarks = [
        f"{MARKS[finding.severity]} {finding.severity}, not in this diagram: {finding.rule}"
        for finding in rest
    ]
    if len(remarks) > MOST_REMARKS:
        remarks[MOST_REMARKS:] = [
            f"and {len(remarks) - MOST_REMARKS} more: {spelled(Command('check'))}"
        ]
    return shades, legend, tuple(remarks)
