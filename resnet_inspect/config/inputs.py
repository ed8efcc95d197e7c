"""What a model of the user's own is fed: names, sizes, types and meanings of its inputs, as text.

`images=8,32,32,3:float32:batch,height,width,channel; labels=8:int64`: everything but the sizes may
be left out. A size of `?` is unknown; a `;` may stand at the end.
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


class InputSpec(msgspec.Struct, frozen=True):
    """One input: its sizes (None for an unknown one), its type, what its axes mean ("" unknown)."""

    name: str
    sizes: tuple[int | None, ...]
    dtype: str = "float32"
    axes: tuple[str, ...] = ()


def parse_inputs(text: str) -> tuple[InputSpec, ...]:
    """The inputs that `text` describes; raises ValueError with what is wrong."""
    parts = [part.strip() for part in text.strip().removesuffix(";").split(";")]
    if len(parts) > 1 and "" in parts:
        raise ValueError("nothing stands between two ;")
    specs = tuple(_parse(part, place) for place, part in enumerate(parts))
    if len({spec.name for spec in specs}) < len(specs):
        raise ValueError("two inputs have the same name")
    return specs


def spell_inputs(specs: tuple[InputSpec, ...]) -> str:
    """The text that `parse_inputs` reads as these inputs."""
    return "; ".join(_spell(spec) for spec in specs)


def _spell(spec: InputSpec) -> str:
    sizes = ",".join("?" if size is None else str(size) for size in spec.sizes)
    return f"{spec.name}={sizes}:{spec.dtype}" + (f":{','.join(spec.axes)}" * any(spec.axes))


def _parse(text: str, place: int) -> InputSpec:
    name, given, rest = text.rpartition("=")
    sizes, *more = rest.split(":")
    dtype = more[0].strip() if more and more[0].strip() else "float32"
    numbers = tuple(_size(one.strip()) for one in sizes.split(",")) if sizes.strip() else ()
    axes = tuple(one.strip() for one in more[1].split(",")) if len(more) > 1 else ()
    if len(more) > 2:
        raise ValueError(f"{text!r} has more parts than NAME=SIZES:TYPE:MEANINGS")
    if dtype not in TYPES:
        raise ValueError(f"{dtype!r} is no type: one of {', '.join(TYPES)}")
    if math.prod(size or 1 for size in numbers) > MOST_ELEMENTS:
        raise ValueError(f"{text!r} has more than {MOST_ELEMENTS} elements")
    if axes and len(axes) != len(numbers):
        raise ValueError(f"{text!r} has {len(numbers)} sizes and {len(axes)} meanings")
    named = name.strip() if given else f"input{place}"
    if not named.isidentifier():
        raise ValueError(f"{named!r} is no name for an input")
    return InputSpec(named, numbers, dtype, axes or MEANINGS.get(len(numbers), ()))


def _size(text: str) -> int | None:
    if text == "?":
        return None
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text!r} is no size: a whole number, or ? for an unknown one")
    return int(text)
