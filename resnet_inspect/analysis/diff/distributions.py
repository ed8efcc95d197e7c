"""How far apart the distributions of corresponding tensors are, most different first.

Distances are put on one scale: the spread of the tensor's numbers in both runs, or, of weights,
their size. How much a tensor
moves from one recorded step to the next within a run is told beside them, on the same scale.
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

Held = Mapping[Tap, Mapping[int, TensorSummary]]
MOST_STEPS = 6


class Recorded(NamedTuple):
    """What a run recorded: all recorded steps, and what its tensors held at some of them."""

    steps: Sequence[int] = ()
    held: Held = MappingProxyType({})


def chosen_steps(common: Sequence[int], *, every: bool) -> tuple[int, ...]:
    """Of the steps that both runs recorded all, or MOST_STEPS: pairs of neighbours, spread evenly.

    Neighbours, because how far a tensor moves in one step is asked as well.
    """
    if every or len(common) <= MOST_STEPS:
        return tuple(common)
    pairs = MOST_STEPS // 2
    starts = [round(i * (len(common) - 2) / (pairs - 1)) for i in range(pairs)]
    places = sorted({place for start in starts for place in (start, start + 1)})
    return tuple(common[place] for place in places)


def compare_distributions(
    a: Graph, b: Graph, found: Alignment, first: Recorded, second: Recorded, *, every: bool = False
) -> DistributionsDiff:
    """Compare all tensors that both runs tell of."""
    common = sorted(set(first.steps) & set(second.steps))
    steps = chosen_steps(common, every=every)
    compared, rows = 0, []
    for tap, partner in partners(a, b, found, first.held, second.held).items():
        course, other = first.held[tap], second.held[partner]
        shared = [step for step in steps if step in course and step in other]
        if not shared:
            continue
        compared += 1
        row = _distance(tap, partner, shared, course, other, (first.steps, second.steps))
        if row is not None:
            rows.append(row)
    return DistributionsDiff(len(common), steps, compared, tuple(sorted(rows, key=_rank)))


def partners(
    a: Graph, b: Graph, found: Alignment, first: Iterable[Tap], second: Iterable[Tap]
) -> dict[Tap, Tap]:
    """The taps of A with those of B that correspond; a layer's output is that of the layer's."""
    outputs = {
        str(a.layer_by_name[one].output): str(b.layer_by_name[other].output)
        for one, other in found.layers.items()
    }
    others = {(tap.kind, tap.tensor): tap for tap in second}
    pairs = {}
    for tap in first:
        op, _, index = tap.tensor.rpartition(":")
        tensor = outputs.get(tap.tensor) or found.variables.get(tap.tensor)
        other = others.get((tap.kind, tensor or f"{found.ops.get(op)}:{index}"))
        if other is not None:
            pairs[tap] = other
    return pairs


def _rank(row: Distance) -> tuple[bool, bool, float, float, str]:
    """First where only one run holds numbers that are not finite, then by distance."""
    apart = math.inf if row.distance is None else row.distance
    names = sorted((f"{row.layer_a}/{row.tensor_a}", f"{row.layer_b}/{row.tensor_b}"))
    one_sided = bool(row.not_finite_a) != bool(row.not_finite_b)
    return not one_sided, row.distance is not None, -apart, -(row.ks or 0), "".join(names)


def _distance(
    tap: Tap,
    partner: Tap,
    steps: list[int],
    one: Mapping[int, TensorSummary],
    other: Mapping[int, TensorSummary],
    recorded: tuple[Sequence[int], Sequence[int]],
) -> Distance | None:
    """None where both held the same."""
    left, right = [one[step] for step in steps], [other[step] for step in steps]
    broken = [sum(each.count - each.finite for each in side) for side in (left, right)]
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
    known = [each for each in movements if each is not None]
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


def _same(one: TensorSummary, other: TensorSummary) -> bool:
    return one.mean == other.mean and one.sketch == other.sketch


def _pairs(
    course: Course, rows: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances and largest gaps of pairs of rows; NaN where one has no finite number.

    Numbers of one bin look alike in a histogram; extremes, means and standard deviations are
    exact. No distance is below that of the means, none above √(Δμ² + σa² + σb²), which is the
    root mean square of how far two numbers picked at random from both lie apart.
    """
    counts, told = course.counts, course.summaries
    ends = [one.min for one in told if one.min is not None]
    ends += [one.max for one in told if one.max is not None]
    bounds = (min(ends), max(ends)) if ends else (-math.inf, math.inf)
    moved, gaps = distances(course.bins, counts[rows], counts[others], bounds)
    means, stds = np.array([(one.mean, one.std) for one in told], dtype=np.float64).T
    with np.errstate(over="ignore", invalid="ignore"):
        least = np.abs(means[rows] - means[others])
        most = np.hypot(least, np.hypot(stds[rows], stds[others]))
        return np.clip(moved, least, most), gaps


def _scale(kind: str, summaries: Sequence[TensorSummary]) -> float | None:
    """The root mean square of the standard deviations, of weights that of the weights themselves:
    they are near to each other where training begins with equal ones. None for none above 0.
    """
    if kind == "weight":
        sizes = [
            math.hypot(one.std, one.mean)
            for one in summaries
            if one.std is not None and one.mean is not None
        ]
    else:
        sizes = [one.std for one in summaries if one.std is not None]
    most = max(sizes, default=0.0)
    if not most > 0 or not math.isfinite(most):
        return None
    return most * math.sqrt(math.fsum((size / most) ** 2 for size in sizes) / len(sizes))


def _scaled(value: float, scale: float | None) -> float | None:
    """0 stays 0 without a scale; what is more is unknown then."""
    if value == 0:
        return 0.0
    return value / scale if scale is not None and math.isfinite(value) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _neighbours(steps: Sequence[int], recorded: Sequence[int]) -> list[int]:
    """Places of steps whose next one is the next that the run recorded."""
    after = dict(pairwise(recorded))
    return [i for i, step in enumerate(steps[:-1]) if after.get(step) == steps[i + 1]]
