"""What a step's taps held, from the vectors that `taps.Taps` gathered."""

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
    Placed,
    Taps,
)

Array = NDArray[Any]


@dataclass
class Readings:
    """What a step's taps held; see `stats.StepRecord`."""

    summaries: dict[Tap, TensorSummary] = field(default_factory=dict)
    sizes: dict[Tap, int] = field(default_factory=dict)
    not_finite: dict[Tap, NotFinite] = field(default_factory=dict)
    channels: dict[Tap, ChannelActivity] = field(default_factory=dict)
    scalars: dict[str, float] = field(default_factory=dict)

    def added_to(self, record: StepRecord) -> StepRecord:
        """The record of a step with what its taps held; what it has already stays."""
        return replace(
            record,
            scalars=self.scalars | record.scalars,
            summaries=self.summaries | record.summaries,
            sizes=self.sizes | record.sizes,
            not_finite=self.not_finite | record.not_finite,
            channels=self.channels | record.channels,
        )


def read(taps: Taps, gathered: Mapping[str, Array]) -> Readings:
    """What each tap held."""
    sizes = _sizes(taps, gathered[SIZES])
    order = taps.order()
    taken = [_taken(taps.placed[number], sizes[number][0]) for number in order]
    starts = np.cumsum([0, *taken]).tolist()
    samples = gathered[SAMPLES]
    found = dict(zip(order, summaries(samples[: starts[-1]], taken), strict=True))
    where = dict(zip(order, zip(starts, taken, strict=False), strict=True))
    odd, peaks = iter(gathered[ODD]), gathered[PEAKS]
    readings = Readings(scalars=dict(zip(taps.scalars, gathered[SCALARS].tolist(), strict=True)))
    for number, place in enumerate(taps.placed):
        if place.same_as is not None:
            _repeat(readings, taps.placed[place.same_as].tap, place.tap)
            continue
        summary = found.get(number) or TensorSummary.of(samples[:0])
        bad = summary.nan, summary.posinf, summary.neginf
        if place.checked:
            bad = tuple(next(odd))
        _keep(readings, place.tap, summary, sizes[number][0], bad)
        if place.channels:
            start, count = where.get(number, (0, 0))
            peak = None
            if place.checked:
                peak, peaks = peaks[: place.channels], peaks[place.channels :]
            rows = samples[start : start + count].reshape(-1, place.channels)
            readings.channels[place.tap] = _activity(rows, place, sizes[number], peak)
    return readings


def read_arrays(arrays: Iterable[tuple[Tap, Array]], sample: int) -> Readings:
    """What arrays held that lie on the host, as they are: float32, of any shapes."""
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
    """Whether the sum of an array is finite, which it is if all elements are: in float64."""
    with np.errstate(invalid="ignore"):  # of both infinities it is NaN
        return bool(np.isfinite(array.sum(dtype=np.float64)))


def _keep(
    into: Readings, tap: Tap, summary: TensorSummary, size: int, bad: tuple[int, ...]
) -> None:
    into.summaries[tap] = summary
    into.sizes[tap] = size
    if any(bad):
        into.not_finite[tap] = NotFinite(*map(int, bad))


def _sizes(taps: Taps, told: Array) -> list[tuple[int, int]]:
    """Elements and, of outputs of ReLUs, examples of each tensor."""
    own = [(n, one) for n, one in enumerate(taps.placed) if one.same_as is None]
    unknown = [(number, one) for number, one in own if one.sampling is None]
    elements = dict(zip((number for number, _ in unknown), told.tolist(), strict=False))
    examples = iter(told[len(unknown) :].tolist())
    found = [(0, 1)] * len(taps.placed)
    for number, place in own:
        if place.sampling is not None:
            found[number] = place.sampling.elements, place.sampling.examples
            continue
        size, each = elements[number], place.per_example
        if place.channels and each is None:
            found[number] = size, next(examples)
        else:
            found[number] = size, size // each if each else 1
    return found


def _taken(place: Placed, size: int) -> int:
    if place.sampling is not None:
        return place.sampling.taken
    if not place.runs:
        return size
    return min(size // place.width, place.runs) * place.width


def _activity(
    rows: Array, place: Placed, size: tuple[int, int], peak: Array | None
) -> ChannelActivity:
    """From the positions that were taken, [positions, channels]; a channel that is above 0 only
    elsewhere counts as active in one of them.
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
