"""Loads a TensorFlow 1 checkpoint of the network by variable names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf

from resnet_inspect.errors import CheckpointError
from resnet_inspect.graph import spell_shape


def restore(path: str, variables: Mapping[str, tf.Variable], required: frozenset[str]) -> list[str]:
    """Assign the saved values to `variables`, by name; returns the names not in the checkpoint.

    Raises CheckpointError if the checkpoint cannot be read, a name in `required` is missing, or a
    shape differs. No variable is changed in these cases.
    """
    reader = _open(path)
    shapes = reader.get_variable_to_shape_map()
    missing = [name for name in variables if name not in shapes]
    needed = [name for name in missing if name in required]
    if needed:
        examples = ", ".join(
            f"{name} {spell_shape(tuple(variables[name].shape.as_list()))}" for name in needed[:3]
        )
        more = f" and {len(needed) - 3} more" if len(needed) > 3 else ""
        raise CheckpointError(
            f"the checkpoint does not contain {len(needed)} of the network's variables",
            where=path,
            expected=examples + more,
            got=f"{len(shapes)} other variables, such as {', '.join(sorted(shapes)[:3])}",
            fix="check --n, --ver and the names in the checkpoint",
        )
    for name, variable in variables.items():
        shape, saved_shape = tuple(variable.shape.as_list()), tuple(shapes.get(name, ()))
        if name in shapes and shape != saved_shape:
            raise CheckpointError(
                f"the variable '{name}' has another shape in the checkpoint",
                where=path,
                expected=f"{spell_shape(shape)} as in the network",
                got=f"{spell_shape(saved_shape)} in the checkpoint",
                fix="check --n, --ver, --filters, --classes and --bn-axis",
            )
    with _readable(path):
        values = {name: reader.get_tensor(name) for name in variables if name in shapes}
    for name, value in values.items():
        variables[name].assign(tf.cast(value, variables[name].dtype))
    return missing


def _open(path: str) -> Any:
    with _readable(path):
        reader = tf.train.load_checkpoint(str(Path(path).expanduser()))
        if not reader.get_variable_to_shape_map():
            raise ValueError("the file contains no variables")
        return reader


@contextmanager
def _readable(path: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, IndexError, RuntimeError, tf.errors.OpError) as error:
        raise CheckpointError(
            "the checkpoint cannot be read",
            where=path,
            expected="the prefix passed to tf.train.Saver.save, or a folder with checkpoints",
            got=str(error).splitlines()[0] if str(error) else type(error).__name__,
            fix="give the path without .index or .data-00000-of-00001, and copy all files",
        ) from error
