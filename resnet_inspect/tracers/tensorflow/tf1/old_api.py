"""Provides the TensorFlow 1 API to user's files that run `import tensorflow as tf`.

Only the user's files import this API, and only in the body of `old_api`. TensorFlow, Keras and
installed packages import the real TensorFlow. Layers come from the package tf_keras, which the
extra `tf1` installs. No setting is needed before TensorFlow is imported.
"""

from __future__ import annotations

import builtins
import sys
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import tensorflow as tf
from absl import flags
from tensorflow.python.framework import tensor_shape

from resnet_inspect.errors import FrameworkMissingError, UsageError
from resnet_inspect.tracers.tensorflow.capture.source_lines import is_own, named
from resnet_inspect.tracers.tensorflow.runtime import quiet_tensorflow
from resnet_inspect.tracers.tensorflow.tf1 import contrib

v1 = tf.compat.v1
KERAS = "tf_keras.api._v1.keras"
INSTALLED = tuple({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
# Functions that would change TensorFlow for the whole process. They do nothing here, because the
# file already runs in a graph and with resource variables.
SWITCHES = (
    "disable_eager_execution",
    "disable_resource_variables",
    "disable_v2_behavior",
    "disable_v2_tensorshape",
    "enable_resource_variables",
)
NAMES = ("tensorflow", "tensorflow.compat.v1", "tensorflow.contrib", "tensorflow.contrib.layers")
CONTRIB = ", ".join(f"tf.contrib.layers.{name}" for name in contrib.LAYERS)
Listener = Callable[[str], None]
# Only the last listener receives the names of scopes. It is global because a user's file keeps the
# module that it imported.
_listeners: list[Listener] = []


class _Module(ModuleType):
    """A module with the given attributes, and all others from the module `fallback`."""

    def __init__(self, name: str, attributes: dict[str, Any], fallback: Any = None) -> None:
        super().__init__(name)
        self.__path__: list[str] = list(getattr(fallback, "__path__", []))
        vars(self).update(attributes)
        self._fallback = fallback

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the fallback, or raise AttributeError with the full name."""
        if name.startswith("__") or self._fallback is None or not hasattr(self._fallback, name):
            raise AttributeError(
                f"'{self.__name__}.{name}' is not in TensorFlow {tf.__version__}",
                name=name,
                obj=self,
            )
        return getattr(self._fallback, name)


@contextmanager
def old_api(file: str, listener: Listener = lambda _: None) -> Iterator[None]:
    """Provide the TensorFlow 1 API to imports in the user's files, in the body.

    Shapes are those of TensorFlow 1, and `sys.argv` has only `file`. `listener` is called with
    each name scope that the user's files open. Raises FrameworkMissingError without tf_keras.
    """
    modules = _modules()
    original, argv, shapes = builtins.__import__, sys.argv, tensor_shape._TENSORSHAPE_V2_OVERRIDE

    def imported(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        if level or name.partition(".")[0] != "tensorflow" or not _is_users(globals):
            return original(name, globals, locals, fromlist, level)
        before = {key: sys.modules.get(key) for key in NAMES}
        sys.modules.update(modules)
        try:
            return original(name, globals, locals, fromlist, level)
        finally:
            for key, module in before.items():
                if module is None:
                    sys.modules.pop(key, None)
                else:
                    sys.modules[key] = module

    builtins.__import__, sys.argv = imported, [file]
    _listeners.append(listener)
    tensor_shape.disable_v2_tensorshape()
    try:
        with warnings.catch_warnings(), quiet_tensorflow():
            warnings.filterwarnings("ignore", r"`tf\..* is deprecated", UserWarning)
            yield
    finally:
        builtins.__import__, sys.argv = original, argv
        _listeners.remove(listener)
        tensor_shape._TENSORSHAPE_V2_OVERRIDE = shapes


def forget_flags(module: str) -> None:
    """Delete the flags that a module defined, so that it can be imported again.

    `tf.app.flags` rejects a second definition of a flag.
    """
    for flag in flags.FLAGS.flags_by_module_dict().get(module, []):
        delattr(flags.FLAGS, flag.name)


def removed_api_error(error: BaseException, target: str) -> UsageError | None:
    """Return the error for code that uses a part of TensorFlow 1 that was removed.

    None if `error` has another cause.
    """
    if isinstance(error, AttributeError) and isinstance(error.obj, _Module):
        what = f"{error.obj.__name__}.{error.name}"
    elif isinstance(error, ImportError) and (error.name or "").startswith("tensorflow"):
        name = getattr(error, "name_from", None)
        if name is None and "cannot import name" in str(error):  # Python 3.11 has no name_from
            name = str(error).split("'")[1]
        what = f"{error.name}.{name}" if name else str(error.name)
    else:
        return None
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_own(f.filename)]
    place = f", {named(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return UsageError(
        f"'{what}' is not in TensorFlow {tf.__version__}",
        where=f"target {target}{place}",
        expected=f"names of tf.compat.v1, and of tf.contrib only {CONTRIB}",
        got=what,
        fix="replace it by tf.layers, tf.nn or your own function",
    )


def _is_users(module: Any) -> bool:
    """Return whether the module with these globals is a user's file, not an installed module."""
    file = str((module or {}).get("__file__") or "")
    return bool(file) and is_own(file) and not file.startswith(INSTALLED)


def _modules() -> dict[str, ModuleType]:
    keras, layers, cells = (
        _keras_module(name)
        for name in ("", ".__internal__.legacy.layers", ".__internal__.legacy.rnn_cell")
    )
    contrib_layers = _Module("tensorflow.contrib.layers", contrib.LAYERS)
    contrib_module = _Module("tensorflow.contrib", {"layers": contrib_layers})
    attributes: dict[str, Any] = {name: _does_nothing for name in SWITCHES}
    attributes |= {
        "layers": layers,
        "keras": keras,
        "nn": _Module("tensorflow.nn", {"rnn_cell": cells}, v1.nn),
        "contrib": contrib_module,
        "name_scope": _listened(v1.name_scope),
        "variable_scope": _listened(v1.variable_scope),
        "__file__": tf.__file__,
    }
    top = _Module("tensorflow", attributes, v1)
    top.__path__ = [str(Path(folder)) for folder in tf.__path__]
    compat = _Module("tensorflow.compat", {"v1": top, "v2": tf.compat.v2}, tf.compat)
    vars(top)["compat"] = compat
    return dict(zip(NAMES, (top, top, contrib_module, contrib_layers), strict=True))


def _does_nothing() -> None:
    """Replace a switch whose effect already applies."""


def _listened(scope: Any) -> Any:
    """Return a subclass of TensorFlow's scope that reports its name when it is entered."""

    class Listened(scope):  # type: ignore[misc]
        def __enter__(self) -> Any:
            entered = super().__enter__()
            for listener in _listeners[-1:]:
                listener(v1.get_default_graph().get_name_scope())
            return entered

    Listened.__name__ = Listened.__qualname__ = scope.__name__
    return Listened


def _keras_module(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(KERAS + name)
    except ImportError as error:
        raise FrameworkMissingError(
            "TensorFlow 1 code needs the package tf_keras",
            where=f"Python {sys.version.split()[0]} at {sys.prefix}",
            expected=f"tf_keras of the same version as TensorFlow, {tf.__version__}",
            got=str(error),
            fix="pip install 'resnet-inspect[tf1]', or with tensorflow-cpu: "
            "pip install --no-deps tf_keras",
        ) from error
