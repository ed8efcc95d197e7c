"""The main command as a process, with real TensorFlow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from tests.cli.conftest import Command
from tests.frameworks import PACKAGE

pytestmark = pytest.mark.tensorflow
SMALL = ["--n", "1", "--batch-size", "8"]


def test_a_run_and_its_page(command: Command, tmp_path: Path) -> None:
    done = command("trace", *SMALL, "--steps", "3", real_tensorflow=True)
    assert done.returncode == 0
    (file,) = (tmp_path / "here" / "runs").glob("*.db")
    with Run.open(file) as run:
        assert run.info.status == Status.COMPLETE
        assert run.recorded_steps() == [0, 1, 2]
        assert len(run.summaries(2)) == 32
    for words in (
        "resnet8-v2: complete",
        "78,378 trainable of 79,050 parameters, 12,501,632 MACs per example",
        "CPU:0",
        "Origin of size 64 in Reshape",
        "64 = filters × 2²",
        "res20_branch1/kernel axis 3, 9 ops before",
        "Output of each block at step 2",
        f"resnet-inspect shapes runs/{file.name}",
    ):
        assert words in done.stdout
    assert "step 2: loss" in done.stderr
    assert "oneDNN" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_network_that_cannot_be_built_is_saved_and_explained(
    command: Command, tmp_path: Path
) -> None:
    words = ["--filters", "32", "--quiet", "-o", "run.db"]
    done = command("trace", *SMALL, *words, real_tensorflow=True)
    assert done.returncode == 3
    assert done.stderr.startswith(
        "resnet-inspect: the network could not be built or trained: ValueError while building"
    )
    assert done.stdout.startswith("resnet8-v2: failed while building the network\n\n")
    assert "net.add(shortcut, x" in done.stdout
    assert "the network builds with --filters 16 instead of 32\n" in done.stdout
    assert "\nfix  " not in done.stdout  # the code of the tutorial is not the user's
    assert done.stdout.endswith(command("explain", "run.db").stdout)
    with Run.open(tmp_path / "here" / "run.db") as run:
        assert run.info.status == Status.FAILED
    assert "res00_branch2b" in command("shapes", "run.db").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_hand_it_keeps_all_and_exits_with_130(tmp_path: Path, number: int) -> None:
    file = tmp_path / "run.db"
    command = [sys.executable, "-m", "resnet_inspect", "trace", *SMALL, "--steps", "100000"]
    with subprocess.Popen(
        [*command, "-o", str(file)],
        env=os.environ | {"PYTHONPATH": str(PACKAGE)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not _steps(file):
            time.sleep(0.2)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert err.endswith("resnet-inspect: stopped\n")
    assert "interrupted (stopped by the user)" in out
    with Run.open(file) as run:
        assert run.info.status == Status.INTERRUPTED
        assert run.steps() == list(range(len(run.steps())))
        assert len(run.steps()) > 3
    assert [path.name for path in tmp_path.iterdir()] == ["run.db"]


def _steps(file: Path) -> bool:
    """Whether a run file has more than three steps by now."""
    if not file.exists():
        return False
    with Run.open(file) as run:
        return len(run.steps()) > 3


def test_real_pictures_are_learned_from(command: Command, tmp_path: Path) -> None:
    folder = PACKAGE.parent / "shared" / "cifar10"
    if not folder.is_dir():
        pytest.skip(f"there are no pictures at {folder}")
    words = ["--n", "1", "--batch-size", "64", "--steps", "60", "--every", "60", "-o", "run.db"]
    done = command("trace", "--quiet", "--data", f"cifar10:{folder}", *words, real_tensorflow=True)
    assert done.returncode == 0
    with Run.open(tmp_path / "here" / "run.db") as run:
        loss = list(run.scalars()["cross_entropy"].values())
        assert sum(loss[-5:]) / 5 < 0.9 * sum(loss[:5]) / 5


def test_the_drawn_data_is_learned_within_some_dozens_of_steps(
    command: Command, tmp_path: Path
) -> None:
    words = ["--n", "1", "--batch-size", "64", "--steps", "60", "--every", "60", "-o", "run.db"]
    assert command("trace", "--quiet", *words, real_tensorflow=True).returncode == 0
    with Run.open(tmp_path / "here" / "run.db") as run:
        loss = list(run.scalars()["cross_entropy"].values())
        assert sum(loss[-5:]) / 5 < 0.75 * sum(loss[:5]) / 5
        assert run.recorded_steps() == [0, 59]
