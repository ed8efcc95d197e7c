"""The origin of a NaN or infinity that is placed in an input, a variable or an op."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.stats import NotFinite, Origin, StepRecord
from tests.tracers.tensorflow.conftest import session

Array = NDArray[Any]
STAGE = "conv_block_stage1"


class Altered:
    """Batches with another value at one place of one image, from step `since` on."""

    def __init__(self, batches: Any, value: float, since: int) -> None:
        self.image_shape = batches.image_shape
        self._batches = batches
        self._value = value
        self._since = since

    def batch(self, step: int) -> tuple[Array, Array]:
        images, labels = self._batches.batch(step)
        images = images.copy()
        if step >= self._since:
            images[5, 20, 11, 1] = self._value
        return images, labels


@cache
def _built(changes: tuple[tuple[str, Any], ...]) -> tuple[Any, Any, dict[str, Array]]:
    made = session(sample=64, **dict(changes))
    assert made.build().failure is None
    return made, made.batches, values(made)


def built(**changes: Any) -> Any:
    """A session in its initial state; sessions with the same settings are shared for speed."""
    made, batches, before = _built(tuple(changes.items()))
    made.feed(batches)
    for name, value in before.items():
        made.variables[name].assign(value)
    return made


def plant(made: Any, name: str, change: Callable[[Array], Array]) -> None:
    """Change a variable's value."""
    variable = made.variables[name]
    variable.assign(change(variable.numpy().copy()).astype(np.float32))


def at(place: int, value: float) -> Callable[[Array], Array]:
    """A change of one element."""

    def change(array: Array) -> Array:
        array.reshape(-1)[place] = value
        return array

    return change


def values(made: Any) -> dict[str, Array]:
    return {name: variable.numpy() for name, variable in made.variables.items()}


def wrong(record: StepRecord, kind: str = "activation") -> list[str]:
    """The layers, in order, whose activations (or tensors of `kind`) are not all finite."""
    return [tap.layer for tap in record.not_finite if tap.kind == kind]


def test_an_input_image() -> None:
    made = built()
    made.feed(Altered(made.batches, np.inf, since=1))
    first, second, third = (made.step(number) for number in range(3))
    assert first.origin is None
    assert first.not_finite == {}
    assert second.origin == Origin(1, "input", "images")
    assert wrong(second)[0] == "conv1"
    tap = next(tap for tap in second.not_finite if tap.layer == "conv1")
    # With a 3×3 kernel, one element affects nine positions in each of 16 channels.
    bad = second.not_finite[tap]
    assert bad.nan + bad.posinf + bad.neginf == 9 * 16
    assert bad.nan == 0
    assert third.origin is None, "an origin is searched once"
    assert third.not_finite


def test_a_kernel_in_the_middle() -> None:
    made = built()
    plant(made, "res10_branch2a/kernel", at(777, np.nan))
    record = made.step(0)
    assert record.origin == Origin(0, "variable", "res10_branch2a/kernel")
    assert wrong(record)[0] == "res10_branch2a"
    assert wrong(record, "weight") == ["res10_branch2a"]
    (kernel,) = (t for t in record.not_finite if t.kind == "weight")
    assert record.not_finite[kernel] == NotFinite(1, 0, 0)


def test_the_scale_of_a_normalization() -> None:
    made = built()
    plant(made, "bn10_branch2b/gamma", at(5, np.nan))
    record = made.step(0)
    assert record.origin == Origin(0, "variable", "bn10_branch2b/gamma")
    assert wrong(record)[0] == "bn10_branch2b"
    first = record.not_finite[next(t for t in record.not_finite if t.kind == "activation")]
    # One of 32 channels, in 8 images of 16×16.
    assert first.nan + first.posinf + first.neginf == 8 * 16 * 16


def test_an_overflow_inside_a_convolution() -> None:
    made = built()
    plant(made, "res10_branch2a/kernel", lambda array: np.full_like(array, 3e38))
    record = made.step(0)
    assert record.origin == Origin(0, "op", f"{STAGE}/res10_branch2a/Conv2D")
    assert wrong(record)[0] == "res10_branch2a"
    assert wrong(record, "weight") == []


def infinite_gradient(**changes: Any) -> Any:
    """A session with finite logits and an infinite gradient.

    The last ReLU returns zeros, so the logits are 0 for any last kernel. The product of their
    gradient and that kernel overflows float32.
    """
    made = built(batch_size=1, weight_decay=0.0, **changes)
    plant(made, "pre_activation_final_norm/beta", lambda array: np.full_like(array, -1e3))
    label = int(made.batches.batch(0)[1][0])
    signs = np.where(np.arange(10) == label, -3.4e38, 3.4e38)
    plant(made, "dense1/kernel", lambda array: np.broadcast_to(signs, array.shape))
    return made


def test_a_gradient_while_the_forward_pass_is_finite() -> None:
    record = infinite_gradient().step(0)
    assert wrong(record) == []
    assert np.isfinite(list(record.scalars.values())).all()
    assert wrong(record, "gradient")
    assert record.origin is not None
    assert record.origin.kind == "op"
    assert record.origin.name.startswith("gradients/dense1/MatMul_grad/MatMul")


def test_a_gradient_that_is_not_recorded() -> None:
    record = infinite_gradient(gradients=False).step(0)
    assert record.origin is not None
    assert record.origin.name.startswith("gradients/dense1/MatMul_grad/MatMul")


def test_an_update_that_overflows() -> None:
    made = built(optimizer="sgd", learning_rate=3e38, weight_decay=10.0)
    before = values(made)
    record = made.step(0)
    assert record.not_finite == {}
    assert record.origin is not None
    assert (record.origin.step, record.origin.kind) == (0, "update")
    after = values(made)
    # The update names the first variable in the order of creation.
    first = next(name for name in before if not np.isfinite(after[name]).all())
    assert record.origin.name == first
    assert made.step(1).origin is None


def test_a_batch_variance_that_overflows_though_all_outputs_are_finite() -> None:
    """The normalized outputs are zeros, and the moving variance is infinite."""
    made = built(gradients=False, weight_decay=0.0)
    plant(made, "res10_branch2a/kernel", lambda array: array * 1e20)
    record = made.step(0)
    assert wrong(record) == []
    assert np.isfinite(list(record.scalars.values())).all()
    assert record.origin == Origin(0, "op", f"{STAGE}/bn10_branch2b/FusedBatchNormV3")


def test_huge_finite_variables_have_finite_norms_and_no_origin() -> None:
    made = built(gradients=False, weight_decay=0.0)
    plant(made, "conv1/bias", lambda array: array + 1e6)
    plant(made, "dense1/bias", lambda array: array + 1e30)
    record = made.step(0)
    assert record.not_finite == {}
    assert record.origin is None
    assert record.updates["dense1/bias"].norm == pytest.approx(np.sqrt(10) * 1e30, rel=1e-6)
    assert np.isfinite([update.change for update in record.updates.values()]).all()


def test_without_training() -> None:
    made = built(mode="eval")
    made.feed(Altered(made.batches, np.nan, since=0))
    assert made.step(0).origin == Origin(0, "input", "images")
    made = built(mode="eval")
    plant(made, "bn10_branch2b/moving_variance", lambda array: -array - 1)
    assert made.step(0).origin == Origin(0, "op", f"{STAGE}/bn10_branch2b/FusedBatchNormV3")


def test_the_search_changes_no_variable() -> None:
    """The same step with and without a search for the origin."""
    results = []
    for searched in (False, True):
        made = built(gradients=False, weight_decay=0.0)
        made.source._origin_searched = searched
        plant(made, "res20_branch2b/kernel", lambda array: np.full_like(array, 3e38))
        record = made.step(0)
        assert (record.origin is None) == searched
        results.append(values(made))
    for name, value in results[0].items():
        assert np.array_equal(value, results[1][name], equal_nan=True), name
