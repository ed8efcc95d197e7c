"""Parts that several networks of the corpus share."""

from __future__ import annotations

from typing import Any

import keras


def initializer(text: str) -> Any:
    """Return an initializer: a Keras name, `normal:DEVIATION` or `constant:VALUE`."""
    name, _, number = text.partition(":")
    if name == "normal":
        return keras.initializers.RandomNormal(stddev=float(number))
    if name == "constant":
        return keras.initializers.Constant(float(number))
    return keras.initializers.get(name)


class Unused(keras.layers.Layer):  # type: ignore[misc]
    """Returns its inputs and has an unused weight."""

    def build(self, shape: Any) -> None:
        """Create the weight."""
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")

    def call(self, inputs: Any) -> Any:
        """Return the inputs."""
        return inputs


class AsInInference(keras.layers.Layer):  # type: ignore[misc]
    """Calls a layer or model with training=False.

    In a functional model, the model's own `training` would override an argument of the call.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(name=f"still_{inner.name}")
        self.inner = inner

    def call(self, inputs: Any) -> Any:
        """Return the output of the inner layer."""
        return self.inner(inputs, training=False)


def mixed(features: Any) -> Any:
    """Return features whose rows mix values of several examples.

    Swaps the first two axes of `features` [batch, steps, …] and reshapes the result back.
    """
    order = (1, 0, *range(2, len(features.shape)))
    turned = keras.ops.transpose(features, order)
    return keras.ops.reshape(turned, (-1, *features.shape[1:]))


def head(units: int, activation: str, kernel: str = "glorot_uniform", **named: Any) -> Any:
    """Return the last layer."""
    return keras.layers.Dense(
        units, activation=activation, kernel_initializer=initializer(kernel), name="head", **named
    )
