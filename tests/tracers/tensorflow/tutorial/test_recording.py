"""Settings of recording: which steps and tensors. Recording must not change the training."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from resnet_inspect.config import Settings
from resnet_inspect.stats import StepRecord, Tap
from tests.tracers.tensorflow.conftest import session

STEPS = 3


@cache
def run(**changes: Any) -> tuple[list[StepRecord], dict[str, NDArray[Any]]]:
    """The records of a few steps, and the variables after them."""
    made = session(steps=STEPS, sample=64, **changes)
    made.build()
    records: list[StepRecord] = []
    made.run(records.append)
    return records, {name: variable.numpy() for name, variable in made.variables.items()}


OTHERS: tuple[dict[str, Any], ...] = (
    {"record": f"{STEPS}-"},
    {"taps": "all"},
    {"gradients": False, "every": 2},
    {"taps": "res1*,dense1/kernel"},
)


@pytest.mark.parametrize("changes", OTHERS, ids=str)
def test_recording_does_not_change_the_training(changes: dict[str, Any]) -> None:
    """All variables and the scalars of every step are the same bit for bit."""
    records, variables = run()
    others, other_variables = run(**changes)
    assert [record.scalars for record in others] == [record.scalars for record in records]
    assert set(other_variables) == set(variables)
    for name, value in variables.items():
        assert other_variables[name].tobytes() == value.tobytes(), name


def recorded(records: list[StepRecord]) -> list[int]:
    return [record.step for record in records if record.summaries]


def test_an_unrecorded_step_has_only_scalars() -> None:
    records, _ = run(record=f"{STEPS}-")
    for record in records:
        assert set(record.scalars) == {
            *("loss", "cross_entropy", "l2_loss", "accuracy", "learning_rate"),
        }
        assert record == StepRecord(record.step, record.seconds, record.scalars)
    records, _ = run(gradients=False, every=2)
    assert recorded(records) == [0, 2]
    assert records[1] == StepRecord(1, records[1].seconds, records[1].scalars)


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, [*range(10)]),
        ({"every": 4}, [0, 4, 8, 9]),
        ({"record": "2-4"}, [2, 3, 4]),
        ({"record": "7-"}, [7, 8, 9]),
        ({"record": "-1"}, [0, 1]),
        ({"record": "3-3"}, [3]),
        ({"record": "20-30"}, []),
        ({"record": "3-7", "every": 4}, [4, 7]),
        ({"every": 100}, [0, 9]),
    ],
    ids=str,
)
def test_which_steps_are_recorded(changes: dict[str, Any], steps: list[int]) -> None:
    settings = Settings.of({"steps": 10} | changes)
    assert [number for number in range(10) if settings.records(number)] == steps


def kinds(taps: dict[Tap, Any]) -> set[str]:
    return {tap.kind for tap in taps}


def test_layers_with_and_without_gradients() -> None:
    (first, *_), _ = run()
    assert kinds(first.summaries) == {"activation", "gradient", "weight"}
    (without, *_), _ = run(gradients=False, every=2)
    assert kinds(without.summaries) == {"activation", "weight"}
    expected = {tap: summary for tap, summary in first.summaries.items() if tap.kind != "gradient"}
    assert without.summaries == expected
    assert without.updates == first.updates


def test_taps_all_includes_layers_and_every_op() -> None:
    (layers, *_), _ = run()
    (every, *_), _ = run(taps="all")
    for tap, summary in layers.summaries.items():
        assert every.summaries[tap] == summary, tap
    names = {tap.tensor for tap in every.summaries}
    assert "conv1/Conv2D:0" in names
    assert any(name.startswith("gradients/") for name in names)
    assert every.not_finite == {}


def test_ops_are_those_of_the_forward_pass() -> None:
    made = session(steps=1, sample=64, taps="ops", gradients=False)
    made.build()
    record = made.step(0)
    names = {tap.tensor for tap in record.summaries}
    assert {"conv1/Conv2D:0", "conv1/BiasAdd:0"} <= names
    assert not [name for name in names if name.startswith(("gradients/", "Momentum/"))]


def test_patterns_name_layers_ops_and_variables() -> None:
    (layers, *_), _ = run()
    (chosen, *_), _ = run(taps="res1*,dense1/kernel")
    for tap, summary in chosen.summaries.items():
        assert tap.layer.startswith("res1") or tap.tensor == "dense1/kernel"
        assert layers.summaries.get(tap, summary) == summary
    expected = [
        tap
        for tap in layers.summaries
        if tap.layer.startswith("res1") or tap.tensor == "dense1/kernel"
    ]
    assert set(expected) <= set(chosen.summaries)
    assert {tap.tensor for tap in expected} >= {"dense1/kernel", "res10_branch1/bias"}


@pytest.mark.parametrize("ver", [1, 2])
def test_dead_sparse_and_always_active_units(ver: int) -> None:
    """The offset of a normalization before a ReLU makes units dead or always active."""
    made = session(ver=ver, steps=1, sample=4096, gradients=False)
    made.build()
    beta = made.variables["bn10_branch2a/beta"]
    value = beta.numpy()
    value[[3, 8]] = -1e3, 1e3
    beta.assign(value)
    record = made.step(0)
    (activity,) = (
        channels for tap, channels in record.channels.items() if tap.layer == "relu10_branch2a"
    )
    assert np.flatnonzero(activity.dead).tolist() == [3]
    assert np.flatnonzero(activity.always).tolist() == [8]
    sparse = np.delete(activity.share, [3, 8])
    assert ((sparse > 0) & (sparse < 1)).all()
    assert activity.of == 8
    share = next(
        summary for tap, summary in record.summaries.items() if tap.layer == "relu10_branch2a"
    )
    assert share.zero_fraction == pytest.approx(1 - activity.share.mean())


@pytest.mark.parametrize(
    ("changes", "subject"), [({"taps": "zzz*"}, "taps"), ({"record": "7-"}, "record"), ({}, "")]
)
def test_settings_that_record_nothing_have_a_note(changes: dict[str, Any], subject: str) -> None:
    made = session(steps=2, **changes)
    made.build()
    made.explain()
    assert [note.subject for note in made.graph.notes] == ([subject] if subject else [])
    assert (not made.step(0).summaries) is bool(subject)
