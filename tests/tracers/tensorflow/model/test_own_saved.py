"""Saved models: Keras files in safe mode, SavedModels by signature, damaged files."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect import api
from resnet_inspect.config import Settings
from resnet_inspect.data import RandomInputs
from resnet_inspect.errors import UsageError
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run


def small() -> Any:
    import keras

    keras.utils.set_random_seed(1)
    images = keras.Input((8, 8, 3), name="images")
    x = keras.layers.Conv2D(4, 3, activation="relu", name="stem")(images)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten(name="flat")(x)
    return keras.Model(images, keras.layers.Dense(5, name="head")(x))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a model in several formats, and files that cannot be loaded."""
    import keras
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("saved")
    model = small()
    model.save(folder / "whole.keras")
    model.save(folder / "whole.h5")
    model.export(str(folder / "exported"), verbose=False)
    model.save_weights(folder / "only.weights.h5")
    Path(folder / "cut.keras").write_bytes((folder / "whole.keras").read_bytes()[:3000])
    Path(folder / "junk.h5").write_bytes(b"junk")
    doubling = keras.layers.Lambda(lambda x: x * 2)
    keras.Sequential([keras.Input((3,)), doubling]).save(folder / "code.keras")
    module = two_signatures()
    tf.saved_model.save(module, str(folder / "two"), {"a": module.add, "b": module.branch})
    tf.saved_model.save(tf.Module(), str(folder / "none"))
    _save_as_before(folder / "first")
    tf.saved_model.save(tf.Module(), str(folder / "texts"), {"t": _texts(tf.string)})
    tf.saved_model.save(tf.Module(), str(folder / "varied"), {"t": _texts(tf.complex64)})
    keras.Sequential([keras.Input((5, 3)), keras.layers.LSTM(4)]).export(folder / "lstm")
    _save_with_keras_2(folder)
    for name in ("m.tflite", "m.onnx", "frozen.pb", "m.json"):
        (folder / name).write_bytes(b"only the name matters")
    (folder / "empty").mkdir()
    (folder / "damaged").mkdir()
    (folder / "damaged" / "saved_model.pb").write_bytes(b"junk")
    return folder


def _save_with_keras_2(folder: Path) -> None:
    # An LSTM of Keras 2 has settings that Keras 3 does not know.
    import tf_keras

    tf_keras.utils.set_random_seed(2)
    layers = [tf_keras.layers.Input((5, 3)), tf_keras.layers.LSTM(4), tf_keras.layers.Dense(2)]
    model = tf_keras.Sequential(layers)
    model.save(folder / "old.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(folder / "old.h5")
        code = tf_keras.layers.Lambda(lambda x: x + 1)
        tf_keras.Sequential([*layers[:2], code]).save(folder / "old_code.h5")


def _save_as_before(folder: Path) -> None:
    """Save a model as TensorFlow 1 does: a graph and the values of its variables."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        with v1.variable_scope("dense"):
            kernel, bias = v1.get_variable("kernel", [4, 3]), v1.get_variable("bias", [3])
            y = tf.nn.relu(x @ kernel + bias)
        z = v1.cond(tf.reduce_sum(y) > 1e9, lambda: y * 2.0, lambda: y)
        v1.train.get_or_create_global_step()
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(folder), {"x": x}, {"z": z})


def _texts(kind: Any) -> Any:
    import tensorflow as tf

    def lengths(words: Any) -> Any:
        return tf.strings.length(words if kind == tf.string else tf.as_string(words))

    taken = tf.TensorSpec([None], kind, name="words")
    return tf.function(lengths, input_signature=[taken]).get_concrete_function()


def two_signatures() -> Any:
    """Return a module with two signatures, where one branches and calls the other."""
    import tensorflow as tf

    taken = tf.TensorSpec([None, 3], name="x")

    class Module(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            self.kernel = tf.Variable(tf.ones([3, 3]), name="kernel")
            self.calls = tf.Variable(0, name="calls", trainable=False)

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[taken, tf.TensorSpec([None, 3], name="a")]
        )
        def add(self, x: Any, a: Any) -> Any:
            return x - a @ self.kernel

        @tf.function(input_signature=[taken])  # type: ignore[untyped-decorator]
        def branch(self, x: Any) -> Any:
            if tf.reduce_sum(x) > 1e9:
                x = x + 1.0
            self.calls.assign_add(1)
            return self.add(x, x)

    return Module()


def traced(saved: Path, name: str, out: Path, **changes: Any) -> Run:
    settings = Settings.of({"target": str(saved / name), **changes})
    return api.open_run(api.record(settings, out=out))


def fed(run: Run) -> tuple[np.ndarray[Any, Any], ...]:
    from resnet_inspect.config.inputs import parse_inputs

    return RandomInputs(parse_inputs(run.info.settings.values()["input"] or ""), 0).batch(0)


@pytest.mark.parametrize("name", ["whole.keras", "whole.h5"])
def test_a_keras_file_contains_the_saved_model(saved: Path, tmp_path: Path, name: str) -> None:
    model = small()
    with traced(saved, name, tmp_path / "run.db") as run:
        table = api.shapes(run)
        summary = run.summaries(0)["head"]
        (images,) = fed(run)
    assert table.totals.params == model.count_params()
    assert [row.name for row in table.rows] == ["stem", "norm", "flat", "head"]
    assert summary.mean == pytest.approx(float(np.mean(model(images))), rel=1e-4)


@pytest.mark.parametrize("name", ["old.keras", "old.h5"])
def test_a_file_of_keras_2_is_loaded_by_tf_keras(saved: Path, tmp_path: Path, name: str) -> None:
    import tf_keras

    model = tf_keras.models.load_model(saved / name, compile=False)
    with traced(saved, name, tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        assert api.shapes(run).totals.params == model.count_params()
        (x,) = fed(run)
        summary = run.summaries(0)["dense"]
    assert summary.mean == pytest.approx(float(np.mean(model(x))), rel=1e-4)


def test_a_saved_model_may_be_given_by_the_file_inside(saved: Path, tmp_path: Path) -> None:
    # Tensors of an LSTM without numeric values are left out.
    with traced(saved, "lstm/saved_model.pb", tmp_path / "run.db") as run:
        assert (run.info.status, run.info.network) == (Status.COMPLETE, "lstm")
        assert run.summaries(0)


def test_string_inputs_are_generated(saved: Path, tmp_path: Path) -> None:
    with traced(saved, "texts", tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        (words,) = fed(run)
        (tap,) = (tap for tap in run.taps() if tap.tensor.startswith("Identity:"))
        summary = run.summaries(0)[tap.layer]
    lengths = [len(text) for text in words]
    assert (summary.min, summary.max) == (min(lengths), max(lengths))


def test_calls_in_a_saved_model_are_inlined(saved: Path, tmp_path: Path) -> None:
    model = small()
    with traced(saved, "exported", tmp_path / "run.db") as run:
        types = [op.type for op in run.graph.ops]
        assert not any("PartitionedCall" in kind for kind in types)
        assert {"Conv2D", "Relu", "MatMul"} <= set(types)
        assert sum(v.spec.elements or 0 for v in run.graph.variables) == model.count_params()
        assert api.shapes(run, "op").totals.params == model.count_params()
        last = [tap for tap in run.taps() if tap.tensor.startswith("Identity:")]
        (images,) = fed(run)
        summary = run.summaries(0)[last[0].layer]
        notes = {note.subject: note.text for note in run.graph.notes}
    assert summary.mean == pytest.approx(float(np.mean(model(images))), rel=1e-4)
    assert (
        notes["signature"] == "serving_default was traced. Choose another with --signature: serve"
    )


def test_signatures_are_selected_by_name(saved: Path, tmp_path: Path) -> None:
    with traced(saved, "two", tmp_path / "a.db", signature="a") as run:
        specs = {name: run.graph.spec(ref).shape for name, ref in run.graph.inputs.items()}
        assert specs == {"x": (None, 3), "a": (None, 3)}
        inputs = dict(zip(run.graph.inputs, fed(run), strict=True))
        (tap,) = (tap for tap in run.taps() if tap.tensor.startswith("Identity:"))
        mean = run.summaries(0)[tap.layer].mean
        wanted = float(np.mean(inputs["x"] - inputs["a"] @ np.ones((3, 3), np.float32)))
        assert mean == pytest.approx(wanted, rel=1e-4)
    with traced(saved, "two", tmp_path / "b.db", signature="b") as run:
        assert run.info.status == Status.COMPLETE
        assert {"StatelessIf", "AssignAddVariableOp"} <= {op.type for op in run.graph.ops}
        assert sorted(v.name for v in run.graph.variables) == ["calls", "kernel"]


def test_a_saved_model_of_tensorflow_1(
    saved: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with traced(saved, "first", tmp_path / "run.db") as run:
        assert "serializing" not in capfd.readouterr().err
        rows = {row.name: row for row in api.shapes(run).rows}
        assert (rows["dense"].shape, rows["dense"].params) == ((8, 3), 15)
        shapes = {v.name: v.spec.shape for v in run.graph.variables if v.readers}
        assert shapes == {"dense/kernel": (4, 3), "dense/bias": (3,)}
        (x,) = fed(run)
        summary = run.summaries(0)["dense"]
        import tensorflow as tf

        loaded = tf.saved_model.load(str(saved / "first"))
        own = loaded.signatures["serving_default"](tf.constant(x))["z"].numpy()
        assert summary.mean == pytest.approx(float(own.mean()), rel=1e-4)


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("code.keras", {}, "the file contains Python code, which is not run", "Lambda"),
    ("cut.keras", {}, "the file cannot be loaded as a Keras model", "Error: "),
    ("junk.h5", {}, "the file cannot be loaded as a Keras model", "OSError: "),
    ("only.weights.h5", {}, "the file is weights without layers", "only.weights.h5"),
    ("old_code.h5", {}, "the file contains Python code, which is not run", "a Lambda layer"),
    ("m.tflite", {}, "the file is a TensorFlow Lite model", "m.tflite"),
    ("m.onnx", {}, "the file is an ONNX model", "m.onnx"),
    (
        "frozen.pb",
        {},
        "the file is a frozen graph: constants instead of variables",
        "frozen",
    ),
    ("m.json", {}, "the file is the architecture of a Keras model, without weights", "m.json"),
    ("absent.keras", {}, "the file does not exist", "absent.keras"),
    ("absent", {}, "there is no such file or folder", "absent"),
    ("empty", {}, "there is no SavedModel", "empty"),
    ("damaged", {}, "the SavedModel cannot be loaded", "Error: "),
    ("none", {}, "the SavedModel has no signatures", "none"),
    ("varied", {}, "the input 'words' cannot be filled with random numbers", "complex64"),
    ("two", {}, "the SavedModel has no such signature", "none"),
    ("two", {"signature": "c"}, "the SavedModel has no such signature", "c"),
]


@pytest.mark.parametrize(("name", "changes", "what", "got"), CASES)
def test_files_that_cannot_be_loaded(
    saved: Path, tmp_path: Path, name: str, changes: dict[str, Any], what: str, got: str
) -> None:
    with pytest.raises(UsageError) as caught:
        traced(saved, name, tmp_path / "run.db", **changes)
    assert caught.value.what == what
    assert got in caught.value.got
    assert caught.value.fix
    assert not (tmp_path / "run.db").exists()
    if name == "two":
        assert caught.value.expected == "one of a, b"
    if name == "code.keras":
        assert "FILE.py:CALLABLE" in caught.value.fix
