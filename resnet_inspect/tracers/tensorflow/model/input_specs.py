"""Converts a model's signature into input descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import tensorflow as tf

from resnet_inspect.config.inputs import TYPES, InputSpec, spell_inputs, usual_axes
from resnet_inspect.data import RandomInputs
from resnet_inspect.errors import ConfigError, UsageError
from resnet_inspect.graph import Note


def flat_specs(signature: Any, names: Sequence[str]) -> tuple[InputSpec, ...]:
    """Return an input for each tensor of a signature, which may be nested.

    `names` are the argument names, for tensors without a name. Raises UsageError for inputs that
    cannot be filled with random numbers: strings, ragged and sparse tensors, unknown ranks.
    """
    flat = tf.nest.flatten(signature)
    default_names = names if len(names) == len(flat) else input_names(len(flat))
    inputs: list[InputSpec] = []
    for spec, default in zip(flat, default_names, strict=True):
        name = _identifier(getattr(spec, "name", None) or default)
        taken = {other.name for other in inputs}
        names_to_try = (name, *(f"{name}_{number}" for number in range(1, len(flat) + 1)))
        inputs.append(_input(spec, next(free for free in names_to_try if free not in taken)))
    return tuple(inputs)


def input_names(number: int) -> list[str]:
    """Return default names for `number` inputs."""
    return [f"input{place}" for place in range(number)]


def _input(spec: Any, name: str) -> InputSpec:
    kind = type(spec).__name__.removesuffix("Spec")
    if not isinstance(spec, tf.TensorSpec):
        raise _rejected(name, f"{kind}, {spec}")
    if spec.dtype.name not in TYPES:
        raise _rejected(name, f"{spec.dtype.name}, {spec}")
    if spec.shape.rank is None:
        raise _rejected(name, "a tensor of unknown rank")
    sizes = tuple(spec.shape.as_list())
    return InputSpec(name, sizes, spec.dtype.name, usual_axes(len(sizes), spec.dtype.name))


def _rejected(name: str, got: str) -> UsageError:
    return UsageError(
        f"the input '{name}' cannot be filled with random numbers",
        where="the input signature of the model",
        expected="a tensor of " + ", ".join(TYPES) + " with a known rank",
        got=got,
        fix="describe other inputs that the model accepts with --input, or trace a function that "
        "computes this input from numbers",
    )


def _identifier(name: str) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    return plain if plain.isidentifier() else f"input_{plain}"


def batched(specs: Sequence[InputSpec], size: int, target: str) -> tuple[InputSpec, ...]:
    """Return the inputs of a batch of `size` examples: unknown first axes get this size.

    Raises ConfigError if no first axis is unknown and the batch has another size.
    """
    first = {spec.sizes[0] for spec in specs if spec.sizes}
    if None not in first and size not in first:
        raise ConfigError(
            "the inputs have another batch size",
            where=f"target {target}, setting 'batch_size'",
            expected="inputs with ? as the size of the first axis, such as images=?,32,32,3"
            if first
            else "inputs with a batch axis",
            got=f"--batch-size {size} and the inputs {spell_inputs(tuple(specs))}",
            fix="leave out --batch-size, or describe inputs that the model accepts with --input",
        )
    return tuple(
        msgspec.structs.replace(spec, sizes=(size, *spec.sizes[1:]))
        if spec.sizes and spec.sizes[0] is None
        else spec
        for spec in specs
    )


def default_size_notes(inputs: RandomInputs) -> Iterator[Note]:
    """Yield a note on the sizes that replace unknown sizes of the inputs, if there are any."""
    sizes = ", ".join(inputs.chosen())
    if sizes:
        yield Note("inputs", f"unknown sizes set by the program: {sizes}. Change them with --input")


def unknown_inputs(target: str, takes: str) -> ConfigError:
    """Return the error for a model without input shapes; `takes` is a function's signature."""
    return ConfigError(
        "the shapes of the model's inputs are unknown",
        where=f"target {target}, setting 'input'",
        expected="inputs such as images=8,32,32,3:float32; labels=8:int64",
        got=f"none, for {takes}" if takes else "none",
        fix="describe the inputs with --input, and random numbers of these shapes are used"
        + ("" if takes else ". Or call the model once on example data before you return it")
        + (". If the function returns the model, give its arguments with --set" if takes else ""),
    )
