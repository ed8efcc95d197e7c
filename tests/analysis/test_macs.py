"""Multiply-accumulates and parameters of layers, compared with formulas of their settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_inspect import api
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Graph
from tests.analysis.traced_graphs import forward_graph
from tests.reference import layer_costs

L = keras.layers
BATCH = 3


def sequences() -> keras.Model:
    inputs = keras.Input((6, 8))
    flow = L.Dense(4)(inputs)
    flow = L.Add()([flow, L.MultiHeadAttention(2, 5, value_dim=3)(flow, flow)])
    flow = L.Add()([flow, L.GroupQueryAttention(2, 4, 2)(flow, flow)])
    flow = L.Add()([L.Attention()([flow, flow]), L.AdditiveAttention()([flow, flow])])
    flow = L.Add()([flow, L.EinsumDense("abc,cd->abd", output_shape=(6, 4))(flow)])
    flow = L.Conv1D(6, 3, padding="causal", dilation_rate=2)(flow)
    flow = L.SeparableConv1D(4, 3, padding="same", depth_multiplier=2)(flow)
    flow = L.DepthwiseConv1D(3, padding="same")(flow)
    flow = L.Conv1DTranspose(4, 3, strides=2, padding="same")(flow)
    flow = L.LSTM(5, return_sequences=True)(flow)
    flow = L.GRU(6, return_sequences=True)(flow)
    flow = L.Bidirectional(L.LSTM(3, return_sequences=True))(flow)
    flow = L.TimeDistributed(L.Dense(3))(flow)
    similar = L.Dot(axes=2)([flow, flow])
    flow = L.Concatenate()([L.SimpleRNN(2)(flow), L.LSTM(2, unroll=True)(flow)])
    flow = L.Concatenate()([flow, L.Flatten()(similar)])
    return keras.Model(inputs, L.Dense(3)(flow))


def words() -> keras.Model:
    inputs = keras.Input((7,), dtype="int32")
    flow = L.Embedding(11, 4, mask_zero=True)(inputs)
    flow = L.LSTM(5)(flow)
    return keras.Model(inputs, L.Dense(3)(flow))


def images() -> keras.Model:
    inputs = keras.Input((9, 12, 4))
    flow = L.Conv2D(6, (3, 2), strides=(2, 1), padding="same")(inputs)
    flow = L.Conv2D(8, 3, groups=2, padding="same")(flow)
    flow = L.Conv2D(8, 3, dilation_rate=2)(L.ZeroPadding2D(3)(flow))
    flow = L.BatchNormalization()(flow)
    flow = L.DepthwiseConv2D(3, depth_multiplier=2, strides=2)(flow)
    flow = L.SeparableConv2D(5, 3, padding="same", depth_multiplier=2)(flow)
    flow = L.Conv2DTranspose(4, 3, strides=2, padding="same")(flow)
    flow = L.Dense(3)(flow)
    return keras.Model(inputs, L.GlobalAveragePooling2D()(flow))


def volumes() -> keras.Model:
    inputs = keras.Input((4, 6, 5, 2))
    flow = L.Conv3D(3, (2, 3, 2), strides=(1, 2, 1), padding="same")(inputs)
    flow = L.Conv3DTranspose(2, 2, strides=2)(flow)
    return keras.Model(inputs, L.Dense(3)(L.Flatten()(flow)))


MODELS = (sequences, words, images, volumes)
BATCHES = pytest.mark.parametrize("batch", [BATCH, None], ids=["known batch", "unknown batch"])


def graph_of(model: keras.Model, batch: int | None) -> Graph:
    (tensor,) = model.inputs
    return forward_graph(model, (batch, *tensor.shape[1:]), dtype=tensor.dtype)


@BATCHES
@pytest.mark.parametrize("make", MODELS)
def test_layers_cost_what_their_formula_says(make: Any, batch: int | None) -> None:
    model = make()
    table = shapes(graph_of(model, batch), Depth.LAYER)
    rows = {row.name: row for row in table.rows}
    built = [layer for layer in model.layers if not isinstance(layer, L.InputLayer)]
    assert rows.keys() == {operation.name for operation in model.operations[1:]}
    for layer in built:
        row = rows[layer.name]
        assert (layer.name, row.macs) == (layer.name, layer_costs.macs(layer))
        assert layer_costs.parameters(layer) in (row.params, None)
        assert row.params == layer.count_params()
        if batch:
            output = np.zeros((batch, *layer.output.shape[1:]), row.dtype)
            assert row.memory == output.nbytes
    assert (table.totals.macs, table.totals.uncounted) == (sum(map(layer_costs.macs, built)), ())


@BATCHES
def test_the_forward_pass_of_a_fit_costs_the_same(batch: int | None, tmp_path: Path) -> None:
    model = sequences()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    data = tf.data.Dataset.from_tensor_slices((np.ones((6, 6, 8), "float32"), np.arange(6) % 3))
    data = data.batch(BATCH, drop_remainder=batch is not None)
    recorder = api.Recorder(tmp_path / "run.db")
    model.fit(data, steps_per_epoch=1, shuffle=False, verbose=0, callbacks=[recorder])
    with api.open_run(tmp_path / "run.db") as run:
        rows = shapes(run.graph, Depth.LAYER).rows
    wanted = {layer.name: layer_costs.macs(layer) for layer in model.layers}
    assert {row.name: row.macs for row in rows} == {row.name: wanted[row.name] for row in rows}
    assert len(rows) == len(wanted) - 1


# Parameters, and multiply-accumulates as their articles print them.
PUBLISHED = {
    "ResNet50": (25_636_712, 3.8e9, 0.1e9),
    "MobileNetV2": (3_538_984, 300e6, 5e6),
    "EfficientNetB0": (5_330_571, 0.39e9, 0.005e9),
}


@BATCHES
@pytest.mark.parametrize("name", PUBLISHED)
def test_known_networks_cost_what_was_published(name: str, batch: int | None) -> None:
    model = getattr(keras.applications, name)(weights=None)
    params, macs, digit = PUBLISHED[name]
    totals = shapes(graph_of(model, batch), Depth.BLOCK).totals
    assert totals.params == params
    assert totals.macs == pytest.approx(macs, abs=digit)
    assert (totals.macs, totals.uncounted) == (sum(map(layer_costs.macs, model.layers)), ())


class ClassToken(keras.layers.Layer):  # type: ignore[misc]
    def build(self, shape: Any) -> None:
        self.token = self.add_weight(shape=(1, 1, shape[-1]), name="token")
        self.positions = self.add_weight(shape=(1, shape[1] + 1, shape[-1]), name="positions")

    def call(self, patches: Any) -> Any:
        token = tf.repeat(self.token, tf.shape(patches)[0], axis=0)
        return tf.concat([token, patches], 1) + self.positions


def vision_transformer() -> keras.Model:
    """ViT-B/16."""
    inputs = keras.Input((224, 224, 3))
    flow = L.Reshape((196, 768))(L.Conv2D(768, 16, strides=16)(inputs))
    flow = ClassToken()(flow)
    for _ in range(12):
        inner = L.LayerNormalization()(flow)
        flow = L.Add()([flow, L.MultiHeadAttention(12, 64)(inner, inner)])
        inner = L.Dense(3072, activation="gelu")(L.LayerNormalization()(flow))
        flow = L.Add()([flow, L.Dense(768)(inner)])
    flow = L.LayerNormalization()(flow)
    return keras.Model(inputs, L.Dense(1000)(flow[:, 0]))


@BATCHES
def test_a_vision_transformer_costs_what_was_published(batch: int | None) -> None:
    totals = shapes(graph_of(vision_transformer(), batch)).totals
    assert totals.params == 86_567_656
    assert f"{totals.macs / 1e9:.2f}" == "17.56"


def test_the_profiler_of_tensorflow_counts_twice_as_many_operations() -> None:
    model = keras.applications.MobileNetV2((96, 96, 3), weights=None, alpha=0.35)
    call = tf.function(model).get_concrete_function(tf.TensorSpec((1, 96, 96, 3)))
    profiler = tf.compat.v1.profiler
    options = profiler.ProfileOptionBuilder.float_operation() | {"output": "none"}
    profile = profiler.profile(call.graph, cmd="op", options=options)
    kinds = {"Conv2D", "DepthwiseConv2dNative", "MatMul"}
    counted = sum(n.total_float_ops for n in _every(profile) if n.name in kinds)
    assert shapes(graph_of(model, 1)).totals.macs == counted / 2


def _every(node: Any) -> Any:
    children = list(node.children)
    own = type("Own", (), {"name": node.name})()
    own.total_float_ops = node.total_float_ops - sum(child.total_float_ops for child in children)
    yield own
    for child in children:
        yield from _every(child)
