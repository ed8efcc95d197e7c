"""Cuts a sequence of parts of a network where all data passes through one part."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from resnet_inspect.analysis.diagram.forms import Block

# A segment with more parts, and more than this share of all parts, is cut further.
LARGE, SHARE = 24, 0.25
# So is a piece of it with more parts if all other pieces are less than half as large: a skip
# connection inside of a skip connection.
NESTED = 6
Span = tuple[int, int]


def segments(parts: Sequence[Block]) -> list[Span]:
    """Return the segments of a sequence, as ranges of positions.

    A cut is after a part if the parts that follow read the outputs of at most one earlier part.
    Where a skip connection spans most of a network, its inside is cut where the fewest outputs
    are alive.
    """
    place = {name: at for at, block in enumerate(parts) for item in block for name in item.ops}
    reads = [
        sorted({place[ref.op] for item in block for ref in item.inputs if ref.op in place} - {at})
        for at, block in enumerate(parts)
    ]
    large = max(LARGE, round(SHARE * len(parts)))
    waiting: list[Span] = []
    done: list[Span] = []
    for span in _cut(reads, (0, len(parts)), 1):
        (waiting if _size(span) > large else done).append(span)
    while waiting:
        span = waiting.pop()
        *rest, largest = sorted(_cut(reads, span), key=_size)
        nested = bool(rest) and _size(largest) > max(NESTED, 2 * _size(rest[-1]))
        (waiting if nested or (rest and _size(largest) > large) else done).append(largest)
        for piece in rest:
            (waiting if _size(piece) > large else done).append(piece)
    return sorted(done)


def _size(span: Span) -> int:
    return span[1] - span[0]


def _cut(reads: Sequence[Sequence[int]], span: Span, most: int | None = None) -> list[Span]:
    """Cut a range where at most `most` outputs are alive, by default the fewest inside of it."""
    start, end = span
    alive = _alive(reads, start, end)
    limit = min(alive[:-1], default=0) if most is None else most
    cuts = [start + at + 1 for at, count in enumerate(alive[:-1]) if count <= limit]
    bounds = [start, *cuts, end]
    return [(a, b) for a, b in pairwise(bounds) if b > a]


def _alive(reads: Sequence[Sequence[int]], start: int, end: int) -> list[int]:
    """Return for each position of a range how many parts before have outputs that are read later.

    Parts before the range count from the one directly before it, whose output is its input.
    """
    change = [0] * (end - start + 1)
    last: dict[int, int] = {}
    for at in range(start, end):
        for source in reads[at]:
            if source >= start - 1 and source < at:
                last[source] = at
    for source, reader in last.items():
        change[max(source, start) - start] += 1
        change[reader - start] -= 1
    alive, count = [], 0
    for step in change[:-1]:
        count += step
        alive.append(count)
    return alive
