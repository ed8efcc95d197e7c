"""Numbers of run files across processes."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from resnet_inspect.errors import StorageFullError
from resnet_inspect.program.ledger import Ledger

EACH = 20


def numbers(folder: str) -> list[int]:
    ledger = Ledger(Path(folder))
    reserved = [ledger.number() for _ in range(EACH)]
    for number in reserved:
        ledger.note(number, Path(f"{number}.db"))
    return reserved


def test_no_number_is_given_twice(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        reserved = [n for part in pool.map(numbers, [str(tmp_path)] * 3) for n in part]
    assert sorted(reserved) == list(range(1, 3 * EACH + 1))
    assert Ledger(tmp_path).paths() == [Path(f"{n}.db") for n in range(1, 3 * EACH + 1)]


def test_a_number_without_a_file_is_left_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    first, second = ledger.number(), ledger.number()
    ledger.note(second, Path("b.db"))
    assert (first, second, ledger.paths()) == (1, 2, [Path("b.db")])


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageFullError, match="the list of run files cannot be written"):
        Ledger(tmp_path / "missing").number()
