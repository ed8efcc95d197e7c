"""Recording training on several replicas: summaries are those of the global batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect.stats import ChannelActivity, Sketch, TensorSummary
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.tracers.tensorflow import keras_models

BATCH, EXAMPLES = 8, 20
# A separate program: TensorFlow must split its CPU before anything else.
SPLIT = """
import numpy as np, tensorflow as tf, keras
import resnet_inspect
from tests.tracers.tensorflow import keras_models, loops
cpu, part = tf.config.list_physical_devices("CPU"), tf.config.LogicalDeviceConfiguration
tf.config.set_logical_device_configuration(cpu[0], [part(), part()])
def recorder():
    return resnet_inspect.Recorder("run.db", every=1, sample=0)
def save(name, variables):
    np.savez(name, *(np.asarray(v) for v in variables))
"""
FIT = """
def fit(name, *callbacks):
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = keras_models.{kind}()
    if model.built:
        save("first", model.weights)
    x, y = keras_models.data("{kind}", {examples})
    model.fit(x, y, batch_size={batch}, verbose=0, shuffle=False, callbacks=callbacks)
    save(name, [*model.variables, *model.optimizer.variables])
fit("plain")
fit("ours", recorder())
"""
LOOP = """
def run(name, recorder=None):
    keras.backend.clear_session()
    keras.utils.set_random_seed(7)
    loop = loops.replicated()
    step = loop.step if recorder is None else recorder.instrument(loop.step)
    for batch in loop.batches:
        step(*batch)
    save(name, loop.variables())
run("plain")
run("ours", recorder())
"""
MISMATCHED = """
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    hidden = keras.layers.Dense(6, name="hidden")
    hidden.build((None, 4))
    kernel = tf.Variable(tf.ones([7, 2]), name="kernel")
def one_replica(x):
    return tf.reduce_mean(tf.matmul(hidden(x), kernel))
@recorder().instrument
@tf.function
def train_step(x):
    return strategy.reduce(tf.distribute.ReduceOp.SUM, strategy.run(one_replica, (x,)), None)
train_step(tf.ones([8, 4]))
"""


def program(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in which the CPU is split into two devices."""
    (folder / "train.py").write_text(SPLIT + text)
    return subprocess.run(
        [sys.executable, folder / "train.py"],
        cwd=folder,
        env=dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def arrays(path: Path) -> list[Any]:
    with np.load(path) as file:
        return [file[name] for name in file.files]


def fitted(kind: str, folder: Path) -> None:
    done = program(FIT.format(kind=kind, examples=EXAMPLES, batch=BATCH), folder)
    assert done.returncode == 0, done.stderr


def notes_of(run: Run) -> str:
    return "\n".join(f"{note.subject}: {note.text}" for note in run.graph.notes)


def assert_same(folder: Path) -> None:
    plain, ours = arrays(folder / "plain.npz"), arrays(folder / "ours.npz")
    assert [array.tobytes() for array in plain] == [array.tobytes() for array in ours]


@pytest.mark.parametrize("kind", ["subclassed_with_dropout", "normalized_functional"])
def test_training_is_the_same_to_the_bit(kind: str, tmp_path: Path) -> None:
    fitted(kind, tmp_path)
    assert_same(tmp_path)
    with Run.open(tmp_path / "run.db") as run:
        assert "the recorder failed" not in notes_of(run)
        assert run.summaries(1)["logits"].count == BATCH * 3
        assert run.summaries(2, "gradient")["logits"].count == (EXAMPLES - 2 * BATCH) * 3


def test_summaries_are_those_of_the_global_batch(tmp_path: Path) -> None:
    """The first step of a perceptron is computed with NumPy."""
    fitted("frozen", tmp_path)
    assert_same(tmp_path)
    kernel, bias, other, offset = arrays(tmp_path / "first.npz")
    x, y = (array[:BATCH] for array in keras_models.data("frozen", EXAMPLES))
    hidden = np.maximum(x @ kernel + bias, 0)
    logits = hidden @ other + offset
    slope = 2 * (logits - y) / logits.size
    with Run.open(tmp_path / "run.db") as run:
        activations, gradients = run.summaries(0), run.summaries(0, "gradient")
        _same(activations["first"], hidden)
        _same(activations["second"], logits)
        _same(gradients["second"], slope)
        assert "first" not in gradients  # not computed: the layers before it are not trained
        taps = {tap.tensor: tap for tap in run.taps() if tap.kind == "gradient" and not tap.output}
        _same(run.course(taps["sequential/second/kernel"])[0], hidden.T @ slope)
        _same(run.course(taps["sequential/second/bias"])[0], slope.sum(0))
        assert run.scalars()["batch_loss"][0] == pytest.approx(np.square(logits - y).mean())
        assert run.scalars()["loss"].keys() == {0, 1, 2}
        active = run.channels(next(tap for tap in run.taps() if tap.layer == "first"))[0]
        expected = ChannelActivity.of_array(hidden)
        assert active.active.tolist() == expected.active.tolist()
        assert (active.positions, active.of) == (expected.positions, expected.of) == (BATCH, BATCH)
        assert "the step has 2 replicas" in notes_of(run)
        assert "gradients of weights are summed over the replicas" in notes_of(run)


def _same(summary: TensorSummary, values: Any) -> None:
    assert summary.count == values.size
    assert summary.sketch.total == Sketch.of(values.astype(np.float32)).total
    recorded = summary.mean, summary.std, summary.min, summary.max
    expected = values.mean(), values.std(), values.min(), values.max()
    assert recorded == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_a_scaled_loss_has_a_note(tmp_path: Path) -> None:
    """Keras sums the gradients inside a branch, which is not recorded."""
    fitted("mixed", tmp_path)
    assert_same(tmp_path)
    with Run.open(tmp_path / "run.db") as run:
        assert "those of each replica, merged and not summed" in notes_of(run)
        assert "of the scaled loss" in notes_of(run)


def test_a_loop_that_shares_its_batches(tmp_path: Path) -> None:
    done = program(LOOP, tmp_path)
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path)
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.status == Status.COMPLETE
        assert run.summaries(3)["logits"].count == BATCH * 3
        scalars = run.scalars()
        assert scalars["loss"] == pytest.approx(scalars["batch_loss"])
        assert [layer.name for layer in run.graph.layers] == ["hidden", "dropped", "logits"]
        assert "summed over the replicas" in notes_of(run)


def test_a_shape_error_is_saved(tmp_path: Path) -> None:
    done = program(MISMATCHED, tmp_path)
    assert done.returncode == 1
    assert "Dimensions must be equal" in done.stderr
    assert "recording ended" not in done.stderr
    with Run.open(tmp_path / "run.db") as run:
        assert run.info.status == Status.FAILED
        assert run.info.failure is not None
        assert run.info.failure.source[0].function == "one_replica"
        assert run.lineage.mismatch is not None
        assert run.lineage.mismatch.remedies
