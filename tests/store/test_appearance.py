"""A run file appears complete under its name, and never replaces a file of another process."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resnet_inspect.errors import OutputError, StorageFullError
from resnet_inspect.store import catalogue, placement, schema
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter
from tests.store.test_run_files import info, record

MANY = 40
# Creates many runs and keeps them open, as writers do.
CREATES = """
import sys
from pathlib import Path
from resnet_inspect.store.writer import RunWriter
from tests.store.test_run_files import info
kept = [RunWriter.create(Path(sys.argv[1]) / f"{n}.db", info()) for n in range(int(sys.argv[2]))]
"""
# Tries to create a run of each name that it reads, and says how that ended. Between the last check
# and the moment when the file appears it leaves time for others.
COMPETES = """
import sys
import time
from pathlib import Path
from resnet_inspect.errors import OutputError
from resnet_inspect.store import placement
from resnet_inspect.store.writer import RunWriter
from tests.store.test_run_files import info
put = placement._put
placement._put = lambda *given: (time.sleep(0.05), put(*given))
print("ready", flush=True)
for line in sys.stdin:
    try:
        kept = RunWriter.create(Path(line.strip()), info(), force=sys.argv[1] == "force")
    except OutputError as error:
        print(error.what, flush=True)
    else:
        print("created", flush=True)
"""


def names(folder: Path) -> list[str]:
    """The content of a folder, including hidden files."""
    return sorted(path.name for path in folder.iterdir())


def test_a_reader_never_meets_a_file_that_is_not_whole(tmp_path: Path) -> None:
    words = [sys.executable, "-c", CREATES, str(tmp_path), str(MANY)]
    with subprocess.Popen(words) as process:
        for number in range(MANY):
            file = tmp_path / f"{number}.db"
            limit = time.monotonic() + 30
            while not file.exists():
                assert time.monotonic() < limit
            with Run.open(file) as run:
                assert run.info.network == "resnet8-v2"
    assert process.returncode == 0


@pytest.mark.parametrize("how", ["plain", "force"])
def test_of_several_writers_of_one_name_one_succeeds(tmp_path: Path, how: str) -> None:
    words = [sys.executable, "-c", COMPETES, how]
    pipe = subprocess.PIPE
    writers = [subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    said: list[list[str]] = []
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for number in range(4):
        file = tmp_path / f"{number}.db"
        if how == "force":
            RunWriter.create(file, info()).finish(Status.COMPLETE)
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write(f"{file}\n")
            writer.stdin.flush()
        said.append([writer.stdout.readline().strip() for writer in writers if writer.stdout])
    for writer in writers:
        writer.communicate()
    lost = "the file already exists" if how == "plain" else "a process still writes"
    for answers in said:
        assert sum(answer.startswith(lost) for answer in answers) == len(writers) - 1, answers
        assert answers.count("created") == 1


@pytest.fixture(params=[0, errno.EPERM, errno.EOPNOTSUPP], ids=["links", "EPERM", "EOPNOTSUPP"])
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An unused name, on file systems with and without hard links."""

    def no_link(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    if request.param:
        monkeypatch.setattr(os, "link", no_link)
    return tmp_path / "run.db"


def test_only_the_run_file_is_left(file: Path) -> None:
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    assert names(file.parent) == ["run.db"]
    with Run.open(file) as run:
        assert run.info.status == Status.COMPLETE


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("late", [False, True], ids=["before", "after the last check"])
def test_a_file_that_appears_meanwhile_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch, force: bool, late: bool
) -> None:
    room, name = (placement, "_put") if late else (schema, "create")
    wrapped = getattr(room, name)

    def slowly(*given: object) -> None:
        file.write_text("precious")
        monkeypatch.setattr(placement, "_exists", lambda _: False)
        wrapped(*given)

    monkeypatch.setattr(room, name, slowly)
    with pytest.raises(OutputError, match="the file already exists"):
        RunWriter.create(file, info(), force=force)
    assert file.read_text() == "precious"
    assert names(file.parent) == ["run.db"]


@pytest.mark.parametrize("name", ["schema.create", "os.link"])
def test_killed_on_the_way_it_leaves_nothing_that_counts(tmp_path: Path, name: str) -> None:
    file = tmp_path / "run.db"
    kill = f"""
import os, sys
from pathlib import Path
from resnet_inspect.store import schema, writer
from tests.store.test_run_files import info
{name} = lambda *_, **__: os.kill(os.getpid(), 9)
writer.RunWriter.create(Path(sys.argv[1]), info())
"""
    assert subprocess.run([sys.executable, "-c", kill, str(file)], check=False).returncode == -9
    assert not file.exists()
    assert catalogue.list_runs(tmp_path) == []
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    assert [row.status for row in catalogue.list_runs(tmp_path)] == ["complete"]


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "run.db"
    create = schema.create

    def on_a_full_disk(connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA max_page_count = 1")
        create(connection)

    monkeypatch.setattr(schema, "create", on_a_full_disk)
    with pytest.raises(StorageFullError) as caught:
        RunWriter.create(file, info())
    assert str(file) in str(caught.value)
    assert names(tmp_path) == []


def test_an_old_log_is_not_read_into_a_run_that_replaces(tmp_path: Path) -> None:
    file, log = tmp_path / "run.db", tmp_path / "run.db-wal"
    old = RunWriter.create(file, info())
    old.step(record(0))
    killed = {path: path.read_bytes() for path in (file, log)}
    old.finish(Status.INTERRUPTED)
    for path, content in killed.items():
        path.write_bytes(content)
    with sqlite3.connect(file) as database:
        text = database.execute("SELECT value FROM run WHERE key = 'info'").fetchone()[0]
        database.execute("UPDATE run SET value = ?", (text.replace("running", "interrupted"),))
    database.close()
    log.write_bytes(killed[log])
    RunWriter.create(file, info(), force=True).finish(Status.COMPLETE)
    with Run.open(file) as run:
        assert (run.steps(), run.info.status) == ([], Status.COMPLETE)


def test_a_name_may_be_as_long_as_side_files_allow(tmp_path: Path) -> None:
    file = tmp_path / f"{'n' * (255 - len('.db-journal'))}.db"
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    with Run.open(file) as run:
        assert run.info.status == Status.COMPLETE
