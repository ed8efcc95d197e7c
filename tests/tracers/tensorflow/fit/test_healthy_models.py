"""Healthy models that resemble mistakes: no rule may report a false positive."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.findings import check

Made = tuple[Any, Any, Any]
DRAWN = np.random.default_rng(0)
X = DRAWN.normal(size=(32, 6, 6, 2)).astype("float32")
CLASS = np.arange(32) % 3


def compiled(keras: Any, inputs: Any, flow: Any, loss: Any = None) -> Any:
    model = keras.Model(inputs, flow)
    model.compile("adam", loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def prelu(keras: Any) -> Made:
    layers, inputs = keras.layers, keras.Input((6, 6, 2))
    flow = inputs
    for _ in range(2):
        flow = layers.PReLU(shared_axes=[1, 2])(layers.Conv2D(4, 3, padding="same")(flow))
    return compiled(keras, inputs, layers.Dense(3)(layers.Flatten()(flow))), X, CLASS


def scaled_branches(keras: Any) -> Made:
    """Residual branches whose last kernel is initialized to zero."""
    layers, inputs = keras.layers, keras.Input((6, 6, 2))
    flow = layers.Dense(8)(layers.Flatten()(inputs))
    for _ in range(2):
        inner = layers.Dense(8, activation="gelu")(layers.LayerNormalization()(flow))
        flow = layers.Add()([flow, layers.Dense(8, kernel_initializer="zeros")(inner)])
    return compiled(keras, inputs, layers.Dense(3)(flow)), X, CLASS


def two_heads_of_zeros(keras: Any) -> Made:
    layers, inputs = keras.layers, keras.Input((6, 6, 2))
    flow = layers.Dense(8, activation="relu")(layers.Flatten()(inputs))
    heads = [layers.Dense(3, kernel_initializer="zeros")(flow) for _ in range(2)]
    return compiled(keras, inputs, layers.Add()(heads)), X, CLASS


def zero_state(keras: Any) -> Made:
    layers = keras.layers
    inputs, state = keras.Input((6, 12)), keras.Input((5,))
    flow = layers.GRU(5)(inputs, initial_state=state)
    x = [X.reshape(32, 6, 12), np.zeros((32, 5), "float32")]
    return compiled(keras, [inputs, state], layers.Dense(3)(flow)), x, CLASS


def two_towers(keras: Any) -> Made:
    layers, inputs = keras.layers, keras.Input((6, 6, 2))
    flow = layers.Flatten()(inputs)
    first, second = (layers.Dense(4)(flow) for _ in range(2))
    scores = layers.Dot(-1)([layers.Reshape((1, 4))(first), layers.Reshape((3, 4))(
        layers.Dense(12)(second))])  # fmt: skip
    return compiled(keras, inputs, layers.Flatten()(scores)), X, CLASS


def all_against_all(keras: Any) -> Made:
    """A supervised contrastive loss: it compares all pairs of examples on purpose."""
    ops, layers, inputs = keras.ops, keras.layers, keras.Input((6, 6, 2))

    def contrast(y: Any, logits: Any) -> Any:
        unit = logits / ops.norm(logits, axis=-1, keepdims=True)
        alike = ops.matmul(unit, ops.transpose(unit)) / 0.5
        flat = ops.reshape(y, (-1,))
        same = ops.cast(ops.equal(flat[:, None], flat), "float32")
        return -ops.mean(ops.log_softmax(alike) * same, axis=-1)

    flow = layers.Dense(8, activation="relu")(layers.Flatten()(inputs))
    return compiled(keras, inputs, layers.Dense(4)(flow), contrast), X, CLASS[:, None]


def maxout(keras: Any) -> Made:
    layers, inputs = keras.layers, keras.Input((6, 6, 2))
    flow = layers.Reshape((8, 4))(layers.Dense(32)(layers.Flatten()(inputs)))
    flow = layers.Lambda(lambda units: keras.ops.max(units, axis=-1))(flow)
    return compiled(keras, inputs, layers.Dense(3)(flow)), X, CLASS


def logits_for_every_step(keras: Any) -> Made:
    layers, ops, inputs = keras.layers, keras.ops, keras.Input((6, 12))

    def flattened(y: Any, logits: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(
            ops.reshape(y, (-1,)), logits, from_logits=True
        )

    flow = layers.Dense(8, activation="relu")(inputs)
    flow = layers.Lambda(lambda scores: ops.reshape(scores, (-1, 3)))(layers.Dense(3)(flow))
    y = np.tile(np.arange(6) % 3, (32, 1))
    return compiled(keras, inputs, flow, flattened), X.reshape(32, 6, 12), y


def small_last_layer(keras: Any) -> Made:
    layers, inputs = keras.layers, keras.Input((6, 6, 2))
    flow = layers.DepthwiseConv2D(3, depthwise_initializer=keras.initializers.RandomNormal(
        stddev=0.47))(inputs)  # fmt: skip
    flow = layers.Flatten()(layers.ReLU()(flow))
    small = keras.initializers.RandomUniform(-1e-4, 1e-4)
    return compiled(keras, inputs, layers.Dense(3, kernel_initializer=small)(flow)), X, CLASS


MODELS: tuple[Callable[[Any], Made], ...] = (
    prelu,
    scaled_branches,
    two_heads_of_zeros,
    zero_state,
    two_towers,
    all_against_all,
    maxout,
    logits_for_every_step,
    small_last_layer,
)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_no_false_positive(make: Callable[[Any], Made], tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    model, x, y = make(keras)
    recorder = api.Recorder(tmp_path / "fit.db", every=1)
    model.fit(x, y, batch_size=16, epochs=4, verbose=0, callbacks=[recorder])
    with api.open_run(tmp_path / "fit.db") as run:
        assert len(run.recorded_steps()) == 8
        assert [finding for finding in check(run) if finding.severity != "info"] == []
