"""What a model says of its inputs, as the program's own descriptions of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from resnet_inspect.config.inputs import MEANINGS, TYPES, InputSpec
from resnet_inspect.errors import ConfigError, UsageError


def flat_specs(signature: Any, names: Sequence[str]) -> tuple[InputSpec, ...]:
    """An input for each tensor of a signature, which may be nested.

    `names` are those of its arguments, for tensors that have none. Raises UsageError for what no
    random numbers can be drawn for: texts, ragged and sparse tensors, an unknown number of axes.
    """
    flat = tf.nest.flatten(signature)
    by_place = names if len(names) == len(flat) else input_names(len(flat))
    found: list[InputSpec] = []
    for spec, name in zip(flat, by_place, strict=True):
        wanted = _identifier(getattr(spec, "name", None) or name)
        taken = {one.name for one in found}
        free = (f"{wanted}_{number}" for number in range(1, len(flat) + 1))
        unique = wanted if wanted not in taken else next(one for one in free if one not in taken)
        found.append(_input(spec, unique))
    return tuple(found)


def input_names(number: int) -> list[str]:
    """Names for inputs that have none."""
    return [f"input{place}" for place in range(number)]


def _input(spec: Any, name: str) -> InputSpec:
    kind = type(spec).__name__.removesuffix("Spec")
    if not isinstance(spec, tf.TensorSpec):
        raise _refused(name, f"{kind}, {spec}")
    if spec.dtype.name not in TYPES:
        raise _refused(name, f"{spec.dtype.name}, {spec}")
    if spec.shape.rank is None:
        raise _refused(name, "a tensor of any number of axes")
    sizes = tuple(spec.shape.as_list())
    return InputSpec(name, sizes, spec.dtype.name, _meanings(sizes))


def _meanings(sizes: tuple[int | None, ...]) -> tuple[str, ...]:
    return MEANINGS.get(len(sizes), ())


def _refused(name: str, got: str) -> UsageError:
    return UsageError(
        f"no random numbers can be drawn for the input '{name}'",
        where="what the model says of its inputs",
        expected="a tensor of " + ", ".join(TYPES) + " with a known number of axes",
        got=got,
        fix="describe inputs that it takes too with --input, or name a function that makes it from "
        "numbers",
    )


def _identifier(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if plain.isidentifier() else f"input_{plain}"


def unknown_inputs(target: str, takes: str) -> ConfigError:
    """The refusal of a model that does not say what it takes; a function takes `takes`."""
    return ConfigError(
        "the model does not say what its inputs are",
        where=f"target {target}, setting 'input'",
        expected="inputs such as images=8,32,32,3:float32; labels=8:int64",
        got=f"none, for {takes}" if takes else "none",
        fix="add --input; random numbers of those shapes are fed"
        + (" (or --set KEY=VALUE for all that it needs, if it makes the model)" if takes else ""),
    )
