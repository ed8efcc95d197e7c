"""Adds to a graph what summarizes tensors, at nearly no cost; `readings` reads what comes out.

`docs/taps.md` tells what was tried and measured. In short: of a large tensor a sample is taken (a
copy of short runs, which then stays in a core's cache, while the tensor is let go), and moments
and histogram are of the sample. The whole of it is only checked for NaN and infinities, where
possible by a witness; the exact count reads a slice of the tensor that is empty while the witness
is finite, so there is no control flow. Small tensors leave the device as they are, all in one
vector. Histograms leave it without their empty bins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from resnet_inspect.stats import Tap, bins
from resnet_inspect.stats.sampling import Sampling
from resnet_inspect.tracers.tensorflow.taps.witness import witness

Tensor = Any

RAW_ELEMENTS = 256
GROUP = 8  # samples that are summarized together: half a megabyte, which a core's cache holds
HEALTH = 3  # mode of DebugNumericSummaryV2: [device, elements, -inf, +inf, NaN]


@dataclass(frozen=True)
class Point:
    """A tensor to summarize. `channels`: count where each channel is above 0 (outputs of ReLUs)."""

    tap: Tap
    tensor: Tensor
    channels: bool = False


@dataclass(frozen=True)
class Placed:
    """A tap as it was added. `sampling` is None for a tensor of unknown size, taken whole.

    `raw`: it leaves the device as it is; `checked`: the whole is checked apart from the sample;
    `same_as` is the number of an earlier tap of the same tensor.
    """

    tap: Tap
    sampling: Sampling | None
    raw: bool = False
    checked: bool = False
    channels: bool = False
    same_as: int | None = None


@dataclass
class _Columns:
    """Tensors of all taps, to be put together."""

    low: list[Tensor] = field(default_factory=list)
    high: list[Tensor] = field(default_factory=list)
    mean: list[Tensor] = field(default_factory=list)
    squares: list[Tensor] = field(default_factory=list)
    counts: list[Tensor] = field(default_factory=list)
    odd: list[Tensor] = field(default_factory=list)
    health: list[Tensor] = field(default_factory=list)
    raw: list[Tensor] = field(default_factory=list)
    positions: list[Tensor] = field(default_factory=list)
    examples: list[Tensor] = field(default_factory=list)


class Taps:
    """Collects taps at the end of a trace: a witness must exist by then.

    `sample` is about how many elements of a large tensor are summarized, 0 for all.
    """

    def __init__(self, sample: int) -> None:
        self.placed: list[Placed] = []
        self._sample = sample
        self._columns = _Columns()
        self._group: list[Tensor] = []
        self._constants: dict[Any, Tensor] = {}
        self._sizes: dict[str, Tensor] = {}
        self._known: dict[str, int] = {}

    def add(self, point: Point) -> None:
        """Tap a tensor of floats, integers or truth values."""
        x = point.tensor
        if x.name in self._known:
            number = self._known[x.name]
            self.placed.append(Placed(point.tap, None, same_as=number))
            return
        self._known[x.name] = len(self.placed)
        if x.dtype.is_floating and x.dtype.size == 1:  # float8, which few ops take
            x = tf.cast(x, tf.float32)
        if not x.shape.is_fully_defined():
            self.placed.append(Placed(point.tap, None))
            self._summarize(tf.reshape(_as_float(x), [-1]))
            return
        sampling = Sampling.of(tuple(x.shape.as_list()), self._sample)
        channels = point.channels and len(sampling.shape) > 1
        if sampling.elements <= RAW_ELEMENTS and not channels:
            self.placed.append(Placed(point.tap, sampling, raw=True))
            if sampling.elements:  # what ops reserve has no shape it can be relied on to have
                self._columns.raw.append(self._flat(_as_float(x)))
            return
        checked = sampling.runs > 0 and x.dtype.is_floating
        self.placed.append(Placed(point.tap, sampling, checked=checked, channels=channels))
        flat = self._flat(_as_float(self._sampled(x, sampling)))
        self._summarize(flat)
        if channels:
            self._count_channels(flat, sampling)
        if checked:
            self._columns.health.append(self._health(x))

    def outputs(self) -> dict[str, Tensor]:
        """All that was recorded, in few tensors; to be fetched together, see `readings.read`."""
        self._summarize_group()
        columns = self._columns
        made: dict[str, Tensor] = {}
        if columns.counts:
            ends = [tf.cast(tf.concat(one, 0), tf.float64) for one in (columns.low, columns.high)]
            wide = [tf.concat(one, 0) for one in (columns.mean, columns.squares)]
            made["moments"] = tf.stack([*ends, *wide], axis=1)
            flat = self._flat(tf.concat(columns.counts, 0))
            places = self._flat(tf.where(flat))
            borders = tf.range(bins.CODES, tf.size(flat, tf.int64) + 1, bins.CODES, tf.int64)
            until = tf.searchsorted(places, borders)
            made["used"] = until - tf.pad(until[:-1], [[1, 0]])
            codes = tf.bitwise.bitwise_and(places, tf.constant(bins.CODES - 1, tf.int64))
            made["codes"] = tf.cast(codes, tf.uint16)
            made["counts"] = tf.gather(flat, places)
            made["odd"] = tf.concat(columns.odd, 0)
        if columns.health:
            made["health"] = tf.stack(columns.health)[:, 2:]
        if columns.raw:
            made["raw"] = tf.concat(columns.raw, 0)
        if columns.positions:
            made["positions"] = tf.concat(columns.positions, 0)
            made["examples"] = tf.concat(columns.examples, 0)
        return made

    def _sampled(self, x: Tensor, sampling: Sampling) -> Tensor:
        if sampling.runs == 0:
            return x
        key = ("runs", sampling.elements, sampling.runs, sampling.width)
        if key not in self._constants:
            self._constants[key] = tf.constant(sampling.places(), tf.int32)
        runs = tf.reshape(x, self._constant((-1, sampling.width)))
        return tf.gather(runs, self._constants[key], axis=0)

    def _summarize(self, flat: Tensor) -> None:
        """Moments and histogram of a vector of float32; all of it, if any of it is not finite.

        Vectors of one length that come one after another are summarized together: what a tap
        costs is mostly that each of its ops is run.
        """
        group = self._group
        size = flat.shape[0]
        if group and (size is None or size != group[0].shape[0] or len(group) == GROUP):
            self._summarize_group()
        self._group.append(flat)

    def _summarize_group(self) -> None:
        """The squares are of what is left without the mean, in float64: right for a large mean,
        too, and no sum of finite numbers overflows.
        """
        if not self._group:
            return
        rows, self._group = tf.stack(self._group), []
        columns, axis = self._columns, self._constant((1,))
        wide = tf.cast(rows, tf.float64)
        mean = tf.raw_ops.Mean(input=wide, axis=axis, keep_dims=True)
        columns.low.append(tf.raw_ops.Min(input=rows, axis=axis))
        columns.high.append(tf.raw_ops.Max(input=rows, axis=axis))
        columns.mean.append(self._flat(mean))
        columns.squares.append(
            tf.raw_ops.Sum(input=tf.math.squared_difference(wide, mean), axis=axis)
        )
        odd = self._flat(tf.where(self._flat(tf.math.logical_not(tf.math.is_finite(mean)))))
        columns.odd.append(self._flat(tf.gather(rows, odd)))
        shift = self._constant(bins.SHIFT, tf.uint32)
        codes = tf.bitcast(tf.bitwise.right_shift(tf.bitcast(rows, tf.uint32), shift), tf.int32)
        # Each row of a matrix is counted by one thread, without partial counts to add up.
        columns.counts.append(
            tf.raw_ops.DenseBincount(
                input=codes,
                size=self._constant(bins.CODES),
                weights=self._constant((), tf.int32),
            )
        )

    def _count_channels(self, flat: Tensor, sampling: Sampling) -> None:
        shape = (sampling.examples, -1, sampling.shape[-1])
        above = tf.cast(tf.reshape(flat, self._constant(shape)) > 0, tf.float32)
        each = tf.raw_ops.Sum(input=above, axis=self._constant((1,)))
        total, axis = tf.raw_ops.Sum(input=each, axis=self._constant((0,))), self._constant((0,))
        self._columns.positions.append(total)
        self._columns.examples.append(tf.raw_ops.Sum(input=tf.sign(each), axis=axis))

    def _health(self, x: Tensor) -> Tensor:
        """Elements of the whole of `x` that are not finite, read only if there may be any.

        Where there is no witness the tensor is its own: a sum over all of it.
        """
        shown = witness(x)
        source = x if shown is None else shown
        if source.name not in self._sizes:
            self._sizes[source.name] = tf.math.is_finite(tf.reduce_sum(source))
        return tf.raw_ops.DebugNumericSummaryV2(
            input=self._unless(self._sizes[source.name], x),
            output_dtype=tf.float64,
            tensor_debug_mode=HEALTH,
        )

    def _unless(self, condition: Tensor, x: Tensor) -> Tensor:
        """Nothing of `x` (a slice of no rows) where `condition` holds, else all of it."""
        rank = len(x.shape)
        nothing, everything = self._constant((0, *[-1] * (rank - 1))), self._constant((-1,) * rank)
        size = tf.raw_ops.SelectV2(condition=condition, t=nothing, e=everything)
        return tf.raw_ops.Slice(input=x, begin=self._constant((0,) * rank), size=size)

    def _flat(self, x: Tensor) -> Tensor:
        return tf.reshape(x, self._constant((-1,)))

    def _constant(self, value: Any, dtype: Any = tf.int32) -> Tensor:
        """A constant, made once: each is an op to make, and to run in every step."""
        key = (value, dtype)
        if key not in self._constants:
            self._constants[key] = tf.constant(value, dtype)
        return self._constants[key]


def _as_float(x: Tensor) -> Tensor:
    """As float32; finite numbers beyond its range become the outermost that it has."""
    if x.dtype == tf.float32:
        return x
    if x.dtype == tf.float64:
        largest = tf.constant(tf.float32.max, tf.float64)
        x = tf.where(tf.math.is_inf(x), x, tf.clip_by_value(x, -largest, largest))
    return tf.cast(x, tf.float32)
