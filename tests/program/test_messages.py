"""The texts about trainings that were not recorded, word by word."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from resnet_inspect.errors import UsageError
from resnet_inspect.paths import typed
from resnet_inspect.program.messages import explanations, failed_training
from resnet_inspect.store.info import Status, Writer
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from resnet_inspect.tracers.contract import Cause, MissedTraining

RUNS = Path(__file__).parents[1] / "runs"
NOTHING = [
    "nothing was recorded: train.py did not train a model with TensorFlow "
    "(no call of fit or train_on_batch, no optimizer in a tf.function)"
]


@pytest.mark.parametrize(
    ("unrecorded", "lines"),
    [
        ([], NOTHING),
        (
            [MissedTraining(Cause.LEGACY_FIT)],
            [
                "nothing was recorded: train.py trains a model of tf_keras (Keras 2); "
                "only Keras 3 is recorded",
                "use `import keras`, or unset TF_USE_LEGACY_KERAS",
            ],
        ),
        (
            [MissedTraining(Cause.SESSION)],
            [
                "nothing was recorded: train.py runs a TensorFlow 1 session",
                "trace the function that builds the graph: "
                "resnet-inspect trace train.py:FUNCTION --tf1 --input SHAPE",
            ],
        ),
        (
            [MissedTraining(Cause.OTHER_BACKEND, "jax")],
            [
                "nothing was recorded: the Keras backend is jax; only TensorFlow is recorded",
                "set KERAS_BACKEND=tensorflow for this command if the script allows it",
            ],
        ),
        (
            [MissedTraining(Cause.ELSEWHERE)],
            ["nothing more was recorded: train.py uses its own Recorder, which writes the run"],
        ),
        (
            [MissedTraining(Cause.EAGER_LOOP, "train.py:12", "update")],
            [
                "nothing was recorded: the optimizer is applied eagerly at train.py:12, outside "
                "a tf.function",
                "decorate update with @tf.function, or add these two lines below it:",
                "    recorder = resnet_inspect.Recorder(every=10)   # and: import resnet_inspect",
                "    update = recorder.instrument(update)",
            ],
        ),
        (
            [MissedTraining(Cause.EAGER_LOOP, "train.py:12", "<module>")],
            [
                "nothing was recorded: the optimizer is applied eagerly at train.py:12, outside "
                "a tf.function",
                "move one step into a function train_step(x, y) and decorate it with @tf.function",
            ],
        ),
        (
            [MissedTraining(Cause.HIDDEN_LOOP, "train.py:7", "epoch")],
            [
                "nothing was recorded: epoch at train.py:7 loops over batches inside one "
                "tf.function",
                "to record it, move the body of the loop into a separate @tf.function",
            ],
        ),
        (
            [MissedTraining(Cause.TROUBLE, "a fit was not recorded: OSError: no such luck")],
            ["nothing was recorded: a fit was not recorded: OSError: no such luck"],
        ),
    ],
)
def test_why_nothing_was_recorded(unrecorded: list[MissedTraining], lines: list[str]) -> None:
    assert list(explanations(unrecorded, "train.py", recorded=False)) == lines


def raised(source: str, folder: Path) -> BaseException:
    """The exception of a script."""
    file = folder / "model.py"
    file.write_text(source)
    try:
        exec(compile(source, str(file), "exec"), {"KERAS": KERAS})
    except BaseException as error:
        return error
    raise AssertionError


KERAS = (
    "Exception encountered when calling Reshape.call().\n\n\x1b[1mThe total size of the tensor must"
    " be unchanged.\x1b[0m\n\nArguments received by Reshape.call():\n  • args=()"
)
CORRECT = "correct the error, then run the script again"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (
            "def build():\n    raise ValueError(KERAS)\n\nbuild()",
            [
                "train.py stopped with ValueError at model.py:2",
                "    raise ValueError(KERAS)",
                "error: The total size of the tensor must be unchanged.",
                CORRECT,
            ],
        ),
        (
            "raise ValueError('Data cardinality is ambiguous. x: 32\\ny: 30')",
            [
                "train.py stopped with ValueError at model.py:1",
                "    raise ValueError('Data cardinality is ambiguous. x: 32\\ny: 30')",
                "error: Data cardinality is ambiguous. x: 32 y: 30",
                CORRECT,
            ],
        ),
        (
            "import json\nconfig = json.loads('')",
            [
                "train.py stopped with JSONDecodeError at model.py:2",
                "    config = json.loads('')",
                "error: Expecting value: line 1 column 1 (char 0)",
                CORRECT,
            ],
        ),
        (
            "x = 1\nreturn x",
            [
                "train.py stopped with SyntaxError at model.py:2",
                "    return x",
                "error: 'return' outside function (model.py, line 2)",
                CORRECT,
            ],
        ),
        (
            "import argparse\nargparse.ArgumentParser().parse_args(['--none'])",
            [
                "train.py exited with code 2 at model.py:2",
                "    argparse.ArgumentParser().parse_args(['--none'])",
            ],
        ),
        (
            "import sys\nsys.exit('no data')",
            ["train.py exited with code 1 at model.py:2", "    sys.exit('no data')"],
        ),
        (
            "raise KeyboardInterrupt",
            ["train.py was stopped with Ctrl-C at model.py:1", "    raise KeyboardInterrupt"],
        ),
    ],
)
def test_an_error_before_the_training_is_located(
    source: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    error = raised(source, tmp_path)
    first = f"nothing was recorded: {lines[0]}, before its first training step"
    lines_shown = list(explanations([], "train.py", recorded=False, error=error))
    assert lines_shown == [first, *lines[1:]]
    assert list(explanations([], "train.py", recorded=True, error=error)) == []


def test_a_script_that_exits_without_an_error_did_not_train() -> None:
    for code in (None, 0):
        error = SystemExit(code)
        assert list(explanations([], "train.py", recorded=False, error=error)) == NOTHING


def test_an_error_of_this_package_is_reported_once() -> None:
    error = UsageError("the module cannot be run")
    assert list(explanations([], "train.py", recorded=False, error=error)) == []


@pytest.mark.parametrize(
    ("name", "error", "kind"),
    [
        ("filters.db", None, "ValueError"),
        ("running.db", OSError("disk"), "OSError"),
        ("running.db", KeyboardInterrupt(), ""),
        ("v1.db", OSError("disk"), ""),
    ],
)
def test_the_command_that_reads_a_failed_training_is_shown(
    name: str, error: BaseException | None, kind: str, tmp_path: Path
) -> None:
    if name == "running.db":
        with Run.open(RUNS / "v1.db") as run:
            facts = msgspec.structs.replace(
                run.info, writer=Writer.current(), status=Status.RUNNING
            )
        RunWriter.create(tmp_path / name, facts)
    file = (tmp_path if name == "running.db" else RUNS) / name
    line = f"the training failed with {kind}; see why: resnet-inspect check {typed(str(file))}"
    assert list(failed_training(file, error)) == ([line] if kind else [])


def test_of_a_recorded_program_only_what_is_missing_is_said() -> None:
    missed = [
        MissedTraining(Cause.SESSION),
        MissedTraining(Cause.LEGACY_FIT),
        MissedTraining(Cause.ELSEWHERE),
    ]
    assert list(explanations([], "train.py", recorded=True)) == []
    assert list(explanations(missed, "train.py", recorded=True))[:1] == [
        "not recorded: train.py trains a model of tf_keras (Keras 2); only Keras 3 is recorded"
    ]
