"""Finding run files: the ones in a folder, and the newest."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from resnet_inspect.commands import Command
from resnet_inspect.errors import InspectError, RunMissingError
from resnet_inspect.store.placement import DRAFT
from resnet_inspect.store.run import SIDE_FILES, Run
from resnet_inspect.store.schema import begins_as_run

FOLDER = Path("runs")
FIRST_TRACE = Command("trace", options=("--n", "5", "--ver", "2"))
SUFFIX = ".db"
UNREADABLE = "unreadable"
MOST_OF_NAME = 60  # characters of a network's name in a file name


class RunRow(msgspec.Struct, frozen=True):
    """One file in the list of runs; one that cannot be read has the status `unreadable`.

    `reason` says why it is unreadable, failed or was interrupted; `steps` is how many there are,
    `planned` how many were asked for; `bytes` the size of the file; `findings` how many by
    severity, None if nobody looked.
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


Count = Callable[[Sequence[Path]], Mapping[Path, dict[str, int] | None]]


def listed(folder: Path = FOLDER, count: Count = lambda _: {}) -> list[RunRow]:
    """All run files of a folder, the newest first, those that cannot be read last; `count` tells
    how many findings each of several has.

    Raises RunMissingError if there is no such folder.
    """
    if not folder.is_dir():
        raise RunMissingError(
            "there is no such folder",
            where=f"{folder}/",
            expected=f"a folder with run files (*{SUFFIX})",
            got="a file" if folder.exists() else "nothing",
            fix=("record a run: ", FIRST_TRACE),
        )
    rows = {file: _row(file) for file in run_files(folder)}
    found = count([file for file, row in rows.items() if row.status != UNREADABLE])
    told = [msgspec.structs.replace(row, findings=found.get(file)) for file, row in rows.items()]
    return sorted(told, key=lambda row: row.created, reverse=True)


def run_files(folder: Path = FOLDER) -> list[Path]:
    """The files that may be runs: by their suffix, or by how they begin."""
    skipped = (*SIDE_FILES, DRAFT)
    files = (file for file in folder.glob("*") if not file.name.endswith(skipped))
    return sorted(file for file in files if file.suffix == SUFFIX or begins_as_run(file))


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
    """Bytes of a run with its side files; 0 for one that is gone."""
    total = 0
    for suffix in ("", *SIDE_FILES):
        with suppress(OSError):
            total += file.with_name(file.name + suffix).stat().st_size
    return total


def stamp(file: Path) -> str:
    """What changes when a run file does: size and time of change of it and its side files."""
    states: list[str] = []
    for suffix in ("", *SIDE_FILES):
        with suppress(OSError):
            state = file.with_name(file.name + suffix).stat()
            states.append(f"{suffix}{state.st_size}@{state.st_mtime_ns}")
    return " ".join(states)


def newest(folder: Path = FOLDER) -> Path:
    """The run under `folder` that was created last; raises RunMissingError if there is none."""
    created: list[tuple[str, Path]] = []
    for file in run_files(folder):
        try:
            with Run.open(file) as run:
                created.append((run.info.created, file))
        except InspectError:
            continue
    if not created:
        raise RunMissingError(
            "there is no run yet",
            where=f"{folder}/",
            expected=f"run files (*{SUFFIX})",
            got="none",
            fix=("record one: ", FIRST_TRACE),
        )
    return max(created)[1]


def fresh_name(network: str, folder: Path = FOLDER) -> Path:
    """A free name for a new run of `network`, with the time in it."""
    plain = re.sub(r"[^\w.+-]+", "-", network)[:MOST_OF_NAME].strip("-.")
    stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{plain or 'run'}"
    file = folder / f"{stem}{SUFFIX}"
    number = 2
    while file.exists():
        file = folder / f"{stem}-{number}{SUFFIX}"
        number += 1
    return file
