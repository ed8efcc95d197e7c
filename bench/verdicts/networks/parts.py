"""Parts that several networks of the corpus are made of."""

from __future__ import annotations

from typing import Any

import keras


def initializer(text: str) -> Any:
    """An initializer from its name; `normal:0.1` has that deviation, `constant:0.1` that value."""
    name, _, number = text.partition(":")
    if name == "normal":
        return keras.initializers.RandomNormal(stddev=float(number))
    if name == "constant":
        return keras.initializers.Constant(float(number))
    return keras.initializers.get(name)


class Unused(keras.layers.Layer):  # type: ignore[misc]
    """Hands on what it gets, and has a weight that it does not use."""

    def build(self, shape: Any) -> None:
        """Make the weight."""
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")

    def call(self, inputs: Any) -> Any:
        """The inputs themselves."""
        return inputs


class AsInInference(keras.layers.Layer):  # type: ignore[misc]
    """Calls a layer or model with training=False. In a functional model an argument of the call
    would be overruled by the model's own.
    """

    def __init__(self, inner: Any) -> None:
        super().__init__(name=f"still_{inner.name}")
        self.inner = inner

    def call(self, inputs: Any) -> Any:
        """What the inner one makes of the inputs."""
        return self.inner(inputs, training=False)


def mixed(features: Any) -> Any:
    """Put the batch behind the next axis, then cut rows of the old length from what results: each
    holds numbers of several examples. `features` is [batch, steps, …].
    """
    order = (1, 0, *range(2, len(features.shape)))
    turned = keras.ops.transpose(features, order)
    return keras.ops.reshape(turned, (-1, *features.shape[1:]))


def head(units: int, activation: str, kernel: str = "glorot_uniform", **named: Any) -> Any:
    """The last layer."""
    return keras.layers.Dense(
        units, activation=activation, kernel_initializer=initializer(kernel), name="head", **named
    )
