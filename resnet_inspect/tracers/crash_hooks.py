"""Installs what crashes need: frames that frameworks remove, and the lines that create layers.

The hooks stay for the life of the process. This module imports no framework.
"""

from __future__ import annotations

import sys
from types import ModuleType

from resnet_inspect.tracers.full_tracebacks import keep_frames
from resnet_inspect.tracers.layer_creations import record_creations

KERAS_FILTERS = "keras.src.utils.traceback_utils"
TENSORFLOW_FILTERS = "tensorflow.python.util.traceback_utils"


def hook_keras(keras: ModuleType) -> None:
    """Keep the frames that Keras removes, and record where its layers are created."""
    record_creations(keras)
    _keep(KERAS_FILTERS)


def hook_tensorflow() -> None:
    """Keep the frames that TensorFlow removes."""
    _keep(TENSORFLOW_FILTERS)


def _keep(filters: str) -> None:
    module = sys.modules.get(filters)
    if module is not None:
        keep_frames(module)
