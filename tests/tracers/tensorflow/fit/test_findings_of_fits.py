"""Findings of `check` for Keras models with and without a mistake in one layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.analysis.sizes.dangers import dangers
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.findings import check

STEPS, FEATURES = 6, 4
RULES = ("no-gradient", "reduced-axes", "batch-axis", "initial-scale")
Way = Callable[[Any, Any], Any]


def stopped(keras: Any, flow: Any) -> Any:
    coded = keras.layers.Dense(FEATURES, activity_regularizer="l2", name="code")(flow)
    return keras.layers.Flatten()(keras.ops.stop_gradient(coded))


def straight_through(keras: Any, flow: Any) -> Any:
    coded = keras.layers.Dense(FEATURES, activity_regularizer="l2", name="code")(flow)
    rounded = coded + keras.ops.stop_gradient(keras.ops.round(coded) - coded)
    return keras.layers.Flatten()(rounded)


def one_branch_stopped(keras: Any, flow: Any) -> Any:
    coded = keras.layers.Dense(FEATURES, name="code")(flow)
    target = keras.ops.stop_gradient(keras.layers.Dense(FEATURES, name="target")(flow))
    return keras.layers.Flatten()(coded * target)


def over_features(keras: Any, flow: Any) -> Any:
    return keras.ops.mean(keras.layers.Dense(8, activation="relu")(flow), axis=-1)


def over_steps(keras: Any, flow: Any) -> Any:
    return keras.ops.mean(keras.layers.Dense(8, activation="relu")(flow), axis=1)


def of_inputs(keras: Any, flow: Any) -> Any:
    return keras.ops.mean(flow, axis=-1)  # a mean of inputs is no mistake: grey images


def as_attention(keras: Any, flow: Any) -> Any:
    coded = keras.layers.Dense(8, activation="relu")(flow)
    weights = keras.layers.Dense(STEPS, activation="sigmoid")(keras.ops.mean(coded, axis=-1))
    return keras.layers.Flatten()(coded * weights[:, :, None])


def scrambled(keras: Any, flow: Any) -> Any:
    turned = keras.ops.transpose(flow, (1, 0, 2))
    return keras.layers.Flatten()(keras.ops.reshape(turned, (-1, STEPS, FEATURES)))


def merged(keras: Any, flow: Any) -> Any:
    rows = keras.layers.Dense(5)(keras.ops.reshape(flow, (-1, FEATURES)))
    return keras.ops.reshape(rows, (-1, STEPS * 5))


def each_step(keras: Any, flow: Any) -> Any:
    return keras.layers.Flatten()(keras.layers.TimeDistributed(keras.layers.Dense(5))(flow))


def attended(keras: Any, flow: Any) -> Any:
    return keras.layers.Flatten()(keras.layers.MultiHeadAttention(2, 3)(flow, flow))


def turned_back(keras: Any, flow: Any) -> Any:
    turned = keras.ops.transpose(flow, (1, 0, 2))
    return keras.layers.Flatten()(keras.ops.transpose(turned, (1, 0, 2)))


WAYS: dict[Way, set[str]] = {
    stopped: {"no-gradient"},
    straight_through: set(),
    one_branch_stopped: {"no-gradient"},  # for `target`
    over_features: {"reduced-axes"},
    over_steps: set(),
    of_inputs: set(),
    as_attention: set(),
    scrambled: {"batch-axis"},
    merged: set(),
    each_step: set(),
    attended: set(),
    turned_back: set(),
}


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("batch", [None, 8], ids=["any batch", "fixed batch"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_findings_of_a_model(way: Way, batch: int | None, tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((STEPS, FEATURES), batch_size=batch)
    model = keras.Model(inputs, keras.layers.Dense(3, name="head")(way(keras, inputs)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    drawn = np.random.default_rng(0)
    x, y = drawn.normal(size=(16, STEPS, FEATURES)).astype("float32"), np.arange(16) % 3
    file = tmp_path / "fit.db"
    recorder = api.Recorder(file, every=1)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0, callbacks=[recorder])
    with api.open_run(file) as run:
        assert {finding.rule for finding in check(run)}.intersection(RULES) == WAYS[way]
        meanings = Meanings(run.graph, run.lineage)
        kinds = {
            danger.kind for danger in dangers(run.graph, run.lineage, meanings, everywhere=True)
        }
        assert kinds - {"reduced"} == ({"scrambled"} if way is scrambled else set())


@pytest.mark.parametrize(("deviation", "expected"), [(0.05, False), (1.0, False), (30.0, True)])
def test_embeddings_with_too_large_initial_values(
    deviation: float, expected: bool, tmp_path: Path
) -> None:
    import keras

    layers, file = keras.layers, tmp_path / "fit.db"
    drawn = keras.initializers.RandomNormal(stddev=deviation)
    model = keras.Sequential(
        [
            keras.Input((STEPS,), dtype="int32"),
            layers.Embedding(20, 8, embeddings_initializer=drawn, name="table"),
            layers.LayerNormalization(),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(0).integers(0, 20, (16, STEPS))
    recorder = api.Recorder(file, every=1)
    model.fit(x, np.arange(16) % 3, batch_size=8, verbose=0, callbacks=[recorder])
    with api.open_run(file) as run:
        findings = [finding for finding in check(run) if finding.rule == "initial-scale"]
        assert bool(findings) == expected
        if expected:
            assert str(findings[0].place) == "table"
            (tap,) = [tap for tap in run.taps() if (tap.layer, tap.kind) == ("table", "weight")]
            assert findings[0].evidence["std"] == run.course(tap)[0].std
