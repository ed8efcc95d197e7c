"""Recording loops: the step does the same with and without recording; the run is complete."""

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


def loop_of(kind: str) -> loops.Loop:
    """A loop of that kind, with a fixed seed."""
    import keras

    keras.backend.clear_session()
    keras.utils.set_random_seed(5)
    return getattr(loops, kind)()  # type: ignore[no-any-return]


def call(loop: loops.Loop, step: Any, kind: str) -> list[Any]:
    """The values that the step returns for each batch."""
    return [step(*batch, **RATES.get(kind, {})) for batch in loop.batches]


def notes_of(recorded: Run) -> str:
    return "\n".join(f"{note.subject}: {note.text}" for note in recorded.graph.notes)


@pytest.mark.parametrize("kind", ["usual", "compiled", "module", "adversarial", "eager"])
def test_training_is_the_same_to_the_bit(kind: str, tmp_path: Path) -> None:
    import tensorflow as tf

    plain = loop_of(kind)
    returned = call(plain, plain.step, kind)
    loop = loop_of(kind)
    with resnet_inspect.Recorder(tmp_path / "run.db", every=2) as recorder:
        again = call(loop, recorder.instrument(loop.step), kind)
    exactly = kind != "compiled"  # with taps XLA may fuse other ops
    for plain_variable, variable in zip(plain.variables(), loop.variables(), strict=True):
        if exactly:
            assert np.asarray(plain_variable).tobytes() == np.asarray(variable).tobytes()
        np.testing.assert_allclose(plain_variable, variable, rtol=1e-5, atol=1e-6)
    for plain_value, value in zip(returned, again, strict=True):
        tf.nest.assert_same_structure(plain_value, value)
    with Run.open(tmp_path / "run.db") as recorded:
        assert recorded.info.status == Status.COMPLETE
        assert recorded.steps() == [0, 1, 2, 3, 4]
        assert recorded.recorded_steps() == [0, 2, 4]
        assert recorded.summaries(2, "gradient") or kind == "module"
        assert recorded.updates()[2]
        assert "loss" in recorded.scalars()
        assert "the recorder failed" not in notes_of(recorded)


@pytest.fixture(scope="module", params=["usual", "eager"])
def recorded(request: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The run of a loop with a tf.function, and of a loop that runs op by op."""
    path = tmp_path_factory.mktemp("loop") / "run.db"
    loop = loop_of(request.param)
    recorder = resnet_inspect.Recorder(path, every=1, sample=0)
    call(loop, recorder.instrument(loop.step), request.param)
    recorder.close()
    return request.param, path


@pytest.mark.parametrize("kind", ["eager", "compiled"])
def test_summaries_agree_with_numpy(kind: str, tmp_path: Path) -> None:
    """The first step of the layer before the dropout is computed with NumPy."""
    path = tmp_path / "run.db"
    loop = loop_of(kind)
    with resnet_inspect.Recorder(path, every=1, sample=0) as recorder:
        call(loop, recorder.instrument(loop.step), kind)
    loop = loop_of(kind)
    kernel, bias = (np.asarray(variable) for variable in loop.variables()[:2])
    hidden = np.maximum(np.asarray(loop.batches[0][0]) @ kernel + bias, 0)
    with Run.open(path) as saved:
        recorded_summary, expected = saved.summaries(0)["hidden"], TensorSummary.of(hidden)
        assert (recorded_summary.count, recorded_summary.zeros) == (expected.count, expected.zeros)
        assert (recorded_summary.mean, recorded_summary.std) == pytest.approx(
            (expected.mean, expected.std), rel=1e-5
        )
        name = "perceptron/hidden/kernel"
        tap = next(t for t in saved.taps() if t.kind == "weight" and t.tensor == name)
        assert tap.layer == "hidden"
        assert saved.course(tap)[1].count == kernel.size


def test_layers_models_and_parameters(recorded: tuple[str, Path]) -> None:
    kind, path = recorded
    with Run.open(path) as saved:
        assert saved.info.network.endswith("perceptron")
        assert [layer.name for layer in saved.graph.layers] == ["hidden", "dropped", "logits"]
        assert {layer.path for layer in saved.graph.layers} == {()}
        totals = resnet_inspect.shapes(saved).totals
        assert totals.params == loops.perceptron().count_params()
        assert set(saved.summaries(4)) == {"hidden", "dropped", "logits"}
        assert set(saved.summaries(4, "gradient")) == {"hidden", "dropped", "logits"}
        assert saved.summaries(4)["logits"].count == (loops.BATCH - 3) * 3
        assert ("op by op" in notes_of(saved)) == (kind == "eager")
        if kind == "usual":
            assert set(saved.scalars()) == {"loss", "size/norm", "batch_loss"}


def test_the_page_of_a_loop(recorded: tuple[str, Path]) -> None:
    from resnet_inspect.api import summarize
    from resnet_inspect.render.pages.answer_page import facts

    kind, path = recorded
    with Run.open(path) as saved:
        page = dict(facts(saved.info, summarize(saved)))
        optimizer = {"usual": "Adam", "eager": "SGD"}[kind]
        expected = f"your loop with {optimizer}, tensors recorded at every step"
        assert page["recipe"] == expected


def test_two_models_and_batches_of_another_shape(tmp_path: Path) -> None:
    loop = loop_of("adversarial")
    with resnet_inspect.Recorder(tmp_path / "run.db", every=1) as recorder:
        call(loop, recorder.instrument(loop.step), "adversarial")
    with Run.open(tmp_path / "run.db") as saved:
        assert saved.info.network.endswith("train_step")
        assert {layer.path for layer in saved.graph.layers} == {
            ("judge",),
            ("judge (call 2)",),
            ("maker",),
        }
        assert saved.info.settings.values()["optimizer"] == "Adam (first) and RMSprop (second)"
        assert {"loss", "returned/1", "batch_judged", "batch_made"} <= set(saved.scalars())
        assert "traced the step again for batches of another shape" in notes_of(saved)


def test_variables_without_a_layer(tmp_path: Path) -> None:
    loop = loop_of("module")
    with resnet_inspect.Recorder(tmp_path / "run.db", every=1) as recorder:
        call(loop, recorder.instrument(loop.step), "module")
    with Run.open(tmp_path / "run.db") as saved:
        assert {variable.name for variable in saved.graph.variables} == {"slope", "offset"}
        assert set(saved.updates()[0]) == {"slope", "offset"}
        weights = {tap.tensor for tap in saved.taps() if tap.kind == "weight"}
        assert weights == {"slope", "offset"}
        assert "x" in saved.graph.inputs


def test_a_shape_error_is_saved_with_its_explanation(tmp_path: Path) -> None:
    loop = loop_of("mismatched")
    step = resnet_inspect.Recorder(tmp_path / "run.db").instrument(loop.step)
    with pytest.raises(ValueError, match="Dimensions must be equal"):
        step(*loop.batches[0])
    with Run.open(tmp_path / "run.db") as saved:
        assert saved.info.status == Status.FAILED
        assert saved.info.failure is not None
        assert saved.info.failure.during == "tracing the step train_step"
        assert "tf.matmul(hidden, kernel)" in saved.info.failure.source[0].text
        assert saved.lineage.mismatch is not None
        assert saved.lineage.mismatch.remedies
        assert "hidden" in saved.graph.layer_by_name


def test_a_failure_of_a_running_step_is_saved(tmp_path: Path) -> None:
    import tensorflow as tf

    loop = loop_of("failing")
    step = resnet_inspect.Recorder(tmp_path / "run.db", every=1).instrument(loop.step)
    with pytest.raises(tf.errors.InvalidArgumentError):
        call(loop, step, "failing")
    with Run.open(tmp_path / "run.db") as saved:
        assert saved.steps() == [0, 1]
        assert saved.info.failure is not None
        assert "too small" in saved.info.failure.message


def test_the_exception_that_ends_the_context_is_saved(tmp_path: Path) -> None:
    loop = loop_of("usual")
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")

    def interrupted() -> None:
        with recorder:
            recorder.instrument(loop.step)(*loop.batches[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with Run.open(tmp_path / "run.db") as saved:
        assert saved.info.status == Status.INTERRUPTED
        assert saved.info.reason == "stopped by the user"


def test_a_recorder_records_one_step(tmp_path: Path) -> None:
    recorder = resnet_inspect.Recorder(tmp_path / "run.db")
    loop = loop_of("usual")
    recorder.instrument(loop.step)
    with pytest.raises(UsageError, match="this one already records another"):
        recorder.instrument(loop.step)
    with pytest.raises(UsageError, match="not callable"):
        resnet_inspect.Recorder(tmp_path / "other.db").instrument(3)


def test_a_step_inside_another_function_has_a_note(tmp_path: Path) -> None:
    import tensorflow as tf

    loop = loop_of("usual")
    with resnet_inspect.Recorder(tmp_path / "run.db") as recorder:
        step = recorder.instrument(loop.step)
        outer = tf.function(lambda *batch: step(*batch)["loss"])
        assert np.isfinite(outer(*loop.batches[0]))
    with Run.open(tmp_path / "run.db") as saved:
        assert "Put @recorder.instrument above @tf.function" in notes_of(saved)


def in_a_program(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a separate process, which ends and in which TensorFlow splits its CPU."""
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


def test_an_unclosed_loop_is_finished_at_the_end(tmp_path: Path) -> None:
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
    with Run.open(tmp_path / "whole.db") as saved:
        assert saved.info.status == Status.COMPLETE
        assert len(saved.steps()) == 5
    with Run.open(tmp_path / "cut.db") as saved:
        assert saved.info.status == Status.FAILED
        assert saved.info.failure is not None
        assert saved.info.failure.message == "no such luck"


def test_a_step_that_is_collected_before_the_end_has_a_lineage(tmp_path: Path) -> None:
    """For example, a function that trains several models one after the other."""
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
        with Run.open(tmp_path / name) as saved:
            assert saved.info.status == Status.COMPLETE, name
            assert len(saved.steps()) == 3
            assert saved.lineage.links, name


def test_a_forked_process_does_not_write_the_lineage_of_its_parent(tmp_path: Path) -> None:
    from resnet_inspect.graph import Graph
    from resnet_inspect.graph.lineage import Lineage
    from resnet_inspect.tracers.contract import Outcome
    from resnet_inspect.tracers.tensorflow.fit.endings import PendingLineage

    computed = tmp_path / "computed"

    def compute() -> tuple[Outcome, Lineage]:
        computed.touch()
        return Outcome(Graph(ops=()), 0.0), Lineage()

    pending = PendingLineage(IgnoringJournal())
    pending.set(compute)
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            code = 0 if pending.write() is None else 2
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not computed.exists()
    assert pending.write() == Lineage()
    assert computed.exists()


class IgnoringJournal:
    """A journal that ignores all calls."""

    def begin(self, *_: Any) -> None:
        """Do nothing."""

    built = step = end = begin


def test_a_process_forked_during_a_training_prints_nothing(tmp_path: Path) -> None:
    """It has a copy of the step, whose lineage is pending, but must not write the run."""
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
    with Run.open(tmp_path / "run.db") as saved:
        assert len(saved.steps()) == 2
        assert saved.lineage.links
        assert "lineage" not in {note.subject for note in saved.graph.notes}
