"""Finds the callable that a target names, `FILE.py:CALLABLE` or `package.module:CALLABLE`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from resnet_inspect.errors import UsageError
from resnet_inspect.tracers.tensorflow.sources import is_own, named


def make_target(target: str) -> Callable[..., Any]:
    """Call what `target` names, with nothing, and return the callable that it returns.

    Raises UsageError where there is no such file, module or callable, where it raises, or where
    what it returns cannot be called.
    """
    place, _, name = target.rpartition(":")
    module = _imported(place, target)
    if not hasattr(module, name):
        known = sorted(one for one, value in vars(module).items() if _offered(module, value))
        raise UsageError(
            f"there is no '{name}' in {place}",
            where=f"target {target}",
            expected="one of " + ", ".join(known) if known else "a function or class of that file",
            got=name,
            fix="name a function or class that the file defines",
        )
    made = _guarded(getattr(module, name), target, "calling it with nothing")
    if not callable(made):
        raise UsageError(
            f"what '{name}' returns cannot be called",
            where=f"target {target}",
            expected="a function of the inputs, a tf.Module with __call__, or a Keras model",
            got=type(made).__name__,
            fix="let it return what is to be called on the inputs",
        )
    return made  # type: ignore[no-any-return]


def _offered(module: Any, value: Any) -> bool:
    return callable(value) and getattr(value, "__module__", "") == module.__name__


def _imported(place: str, target: str) -> Any:
    file = Path(place)
    if file.suffix != ".py":
        return _guarded(lambda: importlib.import_module(place), target, "importing it")
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
    folder = str(file.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    sys.modules.setdefault(file.stem, module)
    run = spec.loader.exec_module
    _guarded(lambda: run(module), target, "importing it")
    return module


def _guarded(act: Callable[[], Any], target: str, doing: str) -> Any:
    """What `act` returns; an exception of the user's code is told with the user's line."""
    try:
        return act()
    except Exception as error:
        frames = [one for one in traceback.extract_tb(error.__traceback__) if is_own(one.filename)]
        at = f", {named(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
        raise UsageError(
            f"{doing} raised {type(error).__name__}",
            where=f"target {target}{at}",
            expected="a callable that needs no arguments",
            got=str(error) or type(error).__name__,
            fix="mend it there; it is called as it would be in Python",
        ) from error
