"""Gathers what is looked at of tensors into a few vectors; `readings` makes summaries of them.

The device only copies: a sample of each tensor, all samples one behind the other. Counting and
moments are the host's, of all tensors at once (`stats.many`). Of what is larger than its sample the
device also says what is not finite in the whole, where possible by a witness, and in which channels
a ReLU is above 0 anywhere. How it came to be so, and what it costs: docs/taps.md.

The vectors have sizes that are known when the step is traced, also where those of the batch are
not, unless everything is to be taken (a sample of 0): variables can hold them, and XLA can compile
what makes them.
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
    SAMPLES: tf.float32,  # of all taps, one behind the other; zeros behind them
    SIZES: tf.int64,  # elements of each tensor of unknown size, and examples of some
    ODD: tf.int64,  # NaN, +inf, -inf in the whole of each tensor that is checked: [checked, 3]
    PEAKS: tf.float32,  # the largest number in each channel of ReLUs' outputs
    SCALARS: tf.float64,
}


@dataclass(frozen=True)
class Placed:
    """A tap as it was placed. `sampling` is None for a tensor of unknown size, of which `runs` of
    `width` elements are taken, fewer where there are fewer, all for 0 runs.

    `channels` is how many there are to count, `per_example` of how many elements an example then
    consists (None: that is told with the sizes); `checked`: the whole is looked at apart from the
    sample; `same_as` is the number of an earlier tap of the same tensor.
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
        """Whether there is nothing to take: what ops reserve need not have the shape it says."""
        return self.sampling is not None and not self.sampling.elements


@dataclass
class _Gathered:
    """Tensors of all taps, to be put together."""

    samples: dict[int, list[Tensor]] = field(default_factory=dict)  # rows by their width
    sizes: list[Tensor] = field(default_factory=list)
    odd: list[Tensor] = field(default_factory=list)
    peaks: list[Tensor] = field(default_factory=list)


class Taps:
    """Taps of the tensors of one step. `sample` is about how many elements are taken of each, 0 for
    all, but of tensors of unknown size at most `most`, if that is given; `scalars` are single
    numbers by name, which come along.
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
        self.placed: list[Placed] = []
        for number, point in enumerate(self._points):
            first = known.setdefault(_identity(point.tensor), number)
            again = first != number
            place = Placed(point.tap, same_as=first) if again else self._place(point)
            self.placed.append(place)

    def __len__(self) -> int:
        """How many tensors are tapped."""
        return len(self.placed)

    @property
    def scalars(self) -> tuple[str, ...]:
        """The names of the scalars, in their order."""
        return tuple(self._scalars)

    def _place(self, point: Point) -> Placed:
        x = point.tensor
        last = int(x.shape[-1]) if x.shape.rank and x.shape[-1] is not None else 0
        channels = last if point.channels and (x.shape.rank or 0) > 1 else 0
        if x.shape.is_fully_defined():
            small = x.shape.num_elements() <= SMALL
            sampling = Sampling.of(tuple(x.shape.as_list()), 0 if small else self._sample)
            checked = sampling.runs > 0 and x.dtype.is_floating
            return Placed(point.tap, sampling, channels=channels, checked=checked)
        width = max(last, 1) if (x.shape.rank or 0) > 1 else 1
        rest = x.shape[1:] if x.shape.rank else x.shape
        return Placed(
            point.tap,
            runs=max(1, max(SMALL, self._most) // width) if self._most else 0,
            width=width,
            channels=channels,
            per_example=rest.num_elements(),
            checked=x.dtype.is_floating and self._most > 0,
        )

    def shapes(self) -> dict[str, list[int | None]]:
        """The shapes of what `tensors` gives."""
        own = [one for one in self.placed if one.same_as is None]
        unknown = [one for one in own if one.sampling is None]
        told = sum(1 for one in unknown if one.channels and one.per_example is None)
        samples = sum(
            one.sampling.taken if one.sampling is not None else one.runs * one.width for one in own
        )
        peaks = sum(one.channels for one in own if one.checked)
        return {
            SAMPLES: [samples if self._most or not unknown else None],
            SIZES: [len(unknown) + told],
            ODD: [sum(one.checked for one in own), 3],
            PEAKS: [peaks],
            SCALARS: [len(self._scalars)],
        }

    def tensors(self, made: Callable[[Tensor], Tensor] = lambda x: x) -> dict[str, Tensor]:
        """What is to be read, each of KINDS; `made` gives the tensor that is looked at in place of
        one of the step. To be called once the step is traced: a witness must exist by then.
        """
        gathered = _Gathered()
        constants = _Constants()
        own = [
            (place, point.tensor, _readable(made(point.tensor)))
            for place, point in zip(self.placed, self._points, strict=True)
            if place.same_as is None and not place.empty
        ]
        unknown = [(place, x) for place, _, x in own if place.sampling is None]
        found = iter(_rows_of_unknown(unknown, gathered, constants))
        shown: dict[Any, Tensor] = {}
        for place, original, x in own:
            sampling = place.sampling
            rows = next(found) if sampling is None else _rows(x, sampling, constants)
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
        values = [tf.cast(made(one), tf.float64) for one in self._scalars.values()]
        return {
            SAMPLES: samples,
            SIZES: tf.stack(gathered.sizes) if gathered.sizes else tf.zeros([0], tf.int64),
            ODD: tf.stack(gathered.odd) if gathered.odd else tf.zeros([0, 3], tf.int64),
            PEAKS: tf.concat(gathered.peaks, 0) if gathered.peaks else tf.zeros([0], tf.float32),
            SCALARS: tf.stack(values) if values else tf.zeros([0], tf.float64),
        }

    def order(self) -> list[int]:
        """The numbers of taps in the order in which their samples lie."""
        widths: dict[int, list[int]] = {}
        for number, place in enumerate(self.placed):
            if place.same_as is None and not place.empty:
                sampling = place.sampling
                width = place.width if sampling is None else sampling.width or 1
                widths.setdefault(width, []).append(number)
        return [number for numbers in widths.values() for number in numbers]


class _Constants:
    """Constants, each made once: every one is an op to make, and to run in every step."""

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
    taps: list[tuple[Placed, Tensor]], gathered: _Gathered, constants: _Constants
) -> list[Tensor]:
    """The samples of tensors of unknown size, as rows [≤ runs, width]: all rows where they are few,
    else one in each of as many equal parts. Which ones is worked out for all tensors together.
    """
    if not taps:
        return []
    sizes = [tf.size(x, tf.int64) for _, x in taps]
    gathered.sizes += sizes
    for place, x in taps:
        if place.channels and place.per_example is None:
            gathered.sizes.append(tf.shape(x, tf.int64)[0])
    found: list[Tensor] = [None] * len(taps)
    by_runs: dict[int, list[int]] = {}
    for number, (place, _) in enumerate(taps):
        by_runs.setdefault(place.runs, []).append(number)
    for runs, numbers in by_runs.items():
        if not runs:
            for number in numbers:
                place, x = taps[number]
                found[number] = tf.reshape(x, constants((-1, place.width)))
            continue
        widths = tf.constant([taps[number][0].width for number in numbers], tf.int64)
        among = tf.stack([sizes[number] for number in numbers]) // widths
        places, taken = _spread(among, runs)
        each = tf.unstack(places), tf.unstack(taken)
        for number, chosen, count in zip(numbers, *each, strict=True):
            place, x = taps[number]
            rows = tf.raw_ops.Reshape(tensor=x, shape=constants((-1, place.width)))
            some = tf.raw_ops.Slice(
                input=chosen, begin=constants((0,), tf.int64), size=tf.reshape(count, (1,))
            )
            found[number] = tf.raw_ops.GatherV2(params=rows, indices=some, axis=constants(0))
    return found


def _spread(among: Tensor, runs: int) -> tuple[Tensor, Tensor]:
    """Which rows to take of tensors of `among` rows each, int64 [taps, runs], and how many of
    these; see `stats.sampling`.
    """
    parts = tf.range(runs, dtype=tf.int64)[None]
    many = among[:, None]
    starts = parts * many // runs
    room = tf.cast((parts + 1) * many // runs - starts, tf.float64)
    within = tf.cast(tf.cast(parts, tf.float64) * GOLDEN % 1 * room, tf.int64)
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
    """How many elements of the whole are NaN, +inf, -inf: int64 [3]. They are counted only if there
    may be any: where there is no witness the tensor is its own, by a sum over all of it.
    """
    seen = None if _has_value(original) else witness(original)
    source = _identity(original if seen is None else seen)
    if source not in shown:
        looked_at = x if seen is None else made(seen)
        shown[source] = tf.raw_ops.IsFinite(x=_sum(looked_at, constants))
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
    """Two functions of a tensor: no counts, and counts."""

    def none(x: Tensor) -> Tensor:
        del x
        return tf.zeros([3], tf.int64)

    def count(x: Tensor) -> Tensor:
        infinite = tf.constant(math.inf, x.dtype)
        tests = (tf.math.is_nan(x), tf.equal(x, infinite), tf.equal(x, -infinite))
        return tf.stack([tf.math.count_nonzero(one) for one in tests])

    with tf.init_scope():
        spec = tf.TensorSpec(None, dtype)
        made = [tf.function(one, autograph=False) for one in (none, count)]
        functions = [one.get_concrete_function(spec) for one in made]
    return functions[0], functions[1]


def _has_value(x: Tensor) -> bool:
    """Whether a tensor is none of a graph."""
    return hasattr(x, "numpy")


def _identity(x: Tensor) -> Any:
    """What is the same for the same tensor."""
    return id(x) if _has_value(x) else x.name


def _readable(x: Tensor) -> Tensor:
    """A tensor of a type that ops take: few do float8."""
    return tf.cast(x, tf.float32) if x.dtype.is_floating and x.dtype.size == 1 else x


def _as_float(x: Tensor) -> Tensor:
    """As float32; finite numbers beyond its range become the outermost that it has."""
    if x.dtype == tf.float32:
        return x
    if x.dtype == tf.float64:
        largest = tf.constant(tf.float32.max, tf.float64)
        x = tf.where(tf.math.is_inf(x), x, tf.clip_by_value(x, -largest, largest))
    return tf.cast(x, tf.float32)
