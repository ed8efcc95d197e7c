"""Records where the program itself creates variables: tf.Variable, add_weight, keras.Variable.

Variables that a layer of Keras creates have no line of their own: the line that created the layer
determines them. This module imports no framework.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import weakref
from collections.abc import Iterator
from contextlib import suppress
from functools import wraps
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from resnet_inspect.script.tracebacks import LAUNCH
from resnet_inspect.tracers.layer_creations import Creation, CreationFrame, creation_frame

NEVER_OWN = (
    f"{Path(__file__).parents[1]}{os.sep}",
    f"{sysconfig.get_path('stdlib')}{os.sep}",
    "<",
)
MOST_FRAMES = 4
# Parts of Keras through which a program creates a variable, relative to its package.
PLUMBING = ("src/backend/common/", "src/utils/", "src/layers/layer.py")

_CREATED: dict[int, tuple[weakref.ref[Any], Creation]] = {}


def record_keras_variables(keras: ModuleType) -> None:
    """Record the creation of Keras variables from now on, for the life of the process."""
    _record(keras.Variable, "__init__", PLUMBING, of_first=True)


def record_tensorflow_variables(tensorflow: ModuleType) -> None:
    """Record the creation of TensorFlow variables from now on, for the life of the process."""
    _record(type(tensorflow.Variable), "__call__", (), of_first=False)


def variable_creations() -> Iterator[tuple[Any, Creation]]:
    """Yield the variables that still exist, with the frames that created them, innermost first."""
    for reference, creation in list(_CREATED.values()):
        variable = reference()
        if variable is not None:
            yield variable, creation


def _record(owner: Any, method: str, passed: tuple[str, ...], *, of_first: bool) -> None:
    """Replace a method that creates a variable: its first argument, or what it returns.

    Calls from the parts `passed` of Keras are those of the program.
    """
    original: Any = getattr(owner, method)
    if getattr(original, "records_variables", False):
        return

    @wraps(original)
    def create(first: Any, *args: Any, **named: Any) -> Any:
        returned = original(first, *args, **named)
        with suppress(Exception):  # a failure to record must not stop the program
            _note(first if of_first else returned, sys._getframe(1), passed)
        return returned

    create.records_variables = True  # type: ignore[attr-defined]
    setattr(owner, method, create)


def _note(variable: Any, frame: FrameType | None, parts: tuple[str, ...]) -> None:
    """Note the frames that created a variable, unless a layer of a framework created it."""
    key = id(variable)
    if key in _CREATED and _CREATED[key][0]() is variable:
        return
    frameworks = _frameworks()
    plumbing = (f"{kind}{part}" for kind in frameworks for part in parts)
    passed = (frameworks[0], *NEVER_OWN, *plumbing)
    while frame is not None and frame.f_code.co_filename.startswith(passed):
        frame = frame.f_back
    frames: list[CreationFrame] = []
    while frame is not None and len(frames) < MOST_FRAMES:
        file = frame.f_code.co_filename
        if file == LAUNCH:
            break
        if file.startswith(frameworks) and not frames:
            return
        if not file.startswith((*frameworks, *NEVER_OWN)):
            frames.append(creation_frame(frame))
        frame = frame.f_back
    _CREATED[key] = weakref.ref(variable, lambda _: _CREATED.pop(key, None)), tuple(frames)


def _frameworks() -> tuple[str, ...]:
    """Return the folders of TensorFlow, Keras and tf_keras; TensorFlow is imported."""
    modules = (sys.modules.get(name) for name in ("tensorflow", "keras", "tf_keras"))
    files = [getattr(module, "__file__", None) for module in modules]
    return tuple(f"{Path(file).parent}{os.sep}" for file in files if file)
