"""Runs the user's code that builds a model, and reports its errors with the user's lines."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from resnet_inspect.errors import UsageError
from resnet_inspect.script.imports import after_import
from resnet_inspect.tracers.contract import ModelNotBuilt
from resnet_inspect.tracers.crash_hooks import hook_keras
from resnet_inspect.tracers.error_texts import cause
from resnet_inspect.tracers.tensorflow.capture.source_lines import is_own, named
from resnet_inspect.tracers.tensorflow.failures.actions import has_tensors
from resnet_inspect.tracers.tensorflow.failures.exceptions import describe
from resnet_inspect.tracers.tensorflow.runtime import choose_device

MAX_LINES = 4


def load_module(place: str, target: str) -> Any:
    """Import a module by its file name, FILE.py, or its dotted name.

    The folder of the file, or the current folder for a dotted name, is put first in `sys.path`.
    Raises UsageError if the import fails.
    """
    after_import("keras", hook_keras)
    file = Path(place)
    if file.suffix != ".py":
        _put_first_in_path(str(Path.cwd()))
        return run_user_code(lambda: importlib.import_module(place), target, "importing the module")
    if not file.is_file():
        raise UsageError(
            "the file does not exist",
            where=f"target {target}",
            expected="a Python file",
            got=place,
            fix="check the path, which is relative to the current folder",
        )
    spec = importlib.util.spec_from_file_location(file.stem, file.resolve())
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    _put_first_in_path(str(file.resolve().parent))
    sys.modules.setdefault(file.stem, module)
    run = spec.loader.exec_module
    run_user_code(lambda: run(module), target, "importing the module")
    return module


def run_user_code(
    call: Callable[[], Any],
    target: str,
    action: str,
    expected: str = "code that runs without errors",
) -> Any:
    """Return the result of `call`.

    Raises:
        ModelNotBuilt: a call of the framework rejected tensors.
        UsageError: any other exception, with the user's lines.
    """
    try:
        return call()
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        failure = describe(error, "building the model")
        if failure.crash is not None and has_tensors(failure.crash):
            raise ModelNotBuilt(failure, choose_device(tf, "auto")[1]) from error
        raise UsageError(
            f"{action} raised {type(error).__name__}",
            where=f"target {target}{_lines(error)}",
            expected=expected,
            got=cause(error),
            fix="correct the code at these lines",
        ) from error


def _lines(error: BaseException) -> str:
    """Return the last few user's lines of a traceback, outermost first, as text."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_own(f.filename)]
    lines = [f"{named(frame.filename)}:{frame.lineno}" for frame in frames[-MAX_LINES:]]
    return "".join(f", {line}" for line in dict.fromkeys(lines))


def _put_first_in_path(folder: str) -> None:
    if folder not in sys.path:
        sys.path.insert(0, folder)
