"""A variational autoencoder: it samples the code and adds the divergence as a loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from bench.verdicts.networks.parts import initializer

L = keras.layers
ops = keras.ops


class Sampling(keras.layers.Layer):  # type: ignore[misc]
    """Samples a code from its mean and spread, [batch, code] each, and adds the divergence."""

    def __init__(self, weight: float, spread: str, detached: bool) -> None:
        super().__init__()
        self.weight = weight
        self.spread = spread
        self.detached = detached
        self.generator = keras.random.SeedGenerator()

    def call(self, inputs: Any) -> Any:
        """Return a code for the mean and the raw spread."""
        mean, raw = inputs
        deviation = ops.relu(raw) if self.spread == "relu" else ops.exp(raw)
        divergence = ops.square(mean) + ops.square(deviation) - 1 - 2 * ops.log(deviation)
        self.add_loss(self.weight * ops.mean(ops.sum(divergence, axis=-1)) / 2)
        noise = keras.random.normal(ops.shape(mean), seed=self.generator)
        code = mean + deviation * noise
        return ops.stop_gradient(code) if self.detached else code


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    width: int = 48,
    code: int = 6,
    activation: str = "relu",
    kernel: str = "glorot_uniform",
    bias: float = 0.0,
    weight: float = 0.003,
    spread: str = "exp",
    detached: bool = False,
    last: str = "linear",
) -> Any:
    """`spread` is the activation of the deviation: "exp", or "relu", which can be 0."""
    inputs = keras.Input(shapes[0])

    def hidden(name: str) -> Any:
        return L.Dense(
            width,
            activation=activation,
            kernel_initializer=initializer(kernel),
            bias_initializer=keras.initializers.Constant(bias),
            name=name,
        )

    flow = hidden("encoder")(inputs)
    mean, raw = L.Dense(code, name="mean")(flow), L.Dense(code, name="spread")(flow)
    flow = hidden("decoder")(Sampling(weight, spread, detached)([mean, raw]))
    return keras.Model(inputs, L.Dense(units, activation=last, name="head")(flow))
