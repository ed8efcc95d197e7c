"""Readings of branch taps agree with NumPy, in a graph, under XLA and for any shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from resnet_inspect.stats import Sketch, Tap, TensorSummary
from resnet_inspect.stats.sampling import Sampling, spread

TAP = Tap("layer", "activation", "layer:0")
ODD = np.array([[1.5, np.nan, np.inf], [0.0, -np.inf, -2.0], [np.nan, 3e38, -3e38]], np.float32)


def tapped(values: Any, sample: int = 0, jit: bool = False, shape: Any = None) -> Any:
    """The readings of a function that taps `values`; its argument has `shape`."""
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.in_branch import BranchTaps
    from resnet_inspect.tracers.tensorflow.taps.points import Point

    wanted, ran = tf.Variable(True), tf.Variable(0)
    taps: list[Any] = []

    @tf.function(  # type: ignore[untyped-decorator]
        input_signature=[tf.TensorSpec(values.shape if shape is None else shape, values.dtype)],
        jit_compile=jit,
        autograph=False,
    )
    def step(x: Any) -> Any:
        if not taps:
            taps.append(
                BranchTaps([Point(TAP, x, channels=True)], sample, {"first": tf.reduce_max(x)})
            )
        taps[0].write(wanted, ran, 3)
        return x

    step(values)
    assert ran.numpy() == 3
    wanted.assign(False)
    step(np.zeros_like(values))  # must not change the readings
    return taps[0].read()


@pytest.mark.parametrize("jit", [False, True])
@pytest.mark.parametrize("shape", [None, [None, 6, 5]])
def test_readings_agree_with_numpy(jit: bool, shape: Any) -> None:
    values = np.maximum(np.random.default_rng(0).normal(size=(7, 6, 5)), 0).astype(np.float32)
    readings = tapped(values, jit=jit, shape=shape)
    summary, expected = readings.summaries[TAP], TensorSummary.of(values)
    assert (summary.count, summary.zeros, summary.nan) == (expected.count, expected.zeros, 0)
    assert (summary.mean, summary.std) == pytest.approx((expected.mean, expected.std), rel=1e-12)
    assert (summary.min, summary.max) == (expected.min, expected.max)
    assert summary.sketch == Sketch.of(values)
    assert readings.sizes[TAP] == values.size
    assert not readings.not_finite
    active = readings.channels[TAP]
    assert active.active.tolist() == (values > 0).sum((0, 1)).tolist()
    assert active.examples.tolist() == (values > 0).any(1).sum(0).tolist()
    assert (active.positions, active.of) == (42, 7)
    assert readings.scalars == {"first": values.max()}


def test_values_that_are_not_finite_are_counted() -> None:
    readings = tapped(ODD)
    summary, expected = readings.summaries[TAP], TensorSummary.of(ODD)
    assert (summary.nan, summary.posinf, summary.neginf) == (2, 1, 1)
    assert (expected.nan, expected.posinf, expected.neginf) == (2, 1, 1)
    assert (summary.min, summary.max, summary.zeros) == (expected.min, expected.max, expected.zeros)
    assert (summary.mean, summary.std) == pytest.approx((expected.mean, expected.std), rel=1e-12)
    bad = readings.not_finite[TAP]
    assert (bad.nan, bad.posinf, bad.neginf) == (2, 1, 1)


def test_the_sample_is_the_same_as_on_the_host_and_the_whole_is_checked() -> None:
    values = np.random.default_rng(1).normal(size=(64, 4, 32)).astype(np.float32)
    sampling = Sampling.of(values.shape, 1024)
    values.reshape(-1)[np.setdiff1d(np.arange(values.size), _taken(sampling))[:2]] = np.nan
    readings = tapped(values, sample=1024, shape=[None, 4, 32])
    assert readings.summaries[TAP].sketch == Sketch.of(sampling.take(values))
    assert readings.summaries[TAP].nan == 0
    assert readings.not_finite[TAP].nan == 2
    assert readings.sizes[TAP] == values.size


def _taken(sampling: Sampling) -> Any:
    return sampling.take(np.arange(sampling.elements).reshape(sampling.shape))


@pytest.mark.parametrize("dtype", ["float16", "float64", "int32", "bool"])
def test_other_types_become_float32(dtype: str) -> None:
    values = np.array([[0, 1], [1, 0]]).astype(dtype)
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.points import Point
    from resnet_inspect.tracers.tensorflow.taps.readings import read
    from resnet_inspect.tracers.tensorflow.taps.taps import Taps

    taps = Taps([Point(TAP, tf.constant(values))], 0)
    readings = read(taps, {name: vector.numpy() for name, vector in taps.tensors().items()})
    assert (readings.summaries[TAP].mean, readings.summaries[TAP].zeros) == (0.5, 2)


def test_a_scalar_and_an_empty_tensor() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.taps.points import Point
    from resnet_inspect.tracers.tensorflow.taps.readings import read
    from resnet_inspect.tracers.tensorflow.taps.taps import Taps

    for values, mean in ((tf.constant(2.5), 2.5), (tf.zeros([0, 3]), None)):
        taps = Taps([Point(TAP, values)], 16)
        readings = read(taps, {name: vector.numpy() for name, vector in taps.tensors().items()})
        assert readings.summaries[TAP].mean == mean


@pytest.mark.parametrize("jit", [False, True])
def test_channels_of_a_sample_of_unknown_size(jit: bool) -> None:
    values = np.maximum(np.random.default_rng(2).normal(size=(64, 4, 32)), 0).astype(np.float32)
    values[..., 3] = values[..., 5] = 0
    rows = spread(256, 32)
    (missed, *_) = np.setdiff1d(np.arange(256), rows)
    values.reshape(256, 32)[missed, 3] = 1
    activity = tapped(values, sample=1024, jit=jit, shape=[None, 4, 32]).channels[TAP]
    taken = values.reshape(256, 32)[rows] > 0
    active = taken.sum(0)
    examples = np.array([len(np.unique(rows[channel] // 4)) for channel in taken.T])
    active[3] = examples[3] = 1  # positive only outside of the sample
    assert activity.active.tolist() == active.tolist()
    assert activity.examples.tolist() == examples.tolist()
    assert (activity.positions, activity.of) == (32, 32)
    assert np.flatnonzero(activity.dead).tolist() == [5]
