"""Writers that are killed, stopped or run out of disk: what was committed stays readable."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resnet_inspect.errors import StorageFullError
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from tests.store.test_run_files import TAP, info, record

# Writes steps without end, and says on stdout after each that it is committed.
ENDLESS = """
import sys
from pathlib import Path
from itertools import count
from resnet_inspect.store.writer import RunWriter
from tests.store.test_run_files import info, record
writer = RunWriter.create(Path(sys.argv[1]), info())
for step in count():
    writer.step(record(step))
    print(step, flush=True)
"""


def start(file: Path, *prefix: str) -> subprocess.Popen[str]:
    """Start a process that writes a run without end."""
    command = [*prefix, sys.executable, "-c", ENDLESS, str(file)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("attempt", range(3))
def test_killed_at_any_moment_every_committed_step_is_there(tmp_path: Path, attempt: int) -> None:
    file = tmp_path / "run.db"
    process = start(file)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(5)]
    time.sleep(0.013 * attempt)
    with Run.open(file) as live:
        assert live.info.status == Status.RUNNING
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.communicate()
    with Run.open(file) as run:
        assert run.info.status == Status.INTERRUPTED
        assert run.info.reason == "the process was killed"
        steps = run.steps()
        assert steps[: len(told)] == told
        assert len(steps) - len(told) in (0, 1)
        assert run.summaries(steps[-1]) == {"conv1": record(steps[-1]).summaries[TAP]}


def test_a_killed_run_can_be_replaced_by_force(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    process = start(file)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.communicate()
    RunWriter.create(file, info(), force=True).finish(Status.COMPLETE)
    with Run.open(file) as run:
        assert run.steps() == []
        assert run.info.status == Status.COMPLETE


def test_a_killed_run_copied_elsewhere_with_its_log_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    process = start(file)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(4)]
    process.kill()
    process.communicate()
    copies = tmp_path / "copies"
    copies.mkdir()
    for part in ("", "-wal"):
        shutil.copy(f"{file}{part}", copies / f"run.db{part}")
    with Run.open(copies / "run.db") as run:
        assert run.steps()[:4] == told


def test_a_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    writer = RunWriter.create(file, info())
    writer.step(record(0))
    pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
    writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageFullError) as caught:
        _write_steps(writer, range(1, 100))
    assert caught.value.exit_code == 3
    assert str(caught.value).startswith("the run could not be written to its end\n")
    writer.finish(Status.INTERRUPTED, "no space")
    with Run.open(file) as run:
        steps = run.steps()
        assert steps == list(range(len(steps)))
        assert steps
        assert run.info.status == Status.INTERRUPTED
        for step in steps:
            assert run.summaries(step)


def test_a_limit_on_the_size_of_files_is_like_a_full_disk(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    process = start(file, "prlimit", "--fsize=150000")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "StorageFullError: the run could not be written to its end" in err
    told = [int(line) for line in out.split()]
    assert told
    with Run.open(file) as run:
        assert run.info.status == Status.INTERRUPTED
        assert run.steps() == told


def _write_steps(writer: RunWriter, steps: range) -> None:
    for step in steps:
        writer.step(record(step))
