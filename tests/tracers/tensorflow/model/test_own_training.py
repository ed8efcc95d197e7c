"""Models with a loss and an optimizer are trained, and recorded like other fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resnet_inspect
from resnet_inspect import api
from resnet_inspect.config.inputs import parse_inputs
from resnet_inspect.data import RandomInputs
from resnet_inspect.data.own_batches import RandomBatches, TargetSpec
from resnet_inspect.errors import BuildError, ConfigError, DataError, UsageError
from resnet_inspect.render.pages.answer_page import facts
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

MODELS = """
import keras
from keras import layers

def build(units=5):
    layout = [keras.Input((6,), name="features"), layers.Dense(8, "relu", name="hidden"),
              layers.Dense(units, name="logits")]
    return keras.Sequential(layout, name="small")

def trio(units=5):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return build(units), loss, keras.optimizers.SGD(0.1)

def names():
    return build(), "mse", "adam"

def own_loss():
    return build(), lambda y, p: keras.ops.mean(keras.ops.abs(y - p)), "rmsprop"

def two():
    a, b = keras.Input((4,), name="a"), keras.Input((3,), name="b")
    x = layers.Concatenate()([layers.Dense(2)(a), b])
    outputs = {"low": layers.Dense(1, "sigmoid", name="low")(x),
               "kind": layers.Dense(3, "softmax", name="kind")(x)}
    losses = {"low": "binary_crossentropy", "kind": "categorical_crossentropy"}
    return keras.Model({"a": a, "b": b}, outputs), losses, "adam"

class Rejecting(keras.Model):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(7, 3))
    def call(self, x):
        return keras.ops.matmul(x, self.kernel)

def rejected():
    return Rejecting(), "mse", "sgd"

def no_loss():
    return build(), "no_such_loss", "adam"

def no_optimizer():
    return build(), "mse", "no_such_optimizer"

def late():
    def loss(y, p):
        keras.src.backend.tensorflow.core.tf.debugging.assert_less(p, -1e9, "too large")
        return keras.ops.mean(p - y)
    return build(), loss, "sgd"
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "trained.py"
    path.write_text(MODELS)
    return path


def trained(module: Path, name: str, out: Path, **settings: Any) -> Run:
    """Train a model and return the run, by default with three steps of 8 examples."""
    settings = {"steps": 3, "batch_size": 8} | settings
    return resnet_inspect.trace(target=f"{module}:{name}", out=out, force=True, **settings)


def notes_of(run: Run) -> dict[str, str]:
    return {note.subject: note.text for note in run.graph.notes}


def test_losses_equal_those_of_keras_on_the_same_batches(module: Path, tmp_path: Path) -> None:
    import keras

    namespace: dict[str, Any] = {}
    exec(MODELS, namespace)
    with trained(module, "trio", tmp_path / "run.db", steps=5, seed=4) as run:
        losses = run.scalars()["batch_loss"]
        assert run.info.status == Status.COMPLETE
        assert run.info.network == "trio"
        assert run.steps() == run.recorded_steps() == list(range(5))
        assert notes_of(run)["inputs"].startswith("random inputs, random targets for the loss")
        page = dict(facts(run.info, api.summarize(run)))
    assert page["data"] == "random numbers, batches of 8"
    assert page["recipe"] == "trained with SGD, seed 4, tensors recorded at every step"
    keras.utils.set_random_seed(4)
    model, loss, optimizer = namespace["trio"]()
    model.compile(optimizer, loss)
    inputs = RandomInputs(parse_inputs("features=8,6"), 4)
    batches = RandomBatches(inputs, [TargetSpec("y", "classes", (8,), 5)], 4, 5)
    expected = []
    for number in range(5):
        (x,), (y,) = batches.batch(number)
        expected.append(float(loss(y, model(x))))
        model.train_on_batch(x, y)
    assert list(losses.values()) == pytest.approx(expected, rel=1e-5)


def test_recorded_steps_and_taps_can_be_selected(module: Path, tmp_path: Path) -> None:
    with trained(module, "names", tmp_path / "run.db", steps=5, every=2, taps="hidden") as run:
        assert run.recorded_steps() == [0, 2, 4]
        assert {tap.layer for tap in run.taps()} == {"hidden"}
        assert run.info.settings.values()["optimizer"] == "Adam"
        assert run.info.settings.planned == 5


def test_a_learning_rate_replaces_that_of_the_optimizer(module: Path, tmp_path: Path) -> None:
    def moved(**settings: Any) -> float:
        with trained(module, "trio", tmp_path / "run.db", **settings) as run:
            (kernel,) = (name for name in run.updates()[0] if name.endswith("logits/kernel"))
            return run.updates()[0][kernel].change

    assert moved(learning_rate=0.2) == pytest.approx(2 * moved(), rel=1e-4)


@pytest.mark.parametrize(("name", "kinds"), [
    ("names", "(y: normal)"),
    ("own_loss", "(y: normal)"),
    ("two", "(kind: one-hot, low: zeros and ones)"),
])  # fmt: skip
def test_all_kinds_of_losses(module: Path, tmp_path: Path, name: str, kinds: str) -> None:
    with trained(module, name, tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        assert kinds in notes_of(run)["inputs"]
        assert run.summaries(2, "gradient")


def test_arrays_of_the_user(module: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    file = tmp_path / "mine.npz"
    np.savez(file, x=random.normal(size=(10, 6)) + 50, y=random.integers(0, 5, 10))
    with trained(module, "trio", tmp_path / "run.db", data=f"npz:{file}") as run:
        assert notes_of(run)["inputs"] == "10 examples of mine.npz"
        largest = run.summaries(0)["hidden"].max
        assert largest is not None
        assert largest > 20  # the values come from the file
    np.savez(file, x=random.normal(size=(10, 6)))
    with pytest.raises(DataError, match="has no array 'y'"):
        trained(module, "trio", tmp_path / "run.db", data=f"npz:{file}")


def test_a_declared_batch_size_is_used(module: Path, tmp_path: Path) -> None:
    target = f"{module}:trio"
    with resnet_inspect.trace(
        target=target, out=tmp_path / "run.db", input="features=4,6", steps=3
    ) as run:
        assert run.summaries(0)["logits"].count == 4 * 5
        assert run.info.settings.values()["batch_size"] == 4


def test_a_rejected_shape_is_explained(module: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildError):
        trained(module, "rejected", tmp_path / "run.db", input="x=8,6")
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.status == Status.FAILED
        assert run.lineage.mismatch is not None
        assert "not trained, because calling the model raised" in notes_of(run)["training"]


@pytest.mark.parametrize(("name", "text"), [
    ("no_loss", "Could not interpret loss identifier"),
    ("late", "too large"),
])  # fmt: skip
def test_a_failure_in_keras_is_saved(module: Path, tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(BuildError):
        trained(module, name, tmp_path / "run.db")
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.status == Status.FAILED
        assert run.info.failure is not None
        assert text in run.info.failure.message


@pytest.mark.parametrize(("name", "settings", "error", "what"), [
    ("no_optimizer", {}, UsageError, "unknown optimizer name"),
    ("build", {}, ConfigError, "only runs forward does not use steps"),
    ("trio", {"input": "features=4,6"}, ConfigError, "the inputs have another batch size"),
    ("trio", {"data": "cifar10:x"}, ConfigError, "does not use data"),
    ("trio", {"momentum": 0.5}, ConfigError, "does not use momentum"),
])  # fmt: skip
def test_invalid_settings_are_rejected_before_a_file_is_created(
    module: Path,
    tmp_path: Path,
    name: str,
    settings: dict[str, Any],
    error: Callable[..., Exception],
    what: str,
) -> None:
    with pytest.raises(error, match=what):  # type: ignore[call-overload]
        trained(module, name, tmp_path / "run.db", **settings)
    assert not (tmp_path / "run.db").exists()
