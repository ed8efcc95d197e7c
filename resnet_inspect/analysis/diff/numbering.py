"""Layers whose names a framework numbers: which correspond once another one shifts the numbers.

Keras calls the second Dense of a model dense_1, whatever it is. Such a name is weaker evidence
than type, shapes of variables and order, and is believed where both graphs have the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from resnet_inspect.graph.tensors import Shape

# What TensorFlow puts behind a name that is taken already: AddN_3, zeros_like_7/x.
NUMBER = re.compile(r"_\d+(?=/|$)")
# A trusted pair outweighs whatever pairs of doubtful layers its place would allow.
SURE = 1_000_000
Pair = tuple[int, int]


class Numbered(NamedTuple):
    """A layer as alignment by order sees it; `output` is without its batch."""

    name: str
    type: str
    variables: tuple[Shape, ...]
    output: Shape


def without_numbers(name: str) -> str:
    """The name without the numbers that tell it from others of its kind."""
    return NUMBER.sub("", name)


def doubtful(first: Sequence[str], second: Sequence[str]) -> set[str]:
    """Names told from others by a number alone, where both graphs do not have the same ones."""
    stems: dict[str, tuple[set[str], set[str]]] = {}
    for i, names in enumerate((first, second)):
        for name in names:
            stems.setdefault(without_numbers(name), (set(), set()))[i].add(name)
    return {
        name
        for stem, (one, other) in stems.items()
        if one != other and one | other != {stem}
        for name in one | other
    }


def by_number(
    first: Sequence[Numbered], second: Sequence[Numbered], doubted: set[str]
) -> list[Pair]:
    """Pairs of doubtful layers: in order where as many of the same types are called alike, else
    those that go best together without crossing each other.
    """
    if not doubted:
        return []
    pairs = []
    left = _by_stem(first, doubted)
    right = _by_stem(second, doubted)
    for stem, places in left.items():
        others = right.get(stem, [])
        if [first[i].type for i in places] == [second[j].type for j in others]:
            pairs += [*zip(places, others, strict=True)]
    done = {i for i, _ in pairs}, {j for _, j in pairs}
    sure = {*pairs, *namesakes(first, second, doubted)}

    def worth(i: int, j: int) -> int:
        one, other = first[i], second[j]
        if (i, j) in sure:
            return SURE
        if i in done[0] or j in done[1] or not {one.name, other.name} <= doubted:
            return 0
        same_name = one.name == other.name
        if one.type != other.type or without_numbers(one.name) != without_numbers(other.name):
            return int(same_name)
        same_variables = bool(one.variables) and one.variables == other.variables
        return 2 * same_variables + 2 * (one.output == other.output) + same_name

    return [*pairs, *(pair for pair in in_order(first, second, worth) if pair not in sure)]


def namesakes(
    first: Sequence[Numbered], second: Sequence[Numbered], doubted: set[str]
) -> list[Pair]:
    """Pairs of one name that is not doubted."""
    at = {one.name: place for place, one in enumerate(second)}
    return [
        (i, at[one.name])
        for i, one in enumerate(first)
        if one.name in at and one.name not in doubted
    ]


def alike(
    first: Sequence[Numbered], second: Sequence[Numbered], known: Sequence[Pair]
) -> set[Pair]:
    """More pairs among layers that are in none of `known`, in the order that those stand in: of
    one type, with variables and outputs of the same shapes.
    """
    done = {i for i, _ in known}, {j for _, j in known}
    sure = set(known)

    def worth(i: int, j: int) -> int:
        if (i, j) in sure:
            return SURE
        one, other = first[i], second[j]
        return int(
            i not in done[0] and j not in done[1] and bool(one.variables) and one[1:] == other[1:]
        )

    if len(done[0]) == len(first) or len(done[1]) == len(second):
        return set()
    return set(in_order(first, second, worth)) - sure


def in_order(
    first: Sequence[Numbered], second: Sequence[Numbered], worth: Callable[[int, int], int]
) -> list[Pair]:
    """Pairs that do not cross each other and are worth most together; none is worth 0.

    Of several such choices both directions take the same, for one of the two comes first.
    """
    if repr(second) < repr(first):
        return [(i, j) for j, i in in_order(second, first, lambda j, i: worth(i, j))]
    best = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in reversed(range(len(first))):
        row, below = best[i], best[i + 1]
        for j in reversed(range(len(second))):
            row[j] = max(below[j], row[j + 1], below[j + 1] + worth(i, j))
    pairs, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        gain = worth(i, j)
        if gain and best[i][j] == best[i + 1][j + 1] + gain:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _by_stem(layers: Sequence[Numbered], doubted: set[str]) -> dict[str, list[int]]:
    """Places of doubtful layers by what they are called, in the order of their numbers."""
    found: dict[str, list[int]] = {}
    for place, one in enumerate(layers):
        if one.name in doubted:
            found.setdefault(without_numbers(one.name), []).append(place)
    for places in found.values():
        places.sort(key=lambda place: _number(layers[place].name))
    return found


def _number(name: str) -> tuple[list[int], str]:
    return [int(found[1:]) for found in NUMBER.findall(name)], name
