"""Ends recordings that nobody ends: at exit, in a child process, or when their owner is gone."""

from __future__ import annotations

import multiprocessing.util
import sys
import weakref
from collections.abc import Callable
from typing import Any

from resnet_inspect.tracers.contract import Journal

BEFORE_CHILDREN = 10  # priority among multiprocessing's: it ends children at 0 and below


def end_with(owner: Any, close: Callable[[Any, BaseException | None], None], run: Journal) -> None:
    """Call `close(owner, error)` at the end of this process, with the error that ended the program.

    If `owner` is collected before, `run` is ended as complete. `close` must not hold `owner`.
    """
    reference = weakref.ref(owner)
    multiprocessing.util.Finalize(  # unlike atexit it is also called in a forked child
        None, _close, args=(reference, close), exitpriority=BEFORE_CHILDREN
    )
    gone = weakref.finalize(owner, run.end)
    gone.atexit = False


def _close(reference: weakref.ref[Any], close: Callable[[Any, BaseException | None], None]) -> None:
    owner = reference()
    if owner is not None:
        interactive = hasattr(sys, "ps1")
        close(owner, None if interactive else getattr(sys, "last_value", None))
