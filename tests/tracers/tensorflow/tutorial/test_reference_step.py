"""One recorded training step, compared with the same step run eagerly in float64."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.stats import ChannelActivity, StepRecord, TensorSummary
from tests.tracers.tensorflow.conftest import session

if TYPE_CHECKING:
    from tests.reference.eager_network import ReferenceStep

RATES = {"momentum": 0.1, "sgd": 0.1, "adam": 0.001}
COUNTERS = {"global_step", "beta1_power", "beta2_power"}
MARGIN = 2.5e-6  # an input of a ReLU with this distance from zero keeps its sign in float32
# For smaller changes only the absolute error is compared, by the last part of the name. Gradients
# of biases before a normalization should be zero, so they contain only rounding errors.
FLOORS = {"Momentum": 0.1, "Adam": 0.1, "Adam_1": 1e-3}


@dataclass
class ComparedStep:
    """A recorded step, the reference step, and the variables before and after it."""

    record: StepRecord
    wanted: ReferenceStep
    before: dict[str, Any]
    after: dict[str, Any]


def values(made: Any) -> dict[str, Any]:
    """The current values of a session's variables."""
    return {name: variable.numpy() for name, variable in made.variables.items()}


@cache
def usable_seed(ver: int) -> int:
    """The first seed with no input of a ReLU near zero in the first batch, on this processor."""
    from tests.reference.eager_network import Network, reference

    for seed in range(1, 20):
        made = session(ver=ver, seed=seed)
        made.build()
        images, labels = made.batches.batch(0)
        if reference(values(made), images, labels, Network(1, ver)).margin > MARGIN:
            return seed
    raise AssertionError(f"no seed below 20 keeps a margin of {MARGIN} in version {ver}")


def prepared(ver: int, **changes: Any) -> Any:
    """A session before its first step."""
    made = session(ver=ver, seed=usable_seed(ver), **changes)
    made.build()
    return made


def first_step(made: Any, ver: int, **recipe: Any) -> ComparedStep:
    """Run a session's first step."""
    from tests.reference.eager_network import Network, Recipe, reference

    before = values(made)
    images, labels = made.batches.batch(0)
    wanted = reference(before, images, labels, Network(1, ver), Recipe(**recipe))
    assert wanted.margin > MARGIN
    return ComparedStep(made.step(0), wanted, before, values(made))


@cache
def usual_step(ver: int) -> ComparedStep:
    """The first step with the default recipe."""
    return first_step(prepared(ver, sample=0), ver)


def assert_losses_agree(step: ComparedStep) -> None:
    scalars, wanted = step.record.scalars, step.wanted
    assert scalars["cross_entropy"] == pytest.approx(wanted.cross_entropy, rel=1e-5)
    assert scalars["l2_loss"] == pytest.approx(wanted.l2, rel=1e-5)
    assert scalars["loss"] == pytest.approx(wanted.loss, rel=1e-5)
    assert scalars["accuracy"] == wanted.accuracy
    assert scalars["learning_rate"] == pytest.approx(wanted.learning_rate)


def assert_variables_agree(step: ComparedStep, *, but: dict[str, Any] | None = None) -> None:
    """Compare all variables to the accuracy of float32, except the elements chosen by `but`."""
    assert set(step.after) - set(step.wanted.variables) <= COUNTERS
    for name, wanted in step.wanted.variables.items():
        value = step.after[name]
        assert value.shape == wanted.shape, name
        left_out = (but or {}).get(name, np.zeros(wanted.shape, bool))
        largest = np.abs(wanted - step.before[name]).max()
        floor = FLOORS.get(name.rpartition("/")[2], 1e-2)
        np.testing.assert_allclose(
            np.where(left_out, 0, value),
            np.where(left_out, 0, wanted),
            rtol=0,
            atol=3e-5 * max(floor, largest),
            err_msg=name,
        )


@pytest.mark.parametrize("ver", [1, 2])
def test_losses_and_variables_agree(ver: int) -> None:
    step = usual_step(ver)
    assert_losses_agree(step)
    assert_variables_agree(step)
    assert step.after["global_step"] == 1


def assert_summary_agrees(
    summary: TensorSummary, wanted: NDArray[Any], name: str, *, floor: float = 0.0
) -> None:
    """Compare counts exactly and moments to the accuracy of float32.

    Values below `floor` are rounding errors.
    """
    size = float(np.abs(wanted).max())
    near = 1e-5 * max(size, floor)
    assert summary.count == summary.finite == wanted.size, name
    if size > floor:
        assert summary.zeros == np.count_nonzero(wanted == 0), name
    for value, right in (
        (summary.mean, wanted.mean()),
        (summary.std, wanted.std()),
        (summary.min, wanted.min()),
        (summary.max, wanted.max()),
    ):
        assert value == pytest.approx(right, rel=0, abs=near), name


def summaries(step: ComparedStep, kind: str, *, output: bool) -> dict[str, TensorSummary]:
    """Summaries of outputs by layer, or of variables by name."""
    return {
        tap.layer if output else tap.tensor: summary
        for tap, summary in step.record.summaries.items()
        if (tap.kind, tap.output) == (kind, output) and tap.layer != "cross_entropy"
    }


@pytest.mark.parametrize("ver", [1, 2])
def test_activations_agree(ver: int) -> None:
    step = usual_step(ver)
    recorded = summaries(step, "activation", output=True)
    assert list(recorded) == list(step.wanted.activations)
    for layer, summary in recorded.items():
        assert_summary_agrees(summary, step.wanted.activations[layer], layer)


@pytest.mark.parametrize("ver", [1, 2])
def test_gradients_of_activations_agree(ver: int) -> None:
    step = usual_step(ver)
    recorded = summaries(step, "gradient", output=True)
    assert list(recorded) == list(step.wanted.activation_gradients)
    for layer, summary in recorded.items():
        assert_summary_agrees(summary, step.wanted.activation_gradients[layer], layer)


@pytest.mark.parametrize("ver", [1, 2])
def test_weights_and_their_gradients_agree(ver: int) -> None:
    step = usual_step(ver)
    weights, gradients = (summaries(step, kind, output=False) for kind in ("weight", "gradient"))
    assert set(weights) == set(gradients) == set(step.wanted.gradients)
    for name, gradient in step.wanted.gradients.items():
        assert_summary_agrees(weights[name], step.before[name], name)
        # The gradient of a bias before a normalization contains only rounding errors; see FLOORS.
        assert_summary_agrees(gradients[name], gradient, name, floor=0.1)


@pytest.mark.parametrize("ver", [1, 2])
def test_updates_agree(ver: int) -> None:
    step = usual_step(ver)
    assert set(step.record.updates) == set(step.wanted.trained)
    for name, update in step.record.updates.items():
        before, trained = step.before[name].astype(np.float64), step.wanted.trained[name]
        change = np.linalg.norm(trained - before)
        assert update.norm == pytest.approx(np.linalg.norm(before), rel=1e-9), name
        assert update.change == pytest.approx(change, rel=1e-4, abs=1e-5), name
        if update.norm == 0:
            assert update.relative() is None, name
            assert np.isnan(step.wanted.update_ratios[name]), name
        else:
            ratio = step.wanted.update_ratios[name]
            assert update.relative() == pytest.approx(ratio, rel=1e-4, abs=1e-5 / update.norm), name
        # The change is that of the variables themselves.
        moved = np.linalg.norm(step.after[name].astype(np.float64) - before)
        assert update.change == pytest.approx(moved, rel=1e-9), name


@pytest.mark.parametrize("ver", [1, 2])
def test_batch_statistics_and_moving_averages_agree(ver: int) -> None:
    step = usual_step(ver)
    assert list(step.record.normalizations) == list(step.wanted.batch_means)
    for layer, normalization in step.record.normalizations.items():
        wanted = (
            step.wanted.batch_means[layer],
            step.wanted.batch_variances[layer],
            step.wanted.moving_averages[f"{layer}/moving_mean"],
            step.wanted.moving_averages[f"{layer}/moving_variance"],
        )
        for part, right in zip(normalization.parts, wanted, strict=True):
            near = 1e-5 * max(1e-1, np.abs(right).max())
            np.testing.assert_allclose(part, right, rtol=1e-5, atol=near, err_msg=layer)
        assert np.array_equal(normalization.moving_mean, step.after[f"{layer}/moving_mean"])
        assert np.array_equal(normalization.moving_variance, step.after[f"{layer}/moving_variance"])


@pytest.mark.parametrize("ver", [1, 2])
def test_channels_and_sizes_agree(ver: int) -> None:
    step = usual_step(ver)
    relus = {name for name in step.wanted.activations if name.startswith("relu")}
    assert {tap.layer for tap in step.record.channels} == relus
    for tap, activity in step.record.channels.items():
        assert tap.kind == "activation"
        assert activity == ChannelActivity.of_array(step.wanted.activations[tap.layer]), tap.layer
    for tap, summary in step.record.summaries.items():
        assert step.record.sizes[tap] == summary.count
    assert step.record.not_finite == {}
    assert step.record.origin is None


@pytest.mark.parametrize("ver", [1, 2])
@pytest.mark.parametrize("optimizer", RATES)
def test_each_optimizer_also_when_its_slots_are_filled(optimizer: str, ver: int) -> None:
    recipe: dict[str, Any] = {"optimizer": optimizer, "learning_rate": RATES[optimizer]}
    made = prepared(ver, **recipe)
    for _ in range(2):
        step = first_step(made, ver, **recipe)
        assert_losses_agree(step)
        if optimizer == "adam":
            # Adam scales rounding errors of the smallest gradients to its full rate.
            small = {name: np.abs(g) < 1e-3 for name, g in step.wanted.gradients.items()}
            assert_variables_agree(step, but=small)
            for name in small:
                change = np.abs(step.after[name] - step.before[name])
                assert change.max() < 1.01 * RATES["adam"], name
        else:
            assert_variables_agree(step)
        # Repeat the batch from the same weights: only the state of the optimizer differs.
        for name in step.wanted.trained:
            made.variables[name].assign(step.before[name])


@pytest.mark.parametrize(
    "recipe", [{"momentum": 0.5}, {"weight_decay": 0.0}, {"update_ops": False}], ids=str
)
def test_other_recipes(recipe: dict[str, Any]) -> None:
    made = prepared(2, **recipe)
    for _ in range(2):
        step = first_step(made, 2, **recipe)
        assert_losses_agree(step)
        assert_variables_agree(step)
        for name in step.wanted.trained:
            made.variables[name].assign(step.before[name])
