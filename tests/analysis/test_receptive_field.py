"""Receptive fields, compared with the support of gradients and with known networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.analysis.receptive.reach import Located
from resnet_inspect.analysis.receptive.receptive_field import ReceptiveField, ReceptiveFields
from resnet_inspect.graph import TensorRef
from tests.analysis.traced_graphs import forward_graph

L = keras.layers
SIZES = (48, 40)
PIXEL = (1, 2)


def fields(model: Any, *shapes: tuple[int | None, ...]) -> dict[str, tuple[ReceptiveField, ...]]:
    """Return the fields of each layer of a model, or of the last op of a function."""
    graph = forward_graph(model, *shapes)
    receptive = ReceptiveFields(graph)
    if not graph.layers:
        return {"": receptive.of(TensorRef(graph.ops[-1].name))}
    return {layer.name: receptive.of(layer.output) for layer in graph.layers}


def support(model: keras.Model, place: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the first and last row and column that an output position depends on."""
    for weight in model.weights:
        weight.assign(np.abs(np.random.default_rng(0).normal(size=weight.shape)) + 0.1)
    shape = (1, *model.inputs[0].shape[1:])
    x = tf.constant(np.random.default_rng(1).uniform(0.5, 1, shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.reduce_sum(model(x)[0, place[0], place[1]])
    read = np.abs(tape.gradient(y, x)[0]).sum(-1) > 0
    rows, columns = np.flatnonzero(read.any(1)), np.flatnonzero(read.any(0))
    return [(rows[0], rows[-1]), (columns[0], columns[-1])]


def predicted(model: keras.Model, place: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the same from the recorded graph."""
    graph = forward_graph(model, (1, *model.inputs[0].shape[1:]))
    reaches = ReceptiveFields(graph).reaches(graph.layers[-1].output)
    axes = {source.axis: reach for source, reach in reaches.items()}
    intervals = []
    for axis, position, size in zip((1, 2), place, SIZES, strict=True):
        reach = axes[axis]
        assert isinstance(reach, Located)
        assert reach.axis == axis
        low, high = reach.spread().field.at(position)
        intervals.append((max(low, 0), min(high, size - 1)))
    return intervals


PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


class Step(NamedTuple):
    """A kind of layer, and the settings that this kind uses."""

    kind: str
    kernel: tuple[int, int]
    stride: int
    padding: str


def shortcut(x: Any) -> Any:
    return L.Concatenate()([L.Add()([x, L.Conv2D(2, 3, padding="same")(x)]), x])


KINDS: dict[str, Callable[[Step], Callable[[Any], Any]]] = {
    "conv": lambda s: L.Conv2D(2, s.kernel, s.stride, s.padding, activation="relu"),
    "dilated": lambda s: L.Conv2D(2, s.kernel, 1, s.padding, dilation_rate=2),
    "depthwise": lambda s: L.DepthwiseConv2D(s.kernel, s.stride, s.padding),
    "dilated depthwise": lambda s: L.DepthwiseConv2D(s.kernel, 1, s.padding, dilation_rate=2),
    "separable": lambda s: L.SeparableConv2D(2, s.kernel, s.stride, s.padding),
    "pool": lambda s: L.AveragePooling2D(s.kernel, s.stride, s.padding),
    "enlarged": lambda s: L.UpSampling2D(s.kernel),
    "interpolated": lambda s: L.UpSampling2D(s.kernel, interpolation="bilinear"),
    "transposed": lambda s: L.Conv2DTranspose(2, (2, 3), s.stride, s.padding),
    "padded": lambda s: L.ZeroPadding2D(((1, 2), s.kernel)),
    "cropped": lambda s: L.Cropping2D(((1, 0), (0, s.stride))),
    "dense": lambda _: L.Dense(2),
    # Over two channels, a small epsilon makes the output constant and its gradient zero.
    "normalized": lambda _: L.LayerNormalization(epsilon=1.0),
    "shortcut": lambda _: shortcut,
}
STEPS = st.builds(
    Step, st.sampled_from(list(KINDS)), PAIRS, st.integers(1, 2), st.sampled_from(["same", "valid"])
)


@settings(max_examples=20, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=5))
def test_fields_are_the_support_of_the_gradient(steps: list[Step]) -> None:
    inputs = keras.Input((*SIZES, 2))
    flow = inputs
    for step in [Step("conv", (2, 3), 1, "valid"), *steps]:  # at least one layer moves a window
        if min(flow.shape[1:3]) < 6 or max(flow.shape[1:3]) > 400:
            break
        flow = L.Conv2D(2, 1)(flow) if flow.shape[-1] != 2 else flow
        flow = KINDS[step.kind](step)(flow)
    model = keras.Model(inputs, flow)
    place = (flow.shape[1] // 2, flow.shape[2] // 2)
    assert predicted(model, place) == support(model, place)


# Size, stride and offset as in Araujo, Norris, Sim: Computing Receptive Fields of Convolutional
# Neural Networks. Distill, 2019.
KNOWN = {
    "VGG16": ("block5_pool", 212, 32, -90),
    "MobileNet": ("conv_pw_13_relu", 315, 32, None),
    "ResNet50": ("conv5_block3_out", 483, 32, None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_networks_have_published_fields(name: str) -> None:
    layer, size, stride, offset = KNOWN[name]
    model = getattr(keras.applications, name)(weights=None)
    (field,) = fields(model, (None, 224, 224, 3))[layer]
    assert (field.size, field.stride) == ((size, size), (stride, stride))
    assert offset is None or field.offset == (offset, offset)


def test_other_layers_read_the_whole_input_or_name_the_reason() -> None:
    inputs = keras.Input((16, 12, 2))
    flow = L.Conv2D(4, 3, strides=2, padding="same", name="conv")(inputs)
    pooled = L.GlobalAveragePooling2D(name="pooled")(flow)
    flat = L.Flatten(name="flat")(flow)
    dense = L.Dense(3, name="dense")(flat)
    rows = L.Reshape((8, 24), name="rows")(flow)
    steps = L.LSTM(3, name="steps")(rows)
    gate = L.Reshape((1, 1, 4), name="gate")(pooled)
    gated = L.Multiply(name="gated")([flow, gate])
    outputs = [dense, steps, L.Flatten(name="end")(gated)]
    results = fields(keras.Model(inputs, outputs), (None, 16, 12, 2))
    whole = (ReceptiveField("input0", PIXEL, whole=True),)
    assert results["conv"] == (
        ReceptiveField("input0", PIXEL, size=(3, 3), stride=(2, 2), offset=(0, 0)),
    )
    for name in ("pooled", "dense", "gate", "gated"):
        assert (name, results[name]) == (name, whole)
    assert results["flat"] == ()
    (rows_field,) = results["rows"]  # columns and their four channels in one axis
    assert (rows_field.size, rows_field.stride) == ((3, 3), (2, 0.5))
    assert results["steps"][0].unknown


def test_each_input_and_each_number_of_axes_has_its_field() -> None:
    left, right = keras.Input((20, 2)), keras.Input((10, 3))
    reduced = L.Conv1D(4, 5, strides=2, padding="causal", name="reduced")(left)
    wide = L.Conv1D(4, 3, dilation_rate=2, padding="same", name="wide")(right)
    model = keras.Model([left, right], L.Add(name="sum")([reduced, wide]))
    results = fields(model, (None, 20, 2), (None, 10, 3))
    assert results["sum"] == (
        ReceptiveField("input0", (1,), size=(5,), stride=(2,), offset=(-4,)),
        ReceptiveField("input1", (1,), size=(5,), stride=(1,), offset=(-2,)),
    )


def test_a_field_ends_at_an_op_that_is_not_followed() -> None:
    kernel = tf.ones((3, 3, 2, 2))

    def convolved(x: Any) -> Any:
        return tf.nn.conv2d(x, kernel, 1, "SAME")

    shape = (4, 8, 8, 2)
    (field,) = fields(lambda x: tf.cumsum(convolved(x), 1), shape)[""]
    assert field == ReceptiveField("input0", PIXEL, unknown="Cumsum")
    (field,) = fields(lambda x: tf.concat([convolved(x), x], 1), shape)[""]
    assert field == ReceptiveField("input0", PIXEL, unknown="ConcatV2")
    (field,) = fields(lambda x: convolved(tf.reverse(x, [1])), shape)[""]
    assert field.unknown == "ReverseV2"


def test_statistics_of_a_batch_normalization_are_left_out() -> None:
    kernel, normalization = tf.ones((3, 3, 2, 2)), L.BatchNormalization()

    def call(x: Any) -> Any:
        return normalization(tf.nn.conv2d(x, kernel, 2, "SAME"), training=True) * 2

    (field,) = fields(call, (4, 8, 8, 2))[""]
    assert field == ReceptiveField("input0", PIXEL, size=(3, 3), stride=(2, 2), offset=(0, 0))


def test_random_changes_of_images_are_left_out() -> None:
    inputs = keras.Input((8, 8, 3))
    x = L.RandomRotation(0.1)(L.RandomFlip()(inputs), training=True)
    model = keras.Model(inputs, L.Conv2D(2, 3, padding="same", name="conv")(x))
    (field,) = fields(model, (4, 8, 8, 3))["conv"]
    assert field == ReceptiveField("input0", PIXEL, size=(3, 3), stride=(1, 1), offset=(-1, -1))


def test_a_look_up_keeps_the_positions_of_its_indices() -> None:
    inputs = keras.Input((9,), dtype="int32")
    embedded = L.Embedding(7, 4)(inputs)
    model = keras.Model(inputs, L.Conv1D(3, 3, strides=2, padding="valid", name="conv")(embedded))
    graph = forward_graph(model, (None, 9), dtype="int32")
    (field,) = ReceptiveFields(graph).of(graph.layer_by_name["conv"].output)
    assert field == ReceptiveField("input0", (1,), size=(3,), stride=(2,), offset=(0,))
    table = tf.ones((2, 5, 3))

    def looked_up(x: Any) -> Any:
        return tf.nn.conv1d(tf.gather(table, x, axis=1)[0], tf.ones((3, 3, 2)), 1, "VALID")

    graph = forward_graph(looked_up, (4, 6), dtype="int32")
    (field,) = ReceptiveFields(graph).of(TensorRef(graph.ops[-1].name))
    assert field == ReceptiveField("input0", (1,), size=(3,), stride=(1,), offset=(0,))


def test_a_model_without_windows_has_no_fields() -> None:
    inputs = keras.Input((6, 4))
    model = keras.Model(inputs, L.Dense(3, name="dense")(inputs))
    assert fields(model, (None, 6, 4)) == {"dense": ()}
