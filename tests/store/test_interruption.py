"""Writers that are killed, stopped or run out of disk: what was committed stays readable."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from resnet_inspect.errors import StorageFullError
from resnet_inspect.store.info import Status, Writer
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
    reported = [int(process.stdout.readline()) for _ in range(5)]
    time.sleep(0.013 * attempt)
    with Run.open(file) as live:
        assert live.info.status == Status.RUNNING
    process.send_signal(signal.SIGKILL)
    reported += [int(line) for line in process.stdout.read().split("\n")[:-1]]
    process.communicate()
    with Run.open(file) as run:
        assert run.info.status == Status.INTERRUPTED
        assert run.info.reason == "the process was killed"
        steps = run.steps()
        assert steps[: len(reported)] == reported
        assert len(steps) - len(reported) in (0, 1)
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
    reported = [int(process.stdout.readline()) for _ in range(4)]
    process.kill()
    process.communicate()
    copies = tmp_path / "copies"
    copies.mkdir()
    for part in ("", "-wal"):
        shutil.copy(f"{file}{part}", copies / f"run.db{part}")
    with Run.open(copies / "run.db") as run:
        assert run.steps()[:4] == reported


def test_a_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    writer = RunWriter.create(file, info())
    writer.step(record(0))
    pages = writer._connection.execute("PRAGMA page_count").fetchone()[0]
    writer._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StorageFullError) as caught:
        _write_steps(writer, range(1, 100))
    assert caught.value.exit_code == 3
    assert str(caught.value).startswith("the run could not be written completely\n")
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
    assert "StorageFullError: the run could not be written completely" in err
    reported = [int(line) for line in out.split()]
    assert reported
    with Run.open(file) as run:
        assert run.info.status == Status.INTERRUPTED
        assert run.steps() == reported


def test_a_run_whose_reader_holds_it_open_is_whole_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    writer = RunWriter.create(file, info())
    writer.step(record(0))
    with Run.open(file) as reader:
        assert reader.steps() == [0]
        for step in range(1, 6):
            writer.step(record(step))
        writer.finish(Status.COMPLETE)
        shutil.copy(file, tmp_path / "copy.db")
    with Run.open(tmp_path / "copy.db") as run:
        assert run.info.status == Status.COMPLETE
        assert run.steps() == list(range(6))


@pytest.mark.parametrize(
    ("changes", "ended"),
    [
        ({}, False),
        ({"pid": 2**22 + 1}, True),
        ({"started": 1}, True),
        ({"boot": "another"}, True),
        ({"host": "another", "boot": "another", "pid": 2**22 + 1}, False),
        ({"namespace": "another", "pid": 2**22 + 1}, False),
    ],
)
def test_a_writer_has_ended_only_where_that_is_certain(
    changes: dict[str, Any], ended: bool
) -> None:
    assert msgspec.structs.replace(Writer.current(), **changes).has_ended() is ended


def test_a_zombie_writes_no_more() -> None:
    process = subprocess.Popen(["true"])
    time.sleep(0.3)
    started = int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19])
    zombie = msgspec.structs.replace(Writer.current(), pid=process.pid, started=started)
    assert zombie.has_ended()
    process.wait()


def _write_steps(writer: RunWriter, steps: range) -> None:
    for step in steps:
        writer.step(record(step))
