"""`run` starts programs as Python does: modules, folders, notebooks; child processes, signals."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.cli.test_run import python, spoken
from tests.cli.test_run_programs import TRAINS, opened, script

REWRITTEN = re.compile("__autograph_generated_file[a-z0-9_]+")
PLACE = str(Path(__file__).parents[2])


def test_a_module_runs_as_python_runs_it(command: Command, tmp_path: Path) -> None:
    here = tmp_path / "here"
    package = here / "pkg"
    package.mkdir()
    shown = "print(__name__, __package__, __spec__.name, __file__, sys.argv, sys.path[0])\n"
    (package / "__init__.py").write_text("VALUE = 5\n")
    (package / "train.py").write_text(f"import sys\nfrom . import VALUE\n{shown}sys.exit(VALUE)\n")
    (package / "__main__.py").write_text(f"import sys\nfrom .train import VALUE\n{shown}")
    for name in ("pkg.train", "pkg"):
        alone, ours = python("-m", name, "--x", here=here), command("run", "-m", name, "--x")
        assert (ours.stdout, ours.returncode) == (alone.stdout, alone.returncode), ours.stderr
    missing = command("run", "-m", "pkg.nothing")
    assert missing.returncode == 2
    assert "the module cannot be run" in missing.stderr
    (package / "broken.py").write_text("import nothing_like_it\n")
    alone, ours = python("-m", "pkg.broken", here=here), command("run", "-m", "pkg.broken")
    assert ours.returncode == alone.returncode == 1
    assert ours.stderr.count("ModuleNotFoundError: No module named 'nothing_like_it'") == 1


def test_a_folder_runs_as_python_runs_it(command: Command, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "app").mkdir()
    (here / "app" / "side.py").write_text("VALUE = 6\n")
    text = "import sys, side\nprint(__name__, __file__, sys.argv, sys.path[0], side.VALUE)\n"
    (here / "app" / "__main__.py").write_text(text)
    alone, ours = python("app", "a", here=here), command("run", "app", "a")
    assert (ours.stdout, ours.returncode) == (alone.stdout, 0), ours.stderr


def test_a_script_reads_its_standard_input(tmp_path: Path) -> None:
    here = tmp_path
    (here / "asks.py").write_text("print(input() + input())\n")
    done = subprocess.run(
        [sys.executable, "-m", "resnet_inspect", "run", "asks.py"],
        cwd=here,
        env={"PYTHONPATH": PLACE},
        input="a\nb\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ab\n")


@pytest.mark.tensorflow
def test_a_notebook_is_recorded(command: Command, tmp_path: Path) -> None:
    here = tmp_path / "here"
    (here / "notes").mkdir()
    (here / "notes" / "data.txt").write_text("4")
    sources = [
        "%matplotlib inline\nimport tensorflow as tf\nimport keras",
        "!nvidia-smi\nwidth = int(open('data.txt').read())",
        TRAINS.format(keras="keras").replace("model.fit", "%time model.fit"),
    ]
    cells = [{"cell_type": "code", "source": text} for text in sources]
    (here / "notes" / "train.ipynb").write_text(json.dumps({"cells": cells}))
    ours = command("run", "-o", "mine.db", "notes/train.ipynb", real_tensorflow=True)
    assert ours.returncode == 0, ours.stderr
    lines = [line for line in ours.stderr.splitlines() if line.startswith("resnet-inspect: ")]
    assert lines == [
        "resnet-inspect: train.ipynb: cell 1, line 1 skipped: %matplotlib inline",
        "resnet-inspect: train.ipynb: cell 2, line 1 skipped: !nvidia-smi",
        "resnet-inspect: train.ipynb: cell 3, line 6 run without its magic: %time model.fit("
        "np.ones((64, 4)), np.ones((64, 1)), verbose=0)",
        "resnet-inspect: recorded in mine.db",
    ]
    with opened(here, "mine.db") as (run,):
        assert run.info.network == "train"
        assert run.recorded_steps() == [0, 1]


@pytest.mark.tensorflow
@pytest.mark.parametrize("how", ["thread", "fork", "spawn"])
def test_two_fits_at_once_are_two_runs(command: Command, tmp_path: Path, how: str) -> None:
    here = tmp_path / "here"
    (here / "two.py").write_text(script("two"))
    ours = command("run", "-o", "two.db", "two.py", how, real_tensorflow=True)
    assert ours.returncode == 0, ours.stderr
    assert sorted(ours.stdout.splitlines()) == ["trained 3 steps", "trained 5 steps"]
    recorded = [line for line in ours.stderr.splitlines() if "recorded" in line]
    assert recorded == [f"resnet-inspect: recorded in {name}" for name in ("two.db", "two-2.db")]
    with opened(here, "two.db", "two-2.db") as runs:
        assert sorted(len(run.steps()) for run in runs) == [3, 5]
        assert [run.info.status for run in runs] == [Status.COMPLETE] * 2


@pytest.mark.tensorflow
def test_models_of_folds_are_freed_and_each_has_a_run(command: Command, tmp_path: Path) -> None:
    """Run files lie where the program was started, though it changes the folder."""
    here = tmp_path / "here"
    (here / "folds.py").write_text(script("folds"))
    ours = command("run", "folds.py", real_tensorflow=True)
    assert (ours.returncode, ours.stdout) == (0, "alive 0\n" * 3), ours.stderr
    files = sorted((here / "runs").iterdir())
    assert len(files) == 3
    assert all("-folds" in file.name for file in files)
    lines = [line for line in ours.stderr.splitlines() if "recorded in runs/" in line]
    assert len(lines) == 3


@pytest.mark.tensorflow
def test_a_function_that_fails_is_saved_if_the_program_ends_with_it(
    command: Command, tmp_path: Path
) -> None:
    here = tmp_path / "here"
    (here / "fails.py").write_text(script("fails"))
    caught = command("run", "-o", "mine.db", "fails.py", real_tensorflow=True)
    assert (caught.returncode, caught.stdout) == (0, "caught\n")
    assert not (here / "mine.db").exists()
    alone = python("fails.py", "on", here=here)
    ours = command("run", "-o", "mine.db", "fails.py", "on", real_tensorflow=True)
    assert ours.returncode == alone.returncode == 1
    same = [[REWRITTEN.sub("", line) for line in spoken(done.stderr)] for done in (ours, alone)]
    assert same[0] == same[1]
    with opened(here, "mine.db") as (run,):
        assert run.info.failure is not None
        assert "tf.matmul(features, kernel)" in run.info.failure.source[0].text
        assert "4" in run.info.failure.message


@pytest.mark.tensorflow
def test_a_signal_ends_the_program_and_leaves_a_readable_run(tmp_path: Path) -> None:
    here = tmp_path
    endless = "import keras\n" + TRAINS.format(keras="keras").replace(
        "verbose=0", "verbose=0, epochs=10**6"
    )
    (here / "train.py").write_text(endless)
    words = [sys.executable, "-m", "resnet_inspect", "run", "-o", "mine.db", "train.py"]
    env = {"PYTHONPATH": PLACE, "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(words, cwd=here, env=env, stderr=subprocess.PIPE, text=True) as process:
        limit = time.monotonic() + 120
        while not _has_steps(here / "mine.db") and time.monotonic() < limit:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in process.communicate(timeout=120)[1]
    assert process.returncode == -signal.SIGINT
    with opened(here, "mine.db") as (run,):
        assert run.info.status == Status.INTERRUPTED
        assert run.recorded_steps()[0] == 0


def _has_steps(file: Path) -> bool:
    if not file.exists():
        return False
    try:
        with Run.open(file) as run:
            return len(run.steps()) > 1
    except Exception:  # it is being made
        return False
