"""Layers of models without Keras layers are groups of ops by name scope."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from resnet_inspect import api
from resnet_inspect.config import Settings
from resnet_inspect.errors import BuildError
from resnet_inspect.store.run import Run
from tests.tracers.tensorflow.model.test_own_saved import small

MODULES = """
import tensorflow as tf

class Dense(tf.Module):
    def __init__(self, given, units, name):
        super().__init__(name=name)
        with self.name_scope:
            self.kernel = tf.Variable(tf.ones([given, units]), name="kernel")
            self.bias = tf.Variable(tf.zeros([units]), name="bias", trainable=False)
    @tf.Module.with_name_scope
    def __call__(self, x):
        with tf.name_scope("rectified"):
            return tf.nn.relu(x @ self.kernel + self.bias)

class Net(tf.Module):
    def __init__(self, width=8, wrong=False):
        super().__init__(name="net")
        self.wrong = wrong
        with self.name_scope:
            self.first, self.second = Dense(4, width, "first"), Dense(width, 4, "second")
    @tf.Module.with_name_scope
    def __call__(self, x):
        hidden = self.first(x)
        if self.wrong:
            hidden = tf.concat([hidden, x], 1)
        return x + self.second(hidden)

def scoped(x):
    with tf.name_scope("scaled"):
        x = x / 255.0
    for _ in range(2):
        with tf.name_scope("block"):
            with tf.name_scope("conv"):
                y = tf.nn.conv2d(x, tf.ones([3, 3, 3, 3]), 1, "SAME")
            x = x + tf.nn.relu(y)
    return tf.reduce_mean(x, [1, 2])

def bare(x):
    mean, variance = tf.nn.moments(x, [1])  # opens a scope inside TensorFlow
    return tf.nn.relu(x) + mean[:, None] + variance[:, None]
"""


def traced(folder: Path, name: str, given: str, **changes: Any) -> Run:
    (folder / "modules.py").write_text(MODULES)
    target = f"{folder / 'modules.py'}:{name}"
    settings = Settings.of({"target": target, "input": given, **changes})
    return api.open_run(api.record(settings, out=folder / "run.db"))


def test_modules_are_layers_with_their_variables(tmp_path: Path) -> None:
    with traced(tmp_path, "Net", "x=2,4") as run:
        table = api.shapes(run)
        layers = [
            (layer.name, layer.type, layer.path, layer.variables) for layer in run.graph.layers
        ]
        second = run.graph.layer_by_name["second"]
        assert second.inputs == (run.graph.layer_by_name["first"].output,)
        assert run.summaries(0)["first"].count == 16
    assert layers == [
        ("first", "MatMul", ("net",), ("net/first/kernel", "net/first/bias")),
        ("second", "MatMul", ("net",), ("net/second/kernel", "net/second/bias")),
        ("net", "AddV2", (), ()),
    ]
    assert [(row.inputs, row.shape, row.params, row.macs) for row in table.rows] == [
        (((2, 4),), (2, 8), 40, 32),
        (((2, 8),), (2, 4), 36, 32),
        (((2, 4), (2, 4)), (2, 4), 0, 0),
    ]
    assert (table.totals.params, table.totals.trainable_params) == (76, 64)


def test_scopes_and_ops_outside_scopes_are_layers(tmp_path: Path) -> None:
    with traced(tmp_path, "scoped", "x=2,8,8,3") as run:
        layers = [(layer.name, layer.type, layer.path) for layer in run.graph.layers]
        inside = {name for layer in run.graph.layers for name in layer.ops}
        assert {op.name for op in run.graph.ops} - inside == {"x", "Mean/reduction_indices"}
        assert run.summaries(0)["Mean"].count == 6
        assert [row.name for row in api.shapes(run, "stage").rows][:3] == [
            "scaled",
            "block",
            "block_1",
        ]
    assert layers == [
        ("scaled", "RealDiv", ()),
        ("conv", "Conv2D", ("block",)),
        ("block", "AddV2", ()),
        ("block_1/conv", "Conv2D", ("block_1",)),
        ("block_1", "AddV2", ()),
        ("Mean", "Mean", ()),
    ]


def test_a_model_without_scopes_has_no_layers(tmp_path: Path) -> None:
    with traced(tmp_path, "bare", "x=2,3") as run:
        assert run.graph.layers == ()
        assert api.shapes(run).depth == "op"


def test_a_saved_model_has_the_layers_of_the_exported_model(tmp_path: Path) -> None:
    model = small()
    model.export(str(tmp_path / "exported"), verbose=False)
    settings = Settings.of({"target": str(tmp_path / "exported")})
    with api.open_run(api.record(settings, out=tmp_path / "run.db")) as run:
        rows = api.shapes(run).rows
        totals = api.shapes(run).totals
    assert [row.name for row in rows] == ["stem_1", "norm_1", "flat_1", "head_1"]
    wanted = [((8, *layer.output.shape[1:]), layer.count_params()) for layer in model.layers[1:]]
    assert [(row.shape, row.params) for row in rows] == wanted
    assert totals.params == model.count_params()


def test_a_failed_model_has_the_layers_before_the_failure(tmp_path: Path) -> None:
    with pytest.raises(BuildError) as caught:
        traced(tmp_path, "Net", "x=2,4", set=["wrong=true"])
    with api.open_run(caught.value.run or "") as run:
        assert "first" in run.graph.layer_by_name
        assert run.lineage.mismatch is not None
