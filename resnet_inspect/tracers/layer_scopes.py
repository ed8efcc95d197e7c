"""Records which Keras layer opened each name scope of a graph.

TensorFlow numbers equal scopes, so the name of a scope does not identify its layer: `dense_1` may
be the second scope of layer `dense`. This module imports no framework.
"""

from __future__ import annotations

import sys
import weakref
from contextlib import suppress
from functools import wraps
from typing import Any

SCOPES = "_resnet_inspect_scopes"  # attribute of a graph: weak references to layers by scope
MODULE = "keras.src.backend.tensorflow.core"


def record_scopes() -> None:
    """Record the scopes that layers open in graphs, from now on, for the life of the process."""
    scope: Any = getattr(sys.modules.get(MODULE), "name_scope", None)
    original: Any = getattr(scope, "__enter__", None)
    if original is None or getattr(original, "records_scopes", False):
        return
    tensorflow = sys.modules["tensorflow"]

    @wraps(original)
    def enter(opened: Any) -> Any:
        returned = original(opened)
        if opened.caller is not None and not tensorflow.executing_eagerly():
            with suppress(Exception):  # a failure to record must not stop the program
                graph = tensorflow.compat.v1.get_default_graph()
                scopes = getattr(graph, SCOPES, None)
                if scopes is None:
                    scopes = {}
                    setattr(graph, SCOPES, scopes)
                scopes[graph.get_name_scope()] = weakref.ref(opened.caller)
        return returned

    enter.records_scopes = True  # type: ignore[attr-defined]
    scope.__enter__ = enter


def layer_of(op: Any) -> Any:
    """Return the layer in whose innermost scope an op of a graph was made; None if unknown."""
    scopes = getattr(op.graph, SCOPES, {})
    scope = op.name.rpartition("/")[0].removeprefix("gradient_tape/")
    while scope:
        if scope in scopes:
            return scopes[scope]()
        scope = scope.rpartition("/")[0]
    return None
