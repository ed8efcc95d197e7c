"""Compares everything that two runs recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from resnet_inspect.analysis.diff.alignment import Alignment, align
from resnet_inspect.analysis.diff.averages import Averages, compare_averages
from resnet_inspect.analysis.diff.differences import Finding, RunDiff
from resnet_inspect.analysis.diff.distributions import RecordedSummaries, compare_distributions
from resnet_inspect.analysis.diff.findings import compare_findings
from resnet_inspect.analysis.diff.graphs import compare_graphs
from resnet_inspect.analysis.diff.scalars import Courses, compare_scalars, compare_values
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Graph

NOTHING: Mapping[str, Any] = MappingProxyType({})


class ComparedRun(NamedTuple):
    """The parts of a run that are compared; `findings` is None if `check` was not run."""

    name: str
    graph: Graph
    facts: Mapping[str, Any] = NOTHING
    settings: Mapping[str, Any] = NOTHING
    recorded: RecordedSummaries = RecordedSummaries()
    scalars: Courses = NOTHING
    findings: Sequence[Finding] | None = None
    averages: Averages = NOTHING


def effective_depth(a: ComparedRun, b: ComparedRun, depth: Depth) -> Depth:
    """The given depth, but OP if a graph has ops and no layers, as user's models have."""
    without_layers = any(side.graph.ops and not side.graph.layers for side in (a, b))
    return Depth.OP if without_layers else depth


def compare(
    a: ComparedRun,
    b: ComparedRun,
    depth: Depth = Depth.LAYER,
    *,
    every_step: bool = False,
    alignment: Alignment | None = None,
) -> RunDiff:
    """The differences between two runs.

    Args:
        a: the first run.
        b: the second run.
        depth: whether layers or ops are compared; see `effective_depth`.
        every_step: compare distributions at every common recorded step, not at a few of them.
        alignment: the alignment at that depth, if it is known already.
    """
    depth = effective_depth(a, b, depth)
    alignment = alignment or align(a.graph, b.graph, every_op=depth == Depth.OP)
    findings = None
    if a.findings is not None and b.findings is not None:
        findings = compare_findings(a.findings, b.findings, alignment.layers)
    return RunDiff(
        a=a.name,
        b=b.name,
        facts=compare_values(a.facts, b.facts),
        settings=compare_values(a.settings, b.settings),
        graph=compare_graphs(a.graph, b.graph, alignment, depth),
        distributions=compare_distributions(
            a.graph, b.graph, alignment, a.recorded, b.recorded, every=every_step
        ),
        scalars=compare_scalars(a.scalars, b.scalars),
        findings=findings,
        averages=compare_averages(a.averages, b.averages, alignment.layers),
    )
