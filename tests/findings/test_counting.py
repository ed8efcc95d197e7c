"""Counts of findings: equal to those of `check`, cached until a file or the rules change."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import pytest

from resnet_inspect.findings import check, counting, counts
from resnet_inspect.store.run import Run
from tests.recordings import FOLDER

NAMES = ("v1", "mean_axes", "bn_axis", "diverged", "own")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list of files that are checked, in order."""
    files: list[Path] = []

    def count(file: Path) -> tuple[dict[str, int] | None, bool]:
        files.append(file)
        return before(file)

    before = counting._count
    monkeypatch.setattr(counting, "_count", count)
    return files


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [Path(shutil.copy(FOLDER / f"{name}.db", tmp_path)) for name in NAMES]


def expected(file: Path) -> dict[str, int]:
    with Run.open(file) as run:
        numbers = Counter(finding.severity.value for finding in check(run))
    return {level: numbers[level] for level in ("error", "warning", "info")}


def test_counts_equal_check_and_are_cached(files: list[Path], checked: list[Path]) -> None:
    by_file = counts(files)
    assert by_file == {file: expected(file) for file in files}
    assert by_file[files[1]] != by_file[files[0]]
    assert checked == files
    assert counts(files) == by_file
    assert checked == files


def test_a_file_that_changed_is_checked_again(files: list[Path], checked: list[Path]) -> None:
    counts(files)
    shutil.copy(files[1], files[0])
    assert counts(files)[files[0]] == expected(files[1])
    assert checked == [*files, files[0]]


def test_a_change_of_the_rules_empties_the_cache(
    files: list[Path], checked: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts(files)
    monkeypatch.setattr(counting, "_rules", lambda: "others")
    counts(files)
    assert checked == [*files, *files]


def test_a_running_training_is_counted_but_not_cached(
    files: list[Path], checked: list[Path]
) -> None:
    file = files[0]
    with sqlite3.connect(file) as base:
        (stored,) = base.execute("SELECT value FROM run WHERE key = 'info'").fetchone()
        info = json.loads(stored)
        info["status"], info["writer"]["host"] = "running", "elsewhere"
        base.execute("UPDATE run SET value = ? WHERE key = 'info'", (json.dumps(info),))
    base.close()
    assert counts([file]) == counts([file]) == {file: expected(file)}
    assert checked == [file, file]


def test_unreadable_files_have_no_counts(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no run at all" * 100)
    assert counts([broken, tmp_path / "nothing.db"]) == {
        broken: None,
        tmp_path / "nothing.db": None,
    }


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1}', b"[]", b"\xff\xfe"])
def test_a_broken_cache_is_replaced(
    content: bytes, files: list[Path], checked: list[Path], tmp_path: Path
) -> None:
    cache = tmp_path / "cache" / "resnet-inspect" / "findings.json"
    cache.parent.mkdir(parents=True)
    cache.write_bytes(content)
    assert counts(files) == counts(files)
    assert checked == files
    assert [file.name for file in cache.parent.iterdir()] == ["findings.json"]


def test_without_a_cache_folder_files_are_counted_each_time(
    files: list[Path], checked: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file, not a folder")
    assert counts(files) == counts(files) == {file: expected(file) for file in files}
    assert checked == [*files, *files]


def test_deleted_files_leave_the_cache(files: list[Path], tmp_path: Path) -> None:
    counts(files[:2])
    files[0].unlink()
    counts(files[1:3])
    cached = json.loads((tmp_path / "cache" / "resnet-inspect" / "findings.json").read_bytes())
    assert {Path(name).name for name in cached} == {"mean_axes.db", "bn_axis.db"}


def test_any_file_name_works(files: list[Path], tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff odd.db")
    shutil.copy(files[1], odd)
    assert counts([odd]) == counts([odd]) == {odd: expected(files[1])}


def test_many_new_files_are_announced(files: list[Path]) -> None:
    messages: list[str] = []
    counts(files, messages.append)
    assert not messages
    more = [Path(shutil.copy(files[0], files[0].with_name(f"{at}.db"))) for at in range(11)]
    counts([*files, *more], messages.append)
    counts([*files, *more], messages.append)
    assert messages == ["checking 11 runs; the results are cached …"]
