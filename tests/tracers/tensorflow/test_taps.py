"""What taps compute in the graph, against NumPy on the same values obtained by another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.stats import TensorSummary
from tests.tracers.tensorflow.conftest import session


def assert_same(found: TensorSummary, wanted: TensorSummary, name: str) -> None:
    """Counts and histogram exactly, moments to 1e-5 relative."""
    for field in ("count", "nan", "posinf", "neginf", "zeros", "min", "max"):
        assert getattr(found, field) == getattr(wanted, field), (name, field)
    assert found.sketch == wanted.sketch, name
    for field in ("mean", "std"):
        value = getattr(wanted, field)
        expected = None if value is None else pytest.approx(value, rel=1e-5)
        assert getattr(found, field) == expected, (name, field)


@pytest.mark.parametrize("ver", [1, 2])
def test_every_layer_at_every_step_agrees_with_numpy(ver: int) -> None:
    from tests.tracers.tensorflow.reference_runs import Forward, weights_of

    made = session(ver=ver, steps=3)
    made.build()
    forward = Forward(ver)
    for step in range(3):
        weights = weights_of(made.variables)
        images, _ = made._batches.batch(step)
        record = made.step(step)
        activations = forward(weights, images)
        assert [tap.layer for tap in record.summaries] == list(activations)
        for tap, summary in record.summaries.items():
            assert tap.kind == "activation"
            assert_same(summary, TensorSummary.of(activations[tap.layer]), tap.layer)


VALUES: dict[str, Any] = {
    "ordinary": np.random.default_rng(0).normal(size=(7, 11, 3)),
    "some not finite": [0.0, -0.0, np.nan, np.inf, -np.inf, np.nan, 1.5, -2.5],
    "none finite": [np.nan, np.inf, -np.inf],
    "all zero": np.zeros(100),
    "large mean": 1e6 + np.random.default_rng(1).normal(size=5000),
    "huge": [1e30, -1e30, 3e38, -3e38],
    "scalar": 3.0,
    "empty": np.zeros((0, 5)),
}


@pytest.mark.parametrize("beside", ["ordinary", "some not finite"])
def test_planted_values(beside: str) -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow import taps

    arrays: dict[str, NDArray[np.float32]] = {
        name: np.asarray(value, np.float32)
        for name, value in VALUES.items()
        if beside == "some not finite" or np.isfinite(value).all()
    }
    call = tf.function(taps.summarize, autograph=False)
    counts, moments = call([tf.constant(a) for a in arrays.values()], tf.constant(True))
    found = taps.read(counts.numpy(), moments.numpy())
    for summary, (name, array) in zip(found, arrays.items(), strict=True):
        assert_same(summary, TensorSummary.of(array), name)


def test_half_precision_is_summarized_as_the_floats_it_holds() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow import taps

    array = np.random.default_rng(2).normal(size=300)
    for dtype in (tf.float16, tf.bfloat16):
        tensor = tf.cast(tf.constant(array), dtype)
        counts, moments = taps.summarize([tensor], tf.constant(True))
        (found,) = taps.read(counts.numpy(), moments.numpy())
        assert_same(found, TensorSummary.of(tf.cast(tensor, tf.float32).numpy()), dtype.name)


def test_an_unrecorded_step_brings_nothing() -> None:
    made = session(steps=5, every=4)
    made.build()
    assert len(made.step(0).summaries) == 31
    assert made.step(1).summaries == {}
