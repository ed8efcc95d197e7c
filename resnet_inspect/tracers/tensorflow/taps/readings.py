"""Summarizes the tapped tensors of a step, from the vectors that `taps.Taps` gathers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_inspect.stats import ChannelActivity, NotFinite, StepRecord, Tap, TensorSummary
from resnet_inspect.stats.many import summaries
from resnet_inspect.stats.sampling import Sampling, spread
from resnet_inspect.tracers.tensorflow.taps.taps import (
    ODD,
    PEAKS,
    SAMPLES,
    SCALARS,
    SIZES,
    Placement,
    Taps,
)

Array = NDArray[Any]


@dataclass
class Readings:
    """The summaries of a step's taps; see `stats.StepRecord`."""

    summaries: dict[Tap, TensorSummary] = field(default_factory=dict)
    sizes: dict[Tap, int] = field(default_factory=dict)
    not_finite: dict[Tap, NotFinite] = field(default_factory=dict)
    channels: dict[Tap, ChannelActivity] = field(default_factory=dict)
    scalars: dict[str, float] = field(default_factory=dict)

    def added_to(self, record: StepRecord) -> StepRecord:
        """The record of a step with these summaries; its own entries have precedence."""
        return replace(
            record,
            scalars=self.scalars | record.scalars,
            summaries=self.summaries | record.summaries,
            sizes=self.sizes | record.sizes,
            not_finite=self.not_finite | record.not_finite,
            channels=self.channels | record.channels,
        )


def read(taps: Taps, gathered: Mapping[str, Array]) -> Readings:
    """The summaries of all taps from the `gathered` vectors by name."""
    sizes = _sizes(taps, gathered[SIZES])
    order = taps.order()
    taken = [_taken(taps.placed[number], sizes[number][0]) for number in order]
    starts = np.cumsum([0, *taken]).tolist()
    samples = gathered[SAMPLES]
    by_number = dict(zip(order, summaries(samples[: starts[-1]], taken), strict=True))
    slices = dict(zip(order, zip(starts, taken, strict=False), strict=True))
    odd, peaks = iter(gathered[ODD]), gathered[PEAKS]
    readings = Readings(scalars=dict(zip(taps.scalars, gathered[SCALARS].tolist(), strict=True)))
    for number, place in enumerate(taps.placed):
        if place.same_as is not None:
            _repeat(readings, taps.placed[place.same_as].tap, place.tap)
            continue
        summary = by_number.get(number) or TensorSummary.of(samples[:0])
        bad = summary.nan, summary.posinf, summary.neginf
        if place.checked:
            bad = tuple(next(odd))
        _keep(readings, place.tap, summary, sizes[number][0], bad)
        if place.channels:
            start, count = slices.get(number, (0, 0))
            peak = None
            if place.checked:
                peak, peaks = peaks[: place.channels], peaks[place.channels :]
            rows = samples[start : start + count].reshape(-1, place.channels)
            readings.channels[place.tap] = _activity(rows, place, sizes[number], peak)
    return readings


def read_arrays(arrays: Iterable[tuple[Tap, Array]], sample: int) -> Readings:
    """The summaries of float32 arrays of any shapes in host memory."""
    known = list(arrays)
    parts = [Sampling.of(array.shape, sample).take(array) for _, array in known]
    lengths = [len(part) for part in parts]
    numbers = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    readings = Readings()
    for (tap, array), summary in zip(known, summaries(numbers, lengths), strict=True):
        bad = summary.nan, summary.posinf, summary.neginf
        if summary.count < array.size and not _is_finite(array):
            bad = (
                int(np.isnan(array).sum()),
                int(np.isposinf(array).sum()),
                int(np.isneginf(array).sum()),
            )
        _keep(readings, tap, summary, array.size, bad)
    return readings


def _is_finite(array: Array) -> bool:
    """Whether all elements are finite: whether their sum in float64 is."""
    with np.errstate(invalid="ignore"):  # the sum of both infinities is NaN
        return bool(np.isfinite(array.sum(dtype=np.float64)))


def _keep(
    into: Readings, tap: Tap, summary: TensorSummary, size: int, bad: tuple[int, ...]
) -> None:
    into.summaries[tap] = summary
    into.sizes[tap] = size
    if any(bad):
        into.not_finite[tap] = NotFinite(*map(int, bad))


def _sizes(taps: Taps, gathered: Array) -> list[tuple[int, int]]:
    """The numbers of elements and, for outputs of ReLUs, of examples of each tensor."""
    own = [(number, place) for number, place in enumerate(taps.placed) if place.same_as is None]
    unknown = [number for number, place in own if place.sampling is None]
    elements = dict(zip(unknown, gathered.tolist(), strict=False))
    examples = iter(gathered[len(unknown) :].tolist())
    sizes = [(0, 1)] * len(taps.placed)
    for number, place in own:
        if place.sampling is not None:
            sizes[number] = place.sampling.elements, place.sampling.examples
            continue
        size, each = elements[number], place.per_example
        if place.channels and each is None:
            sizes[number] = size, next(examples)
        else:
            sizes[number] = size, size // each if each else 1
    return sizes


def _taken(place: Placement, size: int) -> int:
    if place.sampling is not None:
        return place.sampling.taken
    if not place.runs:
        return size
    return min(size // place.width, place.runs) * place.width


def _activity(
    rows: Array, place: Placement, size: tuple[int, int], peak: Array | None
) -> ChannelActivity:
    """The activity of channels in the sampled positions, `rows` [positions, channels].

    A channel that is positive only outside of the sample counts as active in one position.
    """
    elements, examples = size
    if not rows.size:
        none = np.zeros(place.channels, np.int64)
        return ChannelActivity(none, none, 0, examples)
    if place.sampling is not None or len(rows) * place.channels == elements:
        whole = ChannelActivity.of_array(rows.reshape(max(examples, 1), -1, place.channels))
        active, seen, of = whole.active, whole.examples, whole.of
    else:
        above = rows > 0
        among = elements // place.channels
        examples_of = spread(among, len(rows)) // max(among // max(examples, 1), 1)
        starts = np.flatnonzero(np.diff(examples_of, prepend=-1))
        active, of = above.sum(0), len(starts)
        seen = np.logical_or.reduceat(above, starts, axis=0).sum(0)
    active, seen = active.astype(np.int64), seen.astype(np.int64)
    if peak is not None:
        somewhere = (peak > 0) & (active == 0)
        active[somewhere] = seen[somewhere] = 1
    return ChannelActivity(active, seen, len(rows), of)


def _repeat(readings: Readings, known: Tap, tap: Tap) -> None:
    """Copy the readings of the same tensor to another tap."""
    every: tuple[dict[Tap, Any], ...] = (
        readings.summaries,
        readings.sizes,
        readings.not_finite,
        readings.channels,
    )
    for by_tap in every:
        if known in by_tap:
            by_tap[tap] = by_tap[known]
