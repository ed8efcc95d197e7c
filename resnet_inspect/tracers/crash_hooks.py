"""Installs what crashes need: frames that frameworks remove, and lines that create layers.

The hooks also keep this package out of what TensorFlow prints of an exception. They stay for the
life of the process. This module imports no framework.
"""

from __future__ import annotations

import sys
from types import ModuleType

from resnet_inspect.script.tracebacks import PACKAGE, outer_files
from resnet_inspect.tracers.full_tracebacks import keep_frames
from resnet_inspect.tracers.layer_creations import record_creations
from resnet_inspect.tracers.layer_scopes import record_scopes
from resnet_inspect.tracers.variable_creations import (
    record_keras_variables,
    record_tensorflow_variables,
)

KERAS_FILTERS = "keras.src.utils.traceback_utils"
TENSORFLOW_MESSAGES = "tensorflow.python.eager.polymorphic_function.atomic_function"
TENSORFLOW_FILTERS = "tensorflow.python.util.traceback_utils"


def hook_keras(keras: ModuleType) -> None:
    """Keep the frames that Keras removes, and record where its layers are created."""
    record_creations(keras)
    record_keras_variables(keras)
    record_scopes()
    _keep(KERAS_FILTERS)


def hook_tensorflow(tensorflow: ModuleType) -> None:
    """Keep the frames that TensorFlow removes, and record where its variables are created.

    Frames of this package are removed from its messages.
    """
    record_tensorflow_variables(tensorflow)
    _keep(TENSORFLOW_FILTERS)
    messages = sys.modules.get(TENSORFLOW_MESSAGES)
    hidden = getattr(getattr(messages, "InterpolateRuntimeError", None), "DENY_LIST_PHRASES", None)
    if isinstance(hidden, list):
        files = [PACKAGE, *(f'{file}"' for file in outer_files())]
        hidden += [f'File "{file}' for file in files if f'File "{file}' not in hidden]


def _keep(filters: str) -> None:
    module = sys.modules.get(filters)
    if module is not None:
        keep_frames(module)
