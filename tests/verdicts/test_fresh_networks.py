"""Networks, losses and optimizers of the fresh kinds do what their descriptions state."""

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


def test_losses_are_what_numpy_computes() -> None:
    from bench.verdicts.steps import LOSSES

    rng = np.random.default_rng(0)
    wanted = rng.normal(size=(6, 1)).astype(np.float32)
    predicted = rng.normal(size=(6, 2)).astype(np.float32)
    mean, height = predicted[:, :1], predicted[:, 1:]
    normal = (((wanted - mean) ** 2) * np.exp(-height) + height).mean() / 2
    np.testing.assert_allclose(LOSSES["gaussian"](False)(wanted, predicted), normal, rtol=1e-5)
    three = rng.normal(size=(6, 3)).astype(np.float32)
    costs = [
        (share if error > 0 else share - 1) * error
        for row, number in zip(three, wanted[:, 0], strict=True)
        for share, error in zip((0.5, 0.1, 0.9), number - row, strict=True)
    ]
    np.testing.assert_allclose(LOSSES["pinball"](False)(wanted, three), np.mean(costs), rtol=1e-5)
    mask = (rng.random((2, 4, 4, 1)) < 0.5).astype(np.float32)
    assert float(LOSSES["dice"](False)(mask, mask)) == pytest.approx(0, abs=1e-6)
    assert float(LOSSES["dice"](False)(mask, 1 - mask)) == pytest.approx(1 - 1 / 33, abs=1e-6)
    counts, means = np.array([[0.0], [3.0]]), np.array([[0.5], [2.0]], np.float32)
    poisson = (means - counts * np.log(means)).mean()
    for name in ("poisson", "own poisson"):
        np.testing.assert_allclose(LOSSES[name](False)(counts, means), poisson, rtol=1e-5)
    apart = np.array([[-2.0], [-0.25], [1.0]], np.float32)
    assert float(LOSSES["margin"](False)(np.zeros((3, 1)), apart)) == pytest.approx(1.75 / 3)


def test_padding_does_not_move_the_mean_of_words() -> None:
    from bench.verdicts.networks.averaged import build

    model = build([(20,)], 1)
    words = np.random.default_rng(0).integers(1, 30, (3, 20))
    words[:, 12:] = 0
    short = build([(12,)], 1)
    short.set_weights(model.get_weights())
    np.testing.assert_allclose(model(words), short(words[:, :12]), rtol=1e-5)


def test_a_u_net_has_shortcuts_and_predicts_every_pixel() -> None:
    from bench.verdicts.networks.segmenting import build

    images = np.random.default_rng(0).normal(size=(2, 16, 16, 1)).astype(np.float32)
    model = build([(16, 16, 1)], 1)
    assert model(images).shape == (2, 16, 16, 1)
    for name in ("up0", "up1"):  # only the shortcut remains
        layer = model.get_layer(name)
        layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    assert np.asarray(model(images)).std() > 0.01


def test_a_tag_depends_on_its_own_word_unless_examples_are_mixed() -> None:
    from bench.verdicts.networks.tagging import build

    letters = np.random.default_rng(0).integers(0, 12, (4, 10))
    changed = letters.copy()
    changed[1] = (changed[1] + 5) % 12
    for mixing, moved in ((False, [False, True, False, False]), (True, [True] * 4)):
        model = build([(10,)], 4, mixing=mixing)
        off = np.abs(np.asarray(model(letters)) - np.asarray(model(changed))).max(axis=(1, 2))
        assert list(off > 1e-6) == moved


def test_tied_blocks_share_their_weights_and_frozen_ones_train_none() -> None:
    from bench.verdicts.networks.residual import build

    plain, tied, frozen = (
        build([(13,)], 3, **more) for more in ({}, {"tied": True}, {"frozen": 1})
    )
    assert plain.count_params() - tied.count_params() == 3 * (24 * 48 + 48 + 48 * 24 + 24)
    names = {weight.path.split("/")[-2] for weight in frozen.trainable_weights}
    assert not [name for name in names if name.startswith(("wide", "narrow"))]
    assert {"stem", "head"} < names


def test_distances_determine_the_order() -> None:
    from bench.verdicts.networks.tripled import build

    first, other = np.random.default_rng(0).normal(size=(2, 5, 12)).astype(np.float32)
    model = build([(12,)] * 3, 8)
    assert (np.asarray(model([first, first, other])) < 0).all()
    np.testing.assert_allclose(
        model([first, first, other]), -np.asarray(model([first, other, first])), rtol=1e-5
    )


def test_a_deviation_from_relu_can_be_0() -> None:
    from bench.verdicts.networks.counting import build

    inputs = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    for spread, finite in (("softplus", True), ("relu", False)):
        predicted = np.asarray(build([(3,)], 2, spread=spread)(inputs))
        assert predicted.shape == (64, 2)
        assert np.isfinite(predicted).all() == finite


def test_rates_weights_and_averages_reach_keras() -> None:
    from bench.verdicts.networks.counting import build
    from bench.verdicts.training import Training, _compile

    model = build([(3,)], 2)
    _compile(model, Training("uneven", rate=0.1, schedule="cosine", averaged=True, loss="gaussian"))
    rate = model.optimizer._learning_rate
    assert [round(float(rate(step)), 4) for step in (0, 12, 54, 96)] == [0, 0.1, 0.05, 0]
    assert model.optimizer.use_ema
    _compile(model, Training("uneven", rate=0.1, schedule="stairs", loss="gaussian"))
    rate = model.optimizer._learning_rate
    np.testing.assert_allclose([rate(step) for step in (0, 23, 24, 72)], [0.1, 0.1, 0.04, 0.0064])
