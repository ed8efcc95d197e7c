"""Names the tensors that a step is given: by the names of a model's inputs and outputs, or by the
parameters of a function.
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
# Names that Keras gives to inputs whose author gave none.
AUTOMATIC = re.compile(r"(keras_tensor|input_layer|input)(_\d+)?(CLONE)?")


class Role(Enum):
    """What a part of a batch is for; ARGUMENT where only the function's author knows."""

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
    """The parts of what Keras hands to `train_step`: (x, y, sample_weight), or the first of them.

    Inputs have the names of `keras.Input` or of their keys, else `x`. A label is `y`; of several
    labels each is `y/` and its key or the name of its output.
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
            own = _own_name(path, known if len(known) == len(flat) else (), place)
            if role is Role.INPUT and own and not own.isdigit() and own not in taken:
                name = own
            elif own and len(flat) > 1:
                name = f"{argument}/{own}"
            else:
                name = argument
            taken.add(name)
            yield BatchPart(name, tensor, role)


def _own_name(path: tuple[Any, ...], known: Sequence[str | None], place: int) -> str:
    """The key of a part, else the name of the input or output in its place, else that place."""
    if any(isinstance(step, str) for step in path):
        return "/".join(map(str, path))
    return (known[place] if known else None) or "/".join(map(str, path))


def _input_names(model: Any) -> list[str | None]:
    """For each input of a model the name that its author gave it, None where Keras did."""
    try:
        tensors = list(getattr(model, "inputs", None) or ())
    except (AttributeError, ValueError):
        return []
    return [None if AUTOMATIC.fullmatch(one.name) else one.name for one in tensors]


def parts_of_call(
    signature: inspect.Signature | None, args: Any, named: Any
) -> Iterator[BatchPart]:
    """The tensors in the arguments of a call, by the names of the function's parameters."""
    try:
        given = signature.bind(*args, **named).arguments if signature is not None else {}
    except TypeError:
        given = {}
    for name, value in (given or {f"input{k}": v for k, v in enumerate(args)} | named).items():
        for path, tensor in keras.tree.flatten_with_path(value):
            if isinstance(tensor, tf.Tensor):
                yield BatchPart("/".join(map(str, (name, *path))), tensor, Role.ARGUMENT)
