"""Counts the findings of several run files and caches the counts.

The cache is a file in the user's cache folder (`$XDG_CACHE_HOME`, else `~/.cache`). Its keys are
path, size and modification time of the run file, and a hash of the rules. If the cache cannot be
read or written, findings are counted again without an error.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

import msgspec

from resnet_inspect import analysis, paths
from resnet_inspect.analysis.check import Severity
from resnet_inspect.errors import InspectError
from resnet_inspect.findings.checking import check
from resnet_inspect.store.catalogue import stamp
from resnet_inspect.store.info import Status
from resnet_inspect.store.run import Run

Counts = dict[str, int]  # number of findings by severity
FEW = 10  # checking as many files takes a few seconds


class CachedCounts(msgspec.Struct, frozen=True):
    """Counts, with the state `of` the run file and of the rules that they belong to."""

    of: str
    counts: Counts


def counts(
    files: Sequence[Path], report: Callable[[str], None] = lambda _: None
) -> dict[Path, Counts | None]:
    """Return the counts of each file, None for an unreadable file.

    `report` receives a message if many files must be checked first.
    """
    cached, rules = _read(), _rules()
    by_file: dict[Path, Counts | None] = {}
    states = {file: f"{rules} {stamp(file)}" for file in files}
    missing = [file for file in files if _cached(cached, file, states[file]) is None]
    if len(missing) > FEW:
        report(f"checking {len(missing)} runs; the results are cached …")
    changed = False
    for file in files:
        number = _cached(cached, file, states[file])
        if number is None:
            number, ended = _count(file)
            if number is not None and ended:
                cached[_name(file)] = CachedCounts(states[file], number)
                changed = True
        by_file[file] = number
    if changed:
        _write(cached)
    return by_file


def _count(file: Path) -> tuple[Counts | None, bool]:
    """Return the counts of a run, and whether the run has ended."""
    try:
        with Run.open(file) as run:
            ended = run.info.status != Status.RUNNING
            numbers = Counter(finding.severity for finding in check(run))
    except InspectError:
        return None, False
    return {level.value: numbers[level] for level in Severity}, ended


def _cached(cached: dict[str, CachedCounts], file: Path, state: str) -> Counts | None:
    entry = cached.get(_name(file))
    return entry.counts if entry is not None and entry.of == state else None


def _name(file: Path) -> str:
    return os.fsencode(file.absolute()).decode(errors="backslashreplace")


@cache
def _rules() -> str:
    """Return a hash of the source of the rules and of all analysis that they use."""
    digest = sha256()
    for module in sorted(Path(next(iter(analysis.__path__))).rglob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def _cache_file() -> Path | None:
    """Return the path of the cache file; None without a home folder."""
    folder = paths.user_folder("XDG_CACHE_HOME", ".cache")
    return Path(folder) / "resnet-inspect" / "findings.json" if folder else None


def _read() -> dict[str, CachedCounts]:
    path = _cache_file()
    if path is not None:
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(path.read_bytes(), type=dict[str, CachedCounts])
    return {}


def _write(cached: dict[str, CachedCounts]) -> None:
    """Write the counts of the files that still exist."""
    path = _cache_file()
    if path is None:
        return
    existing = {name: entry for name, entry in cached.items() if Path(name).exists()}
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(msgspec.json.encode(existing))
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
