"""Loads models that Keras saved, `.keras` and `.h5`, in safe mode: no code of the file's is run.

Files that Keras 2 wrote and Keras 3 cannot read are loaded by the package tf_keras.
"""

from __future__ import annotations

import importlib.util
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from resnet_inspect.errors import UsageError

# What Keras says of a file that holds Python code, such as a Lambda's.
UNSAFE = ("safe_mode", "unsafe_deserialization", "arbitrary code")
UNKNOWN_CLASS = ("Could not locate", "Unknown layer", "Unknown object")
BUILD_IT = "name the function that builds it instead, FILE.py:CALLABLE; it may load the weights"
LARGEST_CONFIG = 64 * 2**20  # bytes of JSON


class FileFacts(NamedTuple):
    """What a file says of itself before it is loaded; empty and None where it does not."""

    keras: str
    config: Any


def load(target: str) -> Any:
    """The model in a file, not compiled; raises UsageError for whatever keeps it from loading."""
    file = Path(target)
    if not file.is_file():
        raise UsageError(
            "the file does not exist",
            where=f"target {target}",
            expected="a model that Keras saved",
            got=target,
            fix="check the path; it is taken from the current folder",
        )
    import keras

    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        facts = _facts(file)
        if facts.config is None or not facts.keras.startswith("2."):
            raise _refusal(target, error) from error
        return _loaded_by_keras_2(file, target, facts, error)


def _loaded_by_keras_2(file: Path, target: str, facts: FileFacts, error: Exception) -> Any:
    if importlib.util.find_spec("tf_keras") is None:
        raise UsageError(
            f"the file was saved by Keras {facts.keras}, and Keras 3 cannot read it",
            where=f"target {target}",
            expected="a file that Keras 3 reads, or the package tf_keras, which reads older ones",
            got=_shortened(" ".join(str(error).split())),
            fix="pip install 'resnet-inspect[tf1]'",
        ) from error
    # tf_keras unpacks the code of a Lambda from .h5 files whatever safe mode says.
    if any(kind == "Lambda" for kind in _classes(facts.config)):
        raise _unsafe(target, "a Lambda layer") from error
    import tf_keras

    try:
        return tf_keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as again:
        raise _refusal(target, again) from again


def _facts(file: Path) -> FileFacts:
    """The version of Keras that wrote a file, and the model's configuration."""
    try:
        if zipfile.is_zipfile(file):
            return _of_archive(file)
        import h5py

        with h5py.File(file, "r") as held:
            config = held.attrs.get("model_config")
            version = str(held.attrs.get("keras_version", ""))
            return FileFacts(version, None if config is None else json.loads(config))
    except (OSError, ValueError, KeyError, RecursionError):
        return FileFacts("", None)


def _of_archive(file: Path) -> FileFacts:
    with zipfile.ZipFile(file) as archive:
        texts = []
        for name in ("metadata.json", "config.json"):
            if archive.getinfo(name).file_size > LARGEST_CONFIG:
                return FileFacts("", None)
            texts.append(json.loads(archive.read(name)))
    return FileFacts(str(texts[0].get("keras_version", "")), texts[1])


def _classes(config: Any) -> Iterator[str]:
    """The class names in a configuration, however deep."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            yield str(part.get("class_name", ""))
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _refusal(target: str, error: Exception) -> UsageError:
    text = " ".join(str(error).split())
    if any(sign in text for sign in UNSAFE):
        return _unsafe(target, _shortened(text))
    if any(sign in text for sign in UNKNOWN_CLASS):
        return UsageError(
            "the file needs classes that only its author's code has",
            where=f"target {target}",
            expected="a model of Keras' own layers",
            got=_shortened(text),
            fix=BUILD_IT,
        )
    if "No model config found" in text:
        return UsageError(
            "the file has weights alone, without layers",
            where=f"target {target}",
            expected="a .keras or .h5 file that model.save wrote",
            got=_shortened(text),
            fix=BUILD_IT,
        )
    return UsageError(
        "the file cannot be loaded as a Keras model",
        where=f"target {target}",
        expected="a .keras or .h5 file that model.save wrote, whole",
        got=f"{type(error).__name__}: {_shortened(text)}",
        fix="save it again; of a file with weights alone " + BUILD_IT,
    )


def _unsafe(target: str, got: str) -> UsageError:
    return UsageError(
        "the file holds Python code, which is not run",
        where=f"target {target}",
        expected="a model without Lambda layers of its own code: Keras' safe mode stays on",
        got=got,
        fix=BUILD_IT,
    )


def _shortened(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
