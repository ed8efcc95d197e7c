"""Hooks that are called once a module has been imported, by whomever."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import wrapt


def after_import(name: str, action: Callable[[ModuleType], None]) -> None:
    """Call `action` with the module `name` once it is imported; at once if it already is.

    Questions for its spec, which TensorFlow's own `__init__` asks about Keras, do not count.
    """
    wrapt.register_post_import_hook(action, name)
