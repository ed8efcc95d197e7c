"""Changes of networks and losses have the effect that the description of the fault states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.tensorflow


@pytest.fixture(autouse=True)
def keras() -> Any:
    """Return Keras with a fixed random seed."""
    keras = pytest.importorskip("keras", reason="TensorFlow is not installed")
    keras.utils.set_random_seed(0)
    return keras


def test_dropout_in_inference_mode_drops_nothing_during_training() -> None:
    from bench.verdicts.networks.dense import build

    inputs = np.random.default_rng(0).normal(size=(8, 16)).astype(np.float32)
    for mode, same in ((None, False), (False, True)):
        model = build([(16,)], 4, dropout=0.5, dropout_training=mode)
        first, second = (np.asarray(model(inputs, training=True)) for _ in range(2))
        assert np.array_equal(first, second) is same


@pytest.mark.parametrize(("change", "moved"), [({}, True), ({"norm_training": False}, False)])
def test_normalization_in_inference_mode_updates_no_averages(change: Any, moved: bool) -> None:
    from bench.verdicts.networks.convolutional import build

    model = build([(8, 8, 3)], 4, **change)
    inputs = np.random.default_rng(0).normal(size=(8, 8, 8, 3)).astype(np.float32)
    model(inputs, training=True)
    means = [np.asarray(weight) for weight in model.weights if weight.name == "moving_mean"]
    assert [bool(np.any(mean)) for mean in means] == [moved, moved]
    gammas = [weight for weight in model.trainable_weights if weight.name == "gamma"]
    assert len(gammas) == 2


def test_a_fine_tuned_base_keeps_its_averages_and_trains_unfrozen_layers() -> None:
    from bench.verdicts.networks.finetuned import build

    for frozen, names in (("base", set()), ("half", {"base_conv1", "base_norm1"}), ("all", set())):
        model = build([(16, 16, 3)], 4, frozen=frozen)
        before = [np.asarray(weight).copy() for weight in model.non_trainable_weights]
        model(np.ones((4, 16, 16, 3), np.float32), training=True)
        moved = [np.asarray(weight).copy() for weight in model.non_trainable_weights]
        for old, new in zip(before, moved, strict=True):
            np.testing.assert_array_equal(old, new)
        layers = {weight.path.split("/")[-2] for weight in model.trainable_weights}
        assert layers == names | (set() if frozen == "all" else {"head"})


def test_a_reshape_mixes_examples(keras: Any) -> None:
    from bench.verdicts.networks.parts import mixed

    features = np.arange(24.0).reshape(4, 3, 2)
    result = np.asarray(mixed(keras.ops.convert_to_tensor(features)))
    assert result.shape == features.shape
    assert sorted(result.ravel()) == sorted(features.ravel())
    assert {int(number) // 6 for number in result[0].ravel()} == {0, 1, 2}


def test_losses_written_by_hand_match_their_names(keras: Any) -> None:
    from bench.verdicts.steps import LOSSES

    logits = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    labels, hot = np.array([0, 1, 2, 0, 1, 2]), np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    entropy = -np.log(shares[np.arange(6), labels]).mean()
    np.testing.assert_allclose(LOSSES["of logits"](True)(labels, logits), entropy, rtol=1e-5)
    np.testing.assert_allclose(LOSSES["own entropy"](False)(hot, shares), entropy, rtol=1e-5)
    # Keras' loss skips a softmax in the last layer; TensorFlow's op in a custom loss does not.
    soft = keras.activations.softmax(keras.ops.convert_to_tensor(logits))
    doubled = float(LOSSES["of logits"](True)(labels, soft))
    assert abs(doubled - entropy) > 0.01
    yes = 1 / (1 + np.exp(-logits))
    crosses = -(hot * np.log(yes) + (1 - hot) * np.log(1 - yes)).mean()
    np.testing.assert_allclose(LOSSES["of binary logits"](True)(hot, logits), crosses, rtol=1e-5)
    column = np.array([[0.0], [1.0], [3.0]], np.float32)
    flat = float(LOSSES["own squares"](False)(column[:, 0], column))
    np.testing.assert_allclose(flat, ((column - column[:, 0]) ** 2).mean(), rtol=1e-6)
    assert float(LOSSES["own squares"](False)(column, column)) == 0
