"""Matches layers whose names a framework numbers, where a further layer shifts the numbers.

Keras names the second Dense layer of a model dense_1. Such a name is weaker evidence than type,
shapes of variables and order. It is trusted only if both graphs have the same numbered names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from resnet_inspect.graph.tensors import Shape

# TensorFlow appends a number to a name that exists already: AddN_3, zeros_like_7/x.
NUMBER = re.compile(r"_\d+(?=/|$)")
# A trusted pair outweighs all pairs of doubtful layers that would cross it.
SURE = 1_000_000
Pair = tuple[int, int]


class Numbered(NamedTuple):
    """The properties by which layers are aligned in order; `output` is a shape without batch."""

    name: str
    type: str
    variables: tuple[Shape, ...]
    output: Shape


def without_numbers(name: str) -> str:
    """The name without the numbers that the framework appended."""
    return NUMBER.sub("", name)


def doubtful(first: Sequence[str], second: Sequence[str]) -> set[str]:
    """Names that differ only by a number, if the graphs do not have the same set of them."""
    stems: dict[str, tuple[set[str], set[str]]] = {}
    for i, names in enumerate((first, second)):
        for name in names:
            stems.setdefault(without_numbers(name), (set(), set()))[i].add(name)
    return {
        name
        for stem, (names_a, names_b) in stems.items()
        if names_a != names_b and names_a | names_b != {stem}
        for name in names_a | names_b
    }


def by_number(
    first: Sequence[Numbered], second: Sequence[Numbered], doubted: set[str]
) -> list[Pair]:
    """Pairs of doubtful layers.

    Layers of one stem are paired in order if both graphs have the same sequence of types.
    Otherwise the most similar layers are paired, without pairs that cross.
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
    sure = {*pairs, *_equal_names(first, second, doubted)}

    def worth(i: int, j: int) -> int:
        a, b = first[i], second[j]
        if (i, j) in sure:
            return SURE
        if i in done[0] or j in done[1] or not {a.name, b.name} <= doubted:
            return 0
        same_name = a.name == b.name
        if a.type != b.type or without_numbers(a.name) != without_numbers(b.name):
            return int(same_name)
        same_variables = bool(a.variables) and a.variables == b.variables
        return 2 * same_variables + 2 * (a.output == b.output) + same_name

    return [*pairs, *(pair for pair in in_order(first, second, worth) if pair not in sure)]


def _equal_names(
    first: Sequence[Numbered], second: Sequence[Numbered], doubted: set[str]
) -> list[Pair]:
    """Pairs of layers with equal names that are not doubtful."""
    at = {layer.name: place for place, layer in enumerate(second)}
    return [
        (i, at[layer.name])
        for i, layer in enumerate(first)
        if layer.name in at and layer.name not in doubted
    ]


def alike(
    first: Sequence[Numbered], second: Sequence[Numbered], known: Sequence[Pair]
) -> set[Pair]:
    """Further pairs of layers that are in no `known` pair and do not cross these.

    The layers of a pair have the same type, and the same shapes of variables and outputs. In
    `known`, an op outside of layers has a negative place.
    """
    done = {i for i, _ in known}, {j for _, j in known}
    sure = set(known)

    def worth(i: int, j: int) -> int:
        if (i, j) in sure:
            return SURE
        a, b = first[i], second[j]
        return int(i not in done[0] and j not in done[1] and bool(a.variables) and a[1:] == b[1:])

    if done[0].issuperset(range(len(first))) or done[1].issuperset(range(len(second))):
        return set()
    return set(in_order(first, second, worth)) - sure


def in_order(
    first: Sequence[Numbered], second: Sequence[Numbered], worth: Callable[[int, int], int]
) -> list[Pair]:
    """Pairs that do not cross, of largest total worth; every pair is worth more than 0.

    The result is the same in both directions: the input with the smaller `repr` goes first.
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
    """Places of doubtful layers by their name without numbers, in the order of the numbers."""
    places_of: dict[str, list[int]] = {}
    for place, layer in enumerate(layers):
        if layer.name in doubted:
            places_of.setdefault(without_numbers(layer.name), []).append(place)
    for places in places_of.values():
        places.sort(key=lambda place: _numbers_in(layers[place].name))
    return places_of


def _numbers_in(name: str) -> tuple[list[int], str]:
    return [int(number[1:]) for number in NUMBER.findall(name)], name
