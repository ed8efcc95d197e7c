"""Gathers samples of tapped tensors into a few vectors; `readings` computes summaries of them.

The device only copies a sample of each tensor, one after the other. The host computes counts and
moments of all tensors at once (`stats.many`). For a tensor that is larger than its sample, the
device also counts the elements of the whole tensor that are not finite, if possible by a witness.
For outputs of ReLUs it also computes which channels are positive anywhere. The costs are in
docs/how_it_works/cost.md.

The sizes of the vectors are known when the step is traced, even for batches of unknown size, so
that they fit into variables and XLA can compile them. The exception is a sample of 0, which takes
all elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import tensorflow as tf

from resnet_inspect.stats import Tap
from resnet_inspect.stats.sampling import GOLDEN, Sampling
from resnet_inspect.tracers.tensorflow.taps.points import Point
from resnet_inspect.tracers.tensorflow.taps.witness import witness

Tensor = Any
SMALL = 256  # elements of a tensor that is always taken whole
SAMPLES, SIZES, ODD, PEAKS, SCALARS = "samples", "sizes", "odd", "peaks", "scalars"
KINDS = {
    SAMPLES: tf.float32,  # of all taps, one after the other, padded with zeros
    SIZES: tf.int64,  # elements of each tensor of unknown size, and examples of some
    ODD: tf.int64,  # counts of NaN, +inf, -inf in each whole tensor that is checked: [checked, 3]
    PEAKS: tf.float32,  # the largest value in each channel of ReLU outputs
    SCALARS: tf.float64,
}


@dataclass(frozen=True)
class Placement:
    """How a tap samples its tensor.

    `sampling` is None for a tensor of unknown size. At most `runs` runs of `width` elements are
    taken of such a tensor, or all elements if `runs` is 0. `channels` is the number of channels to
    count. `per_example` is the number of elements of an example, None if it is gathered with the
    sizes. `checked`: the whole tensor is checked for values that are not finite. `same_as` is the
    number of an earlier tap of the same tensor.
    """

    tap: Tap
    sampling: Sampling | None = None
    runs: int = 0
    width: int = 1
    channels: int = 0
    per_example: int | None = None
    checked: bool = False
    same_as: int | None = None

    @property
    def empty(self) -> bool:
        """Whether the tensor has no elements. The values of such outputs may have another shape."""
        return self.sampling is not None and not self.sampling.elements


@dataclass
class _Gathered:
    """Tensors of all taps before they are concatenated."""

    samples: dict[int, list[Tensor]] = field(default_factory=dict)  # rows by their width
    sizes: list[Tensor] = field(default_factory=list)
    odd: list[Tensor] = field(default_factory=list)
    peaks: list[Tensor] = field(default_factory=list)


class Taps:
    """Taps of the tensors of one step.

    `sample` is the approximate number of elements to take of each tensor, 0 for all. `most` limits
    the elements of tensors of unknown size if `sample` is 0; 0 is no limit. `scalars` are scalar
    tensors by name, which are gathered, too.
    """

    def __init__(
        self,
        points: Sequence[Point],
        sample: int,
        scalars: Mapping[str, Tensor] | None = None,
        *,
        most: int = 0,
    ) -> None:
        self._sample = sample
        self._most = sample or most
        self._scalars = dict(scalars or {})
        self._points = list(points)
        known: dict[Any, int] = {}
        self.placed: list[Placement] = []
        for number, point in enumerate(self._points):
            first = known.setdefault(_identity(point.tensor), number)
            again = first != number
            place = Placement(point.tap, same_as=first) if again else self._place(point)
            self.placed.append(place)

    def __len__(self) -> int:
        """The number of tapped tensors."""
        return len(self.placed)

    @property
    def scalars(self) -> tuple[str, ...]:
        """The names of the scalars, in order."""
        return tuple(self._scalars)

    def _place(self, point: Point) -> Placement:
        x = point.tensor
        last = int(x.shape[-1]) if x.shape.rank and x.shape[-1] is not None else 0
        channels = last if point.channels and (x.shape.rank or 0) > 1 else 0
        if x.shape.is_fully_defined():
            small = x.shape.num_elements() <= SMALL
            sampling = Sampling.of(tuple(x.shape.as_list()), 0 if small else self._sample)
            checked = sampling.runs > 0 and x.dtype.is_floating
            return Placement(point.tap, sampling, channels=channels, checked=checked)
        width = max(last, 1) if (x.shape.rank or 0) > 1 else 1
        rest = x.shape[1:] if x.shape.rank else x.shape
        return Placement(
            point.tap,
            runs=max(1, max(SMALL, self._most) // width) if self._most else 0,
            width=width,
            channels=channels,
            per_example=rest.num_elements(),
            checked=x.dtype.is_floating and self._most > 0,
        )

    def shapes(self) -> dict[str, list[int | None]]:
        """The shapes of the vectors that `tensors` returns, by name."""
        own = [place for place in self.placed if place.same_as is None]
        unknown = [place for place in own if place.sampling is None]
        with_examples = sum(1 for place in unknown if place.channels and place.per_example is None)
        samples = sum(
            place.runs * place.width if place.sampling is None else place.sampling.taken
            for place in own
        )
        peaks = sum(place.channels for place in own if place.checked)
        return {
            SAMPLES: [samples if self._most or not unknown else None],
            SIZES: [len(unknown) + with_examples],
            ODD: [sum(place.checked for place in own), 3],
            PEAKS: [peaks],
            SCALARS: [len(self._scalars)],
        }

    def tensors(self, made: Callable[[Tensor], Tensor] = lambda x: x) -> dict[str, Tensor]:
        """The vectors to read, by the names of KINDS.

        `made` maps a tensor of the step to the tensor that is read instead. Call this after the
        step is traced, because witnesses are found in the complete graph.
        """
        gathered = _Gathered()
        constants = _Constants()
        own = [
            (place, point.tensor, _readable(made(point.tensor)))
            for place, point in zip(self.placed, self._points, strict=True)
            if place.same_as is None and not place.empty
        ]
        unknown = [(place, x) for place, _, x in own if place.sampling is None]
        rows_of_unknown = iter(_rows_of_unknown(unknown, gathered, constants))
        shown: dict[Any, Tensor] = {}
        for place, original, x in own:
            sampling = place.sampling
            rows = next(rows_of_unknown) if sampling is None else _rows(x, sampling, constants)
            gathered.samples.setdefault(int(rows.shape[-1]), []).append(_as_float(rows))
            if place.checked:
                gathered.odd.append(_odd(original, x, made, shown, constants))
                if place.channels:
                    axes = tuple(range(x.shape.rank - 1))
                    peak = tf.raw_ops.Max(input=x, axis=constants(axes))
                    gathered.peaks.append(_as_float(peak))
        return self._together(gathered, constants, made)

    def _together(
        self, gathered: _Gathered, constants: _Constants, made: Callable[[Tensor], Tensor]
    ) -> dict[str, Tensor]:
        flat = [
            tf.reshape(tf.concat(rows, 0), constants((-1,))) for rows in gathered.samples.values()
        ]
        samples = tf.concat(flat, 0) if flat else tf.zeros([0], tf.float32)
        (size,) = self.shapes()[SAMPLES]
        if size is not None and samples.shape.num_elements() != size:
            samples = tf.ensure_shape(tf.pad(samples, [[0, size - tf.size(samples)]]), [size])
        values = [tf.cast(made(scalar), tf.float64) for scalar in self._scalars.values()]
        return {
            SAMPLES: samples,
            SIZES: tf.stack(gathered.sizes) if gathered.sizes else tf.zeros([0], tf.int64),
            ODD: tf.stack(gathered.odd) if gathered.odd else tf.zeros([0, 3], tf.int64),
            PEAKS: tf.concat(gathered.peaks, 0) if gathered.peaks else tf.zeros([0], tf.float32),
            SCALARS: tf.stack(values) if values else tf.zeros([0], tf.float64),
        }

    def order(self) -> list[int]:
        """The numbers of taps in the order of their samples."""
        widths: dict[int, list[int]] = {}
        for number, place in enumerate(self.placed):
            if place.same_as is None and not place.empty:
                sampling = place.sampling
                width = place.width if sampling is None else sampling.width or 1
                widths.setdefault(width, []).append(number)
        return [number for numbers in widths.values() for number in numbers]


class _Constants:
    """Constants without duplicates: each is an op that is created, and runs in every step."""

    def __init__(self) -> None:
        self._known: dict[Any, Tensor] = {}

    def __call__(self, value: Any, dtype: Any = tf.int32) -> Tensor:
        key = (value, dtype)
        if key not in self._known:
            if isinstance(value, Sampling):
                self._known[key] = tf.constant(value.places(), dtype)
            else:
                self._known[key] = tf.constant(value, dtype)
        return self._known[key]


def _rows(x: Tensor, sampling: Sampling, constants: _Constants) -> Tensor:
    """The sample of a tensor of known size, as rows [runs, width]."""
    if sampling.runs == 0:
        return tf.raw_ops.Reshape(tensor=x, shape=constants((-1, 1)))
    rows = tf.raw_ops.Reshape(tensor=x, shape=constants((-1, sampling.width)))
    return tf.raw_ops.GatherV2(
        params=rows, indices=constants(sampling), axis=constants(0, tf.int32)
    )


def _rows_of_unknown(
    taps: list[tuple[Placement, Tensor]], gathered: _Gathered, constants: _Constants
) -> list[Tensor]:
    """The samples of tensors of unknown size, as rows [≤ runs, width].

    A sample has all rows of a tensor, or one row in each of `runs` equal parts. The indices of the
    rows are computed for all tensors together.
    """
    if not taps:
        return []
    sizes = [tf.size(x, tf.int64) for _, x in taps]
    gathered.sizes += sizes
    for place, x in taps:
        if place.channels and place.per_example is None:
            gathered.sizes.append(tf.shape(x, tf.int64)[0])
    samples: list[Tensor] = [None] * len(taps)
    by_runs: dict[int, list[int]] = {}
    for number, (place, _) in enumerate(taps):
        by_runs.setdefault(place.runs, []).append(number)
    for runs, numbers in by_runs.items():
        if not runs:
            for number in numbers:
                place, x = taps[number]
                samples[number] = tf.reshape(x, constants((-1, place.width)))
            continue
        widths = tf.constant([taps[number][0].width for number in numbers], tf.int64)
        among = tf.stack([sizes[number] for number in numbers]) // widths
        places, taken = _spread(among, runs)
        each = tf.unstack(places), tf.unstack(taken)
        for number, chosen, count in zip(numbers, *each, strict=True):
            place, x = taps[number]
            rows = tf.raw_ops.Reshape(tensor=x, shape=constants((-1, place.width)))
            indices = tf.raw_ops.Slice(
                input=chosen, begin=constants((0,), tf.int64), size=tf.reshape(count, (1,))
            )
            samples[number] = tf.raw_ops.GatherV2(params=rows, indices=indices, axis=constants(0))
    return samples


def _spread(among: Tensor, runs: int) -> tuple[Tensor, Tensor]:
    """Indices of the rows to take of tensors of `among` rows each, int64 [taps, runs], and the
    number of valid indices of each tensor, [taps]; see `stats.sampling`.
    """
    parts = tf.range(runs, dtype=tf.int64)[None]
    many = among[:, None]
    starts = parts * many // runs
    sizes = tf.cast((parts + 1) * many // runs - starts, tf.float64)
    within = tf.cast(tf.cast(parts, tf.float64) * GOLDEN % 1 * sizes, tf.int64)
    return tf.where(many > runs, starts + within, parts), tf.minimum(among, runs)


def _sum(x: Tensor, constants: _Constants) -> Tensor:
    """The sum of all elements."""
    if x.shape.rank is None:
        return tf.reduce_sum(x)
    return tf.raw_ops.Sum(input=x, axis=constants(tuple(range(x.shape.rank))))


def _odd(
    original: Tensor,
    x: Tensor,
    made: Callable[[Tensor], Tensor],
    shown: dict[Any, Tensor],
    constants: _Constants,
) -> Tensor:
    """The numbers of NaN, +inf and -inf in the whole tensor, int64 [3].

    They are counted only if the sum of a witness is not finite, or, without a witness, the sum of
    the tensor.
    """
    small = None if _has_value(original) else witness(original)
    source = _identity(original if small is None else small)
    if source not in shown:
        checked = x if small is None else made(small)
        shown[source] = tf.raw_ops.IsFinite(x=_sum(checked, constants))
    none, count = _counters(x.dtype)
    return tf.raw_ops.StatelessIf(
        cond=shown[source],
        input=[x],
        Tout=[tf.int64],
        then_branch=none,
        else_branch=count,
        output_shapes=[[3]],
    )[0]


@cache
def _counters(dtype: Any) -> tuple[Any, Any]:
    """Two functions of a tensor: the first returns zeros, the second the counts."""

    def none(x: Tensor) -> Tensor:
        del x
        return tf.zeros([3], tf.int64)

    def count(x: Tensor) -> Tensor:
        infinite = tf.constant(math.inf, x.dtype)
        tests = (tf.math.is_nan(x), tf.equal(x, infinite), tf.equal(x, -infinite))
        return tf.stack([tf.math.count_nonzero(test) for test in tests])

    with tf.init_scope():
        spec = tf.TensorSpec(None, dtype)
        zeros, counts = (
            tf.function(function, autograph=False).get_concrete_function(spec)
            for function in (none, count)
        )
    return zeros, counts


def _has_value(x: Tensor) -> bool:
    """Whether a tensor is an eager tensor, not a tensor of a graph."""
    return hasattr(x, "numpy")


def _identity(x: Tensor) -> Any:
    """A key that is equal only for the same tensor."""
    return id(x) if _has_value(x) else x.name


def _readable(x: Tensor) -> Tensor:
    """The tensor, cast to float32 if it is float8, which few ops accept."""
    return tf.cast(x, tf.float32) if x.dtype.is_floating and x.dtype.size == 1 else x


def _as_float(x: Tensor) -> Tensor:
    """The tensor as float32; finite values outside its range are clipped to it."""
    if x.dtype == tf.float32:
        return x
    if x.dtype == tf.float64:
        largest = tf.constant(tf.float32.max, tf.float64)
        x = tf.where(tf.math.is_inf(x), x, tf.clip_by_value(x, -largest, largest))
    return tf.cast(x, tf.float32)
