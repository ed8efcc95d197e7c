"""Where a reshape puts an axis, if positions of the axis stay together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from resnet_inspect.analysis.receptive.reach import Located

Sizes = Sequence[int | None]


def reshaped(reach: Located, before: Sizes, after: Sizes) -> Located | None:
    """Return the place of an axis after a reshape; None if its positions are split or unknown.

    An axis that was merged with others gets its place back when the merge is undone. The first
    sizes of both shapes may be unknown, because an axis is found from the last one.
    """
    inside = _known_product(before[reach.axis + 1 :])
    if reach.size is None or inside is None:
        return None
    inner = inside * reach.inner
    for axis, (size, later) in enumerate(_from_each(after)):
        if later is None or inner % later:
            continue
        merged = inner // later
        if reach.size == 1 and merged == 1 != size:
            continue  # the only position is merged into a later axis
        if size is None or size % (reach.size * merged) == 0:
            return reach._replace(axis=axis, inner=merged)
    return None


def _from_each(shape: Sizes) -> Iterator[tuple[int | None, int | None]]:
    """Yield each size and the product of those after it."""
    for axis, size in enumerate(shape):
        yield size, _known_product(shape[axis + 1 :])


def _known_product(sizes: Sizes) -> int | None:
    known = [size for size in sizes if size is not None]
    return prod(known) if len(known) == len(sizes) else None
