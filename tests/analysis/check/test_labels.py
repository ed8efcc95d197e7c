"""Rules for several labels at once, for losses near chance level and for chains of layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.analysis.check import check
from resnet_inspect.analysis.check.computations import entropy, label_shares
from resnet_inspect.stats import BatchPart
from tests.analysis.check.synthetic import evidence, perceptron

RANDOM = np.random.default_rng(3)
CATEGORICAL, BINARY = "categorical_crossentropy", "binary_crossentropy"
SPARSE = "sparse_categorical_crossentropy"
SEVERAL = (RANDOM.random((300, 6)) < 0.4).astype(np.float32)
ONE = np.eye(6, dtype=np.float32)[np.arange(300) % 6]


def severities(
    y: Any, kind: str, loss: str, *metrics: str, losses: Any = (), **more: Any
) -> dict[str, str]:
    graph = perceptron("Relu", kind, units=6, loss=loss, from_logits=not kind, metrics=metrics)
    outputs = {"dense_1": RANDOM.uniform(size=(300, 6))}
    data = evidence(graph, x=RANDOM.normal(size=(300, 4)), y=y, outputs=outputs, loss=losses)
    return {finding.rule: finding.severity.value for finding in check(replace(data, **more))}


def test_a_softmax_is_wrong_for_several_labels_at_once() -> None:
    assert severities(SEVERAL, "Sigmoid", BINARY) == {}
    assert severities(SEVERAL, "Softmax", BINARY) == {"last-layer": "error"}
    assert severities(SEVERAL, "Softmax", CATEGORICAL) == {"last-layer": "error"}
    assert severities(SEVERAL, "", CATEGORICAL) == {"last-layer": "error"}
    assert severities(ONE, "Softmax", CATEGORICAL) == {}
    assert severities(ONE * 0.9 + 0.1 / 6, "Softmax", CATEGORICAL) == {}  # smoothed


def test_class_accuracy_does_not_fit_several_labels_at_once() -> None:
    for metric in ("accuracy", "categorical_accuracy", "sparse_categorical_accuracy"):
        assert severities(SEVERAL, "Sigmoid", BINARY, metric) == {"metric-task": "warning"}
    assert severities(SEVERAL, "Sigmoid", BINARY, "binary_accuracy") == {}
    assert severities(ONE, "Softmax", CATEGORICAL, "accuracy") == {}


def test_binary_cross_entropy_on_two_classes_equals_the_categorical_one() -> None:
    for units, expected in ((2, {}), (3, {"loss-task"})):
        graph = perceptron("Relu", "Softmax", units=units, loss=BINARY, from_logits=False)
        y = np.eye(units)[np.arange(64) % units]
        data = evidence(graph, x=RANDOM.normal(size=(64, 4)), y=y)
        assert {finding.rule for finding in check(data)} == set(expected)


def test_rare_labels_are_reported_if_predictions_stay_at_chance_level() -> None:
    rare = np.zeros((300, 6))
    rare[:3, 0] = rare[5, 3] = 1
    chance = float(np.mean([entropy(share) for share in rare.mean(axis=0)]))
    assert severities(rare, "Sigmoid", BINARY, losses=[chance, chance * 1.1]) == {
        "imbalance": "warning"
    }
    assert severities(rare, "Sigmoid", BINARY, losses=[chance, chance / 2]) == {}
    assert severities(SEVERAL, "Sigmoid", BINARY, losses=[0.6, 0.61]) == {}
    # Batches without a rare label have almost no loss, so the rule uses the mean.
    spiky = [chance, *[0.1 * chance] * 4, 0.0, 0.0, 6 * chance, 0.0, 0.0]
    assert "imbalance" in severities(rare, "Sigmoid", BINARY, losses=spiky)


def test_rows_of_labels_that_never_differ() -> None:
    assert severities(np.zeros((300, 6)), "Sigmoid", BINARY)["one-class"] == "error"
    on = np.tile([1.0, 1.0, 0.0, 0.0, 0.0, 0.0], (300, 1))
    assert severities(on, "Sigmoid", BINARY)["one-class"] == "error"
    assert "one-class" not in severities(SEVERAL, "Sigmoid", BINARY)


@given(st.integers(2, 40), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_shares_are_those_of_numpy(examples: int, labels: int, seed: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 2, (examples, labels))
    part = BatchPart.of(rows)
    np.testing.assert_allclose(label_shares([part, part]), rows.mean(axis=0))
    if part.multi_hot:
        assert not (rows.sum(axis=1) == 1).all()
    else:
        assert rows.sum() == examples


@pytest.mark.parametrize("features", [1, 300])
def test_a_column_or_a_picture_is_not_several_labels(features: int) -> None:
    assert not BatchPart.of(np.ones((8, features))).multi_hot


def classes(loss: Any, validation: Any = (), **more: Any) -> set[str]:
    graph = perceptron(*more.pop("kinds", ("Relu", "")), loss=SPARSE, from_logits=True)
    data = evidence(graph, x=RANDOM.normal(size=(64, 4)), y=np.arange(64) % 3, loss=loss)
    if len(validation):
        val = dict(enumerate(np.asarray(validation, float).tolist()))
        data = replace(data, scalars={**data.scalars, "val_loss": val})
    return {finding.rule for finding in check(data)}


CHANCE = float(np.log(3))


def test_a_noisy_loss_below_chance_does_not_diverge() -> None:
    noisy = [*np.tile([0.2, 0.5, 0.6], 5), *np.tile([0.6, 0.7, 0.5], 5), *[0.8] * 10]
    assert classes(noisy) == set()
    worse = [*noisy[:20], *[1.4] * 10]
    assert classes(worse) == {"loss-diverging"}
    assert classes([0.1] * 15 + [0.9] * 15) == {"loss-diverging"}  # nine times the first third


def test_a_loss_that_jumps_below_chance_does_not_oscillate() -> None:
    assert classes(np.tile([0.3, 0.9], 15)) == set()
    assert classes(np.tile([0.4, 1.6], 15)) == {"loss-oscillating"}


def test_memorised_examples_show_in_the_validation_loss() -> None:
    falling = np.linspace(1.1, 0.2, 30)
    assert "loss-stuck" in classes(falling, [CHANCE * 1.05, CHANCE * 1.2])
    assert "loss-stuck" not in classes(falling, [CHANCE * 0.9, CHANCE * 1.2])  # it was better once
    assert "loss-stuck" not in classes(falling, [CHANCE * 1.2])
    assert "loss-stuck" not in classes(falling[:20], [CHANCE * 1.05, CHANCE * 1.2])


def test_weights_that_hardly_move_in_many_steps() -> None:
    def detected(steps: int, change: float) -> set[str]:
        graph = perceptron("Relu", "", loss=SPARSE, from_logits=True)
        moves = {f"{name}/kernel": [(1.0, change)] * steps for name in ("dense", "dense_1")}
        noise = np.where(np.arange(steps) < steps / 2, 1.2, 1.0)
        data = evidence(
            graph, x=RANDOM.normal(size=(64, 4)), y=np.arange(64) % 3, loss=noise, changes=moves
        )
        return {finding.rule for finding in check(data)} & {"learning-rate"}

    assert detected(40, 3e-6) == {"learning-rate"}
    assert detected(20, 3e-6) == set()  # as at the beginning of a warm-up
    assert detected(40, 1e-3) == set()


@pytest.mark.parametrize(
    ("factors", "expected"),
    [
        ((1, 2, 4, 16, 400), True),
        ((1, 2, 4, 16, 150), False),  # not far enough
        ((1, 4, 2, 16, 400), False),  # no chain
        ((1, 20, 400), False),  # too short for one
    ],
)
def test_a_chain_of_saturated_layers(factors: tuple[int, ...], expected: bool) -> None:
    graph = perceptron(*["Sigmoid"] * (len(factors) - 1), "", loss=SPARSE, from_logits=True)
    drawn = RANDOM.normal(size=(4, 4))
    names = [variable.name for variable in graph.variables]
    gradients = {name: [drawn * 1e-4 * factor] for name, factor in zip(names, factors, strict=True)}
    data = evidence(graph, x=RANDOM.normal(size=(64, 4)), y=np.arange(64) % 3, gradients=gradients)
    assert ({finding.rule for finding in check(data)} == {"vanishing-gradient"}) == expected
