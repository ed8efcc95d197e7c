"""Evaluation beside training: its numbers against NumPy's, and that training does not notice."""

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
    """A session that was run to its end, and its steps."""
    steps: list[StepRecord] = []
    made = session(**changes)
    made.build()
    made.run(steps.append)
    return made, steps


def said(step: StepRecord) -> dict[str, float]:
    return {name: value for name, value in step.scalars.items() if name.startswith("eval_")}


@pytest.mark.parametrize("update_ops", [True, False])
def test_training_is_the_same_with_and_without(update_ops: bool) -> None:
    runs = [trained(steps=4, evaluate=often, update_ops=update_ops) for often in (0, 2)]
    (plain, without), (other, evaluated) = runs
    assert [said(step) != {} for step in evaluated] == [False, True, False, True]
    for one, two in zip(without, evaluated, strict=True):
        kept = {name: value for name, value in two.scalars.items() if name not in said(two)}
        assert one.scalars == kept
        assert one.summaries == two.summaries
        assert one.updates == two.updates
    assert list(plain.variables) == list(other.variables)
    for name, variable in plain.variables.items():
        assert variable.numpy().tobytes() == other.variables[name].numpy().tobytes(), name


@pytest.mark.parametrize(
    ("steps", "often", "at"), [(5, 1, [0, 1, 2, 3, 4]), (5, 3, [2, 4]), (5, 9, [4]), (4, 2, [1, 3])]
)
def test_it_is_done_as_often_as_asked_and_at_the_end(steps: int, often: int, at: list[int]) -> None:
    settings = session(steps=steps, evaluate=often).settings
    assert [step for step in range(steps) if settings.evaluates(step)] == at


@pytest.mark.parametrize("ver", [1, 2])
def test_the_numbers_are_those_of_numpy(ver: int) -> None:
    from tests.tracers.tensorflow.tutorial.reference_runs import weights_of

    made, steps = trained(ver=ver, steps=3, evaluate=3, batch_size=128)
    weights = weights_of(made.variables)
    found = said(steps[-1])
    for training, end in ((False, ""), (True, BY_BATCH)):
        entropies, hits = [], []
        for number in (0, 1):  # 256 pictures
            images, labels = made.batches.evaluation.batch(number)
            held, _ = numpy_network.forward(weights, images, 1, ver, training)
            logits = held["dense1"]
            shifted = logits - logits.max(axis=1, keepdims=True)
            chance = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
            entropies.append(-chance[np.arange(128), labels].mean())
            hits.append((logits.argmax(axis=1) == labels).mean())
        assert found[f"eval_cross_entropy{end}"] == pytest.approx(np.mean(entropies), rel=1e-4)
        assert found[f"eval_accuracy{end}"] == pytest.approx(np.mean(hits), abs=1.5 / 256)
    assert len(found) == 4


def test_pictures_are_not_those_of_the_training() -> None:
    made = session(evaluate=1)
    both = made.batches, made.batches.evaluation
    trained_on, held = ({image.tobytes() for image in one.data.images} for one in both)
    assert len(held) == 2560
    assert not trained_on & held
    images, labels = made.batches.evaluation.batch(0)
    assert labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    np.testing.assert_allclose(images.mean(axis=(1, 2, 3)), 0, atol=1e-5)


def test_a_file_without_other_pictures_is_told(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "p.npz", images=images, labels=np.arange(16) % 10)
    made, steps = trained(evaluate=2, data=f"npz:{tmp_path / 'p.npz'}")
    assert len(said(steps[-1])) == 4
    (note,) = [one for one in made.graph.notes if one.subject == "evaluate"]
    assert "pictures of the training" in note.text


@pytest.mark.parametrize("changes", [{"steps": 0}, {"mode": "eval"}])
def test_without_training_there_is_nothing_to_evaluate(changes: dict[str, Any]) -> None:
    made = session(evaluate=1, **changes)
    notes = [note.text for note in made.build().graph.notes if note.subject == "evaluate"]
    assert len(notes) == 1
    steps: list[StepRecord] = []
    made.run(steps.append)
    assert not [name for step in steps for name in step.scalars if name.startswith("eval_")]


def test_a_mistaken_axis_is_evaluated_too() -> None:
    _, steps = trained(bn_axis=1, evaluate=2)
    assert len(said(steps[-1])) == 4
    assert all(np.isfinite(list(said(steps[-1]).values())))
