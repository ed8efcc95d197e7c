"""Selects the lines of a traceback that belong to the user's code.

Frames of TensorFlow, Keras, the standard library and this package are left out, except those of the
tutorial's network and its recipe. Frames outside the traced call are also left out.
"""

from __future__ import annotations

import linecache
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.util._tf_stack import StackTrace

from resnet_inspect import paths
from resnet_inspect.graph import Source

PACKAGE = Path(__file__).parents[3]
ROOM = Path(__file__).parents[1]
MODEL_FILES = frozenset(str(ROOM / "tutorial" / name) for name in ("resnet.py", "recipe.py"))
# Files where a trace starts. Their callers are not part of the model.
TRACED_FROM = frozenset(
    str(ROOM / f"{name}.py")
    for name in (
        "tutorial/source",
        "model/source",
        "model/targets",
        "fit/observed_step",
        "tf1/graph_trace",
    )
)
PROGRAM = "resnet-inspect"  # the script that starts this program
# Prefix of the files that AutoGraph generates.
REWRITTEN = "__autograph_generated_file"
FOREIGN = tuple(
    f"{folder}/"
    for folder in (
        Path(tf.__file__).parent,
        Path(tf.__file__).parent.parent / "keras",
        Path(tf.__file__).parent.parent / "tf_keras",
        sysconfig.get_path("stdlib"),
        PACKAGE,
    )
)
INSTALLED = tuple(f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib"))


class SourceFinder:
    """Converts frames of a traceback into the user's source lines."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], Source] = {}
        self._own: dict[str, bool] = {}
        self._of_ops: dict[Any, tuple[Source, ...]] = {}

    def __call__(self, frames: Iterable[Any]) -> tuple[Source, ...]:
        """Return the user's lines among `frames`.

        `frames` begin with the outermost frame, the result with the innermost one.
        """
        if not isinstance(frames, StackTrace):
            return self._lines(frames)
        # Many ops have equal tracebacks, and converting the frames of one is slow.
        lines = self._of_ops.get(frames)
        if lines is None:
            lines = self._of_ops[frames] = self._lines(frames)
        return lines

    def _lines(self, frames: Iterable[Any]) -> tuple[Source, ...]:
        sources: list[Source] = []
        for frame in reversed(list(frames)):
            file = frame.filename
            if file in TRACED_FROM:
                break
            if file not in self._own:
                self._own[file] = is_own(file)
            if self._own[file]:
                sources.append(self._source(file, frame.lineno, frame.name))
        return tuple(sources)

    def _source(self, file: str, line: int, function: str) -> Source:
        key = (file, line, function)
        if key not in self._known:
            text = linecache.getline(file, line).strip()
            self._known[key] = Source(named(file), line, function, text)
        return self._known[key]


def is_own(file: str) -> bool:
    """Return whether a source file belongs to the user's code."""
    if file in MODEL_FILES:
        return True
    foreign = file.startswith(FOREIGN) or Path(file).name.startswith(REWRITTEN)
    return not (foreign or file.startswith("<") or Path(file).name == PROGRAM)


def is_users(file: str) -> bool:
    """Return whether a file is the user's and not of an installed package."""
    return is_own(file) and not file.startswith(INSTALLED)


def named(file: str) -> str:
    """Return the name of a source file in a run file.

    Files of this package begin with the package's name. Files in the current folder are relative
    to it. The home folder is shortened, so that it is never recorded.
    """
    inside = f"{PACKAGE.parent}/"
    return file.removeprefix(inside) if file.startswith(inside) else paths.short(file)


def located(file: str) -> str:
    """Return the path of a file on this machine from the name that `named` returned."""
    inside = PACKAGE.parent / file
    return str(inside if inside.is_file() else Path(file).expanduser())
