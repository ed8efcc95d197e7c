"""`run`: the script does what it does without us, and its fits are recorded."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.frameworks import PACKAGE

PLAIN = """
import atexit, sys
atexit.register(print, "at exit")
print(sys.argv, sys.path[0], __name__, __file__)
def fail(word):
    try:
        {}[word]
    except KeyError as error:
        raise OSError("no such luck") from error
word = sys.argv[1]
if word == "--text":
    sys.exit("message")
if word == "--code":
    sys.exit(7)
if word == "--interrupt":
    raise KeyboardInterrupt
if word == "--raise":
    fail(word)
"""
STOPPED = "before its first training step"
ENDINGS = {
    "--none": "did not train a model with TensorFlow "
    "(no call of fit or train_on_batch, no optimizer in a tf.function)",
    "--text": f"exited with code 1 at plain.py:12, {STOPPED}",
    "--code": f"exited with code 7 at plain.py:14, {STOPPED}",
    "--raise": f"stopped with OSError at plain.py:9, {STOPPED}",
    "--interrupt": f"was stopped with Ctrl-C at plain.py:16, {STOPPED}",
}
TRAINS = """
import sys
import numpy as np
import keras
keras.utils.set_random_seed(3)
def model(width=4):
    made = keras.Sequential([keras.layers.Dense(width, "relu", name="hidden"),
                             keras.layers.Dense(1, name="score")], name="small")
    made.compile("adam", "mse")
    return made
class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            raise KeyboardInterrupt if "--interrupt" in sys.argv else OSError("no such luck")
if "--interrupt" in sys.argv or "--raise" in sys.argv:
    model().fit(np.ones((64, 3)), np.ones((64, 1)), batch_size=8, verbose=0, callbacks=[Stop()])
x, y = np.ones((16, 3), "float32"), np.zeros((16, 1), "float32")
if "--shape" in sys.argv:
    made = model()
    made.fit(x, y, batch_size=8, verbose=0)
    made.fit(x, np.zeros((16, 5), "float32")[:, None, :, None], batch_size=8, verbose=0)
first = model()
first.fit(x, y, 8, 2, 0, [keras.callbacks.TerminateOnNaN()])
first.fit(x, y, batch_size=8, verbose=0)
other = model(5)
history = other.fit(x, y, batch_size=8, verbose=0)
print(first.get_weights()[0].tobytes().hex(), history.history)
"""


def python(*words: str | Path, here: Path) -> subprocess.CompletedProcess[str]:
    """What Python itself does with the script."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=here,
        env=dict(os.environ) | {"PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def spoken(text: str) -> list[str]:
    """Lines that are neither ours nor TensorFlow's, whose lines bear times.

    An explanation and all lines below it are ours.
    """
    before, matched, _ = text.partition("\n\nresnet-inspect: ")
    text = f"{before}\n" if matched else text
    foreign = ("resnet-inspect: ", "WARNING: All log", "I0000", "W0000", "E0000", "To enable the")
    return [
        line for line in text.splitlines() if not line.startswith(foreign) and "cuda" not in line
    ]


@pytest.mark.parametrize("word", ENDINGS)
def test_a_script_does_what_it_does_without_us(command: Command, tmp_path: Path, word: str) -> None:
    script = tmp_path / "here" / "plain.py"
    script.write_text(PLAIN)
    alone = python("plain.py", word, "-o", here=script.parent)
    ours = command("run", "plain.py", word, "-o")
    assert ours.returncode == alone.returncode
    assert ours.stdout == alone.stdout
    assert spoken(ours.stderr) == spoken(alone.stderr)
    lines = [line for line in ours.stderr.splitlines() if line.startswith("resnet-inspect")]
    assert lines[0] == f"resnet-inspect: nothing was recorded: plain.py {ENDINGS[word]}"


@pytest.mark.parametrize("path", ["./named.py", "../here/named.py", "ABSOLUTE/./named.py"])
def test_a_script_has_the_name_that_was_written(
    command: Command, tmp_path: Path, path: str
) -> None:
    script = tmp_path / "here" / "named.py"
    script.write_text("import sys\nprint(sys.argv, __file__, sys.path[0], type(__loader__))\n1 / 0")
    written = path.replace("ABSOLUTE", str(script.parent))
    alone, ours = python(written, "a", here=script.parent), command("run", written, "a")
    assert (ours.stdout, ours.returncode) == (alone.stdout, alone.returncode)
    assert spoken(ours.stderr) == spoken(alone.stderr)


def test_a_syntax_error_is_shown_as_python_shows_it(command: Command, tmp_path: Path) -> None:
    script = tmp_path / "here" / "wrong.py"
    script.write_text("print('a')\nif True print()\n")
    alone, ours = python("wrong.py", here=script.parent), command("run", "wrong.py")
    assert (ours.returncode, spoken(ours.stderr)) == (alone.returncode, spoken(alone.stderr))


def test_an_interrupted_script_ends_by_the_signal(command: Command, tmp_path: Path) -> None:
    (tmp_path / "here" / "plain.py").write_text(PLAIN)
    ours = command("run", "plain.py", "--interrupt")
    assert ours.returncode == -signal.SIGINT
    assert ours.stdout.endswith("at exit\n")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["none.py"], "the script does not exist"),
        ([], "the following arguments are required: SCRIPT"),
        (["--every", "0", "plain.py"], "invalid value for setting 'every'"),
        (["-o", "taken.db", "plain.py"], "the file already exists"),
        (["--sample", "few", "plain.py"], "invalid value for setting 'sample'"),
    ],
)
def test_wrong_arguments_are_rejected_before_the_script_runs(
    command: Command, tmp_path: Path, words: list[str], what: str
) -> None:
    (tmp_path / "here" / "plain.py").write_text("print('ran')")
    (tmp_path / "here" / "taken.db").write_text("")
    done = command("run", *words)
    assert done.returncode == 2
    assert what in done.stderr
    assert done.stdout == ""


@pytest.mark.tensorflow
def test_every_fit_is_recorded_and_the_script_sees_nothing_of_it(
    command: Command, tmp_path: Path
) -> None:
    script = tmp_path / "here" / "train.py"
    script.write_text(TRAINS)
    alone = python("train.py", here=script.parent)
    ours = command("run", "-o", "mine.db", "--every", "2", "train.py", real_tensorflow=True)
    assert (ours.returncode, ours.stdout) == (0, alone.stdout), ours.stderr
    assert spoken(ours.stderr) == spoken(alone.stderr)
    assert "resnet-inspect: recorded in mine.db" in ours.stderr.splitlines()
    assert "resnet-inspect: recorded in mine-2.db" in ours.stderr.splitlines()
    with Run.open(script.with_name("mine.db")) as run:
        assert run.info.status == Status.COMPLETE
        assert run.info.network == "train: small"
        assert run.info.settings.target == "train.py"
        assert run.steps() == list(range(6))
        assert run.recorded_steps() == [0, 2, 3, 4, 5]
        assert [layer.name for layer in run.graph.layers] == ["hidden", "score"]
    for words in (["shapes", "mine.db"], ["hist", "hidden", "--run", "mine.db"],
                  ["why", "hidden:1", "--run", "mine.db"], ["report", "mine.db", "-o", "r.html"],
                  ["runs", "."]):  # fmt: skip
        read = command(*words)
        assert read.returncode == 0, read.stderr


@pytest.mark.tensorflow
def test_what_is_recorded_is_chosen_before_the_script(command: Command, tmp_path: Path) -> None:
    script = tmp_path / "here" / "train.py"
    script.write_text(TRAINS)
    flags = ["-o", "mine.db", "--taps", "hidden", "--no-gradients", "--sample", "4"]
    ours = command("run", *flags, "train.py", "--taps", "x", real_tensorflow=True)
    assert ours.returncode == 0, ours.stderr
    with Run.open(script.with_name("mine.db")) as run:
        assert {(tap.layer, tap.kind) for tap in run.taps()} == {
            ("hidden", "activation"),
            ("hidden", "weight"),
        }
        assert run.summaries(0)["hidden"].count == run.sizes()[run.taps()[0]]  # it is small
        assert run.info.settings.sample == 4
        assert run.info.settings.taps == "hidden"
        assert not run.info.settings.gradients


@pytest.mark.tensorflow
def test_a_rejected_shape_is_explained_and_raised_as_it_was(
    command: Command, tmp_path: Path
) -> None:
    script = tmp_path / "here" / "train.py"
    script.write_text(TRAINS)
    alone = python("train.py", "--shape", here=script.parent)
    ours = command("run", "-o", "mine.db", "train.py", "--shape", real_tensorflow=True)
    assert alone.returncode == ours.returncode == 1
    assert spoken(ours.stderr) == spoken(alone.stderr)
    with Run.open(script.with_name("mine.db")) as run:
        assert run.info.status == Status.FAILED
        assert run.info.failure is not None
        assert len(run.steps()) == 2
        crash = run.info.failure.crash
        assert crash is not None
        assert crash.step == 2
        assert [frame.site.file for frame in crash.frames] == ["train.py"]
    page = ours.stderr.partition("\n\nresnet-inspect: ")[2]
    *explanation, recorded, last = page.splitlines()
    assert recorded == "resnet-inspect: recorded in mine.db"
    assert last.startswith("resnet-inspect: to read this again: "), ours.stderr
    assert last.endswith(" explain mine.db")
    again = command("explain", "mine.db").stdout
    assert " ".join(explanation).split() == again.split()  # the first line is longer here


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("word", "code", "status"),
    [("--interrupt", -signal.SIGINT, Status.INTERRUPTED), ("--raise", 1, Status.FAILED)],
)
def test_a_fit_that_is_left_keeps_its_steps(
    command: Command, tmp_path: Path, word: str, code: int, status: Status
) -> None:
    script = tmp_path / "here" / "train.py"
    script.write_text(TRAINS)
    ours = command("run", "-o", "mine.db", "train.py", word, real_tensorflow=True)
    assert ours.returncode == code
    assert "resnet_inspect/" not in ours.stderr
    with Run.open(script.with_name("mine.db")) as run:
        assert run.info.status == status
        assert run.recorded_steps()[0] == 0
        assert (run.info.failure is not None) == (status == Status.FAILED)
