"""Which numbers in layers of Keras are arguments of these layers, and which argument each is."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence

import keras

from resnet_inspect.graph.lineage import Formula

# Constants have no axes of size 1 that Keras adds.
EXACT = frozenset(
    (
        *("Reshape", "RepeatVector", "BroadcastTo", "Tile", "Repeat", "Pad"),
        *(f"{kind}{rank}D" for kind in ("ZeroPadding", "Cropping") for rank in "123"),
    )
)
# Layers and operations whose constants contain their arguments. Constants of other layers, such as
# the output size of a transposed convolution, are computed.
WITH_ARGUMENTS = EXACT | frozenset(
    (
        *("MultiHeadAttention", "GroupedQueryAttention", "GroupNormalization"),
        *("LSTM", "GRU", "SimpleRNN", "Bidirectional"),
        *("UpSampling1D", "UpSampling2D", "UpSampling3D"),
        *("Resizing", "CenterCrop", "RandomCrop", "CategoryEncoding", "OneHot"),
    )
)


def is_argument(kind: str, value: Sequence[int], element: int) -> bool:
    """Return whether an element of a constant may be an argument of its layer.

    `kind` is the class of the layer. Keras adds axes of size 1 in most layers. The last element of
    a GroupNormalization is the number of channels in a group.
    """
    if kind not in WITH_ARGUMENTS or (value[element] == 1 and kind not in EXACT):
        return False
    return kind != "GroupNormalization" or element < len(value) - 1


def argument_of(
    formulas: Sequence[Formula], kind: str, sizes: Sequence[int | None], axis: int
) -> tuple[Formula, ...]:
    """Return the arguments of a layer that may give one of `sizes`, which are equal to the size.

    Equal sizes have their arguments in the same order. A convolution is given its filters first,
    which are the last axis of its kernel.
    """
    if len(formulas) < 2:
        return tuple(formulas)
    if "Conv" in kind and len(sizes) > 2:
        filters = len(sizes) - (2 if "Transpose" in kind else 1)
        return (formulas[0] if axis == filters else formulas[1],)
    before = sum(size == sizes[axis] for size in sizes[:axis])
    return (formulas[min(before, len(formulas) - 1)],)


def defaults_of(kind: str) -> Iterator[tuple[int, str, str, tuple[int, ...]]]:
    """Yield the arguments of a layer of Keras that have integers as defaults.

    Each has its place among the arguments, its name, its text and the integers.
    """
    parameters = inspect.signature(getattr(keras.layers, kind, object)).parameters
    for place, (name, parameter) in enumerate(parameters.items()):
        numbers = tuple(_integers(parameter.default))
        if numbers:
            yield place, name, f"{name}={parameter.default}", numbers


def _integers(value: object) -> Iterator[int]:
    if type(value) is int:
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from _integers(part)
