"""Trains models of several kinds and prints digests of their weights.

With FOLDER each training is recorded in that folder.

python fused_kernels.py [FOLDER]
"""

from __future__ import annotations

import hashlib
import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

import resnet_inspect

CROSS = keras.losses.BinaryCrossentropy(from_logits=True)


def leaky() -> Any:
    """LeakyReLU with the slope that is usual in GANs."""
    return layers.LeakyReLU(negative_slope=0.2)


def adversary(activation: Any) -> Any:
    """Pictures [batch, 14, 14, 1] to [batch, 1]."""
    return keras.Sequential(
        [
            keras.Input((14, 14, 1)),
            layers.Conv2D(16, 3, strides=2, padding="same"),
            activation(),
            layers.Conv2D(32, 3, padding="same"),
            activation(),
            layers.Dropout(0.3),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1),
        ]
    )


def loop(model: Any, fakes: Any, batch: int | None, path: str) -> Any:
    """`model` after training on outputs of `fakes`, whose weights do not change.

    With a `batch` of None the size of the batch is unknown in the step.
    """
    optimizer = keras.optimizers.SGD(0.05)
    width = fakes.input_shape[-1]

    @tf.function(input_signature=[tf.TensorSpec([batch, width])])  # type: ignore[untyped-decorator]
    def step(x: Any) -> Any:
        fake = fakes(x)
        with tf.GradientTape() as tape:
            loss = CROSS(tf.ones((tf.shape(x)[0], 1)), model(fake, training=True))
        optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
        return loss

    x = tf.constant(
        np.random.default_rng(0).standard_normal((batch or 16, width)).astype("float32")
    )
    if not path:
        for _ in range(3):
            step(x)
        return model
    with resnet_inspect.Recorder(path, every=2) as recorder:
        recorded = recorder.instrument(step)
        for _ in range(3):
            recorded(x)
    return model


def fit(model: Any, x: Any, y: Any, path: str, optimizer: str = "sgd") -> Any:
    """The model after its fit."""
    model.compile(optimizer, "mse")
    callbacks = [resnet_inspect.Recorder(path, every=2)] if path else []
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, shuffle=False, callbacks=callbacks)
    return model


def sums(batch: int, filters: int, path: str) -> Any:
    """A step with sums of four gradients, on images made by an untrained convolution."""
    fakes = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(14 * 14 * 4),
            layers.Reshape((14, 14, 4)),
            layers.Conv2D(filters, 1),
            leaky(),
            layers.Conv2D(1, 1),
        ]
    )
    return loop(adversary(leaky), fakes, batch, path)


def partly_frozen() -> Any:
    """Images [batch, 12, 12, 3] to [batch, 3]: frozen layers, whose ops have no consumer in the
    backward pass, before trained ones, most of whose tensors have several consumers.
    """
    frozen = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(8, 3, padding="same", activation="gelu"),
            layers.LayerNormalization(),
            layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Activation("silu"),
            layers.Dense(8, activation=lambda x: keras.activations.gelu(x, approximate=True)),
        ]
    )
    frozen.trainable = False
    inputs = keras.Input((12, 12, 3))
    x = shortcut = frozen(inputs)
    x = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x)))
    x = layers.LayerNormalization()(layers.Add()([x, shortcut]))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


KINDS = (
    "partly_frozen",
    "sum_near_limit",
    "product_and_tanh",
    "generator",
    "swish_and_dropout",
    "gelu_of_any_batch",
    "sum_beyond_limit",
)


def train(kind: str, path: str) -> Any:
    """A model of that kind after three steps, or two epochs."""
    if kind == "sum_near_limit":
        return sums(1024, 128, path)
    if kind == "sum_beyond_limit":
        return sums(8192, 4, path)
    if kind == "partly_frozen":
        x = np.random.default_rng(0).standard_normal((40, 12, 12, 3)).astype("float32")
        return fit(partly_frozen(), x, x[:, 0, 0], path, "adam")
    if kind == "product_and_tanh":
        parts = [layers.Dense(24), layers.Activation("tanh"), layers.Dense(3)]
        x = np.random.default_rng(0).standard_normal((40, 60)).astype("float32")
        return fit(keras.Sequential([keras.Input((60,)), *parts]), x, x[:, :3], path)
    named = {"swish_and_dropout": "swish", "gelu_of_any_batch": "gelu"}
    activation = (lambda: layers.Activation(named[kind])) if kind in named else leaky
    fakes = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(14 * 14 * 4),
            layers.Activation("gelu"),
            layers.Reshape((14, 14, 4)),
            layers.Conv2D(16, 3, padding="same"),
            layers.Activation("elu"),
            layers.Conv2D(1, 3, padding="same", activation="tanh"),
        ]
    )
    return loop(adversary(activation), fakes, None if kind == "gelu_of_any_batch" else 16, path)


def main(folder: str) -> None:
    """Print a digest for each kind."""
    for kind in KINDS:
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        model = train(kind, f"{folder}/{kind}.db" if folder else "")
        weights = b"".join(weight.numpy().tobytes() for weight in model.weights)
        print(kind, hashlib.sha256(weights).hexdigest())


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
