"""TensorFlow 1's API for a file of the user's: what `import tensorflow as tf` gives in it.

Only files of the user's own see it, and only in the body of `old_api`: TensorFlow, Keras and
installed packages go on importing the TensorFlow that is there. The layers are those of the package
tf_keras, which the extra `tf1` brings; nothing has to be set before TensorFlow is imported.
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
# Switches that would change TensorFlow for the rest of the process. The file runs as they ask
# already: in a graph, on resource variables.
SWITCHES = (
    "disable_eager_execution",
    "disable_resource_variables",
    "disable_v2_behavior",
    "disable_v2_tensorshape",
    "enable_resource_variables",
)
NAMES = ("tensorflow", "tensorflow.compat.v1", "tensorflow.contrib", "tensorflow.contrib.layers")
HELD = ", ".join(f"tf.contrib.layers.{name}" for name in contrib.LAYERS)
Noted = Callable[[str], None]
# Who is told of scopes now, last of all: the file keeps the module that it imported.
_listening: list[Noted] = []


class _Module(ModuleType):
    """A module that answers with what it was given, then with another module's attributes."""

    def __init__(self, name: str, held: dict[str, Any], behind: Any = None) -> None:
        super().__init__(name)
        self.__path__: list[str] = list(getattr(behind, "__path__", []))
        vars(self).update(held)
        self._behind = behind

    def __getattr__(self, name: str) -> Any:
        """What the module behind has; AttributeError with the whole name of what is lost."""
        if name.startswith("__") or self._behind is None or not hasattr(self._behind, name):
            raise AttributeError(
                f"'{self.__name__}.{name}' is not in TensorFlow {tf.__version__}",
                name=name,
                obj=self,
            )
        return getattr(self._behind, name)


@contextmanager
def old_api(file: str, noted: Noted = lambda _: None) -> Iterator[None]:
    """In the body the user's files import TensorFlow 1's API, get shapes as it gave them, and find
    the words of their own command line, none, in `sys.argv`.

    `noted` is called with each name scope that these files open. Raises FrameworkMissingError
    without tf_keras.
    """
    modules = _modules()
    original, argv, shapes = builtins.__import__, sys.argv, tensor_shape._TENSORSHAPE_V2_OVERRIDE

    def imported(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        if level or name.partition(".")[0] != "tensorflow" or not _is_users(globals):
            return original(name, globals, locals, fromlist, level)
        before = {one: sys.modules.get(one) for one in NAMES}
        sys.modules.update(modules)
        try:
            return original(name, globals, locals, fromlist, level)
        finally:
            for one, module in before.items():
                if module is None:
                    sys.modules.pop(one, None)
                else:
                    sys.modules[one] = module

    builtins.__import__, sys.argv = imported, [file]
    _listening.append(noted)
    tensor_shape.disable_v2_tensorshape()
    try:
        with warnings.catch_warnings(), quiet_tensorflow():
            warnings.filterwarnings("ignore", r"`tf\..* is deprecated", UserWarning)
            yield
    finally:
        builtins.__import__, sys.argv = original, argv
        _listening.remove(noted)
        tensor_shape._TENSORSHAPE_V2_OVERRIDE = shapes


def forget_flags(module: str) -> None:
    """Take back the flags that a module of this name defined: it is going to be imported anew, and
    `tf.app.flags` refuses a second definition.
    """
    for flag in flags.FLAGS.flags_by_module_dict().get(module, []):
        delattr(flags.FLAGS, flag.name)


def lost(error: BaseException, target: str) -> UsageError | None:
    """The refusal for code that asked for what TensorFlow 1 had and no longer is; None if the
    error is another.
    """
    if isinstance(error, AttributeError) and isinstance(error.obj, _Module):
        what = f"{error.obj.__name__}.{error.name}"
    elif isinstance(error, ImportError) and (error.name or "").startswith("tensorflow"):
        found = getattr(error, "name_from", None)
        if found is None and "cannot import name" in str(error):  # Python 3.11 does not tell it
            found = str(error).split("'")[1]
        what = f"{error.name}.{found}" if found else str(error.name)
    else:
        return None
    frames = [one for one in traceback.extract_tb(error.__traceback__) if is_own(one.filename)]
    place = f", {named(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return UsageError(
        f"'{what}' is not in TensorFlow {tf.__version__}",
        where=f"target {target}{place}",
        expected=f"what tf.compat.v1 still has; of tf.contrib: {HELD}",
        got=what,
        fix="write it there in terms of tf.layers, tf.nn or a function of your own",
    )


def _is_users(module: Any) -> bool:
    """Whether the module with these globals is a file of the user's, not an installed one."""
    file = str((module or {}).get("__file__") or "")
    return bool(file) and is_own(file) and not file.startswith(INSTALLED)


def _modules() -> dict[str, ModuleType]:
    keras, layers, cells = (
        _of_keras(name)
        for name in ("", ".__internal__.legacy.layers", ".__internal__.legacy.rnn_cell")
    )
    own_layers = _Module("tensorflow.contrib.layers", contrib.LAYERS)
    own_contrib = _Module("tensorflow.contrib", {"layers": own_layers})
    held: dict[str, Any] = {name: _does_nothing for name in SWITCHES}
    held |= {
        "layers": layers,
        "keras": keras,
        "nn": _Module("tensorflow.nn", {"rnn_cell": cells}, v1.nn),
        "contrib": own_contrib,
        "name_scope": _noting(v1.name_scope),
        "variable_scope": _noting(v1.variable_scope),
        "__file__": tf.__file__,
    }
    top = _Module("tensorflow", held, v1)
    top.__path__ = [str(Path(one)) for one in tf.__path__]
    compat = _Module("tensorflow.compat", {"v1": top, "v2": tf.compat.v2}, tf.compat)
    vars(top)["compat"] = compat
    return dict(zip(NAMES, (top, top, own_contrib, own_layers), strict=True))


def _does_nothing() -> None:
    """What the switch asks for is so already."""


def _noting(scope: Any) -> Any:
    """TensorFlow's scope, that tells its name when it is entered."""

    class Noting(scope):  # type: ignore[misc]
        def __enter__(self) -> Any:
            entered = super().__enter__()
            for noted in _listening[-1:]:
                noted(v1.get_default_graph().get_name_scope())
            return entered

    Noting.__name__ = Noting.__qualname__ = scope.__name__
    return Noting


def _of_keras(name: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(KERAS + name)
    except ImportError as error:
        raise FrameworkMissingError(
            "code for TensorFlow 1 needs the package tf_keras",
            where=f"Python {sys.version.split()[0]} at {sys.prefix}",
            expected=f"tf_keras of TensorFlow's own version, {tf.__version__}",
            got=str(error),
            fix="pip install 'resnet-inspect[tf1]', or beside tensorflow-cpu: "
            "pip install --no-deps tf_keras",
        ) from error
