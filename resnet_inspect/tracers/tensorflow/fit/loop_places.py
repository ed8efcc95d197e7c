"""Finds out whether an exception was raised inside the loop that runs a step."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator
from types import CodeType

from resnet_inspect.tracers.full_tracebacks import frames_of
from resnet_inspect.tracers.tensorflow.fit.author_names import own_frames

LOOPS = ast.For | ast.AsyncFor | ast.While | ast.ListComp | ast.SetComp | ast.DictComp
LOOPS |= ast.GeneratorExp


class LoopPlaces:
    """The lines of the user's code that called a step, innermost first."""

    def __init__(self) -> None:
        self._lines: list[tuple[CodeType, int]] = []

    def note(self) -> None:
        """Note the running lines, at the first call."""
        if not self._lines:
            self._lines = [(frame.f_code, frame.f_lineno) for frame in own_frames()]

    def contain(self, error: BaseException) -> bool:
        """Return whether `error` was raised inside the innermost function's outermost loop."""
        for code, line in self._lines:
            loop = _loop_around(code, line)
            if loop is not None:
                return any(
                    entry.frame.f_code is code and entry.line in loop for entry in frames_of(error)
                )
        return False


def _loop_around(code: CodeType, line: int) -> range | None:
    """Return the lines of the outermost loop of a function around a line."""
    loops = [loop for loop in _loops(code.co_filename) if line in loop]
    inside = [loop for loop in loops if loop.start >= code.co_firstlineno]
    return max(inside, key=len, default=None)


def _loops(file: str) -> Iterator[range]:
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, LOOPS):
            yield range(node.lineno, (node.end_lineno or node.lineno) + 1)
