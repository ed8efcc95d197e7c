"""The output of a group of layers, and its row in tables."""

from __future__ import annotations

from typing import Any

import keras

from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph.tensors import Shape
from tests.analysis.traced_graphs import forward_graph

L = keras.layers


class TwoHeads(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.a, self.b = L.Dense(3), L.Dense(4)

    def call(self, x: Any) -> Any:
        return keras.ops.relu(keras.ops.concatenate([self.a(x), self.b(x)], axis=-1))


class Positions(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.words, self.places = L.Embedding(9, 8), L.Embedding(5, 8)

    def call(self, x: Any) -> Any:
        return self.words(x) + self.places(keras.ops.arange(5))


class Residual(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.wide, self.narrow = L.Dense(16), L.Dense(8)

    def call(self, x: Any) -> Any:
        return x + self.narrow(self.wide(x))


def outputs(model: keras.Model, depth: Depth = Depth.BLOCK) -> dict[str, Shape]:
    (tensor,) = model.inputs
    graph = forward_graph(model, (2, *tensor.shape[1:]), dtype=tensor.dtype)
    return {row.name: row.shape for row in shapes(graph, depth).rows}


def test_ops_after_the_layers_of_a_group_belong_to_it() -> None:
    inputs = keras.Input((6,))
    flow = TwoHeads(name="heads")(inputs)
    model = keras.Model(inputs, L.Dense(2, name="last")(flow))
    assert outputs(model) == {"heads": (2, 7), "last": (2, 2)}
    words = keras.Input((5,), dtype="int32")
    flow = Positions(name="positions")(words)
    flow = Residual(name="first")(flow)
    flow = Residual(name="second")(flow)
    model = keras.Model(words, L.Dense(2, name="last")(flow))
    wanted = {"positions": (2, 5, 8), "first": (2, 5, 8), "second": (2, 5, 8), "last": (2, 5, 2)}
    assert outputs(model) == outputs(model, Depth.STAGE) == wanted


def test_the_output_of_a_model_without_a_user_is_that_of_its_last_layer() -> None:
    inputs = keras.Input((6,))
    assert outputs(keras.Model(inputs, Residual(name="only")(L.Dense(8, name="in")(inputs)))) == {
        "in": (2, 8),
        "only": (2, 8),
    }
