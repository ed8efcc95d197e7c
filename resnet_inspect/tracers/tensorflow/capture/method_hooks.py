"""Temporarily replaces methods of third-party classes.

TensorFlow traces the replicas of a model on threads that wait for each other. A substitute
therefore applies only to the thread that set it. The original method is restored when the last
substitute is removed.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_LOCK = threading.Lock()


class _Hook:
    """A replaced method of a class: the original and the substitutes by thread."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner, self._name = owner, name
        self._own = name in vars(owner)
        self._original = original = getattr(owner, name)
        self.substitutes: list[tuple[int, Callable[..., Any]]] = []

        @functools.wraps(original)
        def method(this: Any, *args: Any, **named: Any) -> Any:
            call = original
            for thread, substitute in list(self.substitutes):
                if thread == threading.get_ident():
                    call = functools.partial(substitute, call)
            return call(this, *args, **named)

        setattr(owner, name, method)

    def end(self) -> None:
        """Restore the original method."""
        if self._own:
            setattr(self._owner, self._name, self._original)
        else:
            delattr(self._owner, self._name)


_HOOKS: dict[tuple[Any, str], _Hook] = {}


@contextmanager
def replaced(owner: Any, name: str, substitute: Callable[..., Any]) -> Iterator[None]:
    """Replace a method by `substitute` in the body, on this thread.

    `substitute` receives the original method as its first argument.
    """
    entry = (threading.get_ident(), substitute)
    with _LOCK:
        hook = _HOOKS.get((owner, name))
        if hook is None:
            hook = _HOOKS[owner, name] = _Hook(owner, name)
        hook.substitutes.append(entry)
    try:
        yield
    finally:
        with _LOCK:
            hook.substitutes.remove(entry)
            if not hook.substitutes:
                del _HOOKS[owner, name]
                hook.end()
