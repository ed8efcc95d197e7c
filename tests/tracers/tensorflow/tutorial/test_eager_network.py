"""The eager reference, compared with differences, NumPy, the specification and the fused op."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.reference import expected_network, numpy_network

if TYPE_CHECKING:
    from tests.reference.eager_network import ReferenceStep

BATCH = 2
STEP = 1e-6  # of central differences
SEED = 12  # with it, no input of a ReLU is within ten such steps of zero
BN = {"gamma": 1.0, "beta": 0.0, "moving_mean": 0.0, "moving_variance": 1.0}


@cache
def given(ver: int) -> tuple[dict[str, Any], Any, Any]:
    """Variables in float64, images and labels; no variable is zero or one."""
    random = np.random.default_rng(SEED)
    variables = {}
    for variable in expected_network.variables(1, ver):
        kind = variable.name.rpartition("/")[2]
        noise = random.normal(size=variable.shape)
        spread = np.sqrt(2 / np.prod(variable.shape[:-1])) if kind == "kernel" else 0.1
        variables[variable.name] = BN.get(kind, 0.0) + spread * noise
    return variables, random.normal(size=(BATCH, 32, 32, 3)), random.integers(0, 10, BATCH)


def run(ver: int, changed: dict[str, Any] | None = None, **options: Any) -> ReferenceStep:
    """The reference step on the `given` values, with some variables changed."""
    from tests.reference.eager_network import Network, reference

    variables, images, labels = given(ver)
    return reference(variables | (changed or {}), images, labels, Network(1, ver), **options)


def largest(values: Any) -> tuple[int, ...]:
    """The index of an array's largest element by magnitude."""
    return tuple(map(int, np.unravel_index(np.abs(values).argmax(), values.shape)))


def one_hot(shape: tuple[int, ...], index: tuple[int, ...]) -> Any:
    """An array of zeros with a single 1."""
    zeros = np.zeros(shape)
    zeros[index] = 1.0
    return zeros


def slope_by_variables(ver: int, direction: dict[str, Any]) -> float:
    """The total loss's derivative along a direction, by a central difference."""
    variables, _, _ = given(ver)
    high, low = (
        run(ver, {name: variables[name] + h * d for name, d in direction.items()}).loss
        for h in (STEP, -STEP)
    )
    return (high - low) / (2 * STEP)


def slope_by_activations(ver: int, direction: dict[str, Any]) -> float:
    """The total loss's derivative along a direction of layer outputs."""
    high, low = (
        run(ver, nudges={name: h * d for name, d in direction.items()}).loss for h in (STEP, -STEP)
    )
    return (high - low) / (2 * STEP)


@pytest.mark.parametrize("ver", [1, 2])
def test_gradients_of_variables_agree_with_central_differences(ver: int) -> None:
    step = run(ver)
    assert step.margin > 10 * STEP
    gradients = step.gradients
    assert list(gradients) == [v.name for v in expected_network.variables(1, ver) if v.trainable]
    for name in (
        "conv1/kernel",
        "bn00_branch2a/gamma",
        "res10_branch1/kernel",
        "res20_branch2b/bias",
        "bn20_branch2a/beta",
        "dense1/kernel",
    ):
        gradient = gradients[name]
        index = largest(gradient)
        wanted = slope_by_variables(ver, {name: one_hot(gradient.shape, index)})
        assert gradient[index] == pytest.approx(wanted, rel=1e-5, abs=1e-8), (name, index)


@pytest.mark.parametrize("ver", [1, 2])
def test_gradients_of_activations_agree_with_central_differences(ver: int) -> None:
    step = run(ver)
    assert step.margin > 10 * STEP
    gradients = step.activation_gradients
    assert list(gradients) == [layer.name for layer in expected_network.layers(1, ver, BATCH)]
    for name in (
        "conv1",
        "add00",
        "relu10_branch2a",
        "bn10_branch1",
        "res20_branch2b",
        "final_reduce_mean",
        "Reshape",
        "dense1",
    ):
        gradient = gradients[name]
        index = largest(gradient)
        wanted = slope_by_activations(ver, {name: one_hot(gradient.shape, index)})
        assert gradient[index] == pytest.approx(wanted, rel=1e-5, abs=1e-8), (name, index)


@pytest.mark.parametrize("ver", [1, 2])
def test_activations_losses_and_statistics_agree_with_numpy(ver: int) -> None:
    step = run(ver)
    variables, images, labels = given(ver)
    activations, statistics = numpy_network.forward(variables, images, 1, ver, True)
    losses = numpy_network.loss(variables, activations["dense1"], labels)
    assert (step.cross_entropy, step.l2, step.loss) == pytest.approx(losses, rel=1e-12)
    assert list(step.activations) == list(activations)
    for layer in expected_network.layers(1, ver, BATCH):
        assert step.activations[layer.name].shape == layer.output
        assert step.activation_gradients[layer.name].shape == layer.output
        np.testing.assert_allclose(
            step.activations[layer.name], activations[layer.name], atol=1e-10, err_msg=layer.name
        )
    assert list(step.batch_means) == list(step.batch_variances) == list(statistics)
    for name, (mean, variance) in statistics.items():
        np.testing.assert_allclose(step.batch_means[name], mean, atol=1e-12)
        np.testing.assert_allclose(step.batch_variances[name], variance, rtol=1e-10)


def test_statistics_are_those_that_the_fused_op_reports() -> None:
    import tensorflow as tf

    variables, _, _ = given(1)
    step = run(1, dtype="float32")
    for name in ("bn_conv1", "bn10_branch1"):
        output, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=step.activations[name.replace("bn_", "").replace("bn", "res")],
            scale=variables[f"{name}/gamma"].astype(np.float32),
            offset=variables[f"{name}/beta"].astype(np.float32),
            mean=[],
            variance=[],
            epsilon=1e-3,
        )
        np.testing.assert_allclose(step.batch_means[name], mean, atol=1e-6)
        np.testing.assert_allclose(step.batch_variances[name], variance, rtol=1e-5)
        np.testing.assert_allclose(step.activations[name], output, atol=1e-5)


def test_ratios_are_norms_of_the_change_over_norms_of_the_value() -> None:
    variables, _, _ = given(2)
    zero = {"conv1/bias": np.zeros(16)}
    step = run(2, zero)
    assert list(step.update_ratios) == list(step.trained) == list(step.gradients)
    assert np.isnan(step.update_ratios["conv1/bias"])
    kernel = variables["conv1/kernel"]
    change = 0.1 * step.gradients["conv1/kernel"]
    wanted = np.sqrt((change**2).sum() / (kernel**2).sum())
    assert step.update_ratios["conv1/kernel"] == pytest.approx(wanted, rel=1e-12)
