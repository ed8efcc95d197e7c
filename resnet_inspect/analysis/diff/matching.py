"""Which nodes of two graphs correspond: by name, and what has no namesake by its place.

Knows nodes with a name, a type, inputs and readers; not what they are. Both directions come to
the same pairs: every round looks at a state of both graphs and only then adds to it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

Key = tuple[Hashable, ...] | None


class Vertex(NamedTuple):
    """`inputs` are places in the list of nodes with the output that is read, in order; `place` is
    whatever tells where in its network it lies.
    """

    name: str
    type: str
    place: Hashable
    inputs: tuple[tuple[int, int], ...]


UNKNOWN = -1


class _Side:
    """One graph: its nodes, who reads them, and the number of the pair that each is in.

    That is UNKNOWN for one without a partner yet, and `never` for one that cannot get any, because
    the other graph has none of its type: it is unlike everything there.
    """

    def __init__(self, nodes: Sequence[Vertex], others: Sequence[Vertex], never: int) -> None:
        types = {node.type for node in others}
        self.nodes = nodes
        self.pair = [UNKNOWN if node.type in types else never for node in nodes]
        self.readers: list[list[tuple[int, int]]] = [[] for _ in nodes]
        for place, node in enumerate(nodes):
            for slot, (source, _) in enumerate(node.inputs):
                self.readers[source].append((place, slot))

    def takes(self, place: int) -> tuple[tuple[int, int], ...]:
        return tuple((self.pair[source], output) for source, output in self.nodes[place].inputs)

    def gives(self, place: int) -> tuple[tuple[int, int], ...]:
        return tuple(sorted((self.pair[reader], slot) for reader, slot in self.readers[place]))

    def around(self, places: Iterable[int]) -> set[int]:
        """Neighbours that are in no pair yet."""
        near = set[int]()
        for place in places:
            near.update(source for source, _ in self.nodes[place].inputs)
            near.update(reader for reader, _ in self.readers[place])
        return {place for place in near if self.pair[place] == UNKNOWN}


def match(
    first: Sequence[Vertex], second: Sequence[Vertex], known: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """All pairs of places, `known` ones first; no node is in two.

    A node without a partner gets one of its type whose inputs and readers are partners of its own
    (one that is known on either side suffices, and none may contradict). What is left gets one
    at the same place whose inputs alone, or readers alone, all are. Several that cannot be told
    apart are paired in their order if both graphs have equally many.
    """
    sides = _Side(first, second, -2), _Side(second, first, -3)
    pairs: list[tuple[int, int]] = []

    def add(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        new = list(found)
        for a, b in new:
            sides[0].pair[a] = sides[1].pair[b] = len(pairs)
            pairs.append((a, b))
        return new

    add(known)
    looser: tuple[Callable[[_Side, int], Key], ...] = (_by_both, _by_inputs, _by_readers)
    rank = 0
    while rank < len(looser):
        new = add(_round(sides, looser[rank], None))
        if not new:
            rank += 1
            continue
        rank = 0
        while new:  # only what lies around the new ones can have become clear
            near = tuple(side.around(pair[i] for pair in new) for i, side in enumerate(sides))
            new = add(_round(sides, _by_both, (near[0], near[1])))
    return pairs


def _round(
    sides: tuple[_Side, _Side],
    key: Callable[[_Side, int], Key],
    near: tuple[set[int], set[int]] | None,
) -> list[tuple[int, int]]:
    """Pairs of nodes of one key, which as many have on either side, in order."""
    groups: tuple[dict[Key, list[int]], dict[Key, list[int]]] = ({}, {})
    for i, side in enumerate(sides):
        places = range(len(side.nodes)) if near is None else sorted(near[i])
        for place in places:
            if side.pair[place] == UNKNOWN and (found := key(side, place)) is not None:
                groups[i].setdefault(found, []).append(place)
    alike = (
        (members, groups[1][found])
        for found, members in groups[0].items()
        if len(groups[1].get(found, ())) == len(members)
    )
    return sorted(
        (pair for members, others in alike for pair in zip(members, others, strict=True)),
        key=lambda pair: (pair[0] + pair[1], min(pair)),
    )


def _by_both(side: _Side, place: int) -> Key:
    takes, gives = side.takes(place), side.gives(place)
    if all(pair < 0 for pair, _ in (*takes, *gives)):
        return None
    return side.nodes[place].type, takes, gives


def _by_inputs(side: _Side, place: int) -> Key:
    takes, node = side.takes(place), side.nodes[place]
    if not takes or any(pair < 0 for pair, _ in takes):
        return None
    return node.type, node.place, takes


def _by_readers(side: _Side, place: int) -> Key:
    gives, node = side.gives(place), side.nodes[place]
    if not gives or any(pair < 0 for pair, _ in gives):
        return None
    return node.type, node.place, gives
