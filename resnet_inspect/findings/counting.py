"""How many findings each of several run files has, without checking a file twice.

Run files are not changed by being read, so counts are kept in the user's cache folder
(`$XDG_CACHE_HOME`, else `~/.cache`), by a file's path, size and time of change and by the rules
that counted. Whatever is wrong with that file, findings are counted anew and nothing is said.
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

Counts = dict[str, int]  # how many findings, by severity
FEW = 10  # that many are checked in a few seconds


class Kept(msgspec.Struct, frozen=True):
    """Counts with what they are of: the state of a run file and of the rules."""

    of: str
    counts: Counts


def counts(
    files: Sequence[Path], tell: Callable[[str], None] = lambda _: None
) -> dict[Path, Counts | None]:
    """Those of each file, None for one that cannot be read; `tell` is called if many have to be
    checked first.
    """
    known, rules = _read(), _rules()
    found: dict[Path, Counts | None] = {}
    states = {file: f"{rules} {stamp(file)}" for file in files}
    missing = [file for file in files if _held(known, file, states[file]) is None]
    if len(missing) > FEW:
        tell(f"checking {len(missing)} runs, once …")
    changed = False
    for file in files:
        held = _held(known, file, states[file])
        if held is None:
            held, ended = _count(file)
            if held is not None and ended:
                known[_name(file)] = Kept(states[file], held)
                changed = True
        found[file] = held
    if changed:
        _write(known)
    return found


def _count(file: Path) -> tuple[Counts | None, bool]:
    """The counts of a run, and whether it has ended."""
    try:
        with Run.open(file) as run:
            ended = run.info.status != Status.RUNNING
            found = Counter(one.severity for one in check(run))
    except InspectError:
        return None, False
    return {level.value: found[level] for level in Severity}, ended


def _held(known: dict[str, Kept], file: Path, state: str) -> Counts | None:
    kept = known.get(_name(file))
    return kept.counts if kept is not None and kept.of == state else None


def _name(file: Path) -> str:
    return os.fsencode(file.absolute()).decode(errors="backslashreplace")


@cache
def _rules() -> str:
    """What the rules are: a hash of their source and of what they read runs with."""
    made = sha256()
    for module in sorted(Path(next(iter(analysis.__path__))).rglob("*.py")):
        made.update(module.read_bytes())
    return made.hexdigest()[:16]


def _place() -> Path | None:
    """The file of the counts; None where there is no home folder."""
    folder = paths.user_folder("XDG_CACHE_HOME", ".cache")
    return Path(folder) / "resnet-inspect" / "findings.json" if folder else None


def _read() -> dict[str, Kept]:
    place = _place()
    if place is not None:
        with suppress(OSError, msgspec.MsgspecError):
            return msgspec.json.decode(place.read_bytes(), type=dict[str, Kept])
    return {}


def _write(known: dict[str, Kept]) -> None:
    """Keep the counts of files that are still there."""
    place = _place()
    if place is None:
        return
    there = {name: kept for name, kept in known.items() if Path(name).exists()}
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(msgspec.json.encode(there))
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)
