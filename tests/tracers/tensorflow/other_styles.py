"""Models as other people write them: targets of `trace`, one for each style."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def functional(units: int = 5) -> Any:
    inputs = keras.Input(shape=(8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    x = layers.Flatten()(layers.MaxPooling2D()(x))
    return keras.Model(inputs, layers.Dense(units, name="last")(x))


def compiled() -> Any:
    model = functional()
    model.compile("adam", "mse")
    return model


def with_loss() -> Any:
    return functional(), "mse", "adam"


def two_inputs() -> Any:
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    return keras.Model([a, b], layers.Dense(2, name="last")(layers.Concatenate()([a, b])))


def dict_inputs() -> Any:
    inputs = {name: keras.Input((4,), name=name) for name in ("left", "right")}
    joined = layers.Add()([inputs["left"], inputs["right"]])
    return keras.Model(inputs, layers.Dense(2, name="last")(joined))


def dict_output() -> Any:
    inputs = keras.Input((4,))
    hidden = layers.Dense(3, name="hidden")(inputs)
    outputs = {
        name: layers.Dense(size, name=name)(hidden) for name, size in (("box", 4), ("last", 2))
    }
    return keras.Model(inputs, outputs)


class Positions(layers.Layer):  # type: ignore[misc]
    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.supports_masking = True
        self.table = self.add_weight(shape=(length, width), name="table")

    def call(self, x: Any) -> Any:
        return x + self.table[: ops.shape(x)[1]]


class Embedded(layers.Layer):  # type: ignore[misc]
    """Words and positions, each embedded by a layer of its own, then added."""

    def __init__(self, length: int, width: int, **named: Any) -> None:
        super().__init__(**named)
        self.words = layers.Embedding(50, width, name="words")
        self.positions = layers.Embedding(length, width, name="places")

    def call(self, x: Any) -> Any:
        return self.words(x) + self.positions(ops.arange(ops.shape(x)[-1]))


def embedded(length: int | None = 12) -> Any:
    ids = keras.Input((length,), dtype="int32", name="ids")
    x = layers.GlobalAveragePooling1D()(Embedded(20, 8, name="embedded")(ids))
    return keras.Model(ids, layers.Dense(1, name="last")(x))


def text(length: int | None = 12) -> Any:
    ids = keras.Input((length,), dtype="int32", name="ids")
    x = layers.Embedding(50, 8, mask_zero=True)(ids)
    x = layers.LSTM(6)(Positions(100, 8)(x))
    return keras.Model(ids, layers.Dense(1, activation="sigmoid", name="last")(x))


def any_length() -> Any:
    return text(None)


def words() -> Any:
    inputs = keras.Input((1,), dtype="string", name="text")
    known = layers.TextVectorization(output_sequence_length=5, vocabulary=["the", "a", "good"])
    x = layers.Flatten()(layers.Embedding(10, 4)(known(inputs)))
    return keras.Model(inputs, layers.Dense(3, name="last")(x))


class Net(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.flat = layers.Flatten()
        self.last = layers.Dense(3, name="last")

    def call(self, x: Any, training: bool = False) -> Any:
        del training
        return self.last(ops.relu(self.flat(x)))


def subclassed() -> Any:
    return Net()


def subclassed_built() -> Any:
    model = Net()
    model.build((None, 8, 8, 3))
    return model


def subclassed_called() -> Any:
    model = Net()
    model(np.zeros((1, 8, 8, 3), np.float32), training=True)
    return model


class Reader(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.embedding = layers.Embedding(20, 4)
        self.last = layers.Dense(2, name="last")

    def call(self, inputs: Any) -> Any:
        x = self.embedding(inputs["ids"]) * inputs["mask"][..., None]
        return {"scores": self.last(x), "mean": ops.mean(x, 1)}


def reads_a_dict() -> Any:
    return Reader()


def called_on_a_dict() -> Any:
    model = Reader()
    model({"ids": tf.zeros((2, 7), tf.int32), "mask": tf.ones((2, 7))})
    return model


class TwoArguments(keras.Model):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = layers.Dense(3), layers.Dense(3, name="last")

    def call(self, image: Any, facts: Any) -> Any:
        return self.first(image) + self.last(facts)


def called_on_two_arguments() -> Any:
    model = TwoArguments()
    model(tf.zeros((2, 5)), facts=tf.zeros((2, 4)))
    return model


def fixed_batch() -> Any:
    inputs = keras.Input(batch_shape=(8, 4), name="x")
    return keras.Model(inputs, layers.Dense(2, name="last")(inputs))


def in_a_dict() -> Any:
    return {"model": functional()}


def doubled(x: Any) -> Any:
    return tf.nn.relu(2 * x, name="last")


imported = subclassed_called()
