"""What an exception of TensorFlow tells: the op, the user's line, the message."""

from __future__ import annotations

import re
import traceback

import tensorflow as tf

from resnet_inspect.graph import Failure
from resnet_inspect.tracers.tensorflow.sources import SourceFinder

REFUSALS = (ValueError, TypeError, tf.errors.OpError)
NODE = re.compile(r"\{\{node ([^}]+)\}\}")


def describe(error: Exception, during: str) -> Failure:
    """The failure that an exception of TensorFlow tells of."""
    message = getattr(error, "message", None) or str(error)
    node = NODE.search(message)
    source = SourceFinder()(traceback.extract_tb(error.__traceback__))
    return Failure(
        kind=type(error).__name__,
        message=message.strip().splitlines()[0] if message.strip() else "no message",
        during=during,
        op=node[1] if node else "",
        source=source,
    )
