"""Loads models that Keras saved, `.keras` and `.h5`, in safe mode: no code of the file's is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnet_inspect.errors import UsageError

# What Keras says of a file that holds Python code, such as a Lambda's.
UNSAFE = ("safe_mode", "unsafe_deserialization", "arbitrary code")
UNKNOWN_CLASS = ("Could not locate", "Unknown layer", "Unknown object")
BUILD_IT = "name the function that builds it instead, FILE.py:CALLABLE; it may load the weights"


def load(target: str) -> Any:
    """The model in a file, not compiled; raises UsageError for whatever keeps it from loading."""
    file = Path(target)
    if not file.is_file():
        raise UsageError(
            "there is no such file",
            where=f"target {target}",
            expected="a model that Keras saved",
            got=target,
            fix="check the path; it is taken from the current folder",
        )
    import keras

    try:
        return keras.models.load_model(file, compile=False, safe_mode=True)
    except Exception as error:
        raise _refusal(target, error) from error


def _refusal(target: str, error: Exception) -> UsageError:
    text = " ".join(str(error).split())
    if any(sign in text for sign in UNSAFE):
        return UsageError(
            "the file holds Python code, which is not run",
            where=f"target {target}",
            expected="a model without Lambda layers of its own code: Keras' safe mode stays on",
            got=_shortened(text),
            fix=BUILD_IT,
        )
    if any(sign in text for sign in UNKNOWN_CLASS):
        return UsageError(
            "the file needs classes that only its author's code has",
            where=f"target {target}",
            expected="a model of Keras' own layers",
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


def _shortened(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
