"""Prints why a run failed, behind the traceback of the exception that ended the program or cell.

Python prints that traceback after the run has ended. Failures wait until then. The modules that
print are loaded for a failure only, because this module is loaded in the user's trainings.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.commands import Command, spelled
from resnet_inspect.errors import InspectError
from resnet_inspect.store.run import Run
from resnet_inspect.stored import failure_of

if TYPE_CHECKING:
    from resnet_inspect.render.pages.explanation_page import ExplanationPage

NAME = "resnet-inspect: "


class _WaitingFailure(NamedTuple):
    """The failed run in `file`, and the exception that ended it in the process `pid`."""

    file: Path
    error: BaseException
    pid: int


_WAITING: list[_WaitingFailure] = []


def print_explanations(files: Sequence[Path]) -> list[Path]:
    """Print on stderr why runs failed; returns the runs that are explained.

    Runs that failed for the same reason, as those of parallel processes, have one explanation.
    """
    explained: list[Path] = []
    pages: list[ExplanationPage] = []
    for file in files:
        page = _page(file)
        if page is not None:
            explained.append(file)
            pages.append(page._replace(verdict=NAME + page.verdict))
    if pages:
        _print(pages)
    return explained


def _print(pages: Sequence[ExplanationPage]) -> None:
    from resnet_inspect.render.pages.explanation_page import print_page
    from resnet_inspect.render.screen import Screen

    with suppress(OSError, ValueError):  # stderr is full or closed
        for page in dict.fromkeys(pages):
            screen = Screen(sys.stderr)
            screen.line("")
            print_page(screen, page)
            screen.line("")
            sys.stderr.flush()


def _page(file: Path) -> ExplanationPage | None:
    """The explanation of the failure of a run; None if it is not known."""
    from resnet_inspect.render.pages.explanation_page import ExplanationPage, explanation_page

    try:
        with Run.open(file) as run:
            facts = failure_of(run)
            if facts is not None and (facts.explanation or facts.postmortem) is not None:
                return explanation_page(_with_arguments(facts))
    except InspectError:
        return None
    except Exception as error:  # an error of this package must not hide that of the program
        return ExplanationPage(
            f"the failure cannot be explained: {type(error).__name__}: {error}", ()
        )
    return None


def _with_arguments(facts: FailureFacts) -> FailureFacts:
    """The facts, with the arguments of this program in the command that tests repairs."""
    if facts.fix is None:
        return facts
    words = tuple(map(str, sys.argv[1:]))
    changes = (
        {"options": facts.fix.options + words}
        if facts.fix.options
        else {"arguments": facts.fix.arguments + words}
    )
    return msgspec.structs.replace(facts, fix=msgspec.structs.replace(facts.fix, **changes))


def again(file: Path) -> str:
    """The line with the command that prints an explanation again."""
    return f"{NAME}to read this again: {spelled(Command('explain', (file,)))}"


def print_recorded(file: Path) -> None:
    """Print on stderr why the run in `file` failed, and how to read that again."""
    for explained in print_explanations([file]):
        with suppress(OSError, ValueError):
            print(again(explained), file=sys.stderr, flush=True)


def announce(file: Path) -> None:
    """Print why the run in `file` failed: now, or behind the traceback of the current exception."""
    error = sys.exc_info()[1]
    if error is None:
        print_recorded(file)
        return
    if not _WAITING:
        atexit.register(_print_waiting)
    _WAITING.append(_WaitingFailure(file, error, os.getpid()))


def _print_waiting(raised: BaseException | None = None) -> None:
    """Print the failures that led to `raised`, by default the exception that ended the program.

    Failures that the program caught are not printed.
    """
    ended = raised or getattr(sys, "last_value", None)
    waiting, _WAITING[:] = _WAITING[:], []
    for file, error, pid in waiting:
        if pid == os.getpid() and any(error is cause for cause in _chain(ended)):
            print_recorded(file)


def after_failed_cells(end: Callable[[BaseException], None]) -> None:
    """In IPython, call `end` with the exception of each cell that fails, then print its failures.

    IPython has printed the traceback before. In other programs nothing is called.
    """
    module: Any = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None:
        return

    def cell_ended(result: Any) -> None:
        error = result.error_in_exec
        if error is not None:
            end(error)
            _print_waiting(error)
        _WAITING.clear()

    shell.events.register("post_run_cell", cell_ended)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and its causes."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
