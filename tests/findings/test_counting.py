"""Counts of findings: those of `check`, kept until a file or the rules change."""

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
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were checked, in order."""
    found: list[Path] = []

    def count(file: Path) -> tuple[dict[str, int] | None, bool]:
        found.append(file)
        return before(file)

    before = counting._count
    monkeypatch.setattr(counting, "_count", count)
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [Path(shutil.copy(FOLDER / f"{name}.db", tmp_path)) for name in NAMES]


def expected(file: Path) -> dict[str, int]:
    with Run.open(file) as run:
        found = Counter(one.severity.value for one in check(run))
    return {level: found[level] for level in ("error", "warning", "info")}


def test_they_are_those_of_check_and_taken_once(files: list[Path], looked: list[Path]) -> None:
    found = counts(files)
    assert found == {file: expected(file) for file in files}
    assert found[files[1]] != found[files[0]]
    assert looked == files
    assert counts(files) == found
    assert looked == files


def test_a_file_that_changed_is_checked_again(files: list[Path], looked: list[Path]) -> None:
    counts(files)
    shutil.copy(files[1], files[0])
    assert counts(files)[files[0]] == expected(files[1])
    assert looked == [*files, files[0]]


def test_other_rules_count_anew(
    files: list[Path], looked: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts(files)
    monkeypatch.setattr(counting, "_rules", lambda: "others")
    counts(files)
    assert looked == [*files, *files]


def test_a_run_that_is_written_is_counted_but_not_kept(
    files: list[Path], looked: list[Path]
) -> None:
    one = files[0]
    with sqlite3.connect(one) as base:
        (held,) = base.execute("SELECT value FROM run WHERE key = 'info'").fetchone()
        info = json.loads(held)
        info["status"], info["writer"]["host"] = "running", "elsewhere"
        base.execute("UPDATE run SET value = ? WHERE key = 'info'", (json.dumps(info),))
    base.close()
    assert counts([one]) == counts([one]) == {one: expected(one)}
    assert looked == [one, one]


def test_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("no run at all" * 100)
    assert counts([broken, tmp_path / "nothing.db"]) == {
        broken: None,
        tmp_path / "nothing.db": None,
    }


@pytest.mark.parametrize("held", [b"", b"{", b'{"a": 1}', b"[]", b"\xff\xfe"])
def test_a_broken_cache_is_written_anew(
    held: bytes, files: list[Path], looked: list[Path], tmp_path: Path
) -> None:
    kept = tmp_path / "cache" / "resnet-inspect" / "findings.json"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(held)
    assert counts(files) == counts(files)
    assert looked == files
    assert [file.name for file in kept.parent.iterdir()] == ["findings.json"]


def test_without_a_place_for_them_they_are_counted_each_time(
    files: list[Path], looked: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file in the way")
    assert counts(files) == counts(files) == {file: expected(file) for file in files}
    assert looked == [*files, *files]


def test_files_that_are_gone_are_forgotten(files: list[Path], tmp_path: Path) -> None:
    counts(files[:2])
    files[0].unlink()
    counts(files[1:3])
    kept = json.loads((tmp_path / "cache" / "resnet-inspect" / "findings.json").read_bytes())
    assert {Path(name).name for name in kept} == {"mean_axes.db", "bn_axis.db"}


def test_any_file_name_will_do(files: list[Path], tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"\xff odd.db")
    shutil.copy(files[1], odd)
    assert counts([odd]) == counts([odd]) == {odd: expected(files[1])}


def test_many_that_are_not_known_yet_are_told(files: list[Path]) -> None:
    told: list[str] = []
    counts(files, told.append)
    assert not told
    more = [Path(shutil.copy(files[0], files[0].with_name(f"{at}.db"))) for at in range(11)]
    counts([*files, *more], told.append)
    counts([*files, *more], told.append)
    assert told == ["checking 11 runs, once …"]
