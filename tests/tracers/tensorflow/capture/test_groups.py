"""Models and user's layers that call other layers are groups; ops between layers belong to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import resnet_inspect
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Graph, Phase
from resnet_inspect.store.run import Run
from tests.tracers.tensorflow.capture.test_keras_layers import graph_of

L = keras.layers


class TwoHeads(keras.layers.Layer):  # type: ignore[misc]
    """Concatenates two dense layers, scales by a product of matrices, and applies a ReLU."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.a, self.b = L.Dense(3, name="head_a"), L.Dense(3, name="head_b")

    def call(self, x: Any) -> Any:
        joined = keras.ops.concatenate([self.a(x), self.b(x)], axis=-1)
        return keras.ops.relu(keras.ops.matmul(joined, keras.ops.eye(6)))


class Pair(keras.Model):  # type: ignore[misc]
    """A generator and a discriminator, with an op between them."""

    def __init__(self) -> None:
        super().__init__()
        self.gen = keras.Sequential([keras.Input((3,)), L.Dense(4, name="make")], name="gen")
        self.disc = keras.Sequential([keras.Input((4,)), L.Dense(1, name="judge")], name="disc")

    def train_step(self, real: Any) -> Any:
        fake = self.gen(tf.random.normal((tf.shape(real)[0], 3)))
        with tf.GradientTape() as tape:
            logits = self.disc(tf.concat([fake, real], axis=0))
            loss = tf.reduce_mean(tf.square(logits))
        weights = self.disc.trainable_weights
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss}


def two_heads() -> Any:
    inputs = keras.Input((4,), name="features")
    return keras.Model(inputs, L.Dense(1, name="out")(TwoHeads(name="two_heads")(inputs)))


def recorded(model: Any, path: Path, *data: Any) -> Run:
    """Train for a step, and return the opened run."""
    recorder = resnet_inspect.Recorder(path, every=1, sample=0)
    model.fit(*data, batch_size=len(data[0]), verbose=0, shuffle=False, callbacks=[recorder])
    return Run.open(path)


def test_operations_of_a_functional_model_are_layers() -> None:
    keras.backend.clear_session()
    inputs = keras.Input((8,), name="features")
    first = L.Dense(8, name="a")(inputs)
    summed = keras.ops.relu(first + inputs)
    joined = keras.ops.concatenate([L.Dense(4, name="b")(summed), first], axis=-1)
    mean = keras.ops.mean(keras.ops.reshape(joined, (-1, 3, 4)), axis=1)
    model = keras.Model(inputs, L.Dense(1, name="out")(mean - mean[:, :1]))
    graph = graph_of(model, (2, 8))
    summarized = [operation.name for operation in model.operations]
    assert [layer.name for layer in graph.layers] == summarized[1:]
    assert summarized[0] == "features"
    added = graph.layers[1]
    assert (added.type, added.path, added.variables) == ("Add", (), ())
    assert added.inputs == (graph.layer_by_name["a"].output, graph.inputs["input0"])
    assert "trainable" not in added.settings


def test_the_mask_of_a_sequential_model_is_no_layer() -> None:
    keras.backend.clear_session()
    layers = [L.Embedding(9, 4, mask_zero=True), L.LSTM(3), L.Dense(2)]
    model = keras.Sequential([keras.Input((7,)), *layers])
    graph = graph_of(model, (2, 7))
    assert [layer.name for layer in graph.layers] == [layer.name for layer in model.layers]


def test_an_operation_inside_of_a_layer_is_part_of_it() -> None:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(4, name="dense")], name="inner")
    keep = keras.Input((4,))
    functional = keras.Model(keep, keras.ops.relu(inner(keep)), name="wrapped")
    inputs = keras.Input((5, 4))
    graph = graph_of(keras.Model(inputs, L.TimeDistributed(functional)(inputs)), (2, 5, 4))
    assert [layer.type for layer in graph.layers] == ["TimeDistributed"]


def test_a_group_has_inputs_output_and_the_ops_between_its_layers() -> None:
    graph = graph_of(two_heads(), (32, 4))
    (group,) = graph.groups
    assert (group.name, group.type) == ("two_heads", "TwoHeads")
    assert group.inputs == (graph.inputs["input0"],)
    assert graph.spec(group.output).shape == (32, 6)
    types = {graph.op_by_name[name].type for name in group.ops}
    assert {"ConcatV2", "Relu", "MatMul"} <= types
    assert not set(group.ops) & graph.layer_of_op.keys()
    row = shapes(graph, Depth.BLOCK).rows[0]
    assert (row.name, row.inputs, row.shape) == ("two_heads", ((32, 4),), (32, 6))
    assert row.macs == 2 * 4 * 3 + 6 * 6  # for each example


def test_each_call_of_a_group_has_a_path() -> None:
    keras.backend.clear_session()
    tower = keras.Sequential([keras.Input((4,)), L.Dense(3, name="dense")], name="tower")
    wrapped = keras.Input((4,))
    encoder = keras.Model(wrapped, keras.ops.relu(tower(wrapped)), name="encoder")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    model = keras.Model([left, right], encoder(left) - encoder(right))
    graph = graph_of(model, (2, 4), (2, 4))
    assert [(layer.name, layer.path) for layer in graph.layers[:4]] == [
        ("dense", ("encoder", "tower")),
        ("relu", ("encoder",)),
        ("dense (call 2)", ("encoder (call 2)", "tower")),
        ("relu (call 2)", ("encoder (call 2)",)),
    ]
    assert [group.name for group in graph.groups] == [
        "encoder/tower",
        "encoder",
        "encoder (call 2)/tower",
        "encoder (call 2)",
    ]


def test_groups_with_the_same_name_have_different_paths() -> None:
    class Twice(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = TwoHeads(name="same"), TwoHeads(name="same")

        def call(self, x: Any) -> Any:
            return self.second(self.first(x))

    graph = graph_of(Twice(), (2, 4))
    assert [group.name for group in graph.groups] == ["same", "same_1"]


def test_ops_that_layers_depend_on_are_in_the_forward_pass(tmp_path: Path) -> None:
    keras.backend.clear_session()
    model = Pair()
    model.compile("sgd")
    with recorded(model, tmp_path / "run.db", np.ones((8, 4), "float32")) as run:
        graph = run.graph
    judge, make = graph.layer_by_name["judge"], graph.layer_by_name["make"]
    between = graph.op_by_name[judge.inputs[0].op]
    assert (between.type, between.phase) == ("ConcatV2", Phase.FORWARD)
    assert between.inputs[0] == make.output
    assert graph.op_by_name[make.inputs[0].op].phase == Phase.FORWARD
    assert _phases_of_losses(graph) == {Phase.OTHER}


def _phases_of_losses(graph: Graph) -> set[Phase]:
    return {op.phase for op in graph.ops if op.type == "Square" and "gradient" not in op.name}


@pytest.mark.parametrize("kind", ["activation", "gradient"])
def test_the_output_of_a_group_is_recorded(kind: str, tmp_path: Path) -> None:
    keras.backend.clear_session()
    keras.utils.set_random_seed(3)
    model = two_heads()
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    y = x[:, :1]
    group, last = model.get_layer("two_heads"), model.get_layer("out")
    with tf.GradientTape() as tape:
        output = group(x)
        tape.watch(output)
        loss = tf.reduce_mean(tf.square(last(output) - y))
    expected = {"activation": output.numpy(), "gradient": tape.gradient(loss, output).numpy()}
    model.compile("sgd", "mse")
    with recorded(model, tmp_path / "run.db", x, y) as run:
        summary = run.summaries(0, kind)["two_heads"]
    wanted = expected[kind]
    assert summary.count == wanted.size
    assert summary.mean == pytest.approx(wanted.mean(), rel=1e-4, abs=1e-7)
    assert summary.zero_fraction == pytest.approx((wanted == 0).mean(), abs=1e-9)


def test_an_output_of_two_groups_is_recorded_once(tmp_path: Path) -> None:
    keras.backend.clear_session()
    inner = keras.Sequential([keras.Input((4,)), TwoHeads(name="two_heads")], name="inner")
    features = keras.Input((4,))
    model = keras.Model(features, L.Dense(1, name="out")(inner(features)))
    model.compile("sgd", "mse")
    x = np.ones((8, 4), "float32")
    with recorded(model, tmp_path / "run.db", x, x[:, :1]) as run:
        taps = [tap for tap in run.taps() if tap.kind == "activation"]
        outputs = {group.name: group.output for group in run.graph.groups}
    assert outputs["inner"] == outputs["inner/two_heads"]
    assert len({tap.tensor for tap in taps}) == len(taps)
    assert "inner/two_heads" in {tap.layer for tap in taps}
