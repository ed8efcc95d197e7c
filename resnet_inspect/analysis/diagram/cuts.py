"""Cuts a sequence of parts of a network where all data passes through one part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

from resnet_inspect.analysis.diagram.forms import Block
from resnet_inspect.graph import TensorRef

# A segment with more parts, and more than this share of all parts, is cut further.
LARGE, SHARE = 24, 0.25
# So is a piece of it with more parts if all other pieces are less than half as large: a skip
# connection inside of a skip connection, up to a depth.
NESTED, DEPTH = 6, 8
# An input of a segment that is read after this share of it is an input of all its blocks.
LATE = 0.75
Span = tuple[int, int]


def segments(parts: Sequence[Block]) -> list[Span]:
    """Return the segments of a sequence, as ranges of positions.

    A cut is after a part if the parts that follow read the outputs of at most one earlier part.
    Where a skip connection spans most of a network, its inside is cut where the fewest outputs
    are alive.
    """
    place = {name: at for at, block in enumerate(parts) for item in block for name in item.ops}
    reads: list[list[int]] = []
    outside: dict[TensorRef, list[int]] = {}
    for at, block in enumerate(parts):
        refs = dict.fromkeys(ref for item in block for ref in item.inputs)
        reads.append(sorted({place[ref.op] for ref in refs if ref.op in place} - {at}))
        for ref in refs:
            if ref.op not in place:
                outside.setdefault(ref, []).append(at)
    # An input that is read in the second half too, such as a mask, is an input of all blocks.
    early = [(at[0], at[-1]) for at in outside.values() if 2 * at[-1] < len(parts)]
    large = max(LARGE, round(SHARE * len(parts)))
    waiting: list[tuple[Span, int]] = []
    done: list[Span] = []
    inputs = _spans(early, len(parts))
    alive = [a + b for a, b in zip(_alive(reads, len(parts)), inputs, strict=True)]
    for span in _cut((0, len(parts)), alive, 1):
        if _size(span) > large:
            waiting.append((span, 1))
        else:
            done.append(span)
    while waiting:
        span, depth = waiting.pop()
        alive = _alive_inside(reads, span)
        *rest, largest = sorted(_cut(span, alive, min(alive[:-1])), key=_size)
        nested = bool(rest) and _size(largest) > max(NESTED, 2 * _size(rest[-1]))
        for piece in (*rest, largest):
            again = _size(piece) > large or (nested and piece is largest)
            if rest and again and depth < DEPTH:
                waiting.append((piece, depth + 1))
            else:
                done.append(piece)
    return sorted(done)


def _size(span: Span) -> int:
    return span[1] - span[0]


def _cut(span: Span, alive: Sequence[int], most: int) -> list[Span]:
    """Cut a range at the positions where at most `most` outputs are alive."""
    start, end = span
    cuts = [start + at + 1 for at, count in enumerate(alive[:-1]) if count <= most]
    return [(a, b) for a, b in pairwise([start, *cuts, end]) if b > a]


def _spans(pairs: Iterable[tuple[int, int]], length: int) -> list[int]:
    """Return for each position how many ranges, from a first to before a last one, contain it."""
    change = [0] * (length + 1)
    for first, last in pairs:
        change[first] += 1
        change[last] -= 1
    return list(accumulate(change[:-1]))


def _alive(reads: Sequence[Sequence[int]], length: int) -> list[int]:
    """Return for each position how many parts up to it have outputs that are read after it."""
    last = {source: at for at in range(length) for source in reads[at] if source < at}
    return _spans(last.items(), length)


def _alive_inside(reads: Sequence[Sequence[int]], span: Span) -> list[int]:
    """Return for each position of a range how many outputs are alive.

    The output of the part before the range, its input, counts too. It is alive everywhere if it is
    read until the last quarter, and it does not count where it skips to the last part.
    """
    start, end = span
    readers: dict[int, list[int]] = {}
    for at in range(start, end):
        for source in reads[at]:
            if start - 1 <= source < at:
                readers.setdefault(source, []).append(at)
    pairs = []
    for source, places in readers.items():
        last = places[-1]
        if source < start and last == end - 1 and len(places) > 1:
            last = places[-2]
        elif source < start and last - start > LATE * (end - start):
            last = end
        pairs.append((max(source - start, 0), last - start))
    return _spans(pairs, end - start)
