"""Names of runs and run files."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_inspect.config import Settings
from resnet_inspect.errors import OutputError
from resnet_inspect.journal import RunFiles, run_name
from resnet_inspect.store.info import RunInfo, Status, Writer
from resnet_inspect.store.writer import now


@pytest.mark.parametrize(
    ("target", "model", "name"),
    [
        ("train.py", "", "train"),
        ("~/work/train.py", "generator", "train: generator"),
        ("-m pkg.train", "", "pkg.train"),
        ("pkg/__main__.py", "vae", "pkg: vae"),
        ("mnist.ipynb", "", "mnist"),
        ("-c", "small", "small"),
        ("", "small", "small"),
        (None, "", "training"),
    ],
)
def test_a_run_is_named_after_script_and_model(target: str | None, model: str, name: str) -> None:
    assert run_name(target, model) == name


def info(network: str = "train: a/b") -> RunInfo:
    return RunInfo(
        network=network,
        settings=Settings(),
        device="",
        versions={},
        created=now(),
        writer=Writer.current(),
    )


def made(files: RunFiles, count: int) -> list[str]:
    names = []
    for _ in range(count):
        writer = files.create(info())
        writer.finish(Status.COMPLETE)
        names.append(writer.path.name)
    return names


def test_each_run_has_the_next_unused_name(tmp_path: Path) -> None:
    (tmp_path / "mine-2.db").write_text("another run")
    assert made(RunFiles(tmp_path / "mine.db"), 3) == ["mine.db", "mine-3.db", "mine-4.db"]
    assert (tmp_path / "mine-2.db").read_text() == "another run"


def test_a_name_that_the_user_chose_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.db").write_text("another run")
    with pytest.raises(OutputError, match="the file already exists"):
        RunFiles(tmp_path / "mine.db").create(info())


def test_force_replaces_runs_of_earlier_programs(tmp_path: Path) -> None:
    assert made(RunFiles(tmp_path / "mine.db"), 2) == ["mine.db", "mine-2.db"]
    again = RunFiles(tmp_path / "mine.db", force=True)
    assert made(again, 2) == ["mine.db", "mine-2.db"]


def test_without_a_name_runs_are_named_by_time_and_network(tmp_path: Path) -> None:
    names = made(RunFiles(None, folder=tmp_path), 2)
    assert len(set(names)) == 2
    assert all("-train-a-b" in name for name in names)
    assert sorted(names) == sorted(file.name for file in (tmp_path / "runs").iterdir())


def test_a_name_is_that_of_the_folder_at_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    files = RunFiles(Path("mine.db"))
    monkeypatch.chdir(tmp_path / "other")
    assert made(files, 1) == ["mine.db"]
    assert (tmp_path / "mine.db").exists()
