"""Records where the program creates its Keras layers, and the integers known there.

A layer often creates its variables later, in `fit` or inside Keras. The line that created the layer
has the argument that gives a size, such as `Dense(width * 4)`. The operations of functional models,
such as `ops.reshape`, are recorded as well. This module imports no framework.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import wraps
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

from resnet_inspect.tracers.frame_locals import locals_of

MOST_FRAMES = 6
MOST_DEPTH = 60  # frames that are searched, as Keras has many of its own
Span = tuple[int | None, int | None, int | None, int | None]  # lines and columns, first and last


class CreationFrame(NamedTuple):
    """A frame that created a layer: its place, the call in it, and the integers known there.

    Attributes:
        values: integers by names such as `width`, `self.width` and `config['width']`.
        parameters: the parameters of the frame's function that may be given by position.
        library: whether the function belongs to keras.applications.
    """

    file: str
    line: int
    function: str
    span: Span
    values: Mapping[str, int]
    parameters: tuple[str, ...] = ()
    library: bool = False


Creation = tuple[CreationFrame, ...]


@dataclass(frozen=True)
class Creations:
    """The creations of the layers of a graph.

    Attributes:
        frames: by the names of layers and of the variables that they own.
        built_in: names of layers of Keras and of their variables. Keras computes the numbers of
            such a layer, so the line that calls the layer contains them only by chance.
    """

    frames: Mapping[str, Creation] = field(default_factory=dict)
    built_in: Set[str] = frozenset()


_CREATIONS: weakref.WeakKeyDictionary[Any, Creation] = weakref.WeakKeyDictionary()


def record_creations(keras: ModuleType) -> None:
    """Record the creation of layers from now on, for the life of the process."""
    foreign = str(Path(keras.__file__ or "").parent)
    _record(keras.Layer, foreign)
    _record(keras.Operation, foreign, other_than=keras.Layer)


def _record(owner: Any, foreign: str, other_than: Any = ()) -> None:
    """Record the creation of instances of a class, if they are not `other_than` instances."""
    original = owner.__new__
    if getattr(original, "records_creations", False):
        return

    @wraps(original)
    def create(cls: Any, *args: Any, **named: Any) -> Any:
        layer = original(cls, *args, **named)
        if not issubclass(cls, other_than):
            try:
                _CREATIONS[layer] = tuple(_frames(sys._getframe(1), foreign))
            except Exception:  # a failure to record must not stop the program
                _CREATIONS.pop(layer, None)
        return layer

    create.records_creations = True  # type: ignore[attr-defined]
    owner.__new__ = staticmethod(create)


def creations() -> list[tuple[Any, Creation]]:
    """Return the layers and operations that still exist, with the frames that created them.

    The innermost frame comes first.
    """
    return list(_CREATIONS.items())


def _frames(frame: FrameType | None, foreign: str) -> Iterator[CreationFrame]:
    """Yield the innermost frames outside of Keras, and those of keras.applications."""
    count, applications = 0, str(Path(foreign, "src", "applications"))
    for _ in range(MOST_DEPTH):
        if frame is None or count == MOST_FRAMES:
            return
        code = frame.f_code
        library = code.co_filename.startswith(applications)
        if library or not code.co_filename.startswith((foreign, "<")):
            count += 1
            yield creation_frame(frame, library=library)
        frame = frame.f_back


def creation_frame(frame: FrameType, *, library: bool = False) -> CreationFrame:
    """Return the record of a running frame that creates a layer or variable."""
    code = frame.f_code
    return CreationFrame(
        code.co_filename,
        frame.f_lineno,
        code.co_name,
        _span(frame),
        _integers(frame),
        code.co_varnames[: code.co_argcount],
        library,
    )


def _span(frame: FrameType) -> Span:
    """Return the place of the call that a frame executes."""
    positions = islice(frame.f_code.co_positions(), frame.f_lasti // 2, None)
    return next(positions, (None, None, None, None))


def _integers(frame: FrameType) -> dict[str, int]:
    """Return the integers that the code of a frame names."""
    code = frame.f_code
    values: dict[str, int] = {}
    for name, value in _named(frame, code):
        if type(value) is int:
            values[name] = value
        elif type(value) is dict:
            keys = (key for key in code.co_consts if type(key) is str)
            items = ((key, value.get(key)) for key in keys)
            values |= {f"{name}[{key!r}]": item for key, item in items if type(item) is int}
        elif hasattr(value, "__dict__") and not isinstance(value, type):
            attributes = vars(value)
            items = ((key, attributes.get(key)) for key in code.co_names)
            values |= {f"{name}.{key}": item for key, item in items if type(item) is int}
    return values


def _named(frame: FrameType, code: CodeType) -> Iterator[tuple[str, Any]]:
    if frame.f_locals is not frame.f_globals:
        yield from locals_of(frame).items()
    for name in code.co_names:
        if name in frame.f_globals:
            yield name, frame.f_globals[name]
