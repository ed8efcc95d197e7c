"""Matches the nodes of two graphs: from known pairs to nodes with corresponding neighbours.

A node has a name, a type, inputs and readers; this module does not know what it represents. The
result is the same in both directions: a round reads the state of both graphs and then adds pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

Key = tuple[Hashable, ...] | None


class Vertex(NamedTuple):
    """A node of a graph.

    `inputs` are pairs in order: the position of a node in the list, and the output that is read.
    `place` identifies the part of the network that contains the node.
    """

    name: str
    type: str
    place: Hashable
    inputs: tuple[tuple[int, int], ...]


UNKNOWN = -1


class _Side:
    """One graph: its nodes, their readers, and the number of the pair that contains each node.

    The number is UNKNOWN for a node that has no partner yet. It is `never` for a node that cannot
    get a partner, because the other graph has no node of its type.
    """

    def __init__(self, nodes: Sequence[Vertex], others: Sequence[Vertex], never: int) -> None:
        types = {node.type for node in others}
        self.nodes = nodes
        self.pair = [UNKNOWN if node.type in types else never for node in nodes]
        self.readers: list[list[tuple[int, int]]] = [[] for _ in nodes]
        for place, node in enumerate(nodes):
            for slot, (source, _) in enumerate(node.inputs):
                self.readers[source].append((place, slot))

    def inputs_of(self, place: int) -> tuple[tuple[int, int], ...]:
        return tuple((self.pair[source], output) for source, output in self.nodes[place].inputs)

    def readers_of(self, place: int) -> tuple[tuple[int, int], ...]:
        return tuple(sorted((self.pair[reader], slot) for reader, slot in self.readers[place]))

    def around(self, places: Iterable[int]) -> set[int]:
        """The neighbours of these places that are in no pair yet."""
        near = set[int]()
        for place in places:
            near.update(source for source, _ in self.nodes[place].inputs)
            near.update(reader for reader, _ in self.readers[place])
        return {place for place in near if self.pair[place] == UNKNOWN}


def match(
    first: Sequence[Vertex], second: Sequence[Vertex], known: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """All pairs of places, `known` pairs first; no node is in two pairs.

    Of `known` pairs that share a node, the first is kept: the more certain pairs come first.
    Nodes of one type are paired if their inputs and readers are partners. At least one neighbour
    must be in a pair, and none may contradict. The remaining nodes are paired if they have the
    same `place`, and all their inputs, or all their readers, are partners. Indistinguishable nodes
    are paired in order, if both graphs have the same number of them.
    """
    sides = _Side(first, second, -2), _Side(second, first, -3)
    pairs: list[tuple[int, int]] = []

    def add(matched: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        start = len(pairs)
        for a, b in matched:
            if sides[0].pair[a] < 0 and sides[1].pair[b] < 0:
                sides[0].pair[a] = sides[1].pair[b] = len(pairs)
                pairs.append((a, b))
        return pairs[start:]

    add(known)
    looser: tuple[Callable[[_Side, int], Key], ...] = (_by_both, _by_inputs, _by_readers)
    rank = 0
    while rank < len(looser):
        new = add(_round(sides, looser[rank], None))
        if not new:
            rank += 1
            continue
        rank = 0
        while new:  # only neighbours of new pairs can become decidable
            near = tuple(side.around(pair[i] for pair in new) for i, side in enumerate(sides))
            new = add(_round(sides, _by_both, (near[0], near[1])))
    return pairs


def _round(
    sides: tuple[_Side, _Side],
    key: Callable[[_Side, int], Key],
    near: tuple[set[int], set[int]] | None,
) -> list[tuple[int, int]]:
    """Pairs, in order, of nodes with equal keys, for keys that both sides have equally often."""
    groups: tuple[dict[Key, list[int]], dict[Key, list[int]]] = ({}, {})
    for i, side in enumerate(sides):
        places = range(len(side.nodes)) if near is None else sorted(near[i])
        for place in places:
            if side.pair[place] == UNKNOWN and (group := key(side, place)) is not None:
                groups[i].setdefault(group, []).append(place)
    alike = (
        (members, groups[1][group])
        for group, members in groups[0].items()
        if len(groups[1].get(group, ())) == len(members)
    )
    return sorted(
        (pair for members, others in alike for pair in zip(members, others, strict=True)),
        key=lambda pair: (pair[0] + pair[1], min(pair)),
    )


def _by_both(side: _Side, place: int) -> Key:
    inputs, readers = side.inputs_of(place), side.readers_of(place)
    if all(pair < 0 for pair, _ in (*inputs, *readers)):
        return None
    return side.nodes[place].type, inputs, readers


def _by_inputs(side: _Side, place: int) -> Key:
    inputs, node = side.inputs_of(place), side.nodes[place]
    if not inputs or any(pair < 0 for pair, _ in inputs):
        return None
    return node.type, node.place, inputs


def _by_readers(side: _Side, place: int) -> Key:
    readers, node = side.readers_of(place), side.nodes[place]
    if not readers or any(pair < 0 for pair, _ in readers):
        return None
    return node.type, node.place, readers
