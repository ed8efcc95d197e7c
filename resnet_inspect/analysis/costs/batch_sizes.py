"""Sizes that are multiples of an unknown batch, and calculations with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple


class Rows(NamedTuple):
    """A size that is a multiple of the unknown batch."""

    per_example: Fraction


Size = int | Rows | None


class Sizes(NamedTuple):
    """What is known about the sizes of a tensor that TensorFlow does not know.

    Attributes:
        open: those sizes by axis.
        origins: all such sizes of the tensors from which this one was computed. They are the only
            knowledge about lists of tensors and about shapes as tensors.
    """

    open: dict[int, Size]
    origins: frozenset[Size]


NO_SIZES = Sizes({}, frozenset())


def completed(shape: Sequence[int | None], sizes: Sizes) -> tuple[Size, ...]:
    """Return a shape with its open sizes."""
    return tuple(sizes.open.get(axis) if size is None else size for axis, size in enumerate(shape))


def product(sizes: Iterable[Size]) -> Size:
    """Return the product of sizes; None if it is unknown or has the batch twice."""
    number, batches = Fraction(1), 0
    for size in sizes:
        if size is None:
            return None
        number *= size.per_example if isinstance(size, Rows) else size
        batches += isinstance(size, Rows)
    if batches > 1:
        return None
    return Rows(number) if batches else int(number)


def divided(size: Size, part: Size) -> Size:
    """Return how often a size contains another one; None if that is no whole number."""
    if size is None or not part:
        return None
    left = size.per_example if isinstance(size, Rows) else Fraction(size)
    right = part.per_example if isinstance(part, Rows) else Fraction(part)
    if isinstance(size, Rows) and not isinstance(part, Rows):
        return Rows(left / right)
    quotient = left / right
    same = isinstance(size, Rows) == isinstance(part, Rows)
    return int(quotient) if same and quotient.denominator == 1 else None


def summed(sizes: Iterable[Size]) -> Size:
    """Return the sum of sizes; None if it is unknown or only a part has the batch."""
    every = list(sizes)
    if all(isinstance(size, Rows) for size in every):
        return Rows(sum((size.per_example for size in every if isinstance(size, Rows)), Fraction()))
    if all(isinstance(size, int) for size in every):
        return sum(size for size in every if isinstance(size, int))
    return None
