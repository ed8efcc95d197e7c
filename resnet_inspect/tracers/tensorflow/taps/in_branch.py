"""Taps whose findings have the same size whatever the tensor's, and leave through variables.

A step compiled by somebody else (Keras' `fit`, perhaps by XLA, perhaps in a loop) returns what it
returns: what taps find is assigned to variables instead, in one branch that is only taken while
the host has set `wanted`. Sizes of batches are often unknown when a step is traced, so a tensor
becomes a row of NUMBERS and one of counts by bin, whatever its shape; see `stats.bins`.

Of a large tensor a sample is summarized, spread as `stats.sampling` does; what is not finite is
counted in the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.python.ops.resource_variable_ops import ResourceVariable

from resnet_inspect.stats import ChannelActivity, NotFinite, Sketch, Tap, TensorSummary, bins
from resnet_inspect.stats.sampling import GOLDEN, WHOLE
from resnet_inspect.tracers.tensorflow.taps.in_graph import Point
from resnet_inspect.tracers.tensorflow.taps.readings import Readings

Tensor = Any
# Of the whole: elements, NaN, +inf, -inf. Of the sample: elements, and of its finite ones minimum,
# maximum, mean, sum of squares without the mean. Last the number of examples.
NUMBERS = 10
# Ops that TensorFlow puts together with others.
REORDERED = frozenset(
    (
        *("Add", "AddV2", "AddN", "Sub", "Mul", "RealDiv", "Neg", "Square", "SquaredDifference"),
        *("Cast", "Reshape", "Transpose", "Sum"),  # some sums are over no axis, and vanish
    )
)
# Ops that TensorFlow may put into one kernel with those that take their output: a convolution with
# its bias and activation, a GELU, a Swish. A fused kernel rounds in another way than its parts.
ELEMENTWISE = frozenset(
    (
        *("BiasAdd", "Squeeze", "Relu", "Relu6", "Elu", "LeakyRelu", "Sigmoid", "Tanh"),
        *("Erf", "Erfc", "Softplus", "Pow", "Rsqrt", "Maximum", "FusedBatchNorm"),
        *("FusedBatchNormV2", "FusedBatchNormV3"),
    )
)
CONTRACTIONS = frozenset(
    ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "MatMul", "BatchMatMulV2", "BatchMatMulV3")
)
HANDS_ON = frozenset(("Identity", "IdentityN", "StopGradient", "PreventGradient"))
# What TensorFlow need not ask a tensor for once shapes are known.
ONLY_SHAPES = frozenset(("Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"))
INFINITE = bins.HALF - bins.LOWEST  # the code of +inf; those up to HALF are NaN


class FixedTaps:
    """Taps of one trace. Make it where variables may be made, `write` where the step ends.

    Variables are put on `device`, if one is given.
    """

    def __init__(
        self,
        points: Sequence[Point],
        sample: int,
        scalars: Mapping[str, Tensor],
        device: str = "",
    ) -> None:
        self._points = list(points)
        self._sample = sample
        self._scalars = dict(scalars)
        self._channels = [p for p in self._points if p.channels and p.tensor.shape[-1] is not None]
        widths = [int(point.tensor.shape[-1]) for point in self._channels]
        count = len(self._points)
        with tf.init_scope(), tf.device(device or None):
            self._numbers = _variable([count, NUMBERS], tf.float64)
            self._counts = _variable([count, bins.CODES], tf.int32)
            self._active = _variable([2, sum(widths)], tf.int32)
            self._values = _variable([len(self._scalars)], tf.float64)

    def __len__(self) -> int:
        """How many tensors are tapped."""
        return len(self._points)

    def write(
        self,
        wanted: tf.Variable,
        ran: tf.Variable,
        number: int,
        *,
        beside: Callable[[], None] | None = None,
    ) -> None:
        """Add the branch that assigns all findings, and `number` to `ran`, if `wanted` is set;
        `beside` adds more to it.
        """

        def findings() -> Tensor:
            made = _MadeAgain()
            tensors = [made(point.tensor) for point in self._points]
            rows = [summary(tensor, self._sample) for tensor in tensors]
            if rows:
                self._numbers.assign(tf.stack([numbers for numbers, _ in rows]))
                self._counts.assign(tf.stack([counts for _, counts in rows]))
            if self._channels:
                parts = [_activity(made(point.tensor)) for point in self._channels]
                self._active.assign(tf.concat(parts, axis=1))
            if self._scalars:
                values = [tf.cast(made(value), tf.float64) for value in self._scalars.values()]
                self._values.assign(tf.stack(values))
            if beside is not None:
                beside()
            ran.assign(number)
            return tf.constant(0)

        tf.cond(wanted, findings, lambda: tf.constant(0))

    def read(self) -> tuple[Readings, dict[str, float]]:
        """What was assigned last, and the scalars."""
        numbers, counts = self._numbers.numpy(), self._counts.numpy()
        found = Readings()
        examples = {}
        for point, row, dense in zip(self._points, numbers, counts, strict=True):
            keep(found, point.tap, row, dense)
            examples[point.tap] = int(row[-1])
        active, start = self._active.numpy().astype(np.int64), 0
        for point in self._channels:
            width, of = int(point.tensor.shape[-1]), examples[point.tap]
            positions, seen = active[:, start : start + width]
            start += width
            whole = found.sizes[point.tap]
            each = whole // max(of * width, 1)
            found.channels[point.tap] = ChannelActivity(positions, seen, each * of, of)
        return found, dict(zip(self._scalars, self._values.numpy().tolist(), strict=True))


class _MadeAgain:
    """Tensors of the step, made again in the branch from what TensorFlow leaves as it is.

    TensorFlow multiplies a·b·c in another order if nobody else wants a·b, and does a convolution
    with its bias and activation at once if nobody else wants what is between. To want it would
    change the last bits of a training, so such tensors are wanted from nobody but worked out again.
    """

    def __init__(self) -> None:
        self._graph = tf.compat.v1.get_default_graph()
        self._known: dict[str, Tensor] = {}

    def __call__(self, x: Tensor) -> Tensor:
        """The same numbers as `x`, up to rounding."""
        op = x.op
        if op.graph is self._graph:
            return x
        if op.type in HANDS_ON:
            return self(op.inputs[x.value_index])
        if op.type not in REORDERED and not _may_vanish(x):
            return x
        if x.name not in self._known:
            attributes = dict(op.node_def.attr)
            inputs = [self(one) for one in op.inputs]
            kinds = [one.dtype for one in op.outputs]
            again = self._graph.create_op(op.type, inputs, kinds, attrs=attributes)
            for made, one in zip(again.outputs, op.outputs, strict=True):
                made.set_shape(one.shape)
                self._known[one.name] = made
        return self._known[x.name]


def _may_vanish(x: Tensor) -> bool:
    """Whether TensorFlow may fuse the op of a tensor with all that take the tensor."""
    kind = x.op.type
    if kind == "Pad":
        into = CONTRACTIONS
    elif kind in CONTRACTIONS or kind in ELEMENTWISE:
        into = REORDERED | ELEMENTWISE
    else:
        return False
    takers = {one.type for one in _takers(x)}
    return bool(takers) and takers <= into


def _takers(x: Tensor) -> Iterator[Any]:
    """The ops that take what is in a tensor."""
    for op in x.consumers():
        if op.type in HANDS_ON:
            for one, handed in zip(op.inputs, op.outputs, strict=True):
                if one.name == x.name:
                    yield from _takers(handed)
        elif op.type not in ONLY_SHAPES:
            yield op


def summary(x: Tensor, sample: int) -> tuple[Tensor, Tensor]:
    """The NUMBERS and the counts by code of a tensor, ops of the graph or at once."""
    width = (x.shape[-1] if x.shape.rank and x.shape.rank > 1 else 1) or 1
    examples = tf.shape(x, tf.int64)[0] if x.shape.rank else tf.constant(1, tf.int64)
    return tuple(_summarizer(sample, width)(tf.reshape(_as_float(x), [-1, width]), examples))


@cache
def _summarizer(sample: int, width: int) -> Any:
    """One graph for all tensors of a width, called from each: a tenth of the ops to make."""

    def summarize(rows: Tensor, examples: Tensor) -> tuple[Tensor, Tensor]:
        taken = _sampled(rows, sample, width)
        finite = tf.math.is_finite(taken)
        wide = tf.cast(tf.where(finite, taken, 0.0), tf.float64)
        count = tf.maximum(tf.reduce_sum(tf.cast(finite, tf.float64)), 1.0)
        mean = tf.reduce_sum(wide) / count
        squares = tf.where(finite, tf.math.squared_difference(wide, mean), 0.0)
        low, high = tf.where(finite, taken, np.inf), tf.where(finite, taken, -np.inf)
        total = tf.reduce_sum(rows)
        odd = tf.cond(tf.math.is_finite(total), lambda: tf.zeros([3], tf.int64), lambda: _odd(rows))
        counted = [tf.size(rows, tf.int64), *tf.unstack(odd), tf.size(taken, tf.int64)]
        moments = [tf.reduce_min(low), tf.reduce_max(high), mean, tf.reduce_sum(squares)]
        shift = tf.constant(bins.SHIFT, tf.uint32)
        codes = tf.bitcast(tf.bitwise.right_shift(tf.bitcast(taken, tf.uint32), shift), tf.int32)
        none = tf.zeros([0], tf.int32)
        counts = tf.raw_ops.DenseBincount(input=codes, size=bins.CODES, weights=none)
        numbers = [*counted, *moments, examples]
        return tf.stack([tf.cast(one, tf.float64) for one in numbers]), counts

    specs = tf.TensorSpec([None, width], tf.float32), tf.TensorSpec([], tf.int64)
    return tf.function(summarize, input_signature=specs, autograph=False)


def keep(found: Readings, tap: Tap, numbers: NDArray[Any], counts: NDArray[Any]) -> None:
    """Add what a row of NUMBERS and one of counts say of a tap."""
    size, nan, posinf, neginf, taken = (int(one) for one in numbers[:5])
    low, high, mean, squares = (float(one) for one in numbers[5:9])
    half = bins.HALF
    infinite = int(counts[INFINITE]), int(counts[half + INFINITE])
    odd = int(counts[INFINITE + 1 : half].sum() + counts[half + INFINITE + 1 :].sum())
    finite = taken - odd - sum(infinite)
    std = (squares / finite) ** 0.5 if finite and low < high else 0.0
    found.summaries[tap] = TensorSummary(
        count=taken,
        nan=odd,
        posinf=infinite[0],
        neginf=infinite[1],
        zeros=int(counts[0] + counts[half]),
        min=low if finite else None,
        max=high if finite else None,
        mean=min(max(mean, low), high) if finite else None,
        std=std if finite else None,
        sketch=Sketch.from_codes(counts),
    )
    found.sizes[tap] = size
    if nan or posinf or neginf:
        found.not_finite[tap] = NotFinite(nan, posinf, neginf)


def _sampled(rows: Tensor, sample: int, width: int) -> Tensor:
    """About `sample` elements, flat: whole rows, one in each equal part; all for 0."""
    if not sample:
        return tf.reshape(rows, [-1])
    among = tf.shape(rows, tf.int64)[0]
    large = tf.size(rows, tf.int64) > WHOLE * sample
    runs = tf.where(large, tf.constant(max(1, sample // width), tf.int64), among)
    parts = tf.range(runs)
    starts = parts * among // tf.maximum(runs, 1)
    room = tf.cast((parts + 1) * among // tf.maximum(runs, 1) - starts, tf.float64)
    within = tf.cast(tf.cast(parts, tf.float64) * GOLDEN % 1 * room, tf.int64)
    return tf.reshape(tf.gather(rows, starts + within), [-1])


def _odd(x: Tensor) -> Tensor:
    """How many elements are NaN, +inf, -inf: int64 [3]."""
    tests = (tf.math.is_nan(x), tf.equal(x, np.inf), tf.equal(x, -np.inf))
    return tf.stack([tf.math.count_nonzero(one) for one in tests])


def _activity(x: Tensor) -> Tensor:
    """For each channel of a ReLU's output [examples, …, channels] at how many positions it is
    above 0, and in how many examples anywhere: int32 [2, channels].
    """
    above = tf.cast(x > 0, tf.int32)
    each = tf.reduce_sum(above, list(range(1, x.shape.rank - 1))) if x.shape.rank > 2 else above
    return tf.stack([tf.reduce_sum(each, 0), tf.reduce_sum(tf.cast(each > 0, tf.int32), 0)])


def _as_float(x: Tensor) -> Tensor:
    """As float32; finite numbers beyond its range become the outermost that it has."""
    if x.dtype == tf.float64:
        largest = tf.constant(tf.float32.max, tf.float64)
        x = tf.where(tf.math.is_inf(x), x, tf.clip_by_value(x, -largest, largest))
    return tf.cast(x, tf.float32)


def _variable(shape: list[int], dtype: Any) -> tf.Variable:
    """A plain variable: whoever traces the step wants to know of each `tf.Variable` made in it."""
    return ResourceVariable(tf.zeros(shape, dtype), trainable=False)
