"""Two runs compared in all that they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from resnet_inspect.analysis.diff.alignment import Alignment, align
from resnet_inspect.analysis.diff.averages import Averages, compare_averages
from resnet_inspect.analysis.diff.differences import Finding, RunDiff
from resnet_inspect.analysis.diff.distributions import Recorded, compare_distributions
from resnet_inspect.analysis.diff.findings import compare_findings
from resnet_inspect.analysis.diff.graphs import compare_graphs
from resnet_inspect.analysis.diff.scalars import Courses, compare_scalars, compare_values
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Graph

NOTHING: Mapping[str, Any] = MappingProxyType({})


class ComparedRun(NamedTuple):
    """What is compared of a run; `findings` are None where nobody looked for any."""

    name: str
    graph: Graph
    facts: Mapping[str, Any] = NOTHING
    settings: Mapping[str, Any] = NOTHING
    recorded: Recorded = Recorded()
    scalars: Courses = NOTHING
    findings: Sequence[Finding] | None = None
    averages: Averages = NOTHING


def told_depth(a: ComparedRun, b: ComparedRun, asked: Depth) -> Depth:
    """Graphs without layers, models of the user's own, are always compared by their ops."""
    plain = any(side.graph.ops and not side.graph.layers for side in (a, b))
    return Depth.OP if plain else asked


def compare(
    a: ComparedRun,
    b: ComparedRun,
    depth: Depth = Depth.LAYER,
    *,
    every_step: bool = False,
    found: Alignment | None = None,
) -> RunDiff:
    """The differences between two runs, told of layers or of ops (see `told_depth`).

    `every_step` compares distributions at every step that both recorded; `found` is what
    corresponds at that depth, if it is known.
    """
    depth = told_depth(a, b, depth)
    found = found or align(a.graph, b.graph, every_op=depth == Depth.OP)
    findings = None
    if a.findings is not None and b.findings is not None:
        findings = compare_findings(a.findings, b.findings, found.layers)
    return RunDiff(
        a=a.name,
        b=b.name,
        facts=compare_values(a.facts, b.facts),
        settings=compare_values(a.settings, b.settings),
        graph=compare_graphs(a.graph, b.graph, found, depth),
        distributions=compare_distributions(
            a.graph, b.graph, found, a.recorded, b.recorded, every=every_step
        ),
        scalars=compare_scalars(a.scalars, b.scalars),
        findings=findings,
        averages=compare_averages(a.averages, b.averages, found.layers),
    )
