"""Ends recordings that nobody ends: at exit, in a child process, or when their owner is gone.

Where sizes come from is asked once a training is over, as it takes seconds. What the owner leaves
behind when it is collected is asked later: no graph may be made while Python collects.
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


class Unexplained:
    """The graph of a run of which nobody has asked yet where its sizes come from."""

    left: list[Unexplained] = []  # noqa: RUF012 - by owners that are gone

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._process = os.getpid()
        self._ask: Callable[[], tuple[Outcome, Lineage]] | None = None

    def wait(self, ask: Callable[[], tuple[Outcome, Lineage]]) -> None:
        """What `ask` gives is to be written once there is time; it must not hold the owner."""
        self._ask = ask

    @property
    def waits(self) -> bool:
        """Whether there is something to ask."""
        return self._ask is not None

    def forget(self) -> None:
        """There is nothing to ask."""
        self._ask = None

    def tell(self) -> Lineage | None:
        """Write it, if there is any; what was written. A forked process has no part in it."""
        ask, self._ask = self._ask, None
        if ask is None or os.getpid() != self._process:
            return None
        outcome, lineage = ask()
        self._journal.built(outcome, lineage)
        return lineage

    def abandoned(self) -> None:
        """The owner is gone: end the run, and leave the rest for later."""
        self._journal.end()
        if self._ask is not None:
            self.left.append(self)


def tell_what_is_left() -> None:
    """Write what owners that are gone have left behind."""
    while Unexplained.left:
        one = Unexplained.left.pop()
        one.tell()
        one.abandoned()


def end_with(
    owner: Any, close: Callable[[Any, BaseException | None], None], left: Unexplained
) -> None:
    """Call `close(owner, error)` at the end of this process, with the error that ended the program.

    If `owner` is collected before, its run is ended as complete. `close` must not hold `owner`.
    """
    reference = weakref.ref(owner)
    multiprocessing.util.Finalize(  # unlike atexit it is also called in a forked child
        None, _close, args=(reference, close), exitpriority=BEFORE_CHILDREN
    )
    gone = weakref.finalize(owner, left.abandoned)
    gone.atexit = False


def _close(reference: weakref.ref[Any], close: Callable[[Any, BaseException | None], None]) -> None:
    owner = reference()
    if owner is not None:
        interactive = hasattr(sys, "ps1")
        close(owner, None if interactive else getattr(sys, "last_value", None))
    tell_what_is_left()
