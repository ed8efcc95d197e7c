"""Ends recordings that the program does not end: at exit, or when their owner is collected.

The lineage of a run is computed after its training, as it takes seconds. If the owner is collected
before, the lineage is computed later, because no graph may be made during garbage collection.
"""

from __future__ import annotations

import multiprocessing.util
import os
import sys
import weakref
from collections.abc import Callable
from typing import Any

from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.tracers.contract import Journal, Outcome

BEFORE_CHILDREN = 10  # priority among multiprocessing's: it ends children at 0 and below
Close = Callable[[Any, BaseException | None], None]
_OPEN: weakref.WeakKeyDictionary[Any, Close] = weakref.WeakKeyDictionary()


class PendingLineage:
    """The lineage of a run that is still to be computed and written."""

    abandoned: list[PendingLineage] = []  # noqa: RUF012 - of owners that were collected

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._process = os.getpid()
        self._compute: Callable[[], tuple[Outcome, Lineage]] | None = None

    def set(self, compute: Callable[[], tuple[Outcome, Lineage]]) -> None:
        """Set the function that computes the lineage; it must not refer to the owner."""
        self._compute = compute

    @property
    def is_pending(self) -> bool:
        """Whether there is a lineage to compute."""
        return self._compute is not None

    def cancel(self) -> None:
        """Drop the lineage."""
        self._compute = None

    def write(self) -> Lineage | None:
        """Compute and write the lineage; returns it, or None if there is none to write.

        A forked process writes nothing.
        """
        compute, self._compute = self._compute, None
        if compute is None or os.getpid() != self._process:
            return None
        outcome, lineage = compute()
        self._journal.built(outcome, lineage)
        return lineage

    def owner_collected(self) -> None:
        """End the run; the lineage is written later."""
        self._journal.end()
        if self._compute is not None:
            self.abandoned.append(self)


def write_abandoned() -> None:
    """Write the lineages of owners that were collected."""
    while PendingLineage.abandoned:
        pending = PendingLineage.abandoned.pop()
        pending.write()
        pending.owner_collected()


def end_with(owner: Any, close: Close, pending: PendingLineage) -> None:
    """Call `close(owner, error)` at the end of this process, with the error that ended the program.

    If `owner` is collected before, its run ends as complete. `close` must not refer to `owner`. It
    may be called before the end of the process, too.
    """
    reference = weakref.ref(owner)
    multiprocessing.util.Finalize(  # unlike atexit it is also called in a forked child
        None, _close, args=(reference, close), exitpriority=BEFORE_CHILDREN
    )
    _OPEN[owner] = close
    collected = weakref.finalize(owner, pending.owner_collected)
    collected.atexit = False


def close_all(error: BaseException) -> None:
    """Close all owners with the error that ended the program."""
    for owner, close in list(_OPEN.items()):
        close(owner, error)


def _close(reference: weakref.ref[Any], close: Close) -> None:
    owner = reference()
    if owner is not None:
        interactive = hasattr(sys, "ps1")
        close(owner, None if interactive else getattr(sys, "last_value", None))
    write_abandoned()
