"""Recording loops of one's own: the step does what it did, and the run tells of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import resnet_inspect
from resnet_inspect.errors import UsageError
from resnet_inspect.stats import TensorSummary
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.tracers.tensorflow import loops

RATES = {"module": {"rate": 0.1}}


def made(kind: str) -> loops.Loop:
    """A loop of that kind, always from the same seed."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(5)
    return getattr(loops, kind)()  # type: ignore[no-any-return]


def run(loop: loops.Loop, step: Any, kind: str) -> list[Any]:
    """What the step returns for each batch."""
    return [step(*batch, **RATES.get(kind, {})) for batch in loop.batches]


def notes_of(recorded: Run) -> str:
    return "\n".join(f"{note.subject}: {note.text}" for note in recorded.graph.notes)


@pytest.mark.parametrize("kind", ["usual", "compiled", "module", "adversarial", "at_once"])
def test_training_is_the_same_to_the_bit(kind: str, tmp_path: Path) -> None:
    import tensorflow as tf

    plain = made(kind)
    returned = run(plain, plain.step, kind)
    loop = made(kind)
    with resnet_inspect.Recorder(tmp_path / "run.db", every=2) as recorder:
        again = run(loop, recorder.instrument(loop.step), kind)
    exactly = kind != "compiled"  # XLA may fuse otherwise
    for one, other in zip(plain.variables(), loop.variables(), strict=True):
        if exactly:
            assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    for one, other in zip(returned, again, strict=True):
        tf.nest.assert_same_structure(one, other)
    with Run.open(tmp_path / "run.db") as recorded:
        assert recorded.info.status == Status.COMPLETE
        assert recorded.steps() == [0, 1, 2, 3, 4]
        assert recorded.recorded_steps() == [0, 2, 4]
        assert recorded.summaries(2, "gradient") or kind == "module"
        assert recorded.updates()[2]
        assert "loss" in recorded.scalars()
        assert "not observed" not in notes_of(recorded)


@pytest.fixture(scope="module", params=["usual", "at_once"])
def recorded(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A run of a loop that is a tf.function, and of one that runs op by op."""
    path = tmp_path_factory.mktemp("loop") / "run.db"
    loop = made(request.param)
    recorder = resnet_inspect.Recorder(path, every=1, sample=0)
    run(loop, recorder.instrument(loop.step), request.param)
    recorder.close()
    return request.param, path


@pytest.mark.parametrize("kind", ["at_once", "compiled"])
def test_what_was_summarized_is_what_the_layers_give(kind: str, tmp_path: Path) -> None:
    """Of the layer before the dropout, the first step worked out with NumPy."""
    path = tmp_path / "run.db"
    loop = made(kind)
    with resnet_inspect.Recorder(path, every=1, sample=0) as recorder:
        run(loop, recorder.instrument(loop.step), kind)
    loop = made(kind)
    kernel, bias = (np.asarray(one) for one in loop.variables()[:2])
    hidden = np.maximum(np.asarray(loop.batches[0][0]) @ kernel + bias, 0)
    with Run.open(path) as found:
        told, held = found.summaries(0)["hidden"], TensorSummary.of(hidden)
        assert (told.count, told.zeros) == (held.count, held.zeros)
        assert (told.mean, told.std) == pytest.approx((held.mean, held.std), rel=1e-5)
        name = "perceptron/hidden/kernel"
        tap = next(t for t in found.taps() if t.kind == "weight" and t.tensor == name)
        assert tap.layer == "hidden"
        assert found.course(tap)[1].count == kernel.size


def test_layers_models_and_parameters_are_told(recorded: tuple[str, Path]) -> None:
    kind, path = recorded
    with Run.open(path) as found:
        assert found.info.network.endswith("perceptron")
        assert [layer.name for layer in found.graph.layers] == ["hidden", "dropped", "logits"]
        assert {layer.path for layer in found.graph.layers} == {()}
        totals = resnet_inspect.shapes(found).totals
        assert totals.params == loops.perceptron().count_params()
        assert set(found.summaries(4)) == {"hidden", "dropped", "logits"}
        assert set(found.summaries(4, "gradient")) == {"hidden", "dropped", "logits"}
        assert found.summaries(4)["logits"].count == (loops.BATCH - 3) * 3
        assert ("op by op" in notes_of(found)) == (kind == "at_once")
        if kind == "usual":
            assert set(found.scalars()) == {"loss", "size/norm", "batch_loss"}


def test_the_page_speaks_of_a_loop(recorded: tuple[str, Path]) -> None:
    from resnet_inspect.api import summarize
    from resnet_inspect.render.pages.answer_page import facts

    kind, path = recorded
    with Run.open(path) as found:
        told = dict(facts(found.info, summarize(found)))
        optimizer = {"usual": "Adam", "at_once": "SGD"}[kind]
        expected = f"your loop with {optimizer}, tensors recorded at every step"
        assert told["recipe"] == expected


def test_two_models_stand_apart_and_batches_of_another_shape_are_traced(tmp_path: Path) -> None:
    loop = made("adversarial")
    with resnet_inspect.Recorder(tmp_path / "run.db", every=1) as recorder:
        run(loop, recorder.instrument(loop.step), "adversarial")
    with Run.open(tmp_path / "run.db") as found:
        assert found.info.network.endswith("train_step")
        assert {layer.path for layer in found.graph.layers} == {("judge",), ("maker",)}
        assert found.info.settings.values()["optimizer"] == "Adam (first) and RMSprop (second)"
        assert {"loss", "returned/1", "batch_judged", "batch_made"} <= set(found.scalars())
        assert "traced again for batches of another shape" in notes_of(found)


def test_variables_of_no_layer_are_told(tmp_path: Path) -> None:
    loop = made("module")
    with resnet_inspect.Recorder(tmp_path / "run.db", every=1) as recorder:
        run(loop, recorder.instrument(loop.step), "module")
    with Run.open(tmp_path / "run.db") as found:
        assert {one.name for one in found.graph.variables} == {"slope", "offset"}
        assert set(found.updates()[0]) == {"slope", "offset"}
        weights = {tap.tensor for tap in found.taps() if tap.kind == "weight"}
        assert weights == {"slope", "offset"}
        assert "x" in found.graph.inputs


def test_a_shape_that_is_refused_is_saved_with_its_explanation(tmp_path: Path) -> None:
    loop = made("refused")
    step = resnet_inspect.Recorder(tmp_path / "run.db").instrument(loop.step)
    with pytest.raises(ValueError, match="Dimensions must be equal"):
        step(*loop.batches[0])
    with Run.open(tmp_path / "run.db") as found:
        assert found.info.status == Status.FAILED
        assert found.info.failure is not None
        assert found.info.failure.during == "tracing the step train_step"
        assert "tf.matmul(hidden, kernel)" in found.info.failure.source[0].text
        assert found.lineage.mismatch is not None
        assert found.lineage.mismatch.remedies
        assert "hidden" in found.graph.layer_by_name


def test_what_fails_while_it_runs_is_saved(tmp_path: Path) -> None:
    import tensorflow as tf

    loop = made("failing")
    step = resnet_inspect.Recorder(tmp_path / "run.db", every=1).instrument(loop.step)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(loop, step, "failing")
    with Run.open(tmp_path / "run.db") as found:
        assert found.steps() == [0, 1]
        assert found.info.failure is not None
        assert "too small" in found.info.failure.message


def test_the_context_keeps_what_it_was_left_by(tmp_path: Path) -> None:
    loop = made("usual")
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")

    def left() -> None:
        with recorder:
            recorder.instrument(loop.step)(*loop.batches[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        left()
    with Run.open(tmp_path / "run.db") as found:
        assert found.info.status == Status.INTERRUPTED
        assert found.info.reason == "stopped by the user"


def test_a_recorder_records_one_step(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    loop = made("usual")
    recorder.instrument(loop.step)
    with pytest.raises(UsageError, match="this one has another already"):
        recorder.instrument(loop.step)
    with pytest.raises(UsageError, match="cannot be called"):
        resnet_inspect.Recorder(tmp_path / "other.db").instrument(3)


def test_a_step_inside_of_another_function_is_told(tmp_path: Path) -> None:
    import tensorflow as tf

    loop = made("usual")
    with resnet_inspect.Recorder(tmp_path / "run.db") as recorder:
        step = recorder.instrument(loop.step)
        outer = tf.function(lambda *batch: step(*batch)["loss"])
        assert np.isfinite(outer(*loop.batches[0]))
    with Run.open(tmp_path / "run.db") as found:
        assert "@recorder.instrument belongs above @tf.function" in notes_of(found)


def in_a_program(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A program of its own: it ends, and TensorFlow splits its CPU once, before anything else."""
    (folder / "train.py").write_text(text)
    return subprocess.run(
        [sys.executable, folder / "train.py"],
        cwd=folder,
        env=dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[4])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_loop_that_nobody_closes_is_finished_at_the_end(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from tests.tracers.tensorflow import loops\n"
        "import resnet_inspect\n"
        "for name in ('whole', 'cut'):\n"
        "    loop = loops.usual()\n"
        "    step = resnet_inspect.Recorder(name + '.db').instrument(loop.step)\n"
        "    for batch in loop.batches:\n"
        "        step(*batch)\n"
        "    if name == 'whole':\n"
        "        step.close()\n"
        "raise OSError('no such luck')\n"
    )
    assert "no such luck" in in_a_program(program, tmp_path).stderr
    with Run.open(tmp_path / "whole.db") as found:
        assert found.info.status == Status.COMPLETE
        assert len(found.steps()) == 5
    with Run.open(tmp_path / "cut.db") as found:
        assert found.info.status == Status.FAILED
        assert found.info.failure is not None
        assert found.info.failure.message == "no such luck"


def test_a_step_that_is_gone_before_the_end_is_explained_too(tmp_path: Path) -> None:
    """As those of a function that trains one model after another."""
    text = """
        import gc
        import tensorflow as tf

        def train():
            weight = tf.Variable(tf.ones([3, 2]))

            @tf.function
            def step(x):
                with tf.GradientTape() as tape:
                    loss = tf.reduce_sum(tf.matmul(x, weight) ** 2)
                weight.assign_sub(0.1 * tape.gradient(loss, weight))
                return loss

            for _ in range(3):
                step(tf.ones([4, 3]))

        for _ in range(2):
            train()
            gc.collect()
    """
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "resnet_inspect", "run", "-o", "run.db", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name in ("run.db", "run-2.db"):
        with Run.open(tmp_path / name) as found:
            assert found.info.status == Status.COMPLETE, name
            assert len(found.steps()) == 3
            assert found.lineage.links, name


def test_a_forked_process_writes_nothing_that_its_parent_left(tmp_path: Path) -> None:
    from resnet_inspect.graph import Graph
    from resnet_inspect.graph.lineage import Lineage
    from resnet_inspect.tracers.contract import Outcome
    from resnet_inspect.tracers.tensorflow.fit.endings import Unexplained

    asked = tmp_path / "asked"

    def ask() -> tuple[Outcome, Lineage]:
        asked.touch()
        return Outcome(Graph(ops=()), 0.0), Lineage()

    left = Unexplained(Written())
    left.wait(ask)
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            code = 0 if left.tell() is None else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not asked.exists()
    assert left.tell() == Lineage()
    assert asked.exists()


class Written:
    """A journal that keeps nothing."""

    def begin(self, *_: Any) -> None:
        """Nothing is begun."""

    built = step = end = begin


def test_a_process_that_is_forked_while_a_step_trains_says_nothing(tmp_path: Path) -> None:
    """It has the step, and the question where its sizes come from, but not the run."""
    text = """
        import multiprocessing
        import tensorflow as tf

        weight = tf.Variable(tf.ones([3, 2]))

        @tf.function
        def step(x):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.matmul(x, weight) ** 2)
            weight.assign_sub(0.1 * tape.gradient(loss, weight))
            return loss

        step(tf.ones([4, 3]))
        child = multiprocessing.get_context("fork").Process(target=int)
        child.start()
        child.join(60)
        print("exit", child.exitcode)
        step(tf.ones([4, 3]))
    """
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(text), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "resnet_inspect", "run", "-o", "run.db", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "exit 0"
    assert "recording ended" not in done.stderr
    assert "Traceback" not in done.stderr
    with Run.open(tmp_path / "run.db") as found:
        assert len(found.steps()) == 2
        assert found.lineage.links
        assert "lineage" not in {note.subject for note in found.graph.notes}
