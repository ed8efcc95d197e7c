"""The recorded training settings of compiled Keras models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

import resnet_inspect
from resnet_inspect.graph import Objective, Training


def trained(model: Any, x: Any, y: Any, folder: Path) -> Training:
    """Fit one step, and return the recorded training settings."""
    path = folder / "run.db"
    model.fit(x, y, batch_size=8, verbose=0, callbacks=[resnet_inspect.Recorder(path)])
    with resnet_inspect.open_run(path) as run:
        assert run.graph.training is not None
        batch = run.batches()[0]
        assert {name.split("/")[0] for name in batch} == {"x", "y"}
        assert all(part.examples == 8 for part in batch.values())
        return run.graph.training


def test_losses_metrics_and_optimizer(tmp_path: Path) -> None:
    import keras

    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    entry = keras.Input((4,))
    hidden = keras.layers.Dense(3, activation="relu", name="hidden")(entry)
    kind = keras.layers.Dense(5, name="kind")(hidden)
    size = keras.layers.Dense(1, name="size")(hidden)
    model = keras.Model(entry, [kind, size])
    model.compile(
        keras.optimizers.SGD(0.25),
        loss=[keras.losses.SparseCategoricalCrossentropy(from_logits=True), "mse"],
        metrics=[["accuracy"], [keras.metrics.MeanAbsoluteError()]],
    )
    training = trained(model, x, [np.arange(8) % 5, x[:, :1]], tmp_path)
    first, second = training.objectives
    assert (first.loss, first.from_logits) == ("sparse_categorical_crossentropy", True)
    assert (second.loss, second.from_logits) == ("mean_squared_error", None)
    assert (first.labels, second.labels) == ("y/kind", "y/size")
    assert str(first.output).startswith("functional")
    assert "kind" in str(first.output)
    assert "size" in str(second.output)
    assert (training.optimizer, training.learning_rate) == ("sgd", 0.25)
    assert not training.decay
    assert (first.metrics, second.metrics) == (("accuracy",), ("mean_absolute_error",))


def two_outputs(kind: str) -> tuple[Any, Any, Any]:
    """Return a model with two outputs, its inputs and its labels.

    The outputs are a list, or a dict whose keys may differ from the names of the layers.
    """
    import keras

    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    entry = keras.Input((4,))
    parts = [keras.layers.Dense(5, name="zone")(entry), keras.layers.Dense(1, name="area")(entry)]
    labels = [np.arange(8) % 5, x[:, :1]]
    if kind == "list":
        return keras.Model(entry, parts), x, labels
    names = ("zone", "area") if kind == "named" else ("which", "how_much")
    keyed = dict(zip(names, parts, strict=True)), dict(zip(names, labels, strict=True))
    return keras.Model(entry, keyed[0]), x, keyed[1]


SPARSE = "sparse_categorical_crossentropy"
LISTED = {"loss": [SPARSE, "mse"]}
NAMED = {"loss": {"zone": SPARSE, "area": "mse"}}
KEYED = {"loss": {"which": SPARSE, "how_much": "mse"}}


@pytest.mark.parametrize(
    ("kind", "compiled"),
    [
        ("list", LISTED | {"metrics": [["accuracy"], ["mae", "mse"]]}),
        ("list", LISTED | {"metrics": ["accuracy", ["mae", "mse"]]}),
        ("list", NAMED | {"metrics": {"area": ["mae", "mse"], "zone": "accuracy"}}),
        (
            "list",
            LISTED | {"metrics": [["accuracy"], None], "weighted_metrics": [[], ["mae", "mse"]]},
        ),
        ("list", NAMED | {"metrics": {"area": "mae"}, "weighted_metrics": [["acc"], "mse"]}),
        ("named", NAMED | {"metrics": {"area": ["mae", "mse"], "zone": "accuracy"}}),
        ("keyed", KEYED | {"metrics": {"how_much": ["mae", "mse"], "which": "accuracy"}}),
    ],
)
def test_an_output_has_its_own_metrics(kind: str, compiled: Any, tmp_path: Path) -> None:
    model, x, y = two_outputs(kind)
    model.compile("sgd", **compiled)
    by_loss = {objective.loss: objective for objective in trained(model, x, y, tmp_path).objectives}
    assert set(by_loss) == {SPARSE, "mean_squared_error"}
    first, second = by_loss[SPARSE], by_loss["mean_squared_error"]
    assert first.metrics == ("accuracy",)
    assert second.metrics == ("mean_absolute_error", "mean_squared_error")
    assert "zone" in str(first.output)
    assert "area" in str(second.output)


def test_one_output_has_all_metrics(tmp_path: Path) -> None:
    import keras

    def own_mean(labels: Any, outputs: Any) -> Any:
        return keras.ops.mean(outputs - labels)

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, name="out")])
    accuracy = keras.metrics.BinaryAccuracy(name="hit")
    model.compile("sgd", "mse", metrics=[["mae", own_mean]], weighted_metrics=[accuracy, "mae"])
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    (only,) = trained(model, x, x[:, :1], tmp_path).objectives
    assert only.metrics == ("mean_absolute_error", "own_mean", "binary_accuracy")


@pytest.mark.parametrize(
    ("kind", "compiled", "weights"),
    [
        ("list", LISTED | {"loss_weights": [2.0, 0.5]}, (2.0, 0.5)),
        ("list", NAMED | {"loss_weights": {"area": 0.5, "zone": 2.0}}, (2.0, 0.5)),
        ("named", NAMED | {"loss_weights": {"area": 0.5, "zone": 2.0}}, (2.0, 0.5)),
        ("keyed", KEYED | {"loss_weights": {"how_much": 0.5, "which": 2}}, (2.0, 0.5)),
        ("keyed", KEYED, (1.0, 1.0)),
    ],
)
def test_an_output_has_its_weight_in_the_loss(
    kind: str, compiled: Any, weights: tuple[float, float], tmp_path: Path
) -> None:
    model, x, y = two_outputs(kind)
    model.compile("sgd", **compiled)
    weight_of = {
        objective.loss: objective.weight for objective in trained(model, x, y, tmp_path).objectives
    }
    assert (weight_of[SPARSE], weight_of["mean_squared_error"]) == weights
    with resnet_inspect.open_run(tmp_path / "run.db") as run:
        scalars = {name: values[0] for name, values in run.scalars().items()}
    losses = [scalars[name] for name in scalars if name.endswith("_loss") and name != "batch_loss"]
    assert len(losses) == 2
    wholes = [float(np.dot(weights, order)) for order in (losses, losses[::-1])]
    assert min(abs(scalars["batch_loss"] - whole) for whole in wholes) < 1e-4  # as in Keras


def test_one_output_may_be_weighted_and_a_class_ignored(tmp_path: Path) -> None:
    import keras

    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    sparse = keras.losses.SparseCategoricalCrossentropy
    for number, (loss, weight, ignored) in enumerate(
        (
            (sparse(ignore_class=255), 2.0, 255),
            (sparse(from_logits=True, ignore_class=0), [0.5], 0),
            (sparse(), None, None),
            (keras.losses.sparse_categorical_crossentropy, {"out": 3.0}, None),
            (SPARSE, 1, None),
        )
    ):
        entry = keras.Input((4,))
        model = keras.Model(entry, keras.layers.Dense(5, name="out")(entry))
        declared = {"out": loss} if isinstance(weight, dict) else loss
        given = float(weight) if weight == 1 else weight
        model.compile("sgd", declared, loss_weights=given)
        (tmp_path / str(number)).mkdir()
        (only,) = trained(model, x, np.arange(8) % 5, tmp_path / str(number)).objectives
        assert only.loss == SPARSE
        assert only.ignore_class == ignored
        assert only.weight == {0: 2.0, 1: 0.5, 2: 1.0, 3: 3.0, 4: 1.0}[number]


def test_a_model_with_its_own_loss_has_the_compiled_objectives(tmp_path: Path) -> None:
    import keras

    class Net(keras.Model):  # type: ignore[misc]
        def compute_loss(self, *args: Any, **_: Any) -> Any:
            y, y_pred = args[1:3]
            return keras.ops.mean(keras.ops.square(y[1] - y_pred[1])) + keras.ops.mean(y_pred[0])

    model, x, y = two_outputs("list")
    model = Net(model.inputs, model.outputs)
    metrics = {"area": ["mae"], "zone": ["accuracy"]}
    model.compile("sgd", **NAMED, loss_weights={"zone": 0.0, "area": 4.0}, metrics=metrics)
    first, second = trained(model, x, y, tmp_path).objectives
    assert (first.loss, first.weight, first.metrics) == (SPARSE, 0.0, ("accuracy",))
    assert (second.weight, second.metrics) == (4.0, ("mean_absolute_error",))


def test_objectives_of_older_files_have_the_default_weight() -> None:
    older = msgspec.json.decode(b'{"loss": "mean_squared_error"}', type=Objective)
    assert (older.ignore_class, older.weight) == (None, 1.0)
    assert msgspec.json.encode(older) == b'{"loss":"mean_squared_error"}'


def test_variables_without_gradient_and_idle_dropouts(tmp_path: Path) -> None:
    import keras

    class Net(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.used = keras.layers.Dense(2, name="used")
            self.drop = keras.layers.Dropout(0.5, name="drop")
            self.scale = self.add_weight(name="scale", shape=(2,), initializer="ones")

        def call(self, x: Any, training: bool = False) -> Any:
            del training
            return self.drop(self.used(x), training=False)

    model = Net()
    model.compile("adam", loss=keras.losses.MeanSquaredError())
    x = np.ones((8, 2), np.float32)
    model(x)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        training = trained(model, x, x, tmp_path)
    assert [name.rpartition("/")[2] for name in training.no_gradient] == ["scale"]
    assert training.idle == ("drop",)
    assert training.objectives[0].loss == "mean_squared_error"
    assert training.optimizer == "adam"
    assert training.learning_rate == pytest.approx(1e-3)


def test_settings_of_layers_are_recorded(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(3, activation="tanh", name="first", kernel_regularizer="l2"),
            keras.layers.Dropout(0.25, name="drop"),
            keras.layers.Dense(1, name="last", trainable=False),
        ]
    )
    model.compile("sgd", loss="mse")
    path = tmp_path / "run.db"
    x = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    model.fit(x, x[:, :1], verbose=0, callbacks=[resnet_inspect.Recorder(path)])
    with resnet_inspect.open_run(path) as run:
        layers = run.graph.layer_by_name
        assert layers["first"].settings["activation"] == "tanh"
        assert layers["first"].settings["decay"] is True
        assert layers["drop"].settings["rate"] == 0.25
        assert layers["last"].settings["trainable"] is False
        assert run.graph.training is not None
        assert run.graph.training.decay
