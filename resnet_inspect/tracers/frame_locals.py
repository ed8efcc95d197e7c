"""Reads the local names of a frame without keeping their values alive."""

from __future__ import annotations

import inspect
import sys
from types import FrameType
from typing import Any


def locals_of(frame: FrameType) -> dict[str, Any]:
    """Return a copy of a frame's local names.

    Before Python 3.13 a function's frame caches the dict `f_locals`, which keeps values alive that
    the code deletes later. The dict is therefore emptied after the copy.
    """
    cached = frame.f_locals
    copied = dict(cached)
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        cached.clear()
    return copied
