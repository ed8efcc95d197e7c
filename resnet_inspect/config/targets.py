"""Recognizes the kind of a user's model by the text of TARGET."""

from __future__ import annotations

from enum import StrEnum
from pathlib import PurePath

KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")
SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
TARGETS = "FILE.py:CALLABLE, package.module:CALLABLE, a .keras or .h5 file, or a SavedModel folder"

# Model files that cannot be traced, by the end of their names: content, and what to trace instead.
BUILD_IT = "a function that builds the model, FILE.py:CALLABLE"
LOAD_WEIGHTS = f"{BUILD_IT}; it may load the weights"
OTHER_FILES = {
    ".tflite": ("a TensorFlow Lite model", "the model it was converted from"),
    ".onnx": ("an ONNX model", "the SavedModel or Keras model it was exported from"),
    ".pb": ("a frozen graph: constants instead of variables", "the model before freezing"),
    ".pbtxt": ("a graph as text, without values of variables", "the model it was exported from"),
    ".json": ("the architecture of a Keras model, without weights", BUILD_IT),
    ".weights.h5": ("weights without layers", LOAD_WEIGHTS),
    ".index": ("a part of a checkpoint: weights without layers", LOAD_WEIGHTS),
    ".data-00000-of-00001": ("a part of a checkpoint: weights without layers", LOAD_WEIGHTS),
    ".ckpt": ("a checkpoint: weights without layers", LOAD_WEIGHTS),
    ".meta": ("the graph of a TensorFlow 1 checkpoint", f"{BUILD_IT}, with --tf1"),
    ".npz": ("arrays, such as weights or data", LOAD_WEIGHTS),
    ".safetensors": ("weights without layers", LOAD_WEIGHTS),
    ".pt": ("a PyTorch file", "a TensorFlow or Keras model"),
    ".pth": ("a PyTorch file", "a TensorFlow or Keras model"),
    ".mlmodel": ("a Core ML model", "the model it was converted from"),
}


class TargetKind(StrEnum):
    """The kind of a TARGET."""

    CALLABLE = "callable"
    KERAS_FILE = "Keras file"
    SAVED_MODEL = "SavedModel folder"


def kind_of(target: str) -> TargetKind | None:
    """The kind of a target; None for a text that is no target, such as FILE.py alone."""
    place, colon, name = target.rpartition(":")
    suffix = PurePath(target).suffix.lower()
    if colon and place and name.isidentifier():
        return TargetKind.CALLABLE
    if suffix in KERAS_SUFFIXES:
        return TargetKind.KERAS_FILE
    return None if suffix == ".py" or not target.strip() else TargetKind.SAVED_MODEL


def other_file(target: str) -> tuple[str, str] | None:
    """The content of a file that cannot be traced and what to trace instead; None for others."""
    name = PurePath(target).name.lower()
    if name in SAVED_MODEL_FILES:
        return None
    return next((texts for end, texts in OTHER_FILES.items() if name.endswith(end)), None)


def is_in_file(target: str) -> bool:
    """Whether a target is a callable in a Python file, FILE.py:CALLABLE."""
    place = target.rpartition(":")[0]
    return kind_of(target) is TargetKind.CALLABLE and PurePath(place).suffix == ".py"


def short_name(target: str) -> str:
    """The name of a model in lists: its callable, or its file without folders and suffix."""
    if kind_of(target) is TargetKind.CALLABLE:
        return target.rpartition(":")[2]
    path = PurePath(target)
    path = path.parent if path.name in SAVED_MODEL_FILES else path
    stem = path.stem if kind_of(target) is TargetKind.KERAS_FILE else path.name
    return stem or "model"
