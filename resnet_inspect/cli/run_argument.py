"""Chooses the run that a command reads, and separates RUN from other positional arguments.

`hist LAYER … RUN` and `why TENSOR:AXIS RUN` also take names. RUN is the argument that ends in .db
or is a run file; with `--run RUN` all positional arguments are names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from resnet_inspect.commands import Command, spelled
from resnet_inspect.errors import UsageError
from resnet_inspect.paths import printable
from resnet_inspect.store import catalogue
from resnet_inspect.store.schema import is_run_file


def run_file(run: str | None, flag: str | None = None) -> Path:
    """The run file to read: RUN, or the newest run that did not fail.

    A run that was not named is reported on stderr, and so is the newest run if it failed.

    Args:
        run: the positional RUN.
        flag: the value of `--run`, the older spelling.

    Raises:
        UsageError: RUN and `--run` name two runs.
        RunMissingError: no run was named, and there is none under runs/.
    """
    named = _named(run, flag)
    if named is not None:
        return named
    newest = catalogue.newest()
    _report(_choice(newest))
    return newest.file


def failed_run_file(run: str | None, flag: str | None = None) -> Path:
    """The run file to explain: RUN, or the newest run that failed.

    A run that was not named is reported on stderr. Arguments and errors are those of `run_file`.
    """
    named = _named(run, flag)
    if named is not None:
        return named
    file, newer = catalogue.newest_failed()
    why = "newest run that failed"
    if newer:
        runs = "1 newer run" if newer == 1 else f"{newer} newer runs"
        why += f"; {runs} did not fail"
    _report([f"reading {printable(str(file))} ({why})"])
    return file


def _named(run: str | None, flag: str | None) -> Path | None:
    if run and flag:
        raise UsageError(
            "two runs are named",
            where="command line",
            expected="RUN or --run RUN",
            got=f"{run} --run {flag}",
            fix="leave out --run",
        )
    return Path(run or flag or "") if run or flag else None


def _report(lines: Iterable[str]) -> None:
    with suppress(OSError, ValueError):  # stderr is full or closed
        for line in lines:
            print(line, file=sys.stderr, flush=True)


def _choice(newest: catalogue.NewestRun) -> Iterator[str]:
    """Lines on the run that was chosen, and on a newer run that failed."""
    file, failed, skipped = newest
    why = "newest run"
    if failed:
        why = "newest run; all runs failed"
    elif skipped:
        newer = "1 newer run" if len(skipped) == 1 else f"{len(skipped)} newer runs"
        why = f"newest run that did not fail; {newer} failed"
    yield f"reading {printable(str(file))} ({why})"
    for last, during in skipped[:1]:
        name, shown = printable(str(last)), spelled(Command("explain", (last,)))
        yield f"warning: newest run {name} failed while {during}; to read it: {shown}"


def names_and_run(
    names: Sequence[str | None], run: str | None, flag: str | None, *, most: int | None = None
) -> tuple[list[str], str | None]:
    """Separate positional arguments into names and RUN, None without RUN.

    Args:
        names: the positional arguments before the last.
        run: the last positional argument.
        flag: the value of `--run`.
        most: how many names the command accepts; a further argument is RUN.

    Raises:
        UsageError: more than one RUN, or more names than the command accepts.
    """
    words = [word for word in (*names, run) if word is not None]
    runs = [flag] if flag else [word for word in words if _is_run(word)]
    others = words if flag else [word for word in words if word not in runs]
    if most is not None and len(others) > most and not runs:
        runs = [others.pop()]
    if len(runs) > 1 or (most is not None and len(others) > most):
        raise UsageError(
            "too many arguments",
            where="command line",
            expected="names of layers or tensors, then one run file",
            got=" ".join(words),
            fix="leave out the others",
        )
    return others, runs[0] if runs else None


def _is_run(word: str) -> bool:
    return word.endswith(catalogue.SUFFIX) or is_run_file(Path(word))
