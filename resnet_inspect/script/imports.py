"""Hooks that are called after the import of a module."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import wrapt


def after_import(name: str, action: Callable[[ModuleType], None]) -> None:
    """Call `action` with the module `name` after its import, or now if it is imported.

    A search for the module's spec, as in TensorFlow's `__init__` for Keras, does not call it.
    """
    wrapt.register_post_import_hook(action, name)
