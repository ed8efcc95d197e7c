"""Run files: written content is read back, and readers can follow a writer."""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_inspect.config import Settings
from resnet_inspect.config.settings import Fit, GraphCode, Loop, Subject, TracedModel, Tutorial
from resnet_inspect.errors import OutputError, RunFileError, RunMissingError
from resnet_inspect.graph import Failure, Graph, Op
from resnet_inspect.stats import BatchPart, StepRecord, Tap, TensorSummary
from resnet_inspect.store import catalogue, schema
from resnet_inspect.store.info import RunInfo, Status, Writer
from resnet_inspect.store.run import Run
from resnet_inspect.store.writer import RunWriter, now
from tests.recordings import FOLDER

TAP = Tap("conv1", "activation", "conv1/BiasAdd:0")


def info(**changes: object) -> RunInfo:
    """Facts of a made-up run by this process."""
    return RunInfo("resnet8-v2", Settings(), "CPU:0", {}, now(), Writer.current(), **changes)  # type: ignore[arg-type]


def record(step: int) -> StepRecord:
    """A step with one tensor and every kind of content."""
    values = np.random.default_rng(step).normal(size=1000).astype(np.float32)
    values[:4] = 0.0, np.nan, np.inf, -np.inf
    fed = {"y": BatchPart.of(np.arange(step + 1))}
    summaries = {TAP: TensorSummary.of(values)}
    return StepRecord(step, 0.5, {"loss": 2.0 / (step + 1)}, summaries, batch=fed)


def test_everything_written_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "new" / "a run.db"
    writer = RunWriter.create(file, info())
    graph = Graph(ops=(Op("images", "Placeholder"), Op("Relu", "Relu")))
    writer.graph(graph, 1.5)
    for step in range(3):
        writer.step(record(step))
    writer.finish(Status.COMPLETE)
    with Run.open(file) as run:
        assert run.info.status == Status.COMPLETE
        assert run.info.trace_seconds == 1.5
        assert run.info.settings == Settings()
        assert run.graph == graph
        assert run.steps() == run.recorded_steps() == [0, 1, 2]
        assert run.scalars() == {"loss": {0: 2.0, 1: 1.0, 2: 2.0 / 3}}
        assert run.taps() == [TAP]
        assert run.summaries(1) == {"conv1": record(1).summaries[TAP]}
        assert run.course(TAP) == {s: record(s).summaries[TAP] for s in range(3)}
        assert run.summaries(7) == {}
        assert run.batches() == {s: record(s).batch for s in range(3)}
    assert sorted(path.name for path in file.parent.iterdir()) == ["a run.db"]
    with contextlib.closing(sqlite3.connect(file)) as database:
        seconds = database.execute("SELECT seconds FROM step ORDER BY step").fetchall()
    assert seconds == [(0.5,)] * 3


def test_scalars_that_are_not_finite_survive(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    writer = RunWriter.create(file, info())
    writer.step(StepRecord(0, 0.1, {"a": math.nan, "b": math.inf, "c": -math.inf}))
    writer.finish(Status.COMPLETE)
    with Run.open(file) as run:
        firsts = {name: values[0] for name, values in run.scalars().items()}
    assert math.isnan(firsts["a"])
    assert (firsts["b"], firsts["c"]) == (math.inf, -math.inf)


def test_readers_follow_a_writer(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    writer = RunWriter.create(file, info())
    with Run.open(file) as run:
        assert run.info.status == Status.RUNNING
        assert run.steps() == []
        for step in range(3):
            writer.step(record(step))
            assert run.steps() == list(range(step + 1))
        writer.finish(Status.FAILED, failure=Failure("ValueError", "no", "building"))
        ended = run.info
        assert ended.status == Status.FAILED
        assert ended.failure == Failure("ValueError", "no", "building")


def test_a_step_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    writer = RunWriter.create(file, info())
    writer.step(record(0))
    good = record(1).summaries[TAP]
    with pytest.raises(AttributeError):
        writer.step(StepRecord(1, 0.1, {"loss": 1.0}, {Tap("b", "x", "y"): good, TAP: None}))  # type: ignore[dict-item]
    writer.step(record(2))
    writer.finish(Status.COMPLETE)
    with Run.open(file) as run:
        assert run.steps() == [0, 2]
        assert run.taps() == [TAP]


def test_an_existing_file_stays_without_force(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    file.write_text("precious")
    for force in (False, True):
        with pytest.raises(OutputError):
            RunWriter.create(file, info(), force=force)
        assert file.read_text() == "precious"


def test_force_replaces_a_finished_run_but_not_one_being_written(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    first = RunWriter.create(file, info())
    first.step(record(0))
    with pytest.raises(OutputError, match="a process still writes"):
        RunWriter.create(file, info(), force=True)
    first.finish(Status.COMPLETE)
    with pytest.raises(OutputError, match="already exists"):
        RunWriter.create(file, info())
    RunWriter.create(file, info(), force=True).finish(Status.COMPLETE)
    with Run.open(file) as run:
        assert run.steps() == []


@pytest.mark.parametrize("place", ["/dev/null/run.db", "/proc/nowhere/run.db"])
def test_a_folder_that_cannot_be_written(place: str) -> None:
    with pytest.raises(OutputError, match="the run file cannot be written"):
        RunWriter.create(Path(place), info())


def test_files_that_are_no_runs(tmp_path: Path) -> None:
    with pytest.raises(RunMissingError, match="the run file does not exist"):
        Run.open(tmp_path / "absent.db")
    with pytest.raises(RunMissingError):
        Run.open(tmp_path)
    (tmp_path / "empty.db").touch()
    with pytest.raises(RunFileError, match="the file is not a run file"):
        Run.open(tmp_path / "empty.db")
    (tmp_path / "text.db").write_text("hello " * 1000)
    with pytest.raises(RunFileError, match="damaged, or is not a run file"):
        Run.open(tmp_path / "text.db")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE t (x)")
    other.close()
    with pytest.raises(RunFileError, match="the file is not a run file"):
        Run.open(tmp_path / "other.db")


def test_a_run_of_a_newer_version(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    with sqlite3.connect(file) as connection:
        connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    with pytest.raises(RunFileError) as caught:
        Run.open(file)
    assert str(caught.value) == (
        "the run file comes from a newer version of resnet-inspect\n"
        f"  where:    {file}\n"
        "  expected: schema version 5 or older\n"
        "  got:      version 6\n"
        "  do:       pip install --upgrade resnet-inspect"
    )


def test_a_missing_table_is_damage(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE graph")
    connection.close()
    with Run.open(file) as run, pytest.raises(RunFileError, match="the run file is damaged"):
        _ = run.graph


def test_damage_anywhere_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    writer = RunWriter.create(file, info())
    writer.graph(Graph(ops=tuple(Op(f"op{i}", "Relu") for i in range(500))), 1.0)
    for step in range(5):
        writer.step(record(step))
    writer.finish(Status.COMPLETE)
    whole = file.read_bytes()
    rng = np.random.default_rng(0)
    codes = []
    for attempt in range(60):
        broken = bytearray(whole)
        if attempt % 2:
            broken = broken[: int(rng.integers(1, len(whole)))]
        else:
            start = int(rng.integers(0, len(whole) - 600))
            broken[start : start + 600] = rng.bytes(600)
        file.write_bytes(broken)
        try:
            with Run.open(file) as run:
                assert isinstance(run.graph, Graph)
                for step in run.steps():
                    run.summaries(step)
                run.scalars()
        except RunFileError as error:
            codes.append(error.exit_code)
    assert set(codes) == {5}
    assert len(codes) > 20


def test_an_older_file_is_migrated_in_memory_only(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as old:
        schema.create(old)
        old.execute("PRAGMA user_version = 7")
    before = file.read_bytes()
    steps = {7: "ALTER TABLE tap ADD COLUMN unit TEXT", 8: "UPDATE tap SET unit = ''"}
    copy = schema.migrate(old, steps, target=9)
    assert schema.version_of(copy) == 9
    assert "unit" in [row[1] for row in copy.execute("PRAGMA table_info(tap)")]
    copy.close()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ({"n": 3, "mean_axes": [1, 2, 3]}, Tutorial(n=3, mean_axes=(1, 2, 3))),
        (
            {"target": "m.py:build", "set": ["a=1"], "data": "shapes10", "optimizer": "momentum"},
            TracedModel(target="m.py:build", set=("a=1",)),
        ),
        (
            {"target": "m.py:build", "mode": "trained", "optimizer": "Adam", "batch_size": 4},
            TracedModel(target="m.py:build", optimizer="Adam", batch_size=4),
        ),
        (
            {"target": "o.py:f", "tf1": True, "input": "1,2"},
            GraphCode(target="o.py:f", input="1,2"),
        ),
        (
            {"target": "train.py", "mode": "fit", "optimizer": "SGD"},
            Fit(target="train.py", optimizer="SGD"),
        ),
        (
            {"target": "train.py", "mode": "loop", "optimizer": "SGD"},
            Loop(target="train.py", optimizer="SGD"),
        ),
    ],
    ids=str,
)
def test_settings_of_version_4_are_brought_up(
    tmp_path: Path, changes: dict[str, Any], subject: Subject
) -> None:
    """Until version 4 all settings were in one flat structure."""
    file = tmp_path / "run.db"
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    with sqlite3.connect(file) as old:
        (text,) = old.execute("SELECT value FROM run WHERE key = 'info'").fetchone()
        known = json.loads(text)
        known["settings"] = {"n": 5, "ver": 2, "mode": "train", "every": 7, "seed": 3} | changes
        old.execute("UPDATE run SET value = ? WHERE key = 'info'", (json.dumps(known),))
        old.execute("PRAGMA user_version = 4")
    old.close()
    with Run.open(file) as run:
        assert run.info.settings.subject == subject
        assert (run.info.settings.every, run.info.settings.seed) == (7, 3)
        assert run.info.network == info().network


@pytest.mark.parametrize("settings", [None, [], 3, {"n": "five"}, {"mode": []}], ids=str)
def test_damaged_settings_of_an_older_version(tmp_path: Path, settings: object) -> None:
    file = tmp_path / "run.db"
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    with sqlite3.connect(file) as old:
        (text,) = old.execute("SELECT value FROM run WHERE key = 'info'").fetchone()
        known = json.loads(text) | {"settings": settings}
        old.execute("UPDATE run SET value = ? WHERE key = 'info'", (json.dumps(known),))
        old.execute("PRAGMA user_version = 4")
    old.close()
    with pytest.raises(RunFileError):
        Run.open(file)


def test_a_closed_run_is_not_called_damaged(tmp_path: Path) -> None:
    file = tmp_path / "run.db"
    RunWriter.create(file, info()).finish(Status.COMPLETE)
    run = Run.open(file)
    run.close()
    with pytest.raises(sqlite3.ProgrammingError):
        run.steps()


def test_the_newest_run_is_found_by_its_creation(tmp_path: Path) -> None:
    with pytest.raises(RunMissingError, match="there is no run yet"):
        catalogue.newest(tmp_path)
    for name, created in (("b", "2026-01-02"), ("a", "2026-01-03"), ("c", "2026-01-01")):
        facts = info()
        older = RunInfo(
            **{n: getattr(facts, n) for n in facts.__struct_fields__} | {"created": created}
        )
        RunWriter.create(tmp_path / f"{name}.db", older).finish(Status.COMPLETE)
    (tmp_path / "broken.db").write_text("no run")
    assert catalogue.newest(tmp_path) == (tmp_path / "a.db", False, ())
    rows = {Path(row.file).name: row for row in catalogue.list_runs(tmp_path)}
    assert rows["broken.db"].status == "unreadable"
    assert rows["a.db"].status == "complete"
    assert list(rows) == ["a.db", "b.db", "c.db", "broken.db"]
    assert catalogue.fresh_name("resnet8-v2", tmp_path).parent == tmp_path


def test_some_layers_and_the_activity_of_all_are_read_at_once() -> None:
    with Run.open(FOLDER / "v2.db") as run:
        every = run.summaries(2)
        assert run.summaries(2, layers=["add00", "nowhere"]) == {"add00": every["add00"]}
        assert run.summaries(2, layers=[]) == {}
        activity = run.activity()
        relus = [tap for tap in run.taps() if run.channels(tap)]
        assert list(activity) == [tap.layer for tap in relus]
        for tap in relus:
            alone = [part.pack() for part in run.channels(tap).values()]
            assert [part.pack() for part in activity[tap.layer]] == alone


def test_a_run_is_read_in_several_threads_at_once() -> None:
    with Run.open(FOLDER / "v2.db") as run, ThreadPoolExecutor(4) as threads:
        taps = run.taps() * 3
        alone = [run.course(tap) for tap in taps]
        assert list(threads.map(run.course, taps)) == alone
        sizes = run.sizes()
        assert {tap: run.size(tap) for tap in taps} == {tap: sizes.get(tap) for tap in taps}


def test_all_that_was_not_finite_is_read_at_once() -> None:
    with Run.open(FOLDER / "diverged.db") as run:
        expected = {tap: counts for tap in run.taps() if (counts := run.not_finite(tap))}
        assert expected
        assert run.every_not_finite() == expected
