"""What kinds of models of the user's own there are, told by how they are named."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
TARGETS = "FILE.py:CALLABLE, package.module:CALLABLE, a .keras or .h5 file, or a SavedModel folder"


class TargetKind(StrEnum):
    """Where a model comes from: a callable makes it, or it was saved."""

    CALLABLE = "callable"
    KERAS_FILE = "Keras file"
    SAVED_MODEL = "SavedModel folder"


def kind_of(target: str) -> TargetKind | None:
    """The kind that a target names; None where it names none, such as FILE.py alone."""
    place, colon, name = target.rpartition(":")
    suffix = PurePath(target).suffix.lower()
    if colon and place and name.isidentifier():
        return TargetKind.CALLABLE
    if suffix in KERAS_SUFFIXES:
        return TargetKind.KERAS_FILE
    return None if suffix == ".py" or not target.strip() else TargetKind.SAVED_MODEL


def is_in_file(target: str) -> bool:
    """Whether a target is a callable of a Python file, FILE.py:CALLABLE."""
    place = target.rpartition(":")[0]
    return kind_of(target) is TargetKind.CALLABLE and PurePath(place).suffix == ".py"


def short_name(target: str) -> str:
    """What a model is called in lists: its callable, or its file without folders and suffix."""
    if kind_of(target) is TargetKind.CALLABLE:
        return target.rpartition(":")[2]
    path = PurePath(target)
    stem = path.stem if kind_of(target) is TargetKind.KERAS_FILE else path.name
    return stem or "model"
