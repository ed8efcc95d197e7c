"""Trainings in mixed precision: the recorded loss is the unscaled one."""

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
WAYS = ("apply", "apply_gradients", "eager")


@pytest.fixture(autouse=True)
def mixed() -> Iterator[None]:
    """Restore the policy after each test."""
    import keras

    yield
    keras.mixed_precision.set_global_policy("float32")


def classifier() -> Any:
    """Dropout between two layers; logits in float32."""
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
    """An optimizer that doubles its scale after two steps."""
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
    """Weights after four steps of a loop that returns no loss, and the loss of each step."""
    import tensorflow as tf

    model, scaling, loss_of = classifier(), optimizer(), cross_entropy()
    scaling.build(model.trainable_variables)
    losses: list[Any] = [tf.Variable(0.0) for _ in range(4)]

    def train_step(x: Any, y: Any, number: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
            scaled = scaling.scale_loss(loss)
        for k, variable in enumerate(losses):
            variable.assign(tf.where(number == k, loss, variable))
        weights = model.trainable_variables
        gradients = tape.gradient(scaled, weights)
        if way == "apply":
            scaling.apply(gradients, weights)
        else:
            scaling.apply_gradients(zip(gradients, weights, strict=True))
        return {"size": tf.linalg.global_norm(gradients)}

    step = train_step if way == "eager" else tf.function(train_step)
    if recorder:
        step = recorder.instrument(step)
    for number in range(4):
        step(tf.constant(X), tf.constant(Y), tf.constant(number))
    if recorder:
        recorder.close()
    return [*map(np.asarray, (*model.variables, *scaling.variables))], [
        float(variable) for variable in losses
    ]


def trained(way: str, recorder: Any = None) -> tuple[list[Any], list[float]]:
    """Train in float16, with a fixed seed."""
    import keras

    keras.backend.clear_session()  # also resets the policy
    keras.utils.set_random_seed(2)
    keras.mixed_precision.set_global_policy("mixed_float16")
    return in_fit(recorder) if way == "fit" else in_a_loop(way, recorder)


@pytest.mark.parametrize("way", ["fit", *WAYS])
def test_the_recorded_loss_is_unscaled_and_training_is_the_same(way: str, tmp_path: Path) -> None:
    plain, losses = trained(way)
    recorder = resnet_inspect.Recorder(tmp_path / "run.db", every=1)
    weights, again = trained(way, recorder)
    assert losses == again
    for plain_array, array in zip(plain, weights, strict=True):
        assert np.asarray(plain_array).tobytes() == np.asarray(array).tobytes()
    assert SCALE * 4 in [float(array) for array in weights if np.size(array) == 1]  # doubled twice
    with resnet_inspect.open_run(tmp_path / "run.db") as run:
        scalars = run.scalars()
        assert [scalars["batch_loss"][k] for k in range(4)] == pytest.approx(losses, rel=1e-6)
        assert [scalars["loss"][k] for k in range(4)] == pytest.approx(losses, rel=1e-6)


@pytest.mark.parametrize("way", ["fit", *WAYS])
def test_the_rate_is_that_of_the_inner_optimizer(way: str, tmp_path: Path) -> None:
    trained(way, resnet_inspect.Recorder(tmp_path / "run.db", every=1))
    with resnet_inspect.open_run(tmp_path / "run.db") as run:
        assert run.info.settings.values()["optimizer"] == "LossScaleOptimizer"
        if way == "eager":  # a step that runs op by op has no graph
            return
        training = run.graph.training
        assert training is not None
        assert training.optimizer == "lossscaleoptimizer"
        assert training.learning_rate == pytest.approx(0.01)
        assert training.decay
        assert "of the scaled loss" in "\n".join(note.text for note in run.graph.notes)
