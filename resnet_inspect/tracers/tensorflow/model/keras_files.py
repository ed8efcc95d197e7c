"""Loads saved Keras models (`.keras`, `.h5`) in safe mode, which runs no code from the file.

Files that Keras 2 wrote and Keras 3 cannot read are loaded with the package tf_keras.
"""

from __future__ import annotations

import importlib.util
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from resnet_inspect.errors import UsageError

# Parts of Keras' messages about a file with Python code, such as that of a Lambda layer.
UNSAFE = ("safe_mode", "unsafe_deserialization", "arbitrary code")
UNKNOWN_CLASS = ("Could not locate", "Unknown layer", "Unknown object")
BUILD_IT = "trace the function that builds the model, FILE.py:CALLABLE, which may load the weights"
MAX_CONFIG = 64 * 2**20  # bytes of JSON


class FileFacts(NamedTuple):
    """The Keras version and the model config in a file; empty and None if missing."""

    keras: str
    config: Any


def load(target: str) -> Any:
    """Return the model in a file, not compiled. Raises UsageError if it cannot be loaded."""
    file = Path(target)
    if not file.is_file():
        raise UsageError(
            "the file does not exist",
            where=f"target {target}",
            expected="a saved Keras model",
            got=target,
            fix="check the path, which is relative to the current folder",
        )
    import keras

    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        facts = _facts(file)
        if facts.config is None or not facts.keras.startswith("2."):
            raise _load_error(target, error) from error
        return _loaded_by_keras_2(file, target, facts, error)


def _loaded_by_keras_2(file: Path, target: str, facts: FileFacts, error: Exception) -> Any:
    if importlib.util.find_spec("tf_keras") is None:
        raise UsageError(
            f"the file was saved by Keras {facts.keras}, and Keras 3 cannot read it",
            where=f"target {target}",
            expected="a file that Keras 3 can read, or the package tf_keras for older files",
            got=_shortened(" ".join(str(error).split())),
            fix="pip install 'resnet-inspect[tf1]'",
        ) from error
    # tf_keras loads the code of a Lambda layer from .h5 files even in safe mode.
    if any(kind == "Lambda" for kind in _classes(facts.config)):
        raise _unsafe_error(target, "a Lambda layer") from error
    import tf_keras

    try:
        return tf_keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as again:
        raise _load_error(target, again) from again


def _facts(file: Path) -> FileFacts:
    """Read the version of Keras that wrote a file, and the model's config."""
    try:
        if zipfile.is_zipfile(file):
            return _of_archive(file)
        import h5py

        with h5py.File(file, "r") as archive:
            config = archive.attrs.get("model_config")
            version = str(archive.attrs.get("keras_version", ""))
            return FileFacts(version, None if config is None else json.loads(config))
    except (OSError, ValueError, KeyError, RecursionError):
        return FileFacts("", None)


def _of_archive(file: Path) -> FileFacts:
    with zipfile.ZipFile(file) as archive:
        texts = []
        for name in ("metadata.json", "config.json"):
            if archive.getinfo(name).file_size > MAX_CONFIG:
                return FileFacts("", None)
            texts.append(json.loads(archive.read(name)))
    return FileFacts(str(texts[0].get("keras_version", "")), texts[1])


def _classes(config: Any) -> Iterator[str]:
    """Yield all class names in a config, at any depth."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield str(part.get("class_name", ""))
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _load_error(target: str, error: Exception) -> UsageError:
    text = " ".join(str(error).split())
    if any(sign in text for sign in UNSAFE):
        return _unsafe_error(target, _shortened(text))
    if any(sign in text for sign in UNKNOWN_CLASS):
        return UsageError(
            "the file needs custom classes, which are not in the file",
            where=f"target {target}",
            expected="a model of built-in Keras layers",
            got=_shortened(text),
            fix=BUILD_IT,
        )
    if "No model config found" in text:
        return UsageError(
            "the file has only weights, without layers",
            where=f"target {target}",
            expected="a .keras or .h5 file that model.save wrote",
            got=_shortened(text),
            fix=BUILD_IT,
        )
    return UsageError(
        "the file cannot be loaded as a Keras model",
        where=f"target {target}",
        expected="a complete .keras or .h5 file that model.save wrote",
        got=f"{type(error).__name__}: {_shortened(text)}",
        fix="save the model again. If the file has only weights, " + BUILD_IT,
    )


def _unsafe_error(target: str, got: str) -> UsageError:
    return UsageError(
        "the file contains Python code, which is not run",
        where=f"target {target}",
        expected="a model without Lambda layers, because Keras' safe mode stays on",
        got=got,
        fix=BUILD_IT,
    )


def _shortened(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
