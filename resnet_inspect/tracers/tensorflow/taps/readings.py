"""Turns what `taps.Taps` fetched from a device into summaries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats import ChannelActivity, NotFinite, Sketch, Tap, TensorSummary, bins
from resnet_inspect.tracers.tensorflow.taps.in_graph import Placed

Fetched = Mapping[str, NDArray[Any]]


@dataclass
class Readings:
    """What a step's taps held; see `stats.StepRecord`."""

    summaries: dict[Tap, TensorSummary] = field(default_factory=dict)
    sizes: dict[Tap, int] = field(default_factory=dict)
    not_finite: dict[Tap, NotFinite] = field(default_factory=dict)
    channels: dict[Tap, ChannelActivity] = field(default_factory=dict)


def read(placed: Sequence[Placed], fetched: Fetched) -> Readings:
    """What each tap held, from the arrays that `Taps.outputs` became."""
    found = Readings()
    source = _Source(fetched)
    for one in placed:
        if one.same_as is not None:
            _repeat(found, placed[one.same_as].tap, one.tap)
            continue
        if one.raw:
            assert one.sampling is not None
            summary = TensorSummary.of(source.take("raw", one.sampling.elements))
        else:
            summary = _of_bins(source)
        found.summaries[one.tap] = summary
        whole = one.sampling.elements if one.sampling is not None else summary.count
        found.sizes[one.tap] = whole
        bad = summary.nan, summary.posinf, summary.neginf
        if one.checked:
            neginf, posinf, nan = map(int, source.row("health"))
            bad = nan, posinf, neginf
        if any(bad):
            found.not_finite[one.tap] = NotFinite(*bad)
        if one.channels and one.sampling is not None:
            width = one.sampling.shape[-1]
            found.channels[one.tap] = ChannelActivity(
                active=source.take("positions", width).astype(np.int64),
                examples=source.take("examples", width).astype(np.int64),
                positions=one.sampling.taken // width if width else 0,
                of=one.sampling.examples,
            )
    return found


class _Source:
    """Arrays that are read from their beginning, each on its own."""

    def __init__(self, arrays: Fetched) -> None:
        self._arrays = arrays
        self._places: dict[str, int] = {}

    def take(self, name: str, count: int) -> NDArray[Any]:
        start = self._places.get(name, 0)
        self._places[name] = start + count
        return self._arrays[name][start : start + count] if count else np.zeros(0)

    def row(self, name: str) -> Any:
        return self.take(name, 1)[0]


def _of_bins(source: _Source) -> TensorSummary:
    used = int(source.row("used"))
    codes = source.take("codes", used).astype(np.int64)
    counts = source.take("counts", used).astype(np.int64)
    low, high, mean, squares = map(float, source.row("moments"))
    count = int(counts.sum())
    if not math.isfinite(mean) and count:
        # Something was not finite (or a sum overflowed): then all numbers came along.
        return TensorSummary.of(source.take("odd", count))
    dense = np.zeros(bins.CODES, np.int64)
    dense[codes] = counts
    return TensorSummary(
        count=count,
        nan=0,
        posinf=0,
        neginf=0,
        zeros=int(dense[0] + dense[bins.HALF]),
        min=low if count else None,
        max=high if count else None,
        mean=min(max(mean, low), high) if count else None,
        std=(math.sqrt(squares / count) if low < high else 0.0) if count else None,
        sketch=Sketch.from_codes(dense),
    )


def _repeat(found: Readings, known: Tap, tap: Tap) -> None:
    """The same tensor under another name."""
    every: tuple[dict[Tap, Any], ...] = (
        found.summaries,
        found.sizes,
        found.not_finite,
        found.channels,
    )
    for kept in every:
        if known in kept:
            kept[tap] = kept[known]
