"""Checkpoints written by the saver of TensorFlow 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect.errors import CheckpointError
from tests.reference import expected_network as expected
from tests.tracers.tensorflow.conftest import session


def save(folder: Path, changes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Save random values for the variables of n=1, version 2; None omits a variable."""
    import tensorflow as tf

    rng = np.random.default_rng(3)
    values = {v.name: rng.normal(size=v.shape).astype(np.float32) for v in expected.variables(1, 2)}
    values = {n: v for n, v in (values | changes).items() if v is not None}
    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as running:
        variables = [
            v1.get_variable(n, initializer=v, use_resource=True) for n, v in values.items()
        ]
        running.run(v1.global_variables_initializer())
        path = v1.train.Saver(variables).save(running, str(folder / "model.ckpt"))
    return path, values


def error_of(path: str) -> str:
    """The message of the error for an unusable checkpoint."""
    with pytest.raises(CheckpointError) as caught:
        session(checkpoint=path).build()
    return str(caught.value)


def test_variables_take_the_saved_values_by_name(tmp_path: Path) -> None:
    path, values = save(tmp_path, {"global_step": np.int64(10001)})
    made = session(checkpoint=path)
    graph = made.build().graph
    for name, value in values.items():
        assert np.array_equal(made.variables[name].numpy(), value), name
    assert made.step(0).scalars["learning_rate"] == pytest.approx(0.05)
    (note,) = [note for note in graph.notes if note.subject != "lineage"]
    assert note.text == (
        "38 variables are not in the checkpoint and keep their initial value: "
        "conv1/kernel/Momentum, conv1/bias/Momentum, bn00_branch2a/gamma/Momentum, …"
    )


def test_a_missing_variable_is_named(tmp_path: Path) -> None:
    path, _ = save(tmp_path, {"res10_branch1/bias": None})
    assert error_of(path) == (
        "the checkpoint does not contain 1 of the network's variables\n"
        f"  where:    {path}\n"
        "  expected: res10_branch1/bias 32\n"
        "  got:      55 other variables, such as bn00_branch2a/beta, "
        "bn00_branch2a/gamma, bn00_branch2a/moving_mean\n"
        "  do:       check --n, --ver and the names in the checkpoint"
    )


def test_a_variable_of_another_shape_is_named_with_both_shapes(tmp_path: Path) -> None:
    path, _ = save(tmp_path, {"dense1/kernel": np.zeros((64, 100), np.float32)})
    assert error_of(path) == (
        "the variable 'dense1/kernel' has another shape in the checkpoint\n"
        f"  where:    {path}\n"
        "  expected: 64×10 as in the network\n"
        "  got:      64×100 in the checkpoint\n"
        "  do:       check --n, --ver, --filters, --classes and --bn-axis"
    )


@pytest.mark.parametrize("damage", ["missing", "cut", "flipped", "index"])
def test_a_damaged_checkpoint(tmp_path: Path, damage: str) -> None:
    path, _ = save(tmp_path, {})
    (shard,) = tmp_path.glob("*.data-*")
    whole = shard.read_bytes()
    if damage == "missing":
        shard.unlink()
    elif damage == "cut":
        shard.write_bytes(whole[:100])
    elif damage == "flipped":
        shard.write_bytes(bytes(255 - byte for byte in whole))
    else:
        path += ".index"
    assert error_of(path).startswith("the checkpoint cannot be read\n")


@pytest.mark.parametrize("content", [None, b"not a checkpoint"])
def test_a_file_that_is_not_a_checkpoint(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "model.ckpt"
    if content is not None:
        file.write_bytes(content)
    assert error_of(str(file)).startswith("the checkpoint cannot be read\n")
