"""Runs code of the user's that makes a model: what it raises is told with the user's own lines."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from resnet_inspect.errors import UsageError
from resnet_inspect.tracers.tensorflow.capture.source_lines import is_own, named

MOST_LINES = 4


def imported(place: str, target: str) -> Any:
    """The module that is a file, FILE.py, or has a dotted name, executed once.

    Its folder, for a dotted name the current one, comes first in `sys.path`, as Python would have
    it. Raises UsageError.
    """
    file = Path(place)
    if file.suffix != ".py":
        _come_first(str(Path.cwd()))
        return guarded(lambda: importlib.import_module(place), target, "importing it")
    if not file.is_file():
        raise UsageError(
            "there is no such file",
            where=f"target {target}",
            expected="a Python file",
            got=place,
            fix="check the path; it is taken from the current folder",
        )
    spec = importlib.util.spec_from_file_location(file.stem, file.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    _come_first(str(file.resolve().parent))
    sys.modules.setdefault(file.stem, module)
    run = spec.loader.exec_module
    guarded(lambda: run(module), target, "importing it")
    return module


def guarded(
    act: Callable[[], Any], target: str, doing: str, expected: str = "code that runs as it is"
) -> Any:
    """What `act` returns; raises UsageError for whatever it raises."""
    try:
        return act()
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{doing} raised {type(error).__name__}",
            where=f"target {target}{_lines(error)}",
            expected=expected,
            got=str(error) or type(error).__name__,
            fix="mend it there; it is run as Python would run it",
        ) from error


def _lines(error: BaseException) -> str:
    """The user's lines that an error came through, outermost first, the last few of them."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if is_own(one.filename)]
    told = [f"{named(one.filename)}:{one.lineno}" for one in frames[-MOST_LINES:]]
    return "".join(f", {line}" for line in dict.fromkeys(told))


def _come_first(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)
