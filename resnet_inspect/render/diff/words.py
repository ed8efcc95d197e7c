"""The differences between two runs in a few sentences, as pairs of label and text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from resnet_inspect.analysis.diff.differences import (
    AverageDiff,
    Difference,
    DistributionsDiff,
    GraphDiff,
    RunDiff,
)
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.render import spelling
from resnet_inspect.render.diff.numbers import average_cells, average_name, tensor_name, verdict
from resnet_inspect.render.diff.values import value
from resnet_inspect.render.pages.blocks import SCALARS_SHOWN
from resnet_inspect.render.pages.findings_page import findings_count

Courses = Mapping[str, Mapping[int, float]]
MOST = 4
# Facts that the page shows in its titles, or that follow from others.
SHOWN_ELSEWHERE = ("network", "status", "reason", "failure", "recorded kinds")


def sentences(diff: RunDiff, a: Courses, b: Courses) -> Iterator[tuple[str, str]]:
    """A label and a text for each part of the comparison, also for equal parts.

    Args:
        diff: the differences.
        a: all scalars of run A.
        b: all scalars of run B.
    """
    if diff.findings is not None:
        only = [("A", diff.findings.only_a), ("B", diff.findings.only_b)]
        parts = [f"only in {name}: {findings_count(rows)}" for name, rows in only if rows]
        yield "findings", "\n".join(parts) or "no difference"
    yield "settings", _settings(diff.settings)
    facts = [f"{row.name}: {_values(row)}" for row in diff.facts if row.name not in SHOWN_ELSEWHERE]
    if facts:
        yield "runs", "\n".join(facts)
    yield "layers" if diff.graph.depth == Depth.LAYER else "ops", things(diff.graph)
    totals = diff.graph.totals
    yield "sizes", "\n".join(map(_total, totals)) or "parameters, MACs, memory and ops are equal"
    yield "training", training(a, b)
    yield "distributions", distributions(diff.distributions)
    if diff.averages:
        yield "moving averages", averages(diff.averages)


def _settings(rows: Sequence[Difference]) -> str:
    if not rows:
        return "all equal"
    return "\n".join(f"{row.name} {_values(row)}" for row in rows)


def _values(row: Difference) -> str:
    return f"{value(row.a)} in A, {value(row.b)} in B"


def things(graph: GraphDiff) -> str:
    """The numbers of common, changed, renamed and unmatched layers or ops."""
    renamed = len([row for row in graph.renamed if not row.numbered])
    rewired = sum(change.rewired for change in graph.changed)
    counts = [
        (len(graph.changed) - rewired, "of them changed"),
        (rewired, "with other inputs only"),
        (renamed, "renamed"),
        (len(graph.renamed) - renamed, "numbered differently"),
        (len(graph.only_a), "only in A"),
        (len(graph.only_b), "only in B"),
    ]
    differences = ", ".join(f"{count} {text}" for count, text in counts if count)
    return f"{graph.aligned} in both, {differences or 'all equal'}"


def _total(row: Difference) -> str:
    name = row.name.replace("_", " ")
    if row.name == "memory":
        return f"{name} {spelling.size(row.a)} in A, {spelling.size(row.b)} in B"
    both = f"{name} {spelling.count(row.a)} in A, {spelling.count(row.b)} in B"
    if row.a is None or row.b is None:
        return both
    gap = row.b - row.a
    return f"{both} ({'+' if gap > 0 else '−'}{abs(gap):,})"


def training(a: Courses, b: Courses) -> str:
    """The values of each scalar in both runs, at the last common step."""
    if not a or not b:
        lacking = " and ".join(name for name, scalars in (("A", a), ("B", b)) if not scalars)
        return f"not compared: {lacking} recorded no scalar"
    lines = []
    names = [*SCALARS_SHOWN, *(name for name in a if name not in SCALARS_SHOWN)]
    for name in names:
        common = sorted({*a.get(name, ())} & {*b.get(name, ())})
        if name != "learning_rate" and common:
            lines.append(f"{name} {_result(a[name], b[name], common[-1])}")
    if not lines:
        return "not compared: no scalar has a common step"
    ends = [max(max(course) for course in scalars.values()) for scalars in (a, b)]
    if ends[0] != ends[1]:
        lines.append(f"the last step is {ends[0]} in A, {ends[1]} in B")
    return "\n".join(lines)


def _result(a: Mapping[int, float], b: Mapping[int, float], step: int) -> str:
    x, y = a[step], b[step]
    if x == y:
        return f"{spelling.number(x, 4)} in both at step {step}"
    both = f"{spelling.number(x, 4)} in A, {spelling.number(y, 4)} in B at step {step}"
    if not (math.isfinite(x) and math.isfinite(y)):
        return both
    gap = y - x
    return f"{both} ({'+' if gap > 0 else '−'}{spelling.number(abs(gap), 3)})"


def averages(rows: Sequence[AverageDiff]) -> str:
    """How many layers have different moving averages, and the largest differences."""
    layers = []
    for row in rows[:MOST]:
        mean, variance = average_cells(row)
        layers.append(f"{average_name(row)} {mean} and {variance} at step {row.step}")
    return (
        f"{len(rows)} layer{'s' * (len(rows) != 1)} differ\n"
        f"largest differences (mean in standard deviations, variance in mean variances): "
        f"{', '.join(layers)}"
    )


def distributions(diff: DistributionsDiff) -> str:
    """How many distributions differ, and the largest distances."""
    if not diff.common:
        return "not compared: the runs have no recorded step in common"
    if not diff.compared:
        return "not compared: the runs have no recorded tensor in common"
    steps = f"{diff.common} step" + "s" * (diff.common > 1) + " in common"
    if not diff.rows:
        return f"all {diff.compared} tensors are equal ({steps})"
    lines = [f"{len(diff.rows)} of {diff.compared} tensors differ ({steps})"]
    if text := verdict(diff):
        lines.append(text)
    furthest = [row for row in diff.rows if row.kind == "activation"] or list(diff.rows)
    names = [
        f"{tensor_name(row)} {spelling.number(row.distance, 2)}"
        for row in furthest[:MOST]
        if row.distance is not None
    ]
    if names:
        lines.append(
            f"largest distances of {furthest[0].kind}s, in standard deviations: {', '.join(names)}"
        )
    bad = [row for row in diff.rows if bool(row.not_finite_a) != bool(row.not_finite_b)]
    if bad:
        name = "A" if bad[0].not_finite_a else "B"
        first = f"first {tensor_name(bad[0])} in {name}"
        lines.append(f"{len(bad)} tensors are not finite in only one run: {first}")
    return "\n".join(lines)
