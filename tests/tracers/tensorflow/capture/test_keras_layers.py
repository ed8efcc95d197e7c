"""Keras layer calls are recorded while a function is traced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from resnet_inspect.graph import Graph, Phase


def graph_of(model: Any, *shapes: tuple[int, ...], **named: Any) -> Graph:
    """Return the captured graph of one call of a model."""
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.capture.construction import Construction
    from resnet_inspect.tracers.tensorflow.capture.graph_capture import capture
    from resnet_inspect.tracers.tensorflow.capture.keras_layers import note_variables, noted_layers

    graphs: list[Graph] = []

    def body(*inputs: Any) -> Any:
        made = Construction(0, {})
        with noted_layers(made, model):
            returned = model(inputs[0] if len(inputs) == 1 else list(inputs), **named)
        note_variables(made, model.weights)
        fed = {f"input{i}": tensor for i, tensor in enumerate(inputs)}
        graphs.append(capture(made, made.position(), fed))
        return returned

    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
    tf.function(body, autograph=False).get_concrete_function(*specs)
    return graphs[-1]


def parameters(graph: Graph) -> int:
    """Return the number of elements of all variables of layers, each counted once."""
    names = {name for layer in graph.layers for name in layer.variables}
    return sum(graph.variable_by_name[name].spec.elements or 0 for name in names)


def convolutional(keras: Any) -> Any:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu", name="first"),
            layers.BatchNormalization(name="normalized"),
            layers.Dropout(0.5, name="dropped"),
            layers.Flatten(name="flat"),
            layers.Dense(3, name="logits"),
        ],
        name="small",
    )


def test_a_sequential_model_has_the_layers_of_its_summary() -> None:
    import keras

    model = convolutional(keras)
    graph = graph_of(model, (2, 8, 8, 3), training=True)
    assert [(layer.name, layer.type) for layer in graph.layers] == [
        ("first", "Conv2D"),
        ("normalized", "BatchNormalization"),
        ("dropped", "Dropout"),
        ("flat", "Flatten"),
        ("logits", "Dense"),
    ]
    first, normalized, _, _, logits = graph.layers
    assert graph.op_by_name[first.main].type == "Conv2D"
    assert graph.op_by_name[logits.main].type == "MatMul"
    assert normalized.main == normalized.output.op
    assert first.path == ()
    assert first.variables == ("small/first/kernel", "small/first/bias")
    assert logits.inputs == (graph.layer_by_name["flat"].output,)
    assert graph.spec(logits.output).shape == (2, 3)
    assert parameters(graph) == model.count_params()
    assert {graph.op_by_name[op].phase for op in first.ops} == {Phase.FORWARD}


def test_layers_without_ops_are_left_out() -> None:
    import keras

    graph = graph_of(convolutional(keras), (2, 8, 8, 3), training=False)
    assert "dropped" not in graph.layer_by_name
    assert "input_layer" not in graph.layer_by_name


def test_a_shared_layer_is_listed_twice_and_counted_once() -> None:
    import keras

    left, right = keras.Input((4,)), keras.Input((4,))
    shared = keras.layers.Dense(5, name="shared")
    joined = keras.layers.Concatenate(name="joined")([shared(left), shared(right)])
    model = keras.Model([left, right], keras.layers.Dense(1, name="score")(joined))
    graph = graph_of(model, (2, 4), (2, 4))
    assert [layer.name for layer in graph.layers] == [
        "shared",
        "shared (call 2)",
        "joined",
        "score",
    ]
    first, second, joined_layer, _ = graph.layers
    assert first.variables == second.variables == ("shared/kernel", "shared/bias")
    assert joined_layer.inputs == (first.output, second.output)
    assert parameters(graph) == model.count_params()


def test_nested_models_are_the_path_of_their_layers() -> None:
    import keras

    inner = keras.Sequential([keras.layers.Dense(4, name="hidden")], name="encoder")
    outer = keras.Sequential([keras.layers.Dense(4, name="hidden")], name="decoder")
    ends = keras.Input((4,))
    model = keras.Model(ends, outer(inner(ends)), name="both")
    graph = graph_of(model, (2, 4))
    assert [(layer.name, layer.path) for layer in graph.layers] == [
        ("hidden", ("encoder",)),
        ("hidden_1", ("decoder",)),
    ]
    assert len({name for layer in graph.layers for name in layer.variables}) == 4


def test_a_subclassed_model_and_a_custom_layer() -> None:
    import keras
    import tensorflow as tf

    class Scale(keras.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.factor = self.add_weight(shape=(shape[-1],), name="factor")

        def call(self, x: Any) -> Any:
            return tf.math.multiply(x, self.factor)

    class Block(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="block")
            self.inner = keras.layers.Dense(4, name="inner")

        def call(self, x: Any) -> Any:
            return x + self.inner(x)

    class Whole(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="whole")
            self.block, self.scale = Block(), Scale(name="scale")

        def call(self, x: Any) -> Any:
            return self.scale(self.block(x))

    model = Whole()
    graph = graph_of(model, (2, 4))
    assert [(layer.name, layer.type, layer.path) for layer in graph.layers] == [
        ("inner", "Dense", ("block",)),
        ("scale", "Scale", ()),
    ]
    source = graph.op_by_name[graph.layer_by_name["scale"].main].source
    assert source[0].text == "return tf.math.multiply(x, self.factor)"
    assert parameters(graph) == model.count_params()


def test_a_built_in_layer_includes_its_inner_layers() -> None:
    import keras

    sequence = keras.Input((5, 4))
    attended = keras.layers.MultiHeadAttention(2, 3, name="attention")(sequence, sequence)
    memory, _, _ = keras.layers.LSTM(6, return_state=True, name="memory")(attended)
    model = keras.Model(sequence, keras.layers.Dense(1, name="score")(memory))
    graph = graph_of(model, (2, 5, 4))
    assert [layer.name for layer in graph.layers] == ["attention", "memory", "score"]
    assert graph.spec(graph.layer_by_name["memory"].output).shape == (2, 6)
    assert parameters(graph) == model.count_params()


def test_frozen_variables_are_not_trainable() -> None:
    import keras

    model = convolutional(keras)
    model.get_layer("first").trainable = False
    graph = graph_of(model, (2, 8, 8, 3))
    assert not graph.variable_by_name["small/first/kernel"].trainable
    assert graph.variable_by_name["small/logits/kernel"].trainable


def test_keras_is_restored_after_an_error() -> None:
    import keras

    original = keras.Layer.__call__
    model = convolutional(keras)
    with pytest.raises(ValueError, match="expected axis -1"):
        graph_of(model, (2, 8, 8, 5))
    assert keras.Layer.__call__ is original
    assert model(np.zeros((2, 8, 8, 3), "float32")).shape == (2, 3)


def test_a_second_call_does_not_use_the_name_of_another_layer() -> None:
    import keras

    keras.backend.clear_session()
    shared, other = keras.layers.Dense(4, name="dense"), keras.layers.Dense(3, name="dense_1")
    inputs = keras.Input((4,))
    graph = graph_of(keras.Model(inputs, other(shared(shared(inputs)))), (2, 4))
    assert [(layer.name, graph.spec(layer.output).shape) for layer in graph.layers] == [
        ("dense", (2, 4)),
        ("dense (call 2)", (2, 4)),
        ("dense_1", (2, 3)),
    ]
