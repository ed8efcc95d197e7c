"""`run`: an exception that ends a program is saved wherever it is raised."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from resnet_inspect.graph import Failure
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.cli.preloaded import Preloaded
from tests.cli.test_run import python
from tests.frameworks import PACKAGE

pytestmark = pytest.mark.tensorflow
Ran = Callable[..., subprocess.CompletedProcess[str]]

START = """\
import numpy as np
import tensorflow as tf
import keras
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2, name="rates")])
model.compile("sgd", "mse")
x, rates = np.ones((8, 6), "float32"), np.ones((8, 2), "float32")
"""
OLD = """\
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
x = tf.placeholder(tf.float32, [None, 6], name="x")
"""
LOOP = """\
optimizer = keras.optimizers.SGD()
for at in range(3):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean((model(x) - rates) ** 2)
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
"""
# The program, what it did when it failed, the line, and the state of its training if it has one.
PROGRAMS = {
    "predict": (START + "model.predict(x[:, :5])\n", "running predict", 7, None),
    "evaluate": (START + "model.evaluate(x, rates[:5])\n", "running evaluate", 7, None),
    "fit": (START + "model.fit(x[:7], rates)\n", "running fit", 7, None),
    "predict after a fit": (
        START + "model.fit(x, rates, verbose=0)\nmodel.predict(x[:, :5])\n",
        "running predict",
        8,
        Status.COMPLETE,
    ),
    "building a model": (
        START + "keras.layers.Add()([model.outputs[0], keras.Input((3,))])\n",
        "building the model",
        7,
        None,
    ),
    "building a graph": (OLD + "tf.matmul(x, tf.ones([5, 2]))\n", "building the graph", 5, None),
    "running a session": (
        OLD + "with tf.Session() as s:\n    s.run(x, {x: np.ones((2, 5))})\n",
        "running a session",
        6,
        None,
    ),
    "an op": (START + "tf.matmul(x, rates)\n", "running the program", 7, None),
    "an exception of the program": (START + "{}['width']\n", "running the program", 7, None),
    "a tf.function": (
        START + "@tf.function\ndef f(a):\n    return tf.matmul(a, rates)\nf(x)\n",
        "tracing the step f",
        10,
        None,
    ),
    "a loop": (START + LOOP.replace("rates)", "tf.ones((8, 3)))"), "running the program", 10, None),
    "a loop in its second step": (
        START + LOOP.replace("model(x)", "model(x[:, :6 - at])"),
        "running step 1",
        10,
        Status.FAILED,
    ),
    "after a loop": (
        START + LOOP + "tf.matmul(x, rates)\n",
        "running the program",
        12,
        Status.COMPLETE,
    ),
    "between the steps of a loop": (
        START + LOOP + "    if at == 1:\n        raise OSError('the disk')\n",
        "running step 2",
        13,
        Status.FAILED,
    ),
    "a batch": (
        START + "for at in range(2):\n    model.train_on_batch(x[:, at:], rates)\n",
        "running step 1",
        8,
        Status.FAILED,
    ),
}


@pytest.fixture
def ran(tmp_path: Path, tensorflow_process: Preloaded) -> Ran:
    """Return a function that runs the text of a program, train.py."""

    def run(text: str, *words: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "train.py").write_text(text)
        environment = dict(os.environ) | {"PYTHONPATH": str(PACKAGE)}
        return tensorflow_process.run(
            ["run", "-o", "train.db", *(words or ["train.py"])], tmp_path, environment
        )

    return run


def failures(folder: Path) -> list[tuple[Status, Failure | None]]:
    """How the runs in a folder ended, in the order of their files."""
    ends = []
    for file in sorted(folder.glob("*.db"), key=lambda file: (len(file.name), file.name)):
        with Run.open(file) as run:
            ends.append((run.info.status, run.info.failure))
    return ends


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_failure_is_saved_where_it_is_raised(name: str, ran: Ran, tmp_path: Path) -> None:
    text, during, line, training = PROGRAMS[name]
    done = ran(text)
    assert done.returncode == 1
    ends = failures(tmp_path)
    expected = [Status.COMPLETE, Status.FAILED] if training is Status.COMPLETE else [Status.FAILED]
    assert [status for status, _ in ends] == expected
    failure = ends[-1][1]
    assert failure is not None
    assert failure.during == during
    assert failure.crash is not None
    own = [f.site.line for f in failure.crash.frames if f.site.function == "<module>"]
    assert own == [line]
    newest = "train-2.db" if len(ends) == 2 else "train.db"
    said = [row.removeprefix("resnet-inspect: ") for row in done.stderr.splitlines()]
    recorded = [f"recorded in {file}" for file in ("train.db", "train-2.db")[: len(ends)]]
    again = f"to read this again: resnet-inspect explain {newest}"
    assert said[-1 - len(recorded) :] == [*recorded, again]


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("try:\n    tf.matmul(x, rates)\nexcept Exception:\n    print('caught')\n", 0),
        ("try:\n    model.predict(x[:, :5])\nexcept Exception:\n    raise SystemExit(4)\n", 4),
        ("raise SystemExit(0)\n", 0),
    ],
    ids=["caught", "exit code", "exit"],
)
def test_an_end_that_is_no_failure_makes_no_run(
    ending: str, code: int, ran: Ran, tmp_path: Path
) -> None:
    assert ran(START + ending).returncode == code
    assert failures(tmp_path) == []


def test_a_failure_that_is_raised_from_another_is_saved_once(ran: Ran, tmp_path: Path) -> None:
    done = ran(
        START
        + "try:\n    model.fit(x, np.ones((8, 3)), verbose=0)\n"
        + "except Exception as error:\n    raise RuntimeError('no training') from error\n"
    )
    assert "RuntimeError: no training" in done.stderr
    ((status, failure),) = failures(tmp_path)
    assert status == Status.FAILED
    assert failure is not None
    assert failure.crash is not None
    assert (failure.kind, failure.crash.step) == ("ValueError", 0)


def test_a_failure_after_a_caught_one_is_a_run_of_its_own(ran: Ran, tmp_path: Path) -> None:
    ran(
        START
        + "try:\n    model.fit(x, np.ones((8, 3)), verbose=0)\n"
        + "except Exception:\n    model.predict(x[:, :5])\n"
    )
    (_, first), (_, second) = failures(tmp_path)
    assert first is not None
    assert second is not None
    assert (first.during, second.during) == ("tracing the step of fit", "running predict")


def test_modules_and_notebooks_are_programs(ran: Ran, tmp_path: Path) -> None:
    package = tmp_path / "net"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "wide.py").write_text("import tensorflow as tf\ntf.matmul(*[tf.ones((2, 3))] * 2)\n")
    assert ran("", "-m", "net.wide").returncode == 1
    (tmp_path / "cells.ipynb").write_text(
        '{"cells": [{"cell_type": "code", "source": "import tensorflow as tf\\n"},'
        '{"cell_type": "code", "source": "a = tf.ones((2, 3))\\ntf.matmul(a, a)"}]}'
    )
    assert ran("", "--force", "-o", "cells.db", "cells.ipynb").returncode == 1
    frames = []
    for file in ("train.db", "cells.db"):
        with Run.open(tmp_path / file) as run:
            assert run.info.failure is not None
            assert run.info.failure.crash is not None
            crash = run.info.failure.crash
            frames.append([(frame.site.file, frame.site.line) for frame in crash.frames])
            assert list(crash.files) == [crash.frames[0].site.file]
    assert frames == [[("net/wide.py", 2)], [("cells.ipynb, cell 2", 2)]]


ADDRESSES = re.compile(r"0x[0-9a-f]+|__inference_\w+|__autograph_generated_file\w+")


def shown(text: str) -> list[str]:
    """What Python and the program print, without addresses and TensorFlow's log."""
    before, matched, _ = text.partition("\n\nresnet-inspect: ")  # the explanation
    text = f"{before}\n" if matched else text
    log = ("resnet-inspect: ", "WARNING: All log", "I0000", "W0000", "E0000", "To enable", "20")
    lines = (line for line in text.splitlines() if not line.startswith(log) and "cuda" not in line)
    return [ADDRESSES.sub("", line) for line in lines]


TRACEBACKS = {
    "fit": START + "model.fit(x, np.ones((8, 3)), verbose=0)\n",
    "when an op runs": START
    + "class Take(keras.layers.Layer):\n"
    + "    def call(self, ids):\n"
    + "        return tf.gather(tf.ones((3, 2)), tf.cast(ids, tf.int32) + 3)\n"
    + "other = keras.Sequential([Take()])\n"
    + "other.predict(np.ones((4, 1)), verbose=0)\n",
    "a function": START
    + "@tf.function\ndef f(a):\n    for at in tf.range(3):\n        a = a @ rates\n    return a\n"
    + "f(x)\n",
    "a session": OLD
    + "y = tf.reshape(x, [4, 3], name='y')\n"
    + "with tf.Session() as s:\n    s.run(y, {x: np.ones((3, 6))})\n",
}


@pytest.mark.parametrize("name", TRACEBACKS)
def test_the_traceback_is_that_of_python(name: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRACEBACKS[name])
    alone = python("train.py", here=tmp_path)
    ours = python("-m", "resnet_inspect", "run", "-o", "train.db", "train.py", here=tmp_path)
    assert ours.returncode == alone.returncode == 1
    assert (tmp_path / "train.db").exists()
    assert shown(ours.stderr) == shown(alone.stderr)
    assert "resnet_inspect/" not in ours.stderr.partition("\nresnet-inspect: ")[0]
