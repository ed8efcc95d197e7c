"""Convolutions that were trained on another task before, and a new last layer on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from bench.verdicts.networks.parts import AsInInference, head
from bench.verdicts.problems import pictures

L = keras.layers


def build(
    shapes: Sequence[tuple[int, ...]],
    units: int,
    *,
    frozen: str = "base",
    base_training: bool | None = False,
    dropout: float = 0.0,
    last: str = "linear",
    kernel: str = "glorot_uniform",
) -> Any:
    """`frozen` is "base" (all that was trained before), "half" of it, or "all"; `base_training`
    False runs the base as in inference.
    """
    base = _trained(shapes[0], units)
    if frozen in ("base", "all"):
        base.trainable = False
    else:
        for layer in base.layers:
            layer.trainable = not layer.name.endswith("0")
    inputs = keras.Input(shapes[0])
    flow = (AsInInference(base) if base_training is False else base)(inputs)
    flow = L.GlobalAveragePooling2D()(flow)
    if dropout:
        flow = L.Dropout(dropout)(flow)
    return keras.Model(inputs, head(units, last, kernel, trainable=frozen != "all")(flow))


def _trained(shape: tuple[int, ...], units: int) -> Any:
    """Return the base, trained to classify images with inverted colours."""
    inputs = keras.Input(shape)
    flow = inputs
    for number, count in enumerate((8, 16)):
        flow = L.Conv2D(count, 3, strides=2, padding="same", name=f"base_conv{number}")(flow)
        flow = L.BatchNormalization(momentum=0.9, name=f"base_norm{number}")(flow)
        flow = L.ReLU(name=f"base_relu{number}")(flow)
    base = keras.Model(inputs, flow, name="base")
    answer = L.Dense(units)(L.GlobalAveragePooling2D()(flow))
    whole = keras.Model(inputs, answer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    whole.compile(keras.optimizers.Adam(0.01), loss)
    drawn = pictures(1024, np.random.default_rng(99))
    whole.fit(drawn.inputs[0][..., ::-1], drawn.wanted, batch_size=32, epochs=4, verbose=0)
    return base
