"""Recording unusual models and data: it works, or a note names what is not recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resnet_inspect
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.tracers.tensorflow import keras_models
from tests.tracers.tensorflow.fit.test_keras_recorder import fitted, notes_of, same_as_plain


def read(path: Path) -> Run:
    """The run; its answer page and report can be made."""
    from resnet_inspect.api import summarize

    run = Run.open(path)
    summarize(run)
    assert "<html" in resnet_inspect.report(run)
    return run


def test_a_last_execution_with_fewer_steps(tmp_path: Path) -> None:
    """20 examples in batches of 4 are five steps: four in one XLA execution, then one."""
    import keras

    keras.utils.set_random_seed(7)
    model = keras_models.compiled_together()
    x, y = keras_models.data("compiled_together", 20)
    recorder = resnet_inspect.Recorder(tmp_path / "run.db", every=1)
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[recorder], validation_data=(x, y))
    with read(tmp_path / "run.db") as run:
        assert run.steps() == run.recorded_steps() == [3, 4]
        assert list(run.scalars()["val_loss"]) == [4]
        assert run.summaries(4)["second"].count == 4 * 3
        assert run.info.settings.steps == 2
        assert "4 steps run in one execution; only the last of them is recorded" in notes_of(run)


def test_a_layer_called_twice_and_a_model_in_a_model(tmp_path: Path) -> None:
    assert same_as_plain("called_twice", tmp_path / "run.db")
    with read(tmp_path / "run.db") as run:
        layers = {layer.name: (layer.path, layer.variables) for layer in run.graph.layers}
        weights = ("same/kernel", "same/bias")
        assert layers["same"] == layers["same (call 2)"] == ((), weights)
        assert layers["deep"][0] == ("inner",)
        assert set(run.summaries(2, "gradient")) == {"same", "same (call 2)", "deep", "last"}
        assert resnet_inspect.shapes(run).totals.params == 2 * 20 + 15


def test_ops_inside_a_while_loop_have_a_note(tmp_path: Path) -> None:
    fitted("recurrent", [resnet_inspect.Recorder(tmp_path / "run.db", every=2)])
    with read(tmp_path / "run.db") as run:
        assert run.summaries(2)["memory"].count == 4 * 6 * 5  # the last batch is smaller
        assert "ops in nested functions are listed, but their values" in notes_of(run)
        assert "sparse gradient, not recorded" in notes_of(run)


def test_no_file_without_a_training(tmp_path: Path) -> None:
    import tensorflow as tf

    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    recorder.instrument(tf.function(lambda x: x))
    recorder.close()
    resnet_inspect.Recorder(tmp_path / "run.db")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("epochs", [0, 1])
def test_a_fit_without_a_batch_has_a_note(tmp_path: Path, epochs: int) -> None:
    import tensorflow as tf

    model = keras_models.frozen()
    data = tf.data.Dataset.from_tensor_slices(keras_models.data("frozen", 8)).batch(4)
    data = data.take(0) if epochs else data
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    model.fit(data, epochs=epochs, shuffle=False, verbose=0, callbacks=[recorder])
    with read(tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        assert run.steps() == []
        expected = "steps: no step was run. Check that fit gets batches and epochs > 0"
        assert notes_of(run) == expected


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_sizes_that_are_known_only_at_run_time(tmp_path: Path) -> None:
    import tensorflow as tf

    model = keras_models.lengths()
    random = np.random.default_rng(0)
    sizes = (5, 7, 9)
    batches = [random.normal(size=(4, size, 3)).astype(np.float32) for size in sizes]
    data = tf.data.Dataset.from_generator(
        lambda: ((batch, np.ones((4, 2), np.float32)) for batch in batches),
        output_signature=(tf.TensorSpec([None, None, 3]), tf.TensorSpec([None, 2])),
    )
    recorder = resnet_inspect.Recorder(tmp_path / "run.db", every=1, sample=0)
    model.fit(data, shuffle=False, verbose=0, callbacks=[recorder])
    with read(tmp_path / "run.db") as run:
        counts = [run.summaries(step)["convolved"].count for step in range(3)]
        assert counts == [4 * (size - 1) * 4 for size in sizes]
        layer = run.graph.layer_by_name["convolved"]
        assert run.graph.spec(layer.output).shape == (None, None, 4)


def test_any_number_of_axes(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    rectified, dense = keras.layers.ReLU(name="rectified"), keras.layers.Dense(2, name="logits")
    dense.build((None, 4))

    @tf.function(input_signature=[tf.TensorSpec(None)])  # type: ignore[untyped-decorator]
    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(dense(tf.reshape(rectified(x), [-1, 4])))
        for weight, by in zip(
            dense.trainable_variables,
            tape.gradient(loss, dense.trainable_variables),
            strict=True,
        ):
            weight.assign_sub(0.1 * by)
        return loss

    with resnet_inspect.Recorder(tmp_path / "run.db", every=1) as recorder:
        watched = recorder.instrument(step)
        for shape in ([2, 2, 4], [3, 4]):
            watched(tf.ones(shape))
    with read(tmp_path / "run.db") as run:
        assert [run.summaries(step)["rectified"].count for step in (0, 1)] == [16, 12]
        assert "the recorder failed" not in notes_of(run)


def test_texts(tmp_path: Path) -> None:
    import tensorflow as tf

    model = keras_models.texts()
    data = tf.data.Dataset.from_tensor_slices(keras_models.data("texts", 8)).batch(4)
    model.fit(
        data,
        shuffle=False,
        verbose=0,
        callbacks=[resnet_inspect.Recorder(tmp_path / "run.db", every=1)],
    )
    with read(tmp_path / "run.db") as run:
        assert set(run.summaries(1)) == {"looked_up", "embedded", "flat", "score"}
        assert run.graph.spec(run.graph.inputs["x"]).dtype == "string"
        assert "the recorder failed" not in notes_of(run)


def test_ragged_rows(tmp_path: Path) -> None:
    import tensorflow as tf

    model = keras_models.ragged()
    rows = tf.ragged.constant([[1.0, 2.0], [3.0], [1.0, 1.0, 1.0], [2.0]])
    data = tf.data.Dataset.from_tensor_slices((rows, np.ones((4, 2), np.float32))).batch(2)
    model.fit(
        data,
        shuffle=False,
        verbose=0,
        callbacks=[resnet_inspect.Recorder(tmp_path / "run.db", every=1)],
    )
    with read(tmp_path / "run.db") as run:
        assert run.recorded_steps() == [0, 1]
        assert run.summaries(1)["logits"].count == 4
        assert "the recorder failed" not in notes_of(run)


@pytest.mark.parametrize("eager", [False, True])
def test_a_loop_of_ragged_rows_and_texts(tmp_path: Path, eager: bool) -> None:
    """The step also returns values that are not numbers."""
    import tensorflow as tf

    weight = tf.Variable(2.0, name="weight")

    def step(x: Any, words: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(x.values * weight)
        weight.assign_sub(tape.gradient(loss, weight))
        return {"loss": loss, "words": words, "rows": x, "first": words[0], "done": True}

    with resnet_inspect.Recorder(tmp_path / "run.db", every=1) as recorder:
        watched = recorder.instrument(step if eager else tf.function(step))
        for rows in ([[1.0, 2.0], [3.0]], [[1.0], [2.0, 3.0, 4.0]]):
            returned = watched(tf.ragged.constant(rows), tf.constant(["a", "b"]))
            assert isinstance(returned["rows"], tf.RaggedTensor)
    with read(tmp_path / "run.db") as run:
        assert run.steps() == [0, 1]
        assert run.scalars()["loss"][0] == pytest.approx(4.0)
        assert set(run.updates()[1]) == {"weight"}
        assert "the recorder failed" not in notes_of(run)


def test_a_loop_inside_of_the_step(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    dense = keras.layers.Dense(2)
    dense.build((None, 2))

    @tf.function  # type: ignore[untyped-decorator]
    def step(x: Any) -> Any:
        for _ in tf.range(3):
            x = dense(x)
        return tf.reduce_sum(x)

    with resnet_inspect.Recorder(tmp_path / "run.db", every=1) as recorder:
        recorder.instrument(step)(tf.ones([2, 2]))
    with read(tmp_path / "run.db") as run:
        assert "the step calls no Keras layer, or calls layers only in" in notes_of(run)
        assert "ops in nested functions are listed" in notes_of(run)


def test_an_interrupt_while_the_step_is_traced_is_not_a_failure(tmp_path: Path) -> None:
    import keras

    class Interrupted(keras.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            del data
            raise KeyboardInterrupt

    model = Interrupted()
    model.compile(loss="mse")

    def fit() -> None:
        with resnet_inspect.Recorder(tmp_path / "run.db") as recorder:
            model.fit(np.zeros((4, 3)), np.zeros(4), verbose=0, callbacks=[recorder])

    with pytest.raises(KeyboardInterrupt):
        fit()
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.status == Status.INTERRUPTED
        assert run.info.reason == "stopped by the user"
        assert run.info.failure is None
