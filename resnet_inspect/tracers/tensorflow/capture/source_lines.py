"""Which lines of a traceback are the user's own.

Of this package only the network and its recipe count as such; frames of TensorFlow, Keras, the
standard library and the tracer itself are left out, and so is everything outside the traced call.
"""

from __future__ import annotations

import linecache
import sysconfig
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tensorflow as tf

from resnet_inspect import paths
from resnet_inspect.graph import Source

PACKAGE = Path(__file__).parents[3]
ROOM = Path(__file__).parents[1]
MODEL_FILES = frozenset(str(ROOM / "tutorial" / name) for name in ("resnet.py", "recipe.py"))
# Where tracing begins: what called it is no part of the model.
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
# Files that TensorFlow writes when it rewrites a function.
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


class SourceFinder:
    """Turns tracebacks into the user's own frames; call it with any iterable of frames."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int, str], Source] = {}
        self._own: dict[str, bool] = {}

    def __call__(self, frames: Iterable[Any]) -> tuple[Source, ...]:
        """The user's frames among `frames` (outermost first), innermost first."""
        found: list[Source] = []
        for frame in reversed(list(frames)):
            file = frame.filename
            if file in TRACED_FROM:
                break
            if file not in self._own:
                self._own[file] = is_own(file)
            if self._own[file]:
                found.append(self._source(file, frame.lineno, frame.name))
        return tuple(found)

    def _source(self, file: str, line: int, function: str) -> Source:
        key = (file, line, function)
        if key not in self._known:
            text = linecache.getline(file, line).strip()
            self._known[key] = Source(named(file), line, function, text)
        return self._known[key]


def is_own(file: str) -> bool:
    """Whether a source file is the user's, as far as a reader of the run is concerned."""
    if file in MODEL_FILES:
        return True
    foreign = file.startswith(FOREIGN) or Path(file).name.startswith(REWRITTEN)
    return not (foreign or file.startswith("<") or Path(file).name == PROGRAM)


def named(file: str) -> str:
    """How a run file names a source file: files of this package begin with its name, others are
    relative to the current folder where they lie in it; the home folder is never told.
    """
    inside = f"{PACKAGE.parent}/"
    return file.removeprefix(inside) if file.startswith(inside) else paths.short(file)


def located(file: str) -> str:
    """Where the file that `named` gave a name lies on this machine."""
    inside = PACKAGE.parent / file
    return str(inside if inside.is_file() else Path(file).expanduser())
