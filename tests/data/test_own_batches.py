"""Training data of user's models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.data import RandomInputs
from resnet_inspect.data.own_batches import ArrayBatches, RandomBatches, TargetSpec
from resnet_inspect.errors import DataError

RNG = np.random.default_rng(0)


def saved(path: Path, **arrays: object) -> str:
    np.savez(path / "data.npz", **arrays)  # type: ignore[arg-type]
    return str(path / "data.npz")


def test_random_targets_are_what_their_loss_takes() -> None:
    classes = TargetSpec("y", "classes", (400,), 3).draw(RNG)
    assert set(classes.tolist()) == {0, 1, 2}
    one_hot = TargetSpec("y", "one-hot", (50, 2, 4)).draw(RNG)
    assert one_hot.shape == (50, 2, 4)
    assert (one_hot.sum(-1) == 1).all()
    assert set(one_hot.ravel().tolist()) == {0.0, 1.0}
    assert set(TargetSpec("y", "zeros and ones", (99, 1)).draw(RNG).ravel()) == {0.0, 1.0}
    assert np.allclose(TargetSpec("y", "shares", (9, 3)).draw(RNG).sum(-1), 1)
    assert (TargetSpec("y", "counts", (99,)).draw(RNG) >= 0).all()
    assert TargetSpec("y", "normal", (999, 2)).draw(RNG).std() == pytest.approx(1, abs=0.1)


def test_random_batches_follow_from_seed_and_number() -> None:
    def batches(seed: int) -> RandomBatches:
        inputs = RandomInputs(parse_inputs("x=4,3"), seed)
        return RandomBatches(inputs, [TargetSpec("y", "classes", (4,), 9)], seed, 5)

    first, again, other = batches(1), batches(1), batches(2)
    for arrays, same in zip(first.batch(3), again.batch(3), strict=True):
        assert (arrays[0] == same[0]).all()
    assert (first.batch(3)[0][0] != first.batch(2)[0][0]).any()
    assert (first.batch(3)[0][0] != other.batch(3)[0][0]).any()
    assert "random targets for the loss (y: classes from 0 to 8)" in first.description


def test_each_example_comes_once_before_any_comes_again(tmp_path: Path) -> None:
    file = saved(tmp_path, x=np.arange(10), y=np.arange(10) * 2)
    batches = ArrayBatches(file, ["features"], ["y"], size=4, seed=3, steps=9)
    rows = [batches.batch(number) for number in range(5)]
    seen = np.concatenate([inputs[0] for inputs, _ in rows])
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert list(seen[:10]) != list(range(10))
    for (inputs,), (targets,) in rows:
        assert (targets == inputs * 2).all()


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"x": np.ones(3)}, "has no array 'y'"),
        ({"x": np.ones(3), "y": np.ones(4)}, "different numbers of examples"),
        ({"x": np.ones(0), "y": np.ones(0)}, "different numbers of examples"),
        ({"x": np.array([None]), "y": np.ones(1)}, "cannot be read"),
    ],
)
def test_wrong_arrays_are_rejected(tmp_path: Path, arrays: dict[str, object], what: str) -> None:
    with pytest.raises(DataError, match=what):
        ArrayBatches(saved(tmp_path, **arrays), ["x"], ["y"], size=4, seed=0, steps=1)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read") as caught:
        ArrayBatches(str(tmp_path / "none.npz"), ["x"], ["y"], size=4, seed=0, steps=1)
    assert caught.value.got == "No such file or directory"
