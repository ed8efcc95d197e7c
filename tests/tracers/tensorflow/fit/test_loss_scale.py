"""Trainings of mixed precision: the loss is told as it is before it is scaled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resnet_inspect

SCALE = 2.0**12
RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(32, 6)).astype(np.float32)
Y = (X[:, 0] > 0).astype(np.int32) + (X[:, 1] > 0)
WAYS = ("apply", "apply_gradients", "at_once")


@pytest.fixture(autouse=True)
def mixed() -> Iterator[None]:
    """The policy of a test ends with it."""
    import keras

    yield
    keras.mixed_precision.set_global_policy("float32")


def classifier() -> Any:
    """Dropout between two layers; answers in float32."""
    import keras

    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(3, dtype="float32"),
        ]
    )


def optimizer() -> Any:
    """The scale is doubled after two steps."""
    import keras

    return keras.optimizers.LossScaleOptimizer(
        keras.optimizers.AdamW(0.01, weight_decay=0.004),
        initial_scale=SCALE,
        dynamic_growth_steps=2,
    )


def cross_entropy() -> Any:
    import keras

    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def in_fit(recorder: Any) -> tuple[list[Any], list[float]]:
    """Weights after four steps of `fit`, and the loss of each."""
    import keras

    losses: list[float] = []
    model = classifier()
    model.compile(optimizer(), cross_entropy())
    each = keras.callbacks.LambdaCallback(on_epoch_end=lambda _, logs: losses.append(logs["loss"]))
    callbacks = [each, *([recorder] if recorder else [])]
    model.fit(X, Y, batch_size=32, epochs=4, shuffle=False, verbose=0, callbacks=callbacks)
    return [*model.get_weights(), *map(np.asarray, model.optimizer.variables)], losses


def in_a_loop(way: str, recorder: Any) -> tuple[list[Any], list[float]]:
    """The same of four steps of a loop of one's own; it returns no loss."""
    import tensorflow as tf

    model, scaling, loss_of = classifier(), optimizer(), cross_entropy()
    scaling.build(model.trainable_variables)
    losses: list[Any] = [tf.Variable(0.0) for _ in range(4)]

    def train_step(x: Any, y: Any, number: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
            scaled = scaling.scale_loss(loss)
        for k, one in enumerate(losses):
            one.assign(tf.where(number == k, loss, one))
        weights = model.trainable_variables
        gradients = tape.gradient(scaled, weights)
        if way == "apply":
            scaling.apply(gradients, weights)
        else:
            scaling.apply_gradients(zip(gradients, weights, strict=True))
        return {"size": tf.linalg.global_norm(gradients)}

    step = train_step if way == "at_once" else tf.function(train_step)
    if recorder:
        step = recorder.instrument(step)
    for number in range(4):
        step(tf.constant(X), tf.constant(Y), tf.constant(number))
    if recorder:
        recorder.close()
    return [*map(np.asarray, (*model.variables, *scaling.variables))], [
        float(one) for one in losses
    ]


def trained(way: str, recorder: Any = None) -> tuple[list[Any], list[float]]:
    """Train in float16, always from the same seed."""
    import keras

    keras.backend.clear_session()  # which forgets the policy, too
    keras.utils.set_random_seed(2)
    keras.mixed_precision.set_global_policy("mixed_float16")
    return in_fit(recorder) if way == "fit" else in_a_loop(way, recorder)


@pytest.mark.parametrize("way", ["fit", *WAYS])
def test_the_loss_is_told_unscaled_and_training_is_the_same(way: str, tmp_path: Path) -> None:
    plain, losses = trained(way)
    recorder = resnet_inspect.Recorder(tmp_path / "run.db", every=1)
    weights, again = trained(way, recorder)
    assert losses == again
    for one, other in zip(plain, weights, strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
    assert SCALE * 4 in [float(one) for one in weights if np.size(one) == 1]  # it has been doubled
    with resnet_inspect.open_run(tmp_path / "run.db") as run:
        scalars = run.scalars()
        assert [scalars["batch_loss"][k] for k in range(4)] == pytest.approx(losses, rel=1e-6)
        assert [scalars["loss"][k] for k in range(4)] == pytest.approx(losses, rel=1e-6)


@pytest.mark.parametrize("way", ["fit", *WAYS])
def test_the_optimizer_is_told_with_the_rate_of_the_one_inside(way: str, tmp_path: Path) -> None:
    trained(way, resnet_inspect.Recorder(tmp_path / "run.db", every=1))
    with resnet_inspect.open_run(tmp_path / "run.db") as run:
        assert run.info.settings.values()["optimizer"] == "LossScaleOptimizer"
        if way == "at_once":  # there is no graph of it to hang this on
            return
        told = run.graph.training
        assert told is not None
        assert told.optimizer == "lossscaleoptimizer"
        assert told.learning_rate == pytest.approx(0.01)
        assert told.decay
        assert "of the scaled loss" in "\n".join(note.text for note in run.graph.notes)
