"""Methods of other people's classes that are looked on for a while.

Replicas of a model are traced on threads of their own that wait for one another, so a hook is of
the thread that set it, and the method comes back when the last one is gone.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_LOCK = threading.Lock()


class _Hook:
    """A method of a class while it is watched: by whom, and what it is without that."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner, self._name = owner, name
        self._own = name in vars(owner)
        self._original = original = getattr(owner, name)
        self.watching: list[tuple[int, Callable[..., Any]]] = []

        @functools.wraps(original)
        def method(this: Any, *args: Any, **named: Any) -> Any:
            call = original
            for thread, substitute in list(self.watching):
                if thread == threading.get_ident():
                    call = functools.partial(substitute, call)
            return call(this, *args, **named)

        setattr(owner, name, method)

    def end(self) -> None:
        """The class is as it was."""
        if self._own:
            setattr(self._owner, self._name, self._original)
        else:
            delattr(self._owner, self._name)


_HOOKS: dict[tuple[Any, str], _Hook] = {}


@contextmanager
def replaced(owner: Any, name: str, substitute: Callable[..., Any]) -> Iterator[None]:
    """In the body, on this thread, a method is `substitute`, which gets the method as its first
    argument.
    """
    one = (threading.get_ident(), substitute)
    with _LOCK:
        hook = _HOOKS.get((owner, name))
        if hook is None:
            hook = _HOOKS[owner, name] = _Hook(owner, name)
        hook.watching.append(one)
    try:
        yield
    finally:
        with _LOCK:
            hook.watching.remove(one)
            if not hook.watching:
                del _HOOKS[owner, name]
                hook.end()
