"""Evaluation during training: its scalars agree with NumPy, and training is not changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect.stats import StepRecord
from tests.reference import numpy_network
from tests.tracers.tensorflow.conftest import session

BY_BATCH = "_by_batch"


def trained(**changes: Any) -> tuple[Any, list[StepRecord]]:
    """A complete session and its steps."""
    steps: list[StepRecord] = []
    made = session(**changes)
    made.build()
    made.run(steps.append)
    return made, steps


def evaluated_scalars(step: StepRecord) -> dict[str, float]:
    return {name: value for name, value in step.scalars.items() if name.startswith("eval_")}


@pytest.mark.parametrize("update_ops", [True, False])
def test_training_is_the_same_with_and_without(update_ops: bool) -> None:
    runs = [trained(steps=4, evaluate=often, update_ops=update_ops) for often in (0, 2)]
    (plain, without), (other, evaluated) = runs
    assert [evaluated_scalars(step) != {} for step in evaluated] == [False, True, False, True]
    for record, evaluated_record in zip(without, evaluated, strict=True):
        others = {
            name: value
            for name, value in evaluated_record.scalars.items()
            if name not in evaluated_scalars(evaluated_record)
        }
        assert record.scalars == others
        assert record.summaries == evaluated_record.summaries
        assert record.updates == evaluated_record.updates
    assert list(plain.variables) == list(other.variables)
    for name, variable in plain.variables.items():
        assert variable.numpy().tobytes() == other.variables[name].numpy().tobytes(), name


@pytest.mark.parametrize(
    ("steps", "often", "at"), [(5, 1, [0, 1, 2, 3, 4]), (5, 3, [2, 4]), (5, 9, [4]), (4, 2, [1, 3])]
)
def test_which_steps_are_evaluated(steps: int, often: int, at: list[int]) -> None:
    settings = session(steps=steps, evaluate=often).settings
    assert [step for step in range(steps) if settings.evaluates(step)] == at


@pytest.mark.parametrize("ver", [1, 2])
def test_scalars_agree_with_numpy(ver: int) -> None:
    from tests.tracers.tensorflow.tutorial.reference_runs import weights_of

    made, steps = trained(ver=ver, steps=3, evaluate=3, batch_size=128)
    weights = weights_of(made.variables)
    scalars = evaluated_scalars(steps[-1])
    for training, end in ((False, ""), (True, BY_BATCH)):
        entropies, hits = [], []
        for number in (0, 1):  # 256 pictures
            images, labels = made.batches.evaluation.batch(number)
            activations, _ = numpy_network.forward(weights, images, 1, ver, training)
            logits = activations["dense1"]
            shifted = logits - logits.max(axis=1, keepdims=True)
            chance = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
            entropies.append(-chance[np.arange(128), labels].mean())
            hits.append((logits.argmax(axis=1) == labels).mean())
        assert scalars[f"eval_cross_entropy{end}"] == pytest.approx(np.mean(entropies), rel=1e-4)
        assert scalars[f"eval_accuracy{end}"] == pytest.approx(np.mean(hits), abs=1.5 / 256)
    assert len(scalars) == 4


def test_images_are_not_those_of_the_training() -> None:
    made = session(evaluate=1)
    both = made.batches, made.batches.evaluation
    trained_on, held_out = ({image.tobytes() for image in batches.data.images} for batches in both)
    assert len(held_out) == 2560
    assert not trained_on & held_out
    images, labels = made.batches.evaluation.batch(0)
    assert labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), 0, atol=1e-5)


def test_a_file_without_other_images_has_a_note(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "p.npz", images=images, labels=np.arange(16) % 10)
    made, steps = trained(evaluate=2, data=f"npz:{tmp_path / 'p.npz'}")
    assert len(evaluated_scalars(steps[-1])) == 4
    (note,) = [note for note in made.graph.notes if note.subject == "evaluate"]
    assert "evaluation uses the training images" in note.text


@pytest.mark.parametrize("changes", [{"steps": 0}, {"mode": "eval"}])
def test_no_evaluation_without_training(changes: dict[str, Any]) -> None:
    made = session(evaluate=1, **changes)
    notes = [note.text for note in made.build().graph.notes if note.subject == "evaluate"]
    assert len(notes) == 1
    steps: list[StepRecord] = []
    made.run(steps.append)
    assert not [name for step in steps for name in step.scalars if name.startswith("eval_")]


def test_a_wrong_axis_is_evaluated() -> None:
    _, steps = trained(bn_axis=1, evaluate=2)
    assert len(evaluated_scalars(steps[-1])) == 4
    assert all(np.isfinite(list(evaluated_scalars(steps[-1]).values())))
