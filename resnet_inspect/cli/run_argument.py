"""Which run a command reads, and which of its positional arguments is RUN.

`hist LAYER … RUN` and `why TENSOR:AXIS RUN` take names beside it. The RUN is the argument that ends
in .db or names a run file; `--run RUN` leaves all positional arguments as names.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from resnet_inspect.errors import UsageError
from resnet_inspect.store import catalogue
from resnet_inspect.store.schema import begins_as_run


def run_file(run: str | None) -> Path:
    """The run file that was named, else the newest; RunMissingError without one."""
    return Path(run) if run else catalogue.newest()


def names_and_run(
    names: Sequence[str | None], run: str | None, flag: str | None, *, most: int | None = None
) -> tuple[list[str], str | None]:
    """Part positional arguments into names and RUN, None without one.

    Args:
        names: what the parser took for names.
        run: what the parser took for RUN.
        flag: the value of `--run`.
        most: how many names the command takes; a further argument is RUN.

    Raises:
        UsageError: more than one RUN, or more names than the command takes.
    """
    words = [word for word in (*names, run) if word is not None]
    runs = [flag] if flag else [word for word in words if _is_run(word)]
    others = words if flag else [word for word in words if word not in runs]
    if most is not None and len(others) > most and not runs:
        runs = [others.pop()]
    if len(runs) > 1 or (most is not None and len(others) > most):
        raise UsageError(
            "there are too many arguments",
            where="command line",
            expected="names of the network, then one run file",
            got=" ".join(words),
        )
    return others, runs[0] if runs else None


def _is_run(word: str) -> bool:
    return word.endswith(catalogue.SUFFIX) or begins_as_run(Path(word))
