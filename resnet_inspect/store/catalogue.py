"""Finds run files: all in a folder, or the newest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from resnet_inspect.commands import Command
from resnet_inspect.errors import InspectError, RunMissingError
from resnet_inspect.store.placement import DRAFT
from resnet_inspect.store.run import SIDE_FILES, Run
from resnet_inspect.store.schema import is_run_file

FOLDER = Path("runs")
FIRST_TRACE = Command("trace", options=("--n", "5", "--ver", "2"))
SUFFIX = ".db"
UNREADABLE = "unreadable"
MOST_OF_NAME = 60  # characters of a network's name in a file name


class RunRow(msgspec.Struct, frozen=True):
    """One file in the list of runs. A file that cannot be read has the status `unreadable`.

    Attributes:
        reason: why the run is unreadable, failed or was interrupted.
        steps: the number of steps in the file.
        planned: the number of steps that the settings request.
        bytes: the size of the file with its side files.
        findings: the number of findings by severity; None if the run was not checked.
    """

    file: str
    network: str
    status: str
    reason: str
    steps: int
    planned: int
    device: str
    data: str
    created: str
    bytes: int
    findings: dict[str, int] | None = None


# Counts the findings of several run files.
Count = Callable[[Sequence[Path]], Mapping[Path, dict[str, int] | None]]


def list_runs(folder: Path = FOLDER, count: Count = lambda _: {}) -> list[RunRow]:
    """All run files of a folder, the newest first, unreadable files last.

    `count` returns the number of findings of each file. Raises RunMissingError if the folder does
    not exist.
    """
    if not folder.is_dir():
        raise RunMissingError(
            "the folder does not exist",
            where=f"{folder}/",
            expected=f"a folder with run files (*{SUFFIX})",
            got="a file" if folder.exists() else "nothing",
            fix=("record a run: ", FIRST_TRACE),
        )
    rows = {file: _row(file) for file in run_files(folder)}
    findings = count([file for file, row in rows.items() if row.status != UNREADABLE])
    counted = [
        msgspec.structs.replace(row, findings=findings.get(file)) for file, row in rows.items()
    ]
    return sorted(counted, key=lambda row: row.created, reverse=True)


def run_files(folder: Path = FOLDER) -> list[Path]:
    """The files that may be runs, by their suffix or by their first bytes."""
    skipped = (*SIDE_FILES, DRAFT)
    files = (file for file in folder.glob("*") if not file.name.endswith(skipped))
    return sorted(file for file in files if file.suffix == SUFFIX or is_run_file(file))


def _row(file: Path) -> RunRow:
    name, size = os.fsencode(file).decode(errors="replace"), _size(file)
    try:
        with Run.open(file) as run:
            info, steps = run.info, len(run.steps())
    except InspectError as error:
        return RunRow(name, "", UNREADABLE, error.what, 0, 0, "", "", "", size)
    return RunRow(
        file=name,
        network=info.network,
        status=info.status.value,
        reason=info.failure.message if info.failure else info.reason,
        steps=steps,
        planned=info.settings.planned,
        device=info.device,
        data=info.settings.subject.fed,
        created=info.created,
        bytes=size,
    )


def _size(file: Path) -> int:
    """Bytes of a run file with its side files; 0 if the file is missing."""
    total = 0
    for suffix in ("", *SIDE_FILES):
        with suppress(OSError):
            total += file.with_name(file.name + suffix).stat().st_size
    return total


def stamp(file: Path) -> str:
    """Sizes and modification times of a run file and its side files, which change with the run."""
    states: list[str] = []
    for suffix in ("", *SIDE_FILES):
        with suppress(OSError):
            state = file.with_name(file.name + suffix).stat()
            states.append(f"{suffix}{state.st_size}@{state.st_mtime_ns}")
    return " ".join(states)


class NewestRun(NamedTuple):
    """A run chosen by `newest`. `skipped` are newer runs that failed, the newest first.

    `failed` if the chosen run failed too, because all runs failed.
    """

    file: Path
    failed: bool
    skipped: tuple[FailedRun, ...] = ()


class FailedRun(NamedTuple):
    """A run that failed, and what failed, such as "building the network"."""

    file: Path
    during: str


def newest(folder: Path = FOLDER) -> NewestRun:
    """The newest run in `folder` that did not fail; the newest failed run if all runs failed.

    Raises RunMissingError if there is no readable run.
    """
    skipped: list[FailedRun] = []
    for file, during in _newest_first(folder):
        if during is None:
            return NewestRun(file, failed=False, skipped=tuple(skipped))
        skipped.append(FailedRun(file, during))
    return NewestRun(skipped[0].file, failed=True)


def newest_failed(folder: Path = FOLDER) -> tuple[Path, int]:
    """The newest run in `folder` that failed, and the number of newer runs.

    Raises RunMissingError if there is none.
    """
    runs = _newest_first(folder)
    for newer, (file, during) in enumerate(runs):
        if during is not None:
            return file, newer
    raise RunMissingError(
        "no run failed",
        where=f"{folder}/",
        expected="a run that failed",
        got="1 run that did not fail" if len(runs) == 1 else f"{len(runs)} runs that did not fail",
        fix=("find problems in the newest run: ", Command("check")),
    )


def _newest_first(folder: Path) -> list[tuple[Path, str | None]]:
    """The readable runs of a folder, and what failed in each; raises RunMissingError if none."""
    created: list[tuple[str, Path, str | None]] = []
    for file in run_files(folder):
        try:
            with Run.open(file) as run:
                info = run.info
        except InspectError:
            continue
        created.append((info.created, file, info.failed_during))
    if not created:
        raise RunMissingError(
            "there is no run yet",
            where=f"{folder}/",
            expected=f"run files (*{SUFFIX})",
            got="none",
            fix=("record a run: ", FIRST_TRACE),
        )
    created.sort(key=lambda run: run[:2], reverse=True)
    return [(file, during) for _, file, during in created]


def fresh_name(network: str, folder: Path = FOLDER) -> Path:
    """An unused file name for a new run of `network`, with the current time."""
    plain = re.sub(r"[^\w.+-]+", "-", network)[:MOST_OF_NAME].strip("-.")
    stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{plain or 'run'}"
    file = folder / f"{stem}{SUFFIX}"
    number = 2
    while file.exists():
        file = folder / f"{stem}-{number}{SUFFIX}"
        number += 1
    return file
