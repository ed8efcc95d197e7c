"""Finds the author's name of a value: a local variable of the running code, or an attribute.

The names are looked up while the user's code calls TensorFlow or Keras; there is no cost before.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from resnet_inspect.graph import Source
from resnet_inspect.tracers.frame_locals import locals_of
from resnet_inspect.tracers.tensorflow.capture.source_lines import REWRITTEN, SourceFinder, is_own

MOST_FRAMES = 60
GENERAL = ("loss", "optimizer", "opt", "x", "inputs")


def name_of(value: Any) -> str:
    """The name of `value` in the innermost frame of the user's code that has it, or "".

    A general name such as `loss` is used only if there is no other, as it may be reassigned.
    """
    general = ""
    for frame in own_frames():
        local = locals_of(frame)
        for names in (local, getattr(local.get("self"), "__dict__", {})):
            for name, candidate in names.items():
                if candidate is value and _is_plain(name):
                    if name not in GENERAL:
                        return str(name)
                    general = general or str(name)
        if frame.f_code.co_name == "<module>":
            break
    return general


def own_frame() -> FrameType | None:
    """The innermost frame of the user's code."""
    frames = own_frames()
    return frames[0] if frames else None


def calling_line() -> Source | None:
    """The innermost running line of the user's code, with its function."""
    for frame in own_frames():
        if REWRITTEN not in frame.f_code.co_filename:
            sources = SourceFinder()([_Frame(frame)])
            if sources:
                return sources[0]
    return None


def is_called_from(file: str) -> bool:
    """Whether `file`, a module of this folder, is on the call stack."""
    frame: FrameType | None = sys._getframe(1)
    wanted = str(Path(__file__).with_name(file))
    while frame is not None and frame.f_code.co_filename != wanted:
        frame = frame.f_back
    return frame is not None


def author_named(layer: Any) -> str:
    """The author's name of a model or layer, or "" if Keras named an instance of its own class.

    Keras numbers automatic names. For `vae_1`, of a class `VAE` of the author, this returns `vae`.
    """
    kind = type(layer).__name__
    automatic = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", kind).lower()
    name = str(layer.name)
    if re.sub(r"_\d+$", "", name) != automatic:
        return name
    foreign = type(layer).__module__.partition(".")[0] in ("keras", "tf_keras", "tensorflow")
    return "" if foreign else automatic


class _Frame:
    """A frame as `SourceFinder` reads it."""

    def __init__(self, frame: FrameType) -> None:
        self.filename = frame.f_code.co_filename
        self.lineno = frame.f_lineno
        self.name = frame.f_code.co_name


def own_frames() -> list[FrameType]:
    """The frames of the user's code, innermost first."""
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(2)
    for _ in range(MOST_FRAMES):
        if frame is None:
            break
        file = frame.f_code.co_filename
        if REWRITTEN in file or is_own(file):
            frames.append(frame)
        frame = frame.f_back
    return frames


def _is_plain(name: str) -> bool:
    """Whether a name may be the author's. AutoGraph adds names of its own, such as `ag__`."""
    return not name.startswith("_") and not name.endswith("_") and name != "ag__"
