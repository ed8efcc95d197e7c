"""Summaries of many tensors at once, ten times as fast as `TensorSummary.of` for each.

A recorded step has hundreds of small samples. Summarizing each separately would take the host
longer than the step takes the device.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats import bins
from resnet_inspect.stats.sketch import Sketch
from resnet_inspect.stats.summary import TensorSummary

# Elements and counts that are processed together: they fit into the cache of a core.
TOGETHER = 1 << 18


def summaries(
    numbers: NDArray[np.float32], lengths: Sequence[int] | NDArray[np.int64]
) -> list[TensorSummary]:
    """The summaries of k consecutive parts of `numbers` [n]; `lengths` [k] are their sizes.

    Equal to `TensorSummary.of` of each part, except for the last digits of mean and std.
    """
    sizes = np.asarray(lengths, np.int64)
    some = np.flatnonzero(sizes)
    ends = np.cumsum(sizes)
    results = [TensorSummary.of(numbers[:0])] * len(sizes)
    for first, last in pairwise(_borders(sizes[some])):
        places = some[first:last]
        part = numbers[ends[places[0]] - sizes[places[0]] : ends[places[-1]]]
        for place, summary in zip(places.tolist(), _of(part, sizes[places]), strict=True):
            results[place] = summary
    return results


def _borders(sizes: NDArray[np.int64]) -> Iterator[int]:
    """Borders of groups of parts with at most TOGETHER elements and counts each, 0 first."""
    total = 0
    yield 0
    for place, size in enumerate(np.maximum(sizes, bins.CODES // 2).tolist()):
        if place and total + size > TOGETHER:
            yield place
            total = 0
        total += size
    if len(sizes):
        yield len(sizes)


def _of(numbers: NDArray[np.float32], sizes: NDArray[np.int64]) -> list[TensorSummary]:
    """The summary of each part of `numbers` [n]; at least one part, and no empty part."""
    starts = np.cumsum(sizes) - sizes
    codes = (numbers.view(np.uint32) >> np.uint32(bins.SHIFT)).astype(np.int32)
    codes += np.repeat(np.arange(len(sizes), dtype=np.int32) * bins.CODES, sizes)
    counted = np.bincount(codes, minlength=len(sizes) * bins.CODES)
    sketches = Sketch.from_many_codes(counted.reshape(len(sizes), bins.CODES))
    zeros = np.add.reduceat(numbers == 0, starts, dtype=np.int64)
    low, high = np.minimum.reduceat(numbers, starts), np.maximum.reduceat(numbers, starts)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.add.reduceat(numbers, starts, dtype=np.float64) / sizes
        wide = numbers - np.repeat(mean, sizes)
        std = np.sqrt(np.add.reduceat(np.square(wide, out=wide), starts) / sizes)
    fine = np.isfinite(low) & np.isfinite(high)  # a NaN is both
    std[low == high] = 0.0
    mean = np.clip(mean, low, high)
    parts = zip(sizes, zeros, low, high, mean, std, starts, strict=True)
    return [
        TensorSummary(
            int(size),
            0,
            0,
            0,
            int(none),
            float(least),
            float(most),
            float(mid),
            float(spread),
            sketch,
        )
        if finite
        else TensorSummary.of(numbers[start : start + size])
        for (size, none, least, most, mid, spread, start), finite, sketch in zip(
            parts, fine, sketches, strict=True
        )
    ]
