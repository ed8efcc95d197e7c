"""Describes the inputs of a model as text: names, sizes, types and meanings of axes.

An example: `images=8,32,32,3:float32:batch,height,width,channel; labels=8:int64`. Only the sizes
are required. `?` is an unknown size. A final `;` is accepted.
"""

from __future__ import annotations

import math

import msgspec

MOST_ELEMENTS = 2**31 - 1
MEANINGS = {
    1: ("batch",),
    2: ("batch", "channel"),
    4: ("batch", "height", "width", "channel"),
}
TYPES = (
    *("float16", "bfloat16", "float32", "float64"),
    *("int8", "int16", "int32", "int64", "uint8", "bool", "string"),
)


def usual_axes(rank: int | None, dtype: str) -> tuple[str, ...]:
    """Return the usual meanings of the axes of an input; empty for an unusual rank.

    The second axis of whole numbers and texts is not a channel: most are the tokens of sentences.
    """
    meanings = MEANINGS.get(rank or 0, ())
    if rank == 2 and not dtype.startswith(("float", "bfloat")):
        return ("batch", "")
    return meanings


class InputSpec(msgspec.Struct, frozen=True):
    """An input of a model. An unknown size is None, an unknown meaning of an axis is ""."""

    name: str
    sizes: tuple[int | None, ...]
    dtype: str = "float32"
    axes: tuple[str, ...] = ()


def parse_inputs(text: str) -> tuple[InputSpec, ...]:
    """The inputs that `text` describes. Raises ValueError with the reason."""
    parts = [part.strip() for part in text.strip().removesuffix(";").split(";")]
    if len(parts) > 1 and "" in parts:
        raise ValueError("an input is missing between two ;")
    specs = tuple(_parse(part, number) for number, part in enumerate(parts))
    if len({spec.name for spec in specs}) < len(specs):
        raise ValueError("two inputs have the same name")
    return specs


def spell_inputs(specs: tuple[InputSpec, ...]) -> str:
    """The text that `parse_inputs` reads as these inputs."""
    return "; ".join(_spell(spec) for spec in specs)


def _spell(spec: InputSpec) -> str:
    sizes = ",".join("?" if size is None else str(size) for size in spec.sizes)
    return f"{spec.name}={sizes}:{spec.dtype}" + (f":{','.join(spec.axes)}" * any(spec.axes))


def _parse(text: str, number: int) -> InputSpec:
    name, named, rest = text.rpartition("=")
    sizes, *more = rest.split(":")
    dtype = more[0].strip() if more and more[0].strip() else "float32"
    shape = tuple(_size(size.strip()) for size in sizes.split(",")) if sizes.strip() else ()
    axes = tuple(axis.strip() for axis in more[1].split(",")) if len(more) > 1 else ()
    if len(more) > 2:
        raise ValueError(f"{text!r} has more parts than NAME=SIZES:TYPE:MEANINGS")
    if dtype not in TYPES:
        raise ValueError(f"unknown type {dtype!r}: use one of {', '.join(TYPES)}")
    if math.prod(size or 1 for size in shape) > MOST_ELEMENTS:
        raise ValueError(f"{text!r} has more than {MOST_ELEMENTS} elements")
    if axes and len(axes) != len(shape):
        raise ValueError(f"{text!r} has {len(shape)} sizes and {len(axes)} meanings")
    identifier = name.strip() if named else f"input{number}"
    if not identifier.isidentifier():
        raise ValueError(f"{identifier!r} is not a valid name of an input")
    return InputSpec(identifier, shape, dtype, axes or usual_axes(len(shape), dtype))


def _size(text: str) -> int | None:
    if text == "?":
        return None
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} is not a size: use an integer, or ? for an unknown size")
    return int(text)
