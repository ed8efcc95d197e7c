"""Finds the callable that a target names, `FILE.py:CALLABLE` or `package.module:CALLABLE`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from resnet_inspect.errors import UsageError
from resnet_inspect.tracers.tensorflow.sources import is_own, named


def make_target(target: str) -> Callable[..., Any]:
    """Call what `target` names, with nothing, and return the callable that it returns; or return
    what it names, if that is the model itself: an object, or a function that needs arguments.

    Raises UsageError where there is no such file, module or callable, where it raises, or where
    what it returns cannot be called.
    """
    place, _, name = target.rpartition(":")
    module = _imported(place, target)
    if not hasattr(module, name):
        known = sorted(one for one, value in vars(module).items() if _offered(module, one, value))
        near = get_close_matches(name, known, n=1)
        raise UsageError(
            f"there is no '{name}' in {place}",
            where=f"target {target}",
            expected="one of " + ", ".join(known) if known else "a function or class of that file",
            got=name,
            fix=f"did you mean '{near[0]}'?" if near else "name what the file defines",
        )
    named = getattr(module, name)
    made = named if _is_model(named) else _guarded(named, target, "calling it with nothing")
    if not callable(made):
        raise UsageError(
            f"what '{name}' returns cannot be called",
            where=f"target {target}",
            expected="a function of the inputs, a tf.Module with __call__, or a Keras model",
            got=type(made).__name__,
            fix="let it return what is to be called on the inputs",
        )
    return made  # type: ignore[no-any-return]


def check_arguments(model: Callable[..., Any], target: str, names: list[str]) -> None:
    """Raise UsageError where a model does not take that many inputs."""
    try:
        taken = inspect.signature(model)
    except (TypeError, ValueError):
        return
    try:
        taken.bind(*names)
    except TypeError as error:
        raise UsageError(
            "the model does not take that many inputs",
            where=f"target {target}, setting 'input'",
            expected=f"what it is defined with: {taken}",
            got=f"{len(names)} inputs, {', '.join(names)}: {error}",
            fix="describe its inputs in their order, with ; between: --input 'x=8,4; y=8'",
        ) from error


def _is_model(named: Any) -> bool:
    """Whether a callable is what is called on the inputs, not what makes it."""
    if isinstance(named, type):
        return False
    if not inspect.isroutine(named) and not isinstance(named, partial):
        return callable(named)
    try:
        inspect.signature(named).bind()
    except TypeError:
        return True
    except ValueError:
        return False
    return False


def _offered(module: Any, name: str, value: Any) -> bool:
    own = getattr(value, "__module__", "") == module.__name__
    return callable(value) and own and not name.startswith("_")


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
    except (Exception, SystemExit) as error:
        frames = [one for one in traceback.extract_tb(error.__traceback__) if is_own(one.filename)]
        at = f", {named(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
        raise UsageError(
            f"{doing} raised {type(error).__name__}",
            where=f"target {target}{at}",
            expected="a callable that needs no arguments",
            got=str(error) or type(error).__name__,
            fix="mend it there; it is called as it would be in Python",
        ) from error
