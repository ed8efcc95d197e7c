"""Multiply-accumulates and parameters of layers, compared with formulas of their settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from resnet_inspect import api
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeTable, shapes
from resnet_inspect.graph import Graph
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


def recorded(model: keras.Model, folder: Path, *, known: bool) -> Graph:
    """Return the graph of a fit whose batch size is `known` or not."""
    keras.utils.set_random_seed(0)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    shape = (2 * BATCH, *model.inputs[0].shape[1:])
    data = tf.data.Dataset.from_tensor_slices(
        (np.ones(shape, model.inputs[0].dtype), np.arange(2 * BATCH) % 3)
    ).batch(BATCH, drop_remainder=known)
    recorder = api.Recorder(folder / "run.db", taps="layers")
    model.fit(data, steps_per_epoch=1, shuffle=False, verbose=0, callbacks=[recorder])
    with api.open_run(folder / "run.db") as run:
        return run.graph


@pytest.mark.parametrize("known", [True, False], ids=["known batch", "unknown batch"])
@pytest.mark.parametrize("make", MODELS)
def test_layers_cost_what_their_formula_says(make: Any, known: bool, tmp_path: Path) -> None:
    model = make()
    table = shapes(recorded(model, tmp_path, known=known), Depth.LAYER)
    rows = {row.name: row for row in table.rows}
    assert {name: row.macs for name, row in rows.items()} == {
        name: layer_costs.macs(model.get_layer(name)) for name in rows
    }
    built = [layer for layer in model.layers if not isinstance(layer, L.InputLayer)]
    assert len(rows) == len(built)
    assert (table.totals.macs, table.totals.uncounted) == (sum(map(layer_costs.macs, built)), ())
    for layer in built:
        if type(layer).__name__ in layer_costs.PARAMETERS:
            assert rows[layer.name].params == layer_costs.parameters(layer)
        assert rows[layer.name].params == layer.count_params()


@pytest.mark.parametrize("make", MODELS)
def test_the_memory_of_a_layer_is_that_of_its_output(make: Any, tmp_path: Path) -> None:
    model = make()
    for row in shapes(recorded(model, tmp_path, known=True), Depth.LAYER).rows:
        output = np.zeros((BATCH, *model.get_layer(row.name).output.shape[1:]), row.dtype)
        assert row.memory == output.nbytes
