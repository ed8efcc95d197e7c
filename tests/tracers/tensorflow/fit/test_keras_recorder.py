"""Recording `fit`: the weights are the same with and without recording; the run is complete."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resnet_inspect
from resnet_inspect.analysis.sizes.why import missing_reason
from resnet_inspect.graph import Phase
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.tracers.tensorflow import keras_models

BATCH, EXAMPLES = 8, 20


def fitted(kind: str, callbacks: list[Any], epochs: int = 2, **options: Any) -> Any:
    """A model of that kind after its training, always from the same seed."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model = getattr(keras_models, kind)()
    x, y = keras_models.data(kind, EXAMPLES)
    model.fit(x, y, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=callbacks, **options)
    return model


def weights_of(model: Any) -> list[Any]:
    """The variables of the model and of its optimizer."""
    return [np.asarray(variable) for variable in (*model.variables, *model.optimizer.variables)]


@pytest.mark.parametrize(
    "kind",
    [
        "sequential",
        "normalized_functional",
        "subclassed_with_dropout",
        "two_inputs_two_outputs",
        "custom_train_step",
        "adversarial",
        "frozen",
        "recurrent",
    ],
)
def test_training_is_the_same_to_the_bit(kind: str, tmp_path: Path) -> None:
    plain = weights_of(fitted(kind, []))
    recorder = resnet_inspect.Recorder(tmp_path / "run.db", every=2)
    model = fitted(kind, [recorder])
    for before, after in zip(plain, weights_of(model), strict=True):
        assert before.tobytes() == after.tobytes()
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        assert run.steps() == list(range(6))
        assert run.recorded_steps() == [0, 2, 4, 5]
        assert run.updates()[0].keys() == run.updates()[2].keys()
        assert run.summaries(2)
        assert run.summaries(2, "gradient")
        assert not [note for note in run.graph.notes if "the recorder failed" in note.text]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the small network with batch normalization."""
    path = tmp_path_factory.mktemp("fit") / "run.db"
    recorder = resnet_inspect.Recorder(path, every=1, sample=0)
    x, y = keras_models.data("normalized_functional", EXAMPLES)
    fitted("normalized_functional", [recorder], epochs=1, validation_data=(x, y))
    return path


def test_summaries_agree_with_keras(recorded: Path) -> None:
    """The first step is computed again by Keras in eager mode."""
    import keras
    import tensorflow as tf

    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    model = keras_models.normalized_functional()
    x, y = keras_models.data("normalized_functional", EXAMPLES)
    order = _first_batch(len(x))
    names = ("convolved", "normalized", "rectified", "logits")
    inside = keras.Model(model.inputs[0], [model.get_layer(name).output for name in names])
    with tf.GradientTape() as tape:
        outputs = inside(x[order], training=True)
        loss = tf.reduce_mean(tf.square(outputs[-1] - y[order]))
    gradients = tape.gradient(loss, [*outputs, model.get_layer("logits").kernel.value])
    with Run.open(recorded) as run:
        activations, gradients_by_layer = run.summaries(0), run.summaries(0, "gradient")
        for name, output, gradient in zip(names, outputs, gradients, strict=False):
            _same(activations[name], output.numpy())
            _same(gradients_by_layer[name], gradient.numpy())
        assert run.scalars()["batch_loss"][0] == pytest.approx(float(loss), rel=1e-5)
        assert run.scalars()["loss"][0] == pytest.approx(float(loss), rel=1e-5)
        kernel = "logits/kernel"
        tap = next(t for t in run.taps() if t.kind == "gradient" and t.tensor == kernel)
        _same(run.course(tap)[0], gradients[-1].numpy())
        active = next(
            iter(run.channels(next(t for t in run.taps() if t.layer == "rectified")).values())
        )
        assert active.positions == BATCH * 36
        assert active.active.sum() == int((outputs[2].numpy() > 0).sum())


def _first_batch(examples: int) -> Any:
    """The examples of the first batch of `fit`, found by a model that records its batches."""
    import keras

    orders: list[Any] = []

    class Watch(keras.Model):  # type: ignore[misc]
        def train_step(self, data: Any) -> Any:
            orders.append(data[0].numpy()[:, 0].astype(int))
            return {"loss": 0.0}

    watch = Watch()
    watch.compile(run_eagerly=True, loss="mse")
    keras.utils.set_random_seed(7)
    keras_models.normalized_functional()  # draws what the model drew
    numbers = np.arange(examples, dtype=np.float32).reshape(-1, 1)
    watch.fit(numbers, numbers, batch_size=BATCH, verbose=0)
    return orders[0]


def _same(summary: TensorSummary, values: Any) -> None:
    assert summary.count == values.size
    recorded = summary.mean, summary.std, summary.min, summary.max
    expected = values.mean(), values.std(), values.min(), values.max()
    assert recorded == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_smaller_last_batch_and_validation(recorded: Path) -> None:
    with Run.open(recorded) as run:
        assert run.summaries(2)["logits"].count == (EXAMPLES - 2 * BATCH) * 3
        assert list(run.scalars()["val_loss"]) == [2]


def test_phases_variables_and_parameters(recorded: Path) -> None:
    with Run.open(recorded) as run:
        graph = run.graph
        types = {phase: {op.type for op in graph.ops if op.phase == phase} for phase in Phase}
        assert "Conv2D" in types[Phase.FORWARD]
        assert "Conv2DBackpropFilter" in types[Phase.BACKWARD]
        assert "AssignAddVariableOp" in types[Phase.OPTIMIZER]
        assert "DenseBincount" not in {op.type for op in graph.ops}
        totals = resnet_inspect.shapes(run).totals
        model = keras_models.normalized_functional()
        assert totals.params == model.count_params()
        trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        assert totals.trainable_params == trained
        averages = {
            weight.path for weight in model.non_trainable_weights if "moving_" in weight.name
        }
        assert averages
        trained_paths = {weight.path for weight in model.trainable_weights}
        assert set(run.updates()[1]) == trained_paths | averages
        assert graph.axes["x"] == ("batch", "height", "width", "channel")


def test_the_seed_of_a_dropout_is_not_a_parameter(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    model = fitted("subclassed_with_dropout", [recorder], epochs=1)
    with Run.open(tmp_path / "run.db") as run:
        others = (*model.optimizer.variables, *model.metrics_variables)
        paths = {variable.path for variable in others}
        assert paths <= {variable.name for variable in run.graph.variables if not variable.counted}
        variables = [variable for variable in run.graph.variables if variable.name not in paths]
        states = [variable for variable in variables if not variable.counted]
        assert [variable.name for variable in states] == [
            f"{generator.name}/{generator.state.name}"
            for generator in (model.dropped.seed_generator,)
        ]
        totals = resnet_inspect.shapes(run).totals
        assert (totals.params, totals.trainable_params) == (model.count_params(),) * 2


def test_the_page_of_a_fit(recorded: Path) -> None:
    from resnet_inspect.api import summarize
    from resnet_inspect.render.pages.answer_page import facts
    from resnet_inspect.render.pages.blocks import flow_title

    with Run.open(recorded) as run:
        summary = summarize(run)
        page = dict(facts(run.info, summary))
        assert page["recipe"] == "your fit with SGD, tensors recorded at every step"
        assert "data" not in page
        assert flow_title(run.info) == "Shapes, from the input to the output"
        assert not summary.dangers  # Keras' normalization is made of means over the batch
        assert (run.info.settings.planned, run.info.settings.subject.fed) == (
            3,
            "from your program",
        )
        assert [row.layer for row in summary.blocks] == [row.name for row in run.graph.layers]
        assert all(row.gradient is not None for row in summary.learning)


def test_several_fits_are_one_run(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db", every=2)
    model = fitted("sequential", [recorder], epochs=1)
    x, y = keras_models.data("sequential", EXAMPLES)
    function = model.train_function
    model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[recorder])
    assert model.train_function is function
    assert "train_step" not in vars(model)
    with Run.open(tmp_path / "run.db") as run:
        assert run.steps() == list(range(6))
        assert run.recorded_steps() == [0, 2, 4, 5]
        assert run.info.settings.steps == 6
        assert run.info.status == Status.COMPLETE


def test_a_shape_error_is_saved_with_its_explanation(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    with pytest.raises(ValueError, match="Dimensions must be equal"):
        fitted("mismatched", [recorder])
    with Run.open(tmp_path / "run.db") as run:
        assert resnet_inspect.shapes(run).totals.params == 4 * 8 + 8 + 7 * 3
        assert run.info.status == Status.FAILED
        assert run.info.failure is not None
        assert run.info.failure.source[0].text == "return tf.matmul(hidden, self.kernel)"
        assert run.lineage.mismatch is not None
        assert run.lineage.mismatch.remedies
        assert "hidden" in run.graph.layer_by_name


def test_a_shape_error_while_keras_builds_a_model(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    with pytest.raises(ValueError, match="Could not automatically infer"):
        fitted("mismatched_in_build", [recorder])
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.failure is not None
        assert run.info.failure.message.startswith("Dimensions must be equal, but are 6 and 9")
        assert run.info.failure.source[0].text == "return tf.matmul(inputs, tf.ones((9, 2)))"


def test_a_failure_of_the_recorder_does_not_change_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resnet_inspect.tracers.tensorflow.taps.taps import Taps

    def broken(*_: Any) -> Any:
        raise RuntimeError("no such luck")

    plain = weights_of(fitted("sequential", []))
    monkeypatch.setattr(Taps, "tensors", broken)
    model = fitted("sequential", [resnet_inspect.Recorder(tmp_path / "run.db", every=2)])
    for before, after in zip(plain, weights_of(model), strict=True):
        assert before.tobytes() == after.tobytes()
    with Run.open(tmp_path / "run.db") as run:
        texts = {note.subject: note.text for note in run.graph.notes}
        assert texts["taps"] == (
            "not recorded: the recorder failed with RuntimeError: no such luck. Please report this"
        )
        assert len(run.steps()) == 6


def test_a_fit_that_runs_op_by_op_has_its_layers_recorded(tmp_path: Path) -> None:
    plain = weights_of(fitted("eager", []))
    model = fitted("eager", [resnet_inspect.Recorder(tmp_path / "run.db", every=2)])
    for before, after in zip(plain, weights_of(model), strict=True):
        assert before.tobytes() == after.tobytes()
    with Run.open(tmp_path / "run.db") as run:
        assert run.scalars()["loss"].keys() == set(range(6))
        assert run.recorded_steps() == [0, 2, 4, 5]
        assert [layer.name for layer in run.graph.layers] == [layer.name for layer in model.layers]
        assert run.summaries(2, "gradient")
        assert run.updates()[2]
        assert "the step runs op by op" in notes_of(run)


def test_each_model_has_its_own_run(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    fitted("sequential", [recorder], epochs=1)
    fitted("frozen", [recorder], epochs=2)
    for name, steps in (("run.db", 3), ("run-2.db", 6)):
        with Run.open(tmp_path / name) as run:
            assert len(run.steps()) == steps
            assert run.info.status == Status.COMPLETE


def test_copies_of_a_recorder_write_separate_runs(tmp_path: Path) -> None:
    """KerasTuner copies callbacks for each trial."""
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    for _ in range(3):
        fitted("sequential", [copy.deepcopy(recorder)], epochs=1)
    names = sorted(file.name for file in tmp_path.glob("*.db"))
    assert names == ["run-2.db", "run-3.db", "run.db"]


def test_a_recorded_model_can_be_saved_and_copied(tmp_path: Path) -> None:
    import keras

    model = fitted("sequential", [resnet_inspect.Recorder(tmp_path / "run.db")], epochs=1)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for weights, original in zip(loaded.get_weights(), model.get_weights(), strict=True):
        assert weights.tobytes() == original.tobytes()
    assert pickle.loads(pickle.dumps(model)).count_params() == model.count_params()


def test_a_recorded_model_is_freed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    import keras

    caplog.set_level(
        logging.ERROR, "tensorflow"
    )  # a captured warning would keep the function alive
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    model = weakref.ref(fitted("sequential", [recorder], epochs=1))
    optimizer = weakref.ref(model().optimizer)  # type: ignore[union-attr]
    del recorder
    keras.backend.clear_session()
    gc.collect()
    assert model() is None
    assert optimizer() is None


def test_train_on_batch_is_recorded_and_returns_the_same(tmp_path: Path) -> None:
    import keras

    def trained(recorder: Any) -> tuple[list[Any], list[Any]]:
        keras.backend.clear_session()
        keras.utils.set_random_seed(7)
        model = keras_models.sequential()
        x, y = keras_models.data("sequential", EXAMPLES)
        step = (
            model.train_on_batch if recorder is None else recorder.instrument(model.train_on_batch)
        )
        returned = [step(x[:BATCH], y[:BATCH]) for _ in range(5)]
        returned.append(step(x[:3], y[:3], return_dict=True))
        return returned, weights_of(model)

    plain, weights = trained(None)
    with resnet_inspect.Recorder(tmp_path / "run.db", every=2) as recorder:
        returned, ours = trained(recorder)
    assert returned == plain
    assert [array.tobytes() for array in ours] == [array.tobytes() for array in weights]
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        assert run.steps() == list(range(6))
        assert run.recorded_steps() == [0, 2, 4]
        assert set(run.scalars()) >= {"loss", "mae", "batch_loss"}
        assert run.scalars()["loss"][4] == pytest.approx(float(plain[4][0]))
        assert run.summaries(2, "gradient")
        assert run.updates()[4]


@pytest.mark.parametrize("kind", ["compiled_step", "calls_compiled"])
def test_a_step_inside_of_a_function_is_recorded(kind: str, tmp_path: Path) -> None:
    """A train_step that is a tf.function, and one that calls a tf.function."""
    assert same_as_plain(kind, tmp_path / "run.db")
    with Run.open(tmp_path / "run.db") as run:
        assert run.recorded_steps() == [0, 2, 4, 5]
        assert {layer.name for layer in run.graph.layers} == {"hidden", "logits"}
        assert run.summaries(2, "gradient").keys() == {"hidden", "logits"}
        assert run.updates()[2]
        assert "the recorder failed" not in notes_of(run)


def test_optimizers_and_losses_have_the_authors_names(tmp_path: Path) -> None:
    fitted("adversarial", [resnet_inspect.Recorder(tmp_path / "run.db", every=1)], epochs=1)
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.settings.values()["optimizer"] == "Adam (optimizer) and Adam (other)"
        assert {"batch_judged", "batch_made"} <= set(run.scalars())


def same_as_plain(kind: str, path: Path, **options: Any) -> bool:
    """Whether the weights are the same if every second step is recorded."""
    plain = weights_of(fitted(kind, [], **options))
    recorder = resnet_inspect.Recorder(path, every=2)
    ours = weights_of(fitted(kind, [recorder], **options))
    return [array.tobytes() for array in plain] == [array.tobytes() for array in ours]


def notes_of(run: Run) -> str:
    return "\n".join(f"{note.subject}: {note.text}" for note in run.graph.notes)


@pytest.mark.parametrize("kind", ["mixed", "accumulated"])
def test_loss_scaling_and_gradient_accumulation(kind: str, tmp_path: Path) -> None:
    assert same_as_plain(kind, tmp_path / "run.db")
    with Run.open(tmp_path / "run.db") as run:
        assert run.summaries(2, "gradient")
        assert "the recorder failed" not in notes_of(run)
        assert ("scaled" in notes_of(run)) == (kind == "mixed")


@pytest.mark.parametrize("kind", ["mixed", "mixed_subclassed"])
def test_half_precision_has_the_parameters_that_keras_counts(kind: str, tmp_path: Path) -> None:
    assert same_as_plain(kind, tmp_path / "run.db", epochs=1)
    model = fitted(kind, [], epochs=1)
    with Run.open(tmp_path / "run.db") as run:
        table = resnet_inspect.shapes(run)
        counted = {row.name: row.params for row in table.rows}
        assert counted == {name: model.get_layer(name).count_params() for name in counted}
        assert table.totals.params == model.count_params()


def test_a_step_compiled_by_xla_is_summarized(tmp_path: Path) -> None:
    plain = weights_of(fitted("compiled", []))
    ours = weights_of(fitted("compiled", [resnet_inspect.Recorder(tmp_path / "run.db", every=1)]))
    for before, after in zip(plain, ours, strict=True):
        np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-6)
    with Run.open(tmp_path / "run.db") as run:
        activations = run.summaries(0)
        assert activations["logits"].count == BATCH * 3
        assert activations["rectified"].zeros > 0
        assert "the recorder failed" not in notes_of(run)


def test_several_steps_in_one_execution(tmp_path: Path) -> None:
    assert same_as_plain("three_steps_together", tmp_path / "run.db")
    with Run.open(tmp_path / "run.db") as run:
        assert run.steps() == [2, 5]
        assert run.recorded_steps() == [2, 5]
        assert run.summaries(5)
        assert "3 steps run in one execution; only the last of them is recorded" in notes_of(run)


def test_replicas_of_another_strategy_are_noted(tmp_path: Path) -> None:
    """In a separate process: TensorFlow must split its CPU before anything else."""
    script = tmp_path / "train.py"
    script.write_text(
        "import sys, tensorflow as tf, keras\n"
        "from tests.tracers.tensorflow import keras_models\n"
        "import resnet_inspect\n"
        "cpu, part = tf.config.list_physical_devices('CPU'), tf.config.LogicalDeviceConfiguration\n"
        "tf.config.set_logical_device_configuration(cpu[0], [part(), part()])\n"
        "make = tf.distribute.experimental.CentralStorageStrategy\n"
        "strategy = make(['CPU:0', 'CPU:1'], 'CPU:0')\n"
        "with strategy.scope():\n"
        "    model = keras_models.frozen()\n"
        "x, y = keras_models.data('frozen', 20)\n"
        "model.fit(x, y, batch_size=8, verbose=0, callbacks=[resnet_inspect.Recorder('run.db')])\n"
    )
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with Run.open(tmp_path / "run.db") as run:
        assert run.scalars()["loss"].keys() == {0, 1, 2}
        assert "2 replicas of CentralStorageStrategy" in notes_of(run)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 3}, "Recorder has no setting 'steps'"),
        ({"every": 0}, "invalid value for setting 'every'"),
    ],
)
def test_invalid_settings_are_rejected(settings: dict[str, Any], message: str) -> None:
    from resnet_inspect.errors import ConfigError

    make: Callable[..., Any] = resnet_inspect.Recorder
    with pytest.raises(ConfigError, match=message):
        make(**settings)


def test_an_existing_file_is_rejected_before_training(tmp_path: Path) -> None:
    from resnet_inspect.errors import OutputError

    (tmp_path / "run.db").write_text("precious")
    with pytest.raises(OutputError, match="already exists"):
        resnet_inspect.Recorder(tmp_path / "run.db")


def test_a_discarded_trace_is_not_tapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorFlow discards the first trace, which creates the slots of the optimizer."""
    from resnet_inspect.tracers.tensorflow.fit.observed_step import ObservedStep

    calls: list[str] = []
    observe, tap = ObservedStep.observe, ObservedStep.tap

    def observed(*args: Any, **named: Any) -> Any:
        calls.append("traced")
        return observe(*args, **named)

    def tapped(*args: Any, **named: Any) -> None:
        calls.append("tapped")
        tap(*args, **named)

    monkeypatch.setattr(ObservedStep, "observe", observed)
    monkeypatch.setattr(ObservedStep, "tap", tapped)
    fitted("normalized_functional", [resnet_inspect.Recorder(tmp_path / "run.db")], epochs=1)
    assert calls[:3] == ["traced", "traced", "tapped"]
    with Run.open(tmp_path / "run.db") as run:
        assert run.recorded_steps()[0] == 0
        assert run.summaries(0, "gradient")


def test_origins_of_sizes_are_known_after_the_training(tmp_path: Path) -> None:
    import keras

    links: list[int] = []

    class ReadsRun(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            del batch, logs
            with Run.open(tmp_path / "run.db") as run:
                links.append(len(run.lineage.links))
                assert "after the training" in missing_reason(run.graph, run.lineage)

    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    fitted("sequential", [recorder, ReadsRun()], epochs=1)
    assert set(links) == {0}
    with Run.open(tmp_path / "run.db") as run:
        assert run.lineage.links
        assert "lineage" not in {note.subject for note in run.graph.notes}
        assert run.info.status == Status.COMPLETE


def test_a_second_fit_keeps_the_lineage_of_the_first(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    model = fitted("sequential", [recorder], epochs=1)
    x, y = keras_models.data("sequential", EXAMPLES)
    model.fit(x, y, batch_size=BATCH, epochs=2, verbose=0, callbacks=[recorder])
    with Run.open(tmp_path / "run.db") as run:
        assert len(run.steps()) == 9
        assert run.lineage.links
        assert missing_reason(run.graph, run.lineage) == ""
