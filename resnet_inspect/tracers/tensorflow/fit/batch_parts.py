"""Names the input tensors of a step.

The names come from a model's inputs and outputs, or from the parameters of a function.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, NamedTuple

import keras
import tensorflow as tf

Tensor = Any
# Names that Keras gives to inputs without a name.
AUTOMATIC = re.compile(r"(keras_tensor|input_layer|input)(_\d+)?(CLONE)?")


class Role(Enum):
    """The purpose of a part of a batch; ARGUMENT is an argument of unknown purpose."""

    INPUT = "input"
    LABEL = "label"
    WEIGHT = "weight"
    ARGUMENT = "argument"


class BatchPart(NamedTuple):
    """One tensor of a batch."""

    name: str
    tensor: Tensor
    role: Role


def parts_of_fit(model: Any, data: Any) -> Iterator[BatchPart]:
    """The parts of the argument of `train_step`: x, (x, y) or (x, y, sample_weight).

    Inputs are named by `keras.Input` or by their keys, otherwise `x`. A single label is `y`;
    several labels are `y/KEY` or `y/OUTPUT`.
    """
    parts = data if isinstance(data, tuple) else (data,)
    outputs = list(getattr(model, "output_names", None) or ())
    arguments = (
        ("x", Role.INPUT, _input_names(model)),
        ("y", Role.LABEL, outputs),
        ("sample_weight", Role.WEIGHT, outputs),
    )
    taken: set[str] = set()
    for (argument, role, known), part in zip(arguments, parts, strict=False):
        flat = keras.tree.flatten_with_path(part)
        for place, (path, tensor) in enumerate(flat):
            if not isinstance(tensor, tf.Tensor):
                continue
            key = _key(path, known if len(known) == len(flat) else (), place)
            if role is Role.INPUT and key and not key.isdigit() and key not in taken:
                name = key
            elif key and len(flat) > 1:
                name = f"{argument}/{key}"
            else:
                name = argument
            taken.add(name)
            yield BatchPart(name, tensor, role)


def _key(path: tuple[Any, ...], known: Sequence[str | None], place: int) -> str:
    """The key of a part, else the name of the input or output at `place`, else its index."""
    if any(isinstance(step, str) for step in path):
        return "/".join(map(str, path))
    return (known[place] if known else None) or "/".join(map(str, path))


def _input_names(model: Any) -> list[str | None]:
    """The author's name of each input of a model; None for an automatic name."""
    try:
        tensors = list(getattr(model, "inputs", None) or ())
    except (AttributeError, ValueError):
        return []
    return [None if AUTOMATIC.fullmatch(tensor.name) else tensor.name for tensor in tensors]


def parts_of_call(
    signature: inspect.Signature | None, args: Any, named: Any
) -> Iterator[BatchPart]:
    """The tensors in the arguments of a call, named by the parameters of the function."""
    try:
        bound = signature.bind(*args, **named).arguments if signature is not None else {}
    except TypeError:
        bound = {}
    for name, value in (bound or {f"input{k}": v for k, v in enumerate(args)} | named).items():
        for path, tensor in keras.tree.flatten_with_path(value):
            if isinstance(tensor, tf.Tensor):
                yield BatchPart("/".join(map(str, (name, *path))), tensor, Role.ARGUMENT)
