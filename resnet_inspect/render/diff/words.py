"""What is different between two runs in a few sentences with numbers, as label and text."""

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
from resnet_inspect.render.diff.numbers import average_cells, average_name, tensor_name
from resnet_inspect.render.diff.values import value
from resnet_inspect.render.pages.blocks import SCALARS_SHOWN
from resnet_inspect.render.pages.findings_page import counted

Courses = Mapping[str, Mapping[int, float]]
MOST = 4
# Facts that are told elsewhere: in titles, or as what follows from the others.
TOLD_APART = ("network", "status", "reason", "failure", "recorded kinds")


def sentences(found: RunDiff, a: Courses, b: Courses) -> Iterator[tuple[str, str]]:
    """One for each part in which they can differ; `a` and `b` are all scalars of the runs.

    What is the same is said too: silence must not read as such.
    """
    yield "settings", _settings(found.settings)
    if found.facts:
        told = [f"{one.name}: {_values(one)}" for one in found.facts if one.name not in TOLD_APART]
        if told:
            yield "runs", "; ".join(told)
    yield "layers" if found.graph.depth == Depth.LAYER else "ops", things(found.graph)
    totals = found.graph.totals
    yield "sizes", "\n".join(map(_total, totals)) or "parameters, MACs, memory, ops: all the same"
    yield "training", training(a, b)
    yield "distributions", distributions(found.distributions)
    if found.averages:
        yield "moving averages", averages(found.averages)
    if found.findings is not None:
        only = [("A", found.findings.only_a), ("B", found.findings.only_b)]
        parts = [f"only in {name}: {counted(rows)}" for name, rows in only if rows]
        yield "findings", "; ".join(parts) or "the same in both, or none"


def _settings(rows: Sequence[Difference]) -> str:
    if not rows:
        return "all the same"
    return "; ".join(f"{one.name} {_values(one)}" for one in rows)


def _values(one: Difference) -> str:
    return f"{value(one.a)} in A, {value(one.b)} in B"


def things(found: GraphDiff) -> str:
    """How many layers or ops both have, and what else there is of them."""
    moved = len([one for one in found.renamed if not one.numbered])
    rewired = sum(one.rewired for one in found.changed)
    counts = [
        (len(found.changed) - rewired, "of them changed"),
        (rewired, "only take other inputs"),
        (moved, "under another name"),
        (len(found.renamed) - moved, "numbered differently"),
        (len(found.only_a), "only in A"),
        (len(found.only_b), "only in B"),
    ]
    told = ", ".join(f"{count} {text}" for count, text in counts if count)
    return f"{found.aligned} in both, {told or 'all the same'}"


def _total(one: Difference) -> str:
    name = one.name.replace("_", " ")
    if one.name == "memory":
        return f"{name} {spelling.size(one.a)} in A, {spelling.size(one.b)} in B"
    told = f"{name} {spelling.count(one.a)} in A, {spelling.count(one.b)} in B"
    if one.a is None or one.b is None:
        return told
    gap = one.b - one.a
    return f"{told} ({'+' if gap > 0 else '−'}{abs(gap):,})"


def training(a: Courses, b: Courses) -> str:
    """The last numbers of both, at the last step that both have."""
    if not a or not b:
        lacking = " and ".join(name for name, one in (("A", a), ("B", b)) if not one)
        return f"no step of {lacking} tells a scalar, so results of training are not compared"
    told = []
    names = [*SCALARS_SHOWN, *(name for name in a if name not in SCALARS_SHOWN)]
    for name in names:
        common = sorted({*a.get(name, ())} & {*b.get(name, ())})
        if name != "learning_rate" and common:
            told.append(f"{name} {_result(a[name], b[name], common[-1])}")
    if not told:
        return "no scalar has a step in common"
    lengths = [max(max(course) for course in one.values()) for one in (a, b)]
    beside = ""
    if lengths[0] != lengths[1]:
        beside = f"\nthe last step of A is {lengths[0]}, of B {lengths[1]}"
    return "\n".join(told) + beside


def _result(a: Mapping[int, float], b: Mapping[int, float], step: int) -> str:
    one, other = a[step], b[step]
    told = f"{spelling.number(one, 4)} in A, {spelling.number(other, 4)} in B at step {step}"
    if one == other:
        return f"{spelling.number(one, 4)} in both at step {step}"
    if not (math.isfinite(one) and math.isfinite(other)):
        return told
    gap = other - one
    return f"{told} ({'+' if gap > 0 else '−'}{spelling.number(abs(gap), 3)})"


def averages(rows: Sequence[AverageDiff]) -> str:
    """How many normalizations have other moving averages, and which most of all."""
    told = []
    for row in rows[:MOST]:
        mean, variance = average_cells(row)
        told.append(f"{average_name(row)} {mean} and {variance} at step {row.step}")
    return (
        f"those of {len(rows)} layers differ; furthest apart, means in standard deviations and "
        f"variances in units of the mean one: {', '.join(told)}"
    )


def distributions(found: DistributionsDiff) -> str:
    """How many tensors held other numbers, and which most of all."""
    if not found.common:
        return "not compared: no step was recorded in both"
    if not found.compared:
        return "not compared: no tensor was recorded in both"
    steps = f"{found.common} step" + "s" * (found.common > 1) + " in common"
    if not found.rows:
        return f"all {found.compared} tensors held the same ({steps})"
    beyond = sum(bool(row.beyond) for row in found.rows)
    known = any(row.beyond is not None for row in found.rows)
    told = [f"{len(found.rows)} of {found.compared} tensors differ ({steps})"]
    if known:
        told.append(f"{beyond} of them by more than they move in a step")
    furthest = [row for row in found.rows if row.kind == "activation"] or list(found.rows)
    names = [
        f"{tensor_name(row)} {spelling.number(row.distance, 2)}"
        for row in furthest[:MOST]
        if row.distance is not None
    ]
    if names:
        told.append(f"furthest apart of {furthest[0].kind}s, in spreads: {', '.join(names)}")
    bad = [row for row in found.rows if bool(row.not_finite_a) != bool(row.not_finite_b)]
    if bad:
        name = "A" if bad[0].not_finite_a else "B"
        first = f"the first in {name}: {tensor_name(bad[0])}"
        told.append(f"{len(bad)} with numbers that are not finite in one run alone, {first}")
    return "\n".join(told)
