"""Distances between the distributions of corresponding tensors, largest first.

All distances of a tensor have one unit: the spread of its values in both runs, for weights their
size. The movement of the tensor between neighbouring recorded steps of a run has the same unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.analysis.browse.course import Course
from resnet_inspect.analysis.diff.alignment import Alignment
from resnet_inspect.analysis.diff.differences import Distance, DistributionsDiff
from resnet_inspect.graph import Graph
from resnet_inspect.stats import Tap, TensorSummary, distances

Summaries = Mapping[Tap, Mapping[int, TensorSummary]]
MOST_STEPS = 6


class RecordedSummaries(NamedTuple):
    """All recorded steps of a run, and the summaries of its tensors at some of these steps."""

    steps: Sequence[int] = ()
    summaries: Summaries = MappingProxyType({})


def chosen_steps(common: Sequence[int], *, every: bool) -> tuple[int, ...]:
    """All common steps, or MOST_STEPS of them: pairs of neighbours, spread evenly.

    Neighbours are needed to measure how far a tensor moves in one step.
    """
    if every or len(common) <= MOST_STEPS:
        return tuple(common)
    pairs = MOST_STEPS // 2
    starts = [round(i * (len(common) - 2) / (pairs - 1)) for i in range(pairs)]
    places = sorted({place for start in starts for place in (start, start + 1)})
    return tuple(common[place] for place in places)


def compare_distributions(
    a: Graph,
    b: Graph,
    alignment: Alignment,
    first: RecordedSummaries,
    second: RecordedSummaries,
    *,
    every: bool = False,
) -> DistributionsDiff:
    """Compare all tensors that both runs recorded."""
    common = sorted(set(first.steps) & set(second.steps))
    steps = chosen_steps(common, every=every)
    compared, rows = 0, []
    for tap, partner in partners(a, b, alignment, first.summaries, second.summaries).items():
        summaries, partner_summaries = first.summaries[tap], second.summaries[partner]
        shared = [step for step in steps if step in summaries and step in partner_summaries]
        if not shared:
            continue
        compared += 1
        row = _distance(
            tap, partner, shared, summaries, partner_summaries, (first.steps, second.steps)
        )
        if row is not None:
            rows.append(row)
    return DistributionsDiff(len(common), steps, compared, tuple(sorted(rows, key=_rank)))


def partners(
    a: Graph, b: Graph, alignment: Alignment, first: Iterable[Tap], second: Iterable[Tap]
) -> dict[Tap, Tap]:
    """The taps of A with their partners in B; outputs of corresponding layers are partners."""
    outputs = {
        str(a.layer_by_name[name].output): str(b.layer_by_name[partner].output)
        for name, partner in alignment.layers.items()
    }
    taps_b = {(tap.kind, tap.tensor): tap for tap in second}
    pairs = {}
    for tap in first:
        op, _, index = tap.tensor.rpartition(":")
        tensor = outputs.get(tap.tensor) or alignment.variables.get(tap.tensor)
        partner_tap = taps_b.get((tap.kind, tensor or f"{alignment.ops.get(op)}:{index}"))
        if partner_tap is not None:
            pairs[tap] = partner_tap
    return pairs


def _rank(row: Distance) -> tuple[bool, bool, float, float, str]:
    """A sort key: tensors that are not finite in only one run come first, then by distance."""
    apart = math.inf if row.distance is None else row.distance
    names = sorted((f"{row.layer_a}/{row.tensor_a}", f"{row.layer_b}/{row.tensor_b}"))
    one_sided = bool(row.not_finite_a) != bool(row.not_finite_b)
    return not one_sided, row.distance is not None, -apart, -(row.ks or 0), "".join(names)


def _distance(
    tap: Tap,
    partner: Tap,
    steps: list[int],
    summaries_a: Mapping[int, TensorSummary],
    summaries_b: Mapping[int, TensorSummary],
    recorded: tuple[Sequence[int], Sequence[int]],
) -> Distance | None:
    """The distance of a tensor, or None if both distributions are equal at all steps."""
    left, right = [summaries_a[step] for step in steps], [summaries_b[step] for step in steps]
    broken = [sum(summary.count - summary.finite for summary in side) for side in (left, right)]
    if broken[0] == broken[1] and all(map(_same, left, right)):
        return None
    count = len(steps)
    course = Course.of([*left, *right])
    follow = [_neighbours(steps, all_steps) for all_steps in recorded]
    firsts = [*range(count), *follow[0], *(place + count for place in follow[1])]
    seconds = [place + count for place in range(count)] + [place + 1 for place in firsts[count:]]
    moved, gaps = _pairs(course, np.array(firsts), np.array(seconds))
    if not moved[:count].any() and broken[0] == broken[1]:
        return None
    scale = _scale(tap.kind, [*left, *right])
    scaled = [_scaled(value, scale) for value in moved.tolist()]
    apart, end = scaled[:count], count + len(follow[0])
    sizes = {place: value for place, value in enumerate(apart) if value is not None}
    place = max(sizes, key=lambda at: sizes[at], default=None)
    mean, movements = _mean(apart), [_mean(scaled[count:end]), _mean(scaled[end:])]
    known = [movement for movement in movements if movement is not None]
    return Distance(
        layer_a=tap.layer,
        layer_b=partner.layer,
        kind=tap.kind,
        tensor_a=tap.tensor,
        tensor_b=partner.tensor,
        scale=scale,
        distance=mean,
        first=apart[0],
        last=apart[-1],
        largest=None if place is None else apart[place],
        step=None if place is None else steps[place],
        ks=_mean([None if math.isnan(gap) else gap for gap in gaps[:count].tolist()]),
        movement_a=movements[0],
        movement_b=movements[1],
        beyond=None if mean is None or not known else mean > max(known),
        not_finite_a=broken[0],
        not_finite_b=broken[1],
        steps=tuple(steps),
        distances=tuple(apart),
    )


def _same(a: TensorSummary, b: TensorSummary) -> bool:
    return a.mean == b.mean and a.sketch == b.sketch


def _pairs(
    course: Course, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances and KS statistics of pairs of rows; NaN if a row has no finite value.

    Histograms do not resolve values within a bin, but means and standard deviations are exact.
    So distances are clipped to their exact bounds: |Δμ| and √(Δμ² + σa² + σb²), the root mean
    square difference of two values drawn at random from both.
    """
    counts, summaries = course.counts, course.summaries
    ends = [summary.min for summary in summaries if summary.min is not None]
    ends += [summary.max for summary in summaries if summary.max is not None]
    bounds = (min(ends), max(ends)) if ends else (-math.inf, math.inf)
    moved, gaps = distances(course.bins, counts[rows], counts[others], bounds)
    moments = [(summary.mean, summary.std) for summary in summaries]
    means, stds = np.array(moments, dtype=np.float64).T
    with np.errstate(over="ignore", invalid="ignore"):
        least = np.abs(means[rows] - means[others])
        most = np.hypot(least, np.hypot(stds[rows], stds[others]))
        return np.clip(moved, least, most), gaps


def _scale(kind: str, summaries: Sequence[TensorSummary]) -> float | None:
    """The root mean square of the standard deviations, for weights of the weights themselves.

    Weights of two runs that start equal stay close. None if no value is above 0.
    """
    if kind == "weight":
        sizes = [
            math.hypot(summary.std, summary.mean)
            for summary in summaries
            if summary.std is not None and summary.mean is not None
        ]
    else:
        sizes = [summary.std for summary in summaries if summary.std is not None]
    most = max(sizes, default=0.0)
    if not most > 0 or not math.isfinite(most):
        return None
    return most * math.sqrt(math.fsum((size / most) ** 2 for size in sizes) / len(sizes))


def _scaled(value: float, scale: float | None) -> float | None:
    """The value in units of the scale. Without a scale 0 stays 0, other values become None."""
    if value == 0:
        return 0.0
    return value / scale if scale is not None and math.isfinite(value) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _neighbours(steps: Sequence[int], recorded: Sequence[int]) -> list[int]:
    """Positions of steps whose successor in `steps` is also the next step that the run recorded."""
    after = dict(pairwise(recorded))
    return [i for i, step in enumerate(steps[:-1]) if after.get(step) == steps[i + 1]]
