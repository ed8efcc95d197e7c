"""The tree of a network: stages, blocks, layers and ops, made part by part as it is opened.

A hundred thousand ops are grouped in moments because only what is looked into is taken apart.
Paths are made of a layer's path and name, and of what an op's name says below those; ops that no
layer made stand under their name scopes, those outside the forward pass below a root of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from resnet_inspect.graph import Graph, Layer, Op, Phase

# More neighbours than that are taken together, in parts of so many.
MOST_CHILDREN = 500
ROOTS = {Phase.OTHER: "loss and metrics"}


class NodeKind(StrEnum):
    """What a row of the tree stands for."""

    SCOPE = "scope"
    LAYER = "layer"
    OP = "op"


class Only(StrEnum):
    """What a tree is confined to."""

    ALL = "all"
    PARAMETERS = "with parameters"
    RELU = "ReLU"
    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"


# The root of a node (a phase, empty for the forward pass), its path, and the first leaf of a part,
# or -1 for what is no part and -2 for the root of a phase.
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class OutlineNode:
    """One row: `name` is that of the layer or op, or the path of a scope.

    `members` are the leaves at and below it, as numbers in graph order, `own` the one that it is
    itself. `key` stays the same while leaves are filtered; the paths of what is below begin with
    `inner`.
    """

    key: Key
    kind: NodeKind
    name: str
    label: str
    depth: int
    members: Sequence[int]
    inner: str
    own: int | None = None

    @property
    def opens(self) -> bool:
        """Whether there is anything below it."""
        return len(self.members) > (self.own is not None)


class Outline:
    """The tree over a graph's layers, or over all its ops (`ops`)."""

    def __init__(self, graph: Graph, *, ops: bool) -> None:
        self.graph = graph
        self.by_op = ops or not graph.layers
        self.layer_at = {_path_of(layer): layer for layer in graph.layers}
        self.leaves: Sequence[Op | Layer] = graph.ops if self.by_op else graph.layers
        self.paths = [leaf.name for leaf in self.leaves] if self.by_op else list(self.layer_at)
        self._kept: dict[Only, list[int]] = {}
        if self.by_op and graph.layers:
            places = {op.name: place for place, op in enumerate(graph.ops)}
            for path, layer in self.layer_at.items():
                for name in layer.ops:
                    self.paths[places[name]] = path + _below(layer.name, name)

    def kept(self, only: Only = Only.ALL) -> Sequence[int]:
        """The leaves that a filter keeps."""
        if only == Only.ALL:
            return range(len(self.leaves))
        if only not in self._kept:
            self._kept[only] = self._chosen(only)
        return self._kept[only]

    def _chosen(self, only: Only) -> list[int]:
        leaves = enumerate(self.leaves)
        if only == Only.PARAMETERS:
            wanted = self._with_variables
            return [place for place, leaf in leaves if leaf.name in wanted]
        if only == Only.RELU:
            small = {kind: kind.lower() for kind in {leaf.type for leaf in self.leaves}}
            relus = {kind for kind, low in small.items() if "relu" in low and "grad" not in low}
            return [place for place, leaf in leaves if leaf.type in relus]
        phase = Phase(only.value)
        return [place for place, leaf in leaves if self._phase(leaf) is phase]

    def _phase(self, leaf: Op | Layer) -> Phase:
        return leaf.phase if isinstance(leaf, Op) else Phase.FORWARD

    @cached_property
    def _with_variables(self) -> frozenset[str]:
        """Layers that have a variable, ops that hold, read or change one."""
        found = {layer.name for layer in self.graph.layers if layer.variables}
        for variable in self.graph.variables:
            found.update((*variable.readers, *variable.handles))
        return frozenset(found)

    def roots(self, members: Sequence[int]) -> list[OutlineNode]:
        """The uppermost nodes: those of the forward pass, then one for each other phase."""
        by_root: dict[str, list[int]] = {"": [], **{phase.value: [] for phase in Phase}}
        root_of = self._root_of
        for place in members:
            by_root[root_of[place]].append(place)
        found = self._grouped("", "", 0, by_root.pop(""))
        for phase in (one for one in Phase if by_root[one.value]):
            label = ROOTS.get(phase, phase.value)
            key = (phase.value, "", -2)
            found.append(
                OutlineNode(key, NodeKind.SCOPE, label, label, 0, by_root[phase.value], "")
            )
        return found

    @cached_property
    def _root_of(self) -> list[str]:
        """The root that each leaf stands below."""
        owned = self.graph.layer_of_op
        roots = {phase: "" if phase == Phase.FORWARD else phase.value for phase in Phase}
        return ["" if leaf.name in owned else roots[self._phase(leaf)] for leaf in self.leaves]

    def children(self, node: OutlineNode) -> list[OutlineNode]:
        """What is directly below a node, in graph order."""
        below = [place for place in node.members if place != node.own]
        root, _, part = node.key
        return self._grouped(root, node.inner, node.depth + 1, below, apart=part >= 0)

    def _grouped(
        self, root: str, inner: str, depth: int, members: Sequence[int], *, apart: bool = False
    ) -> list[OutlineNode]:
        """Members by the next part of their paths; too many groups are put together (not `apart`,
        those of such a part).
        """
        start, paths = len(inner), self.paths
        groups: dict[str, list[int]] = {}
        owners: dict[str, int] = {}
        group: list[int] = []
        inside: str | None = (
            None  # members of a group follow each other mostly: then one look is enough
        )
        for place in members:
            full = paths[place]
            if inside is None or not full.startswith(inside):
                end = full.find("/", start)
                label = full[start:] if end < 0 else full[start:end]
                group = groups.setdefault(label, [])
                inside = full[: start + len(label)] + "/"
                if end < 0:
                    owners.setdefault(label, place)
            group.append(place)
        if apart or len(groups) <= MOST_CHILDREN:
            return [
                self._node(root, inner + label, label, depth, places, owners.get(label))
                for label, places in groups.items()
            ]
        return list(self._parts(root, inner, depth, list(groups.items())))

    def _parts(
        self, root: str, inner: str, depth: int, groups: list[tuple[str, list[int]]]
    ) -> Iterator[OutlineNode]:
        for first in range(0, len(groups), MOST_CHILDREN):
            part = groups[first : first + MOST_CHILDREN]
            places = sorted(place for _, some in part for place in some)
            label = f"{part[0][0]} … {part[-1][0]}"
            key = (root, inner, places[0])
            yield OutlineNode(key, NodeKind.SCOPE, inner + label, label, depth, places, inner)

    def _node(
        self, root: str, path: str, label: str, depth: int, places: list[int], own: int | None
    ) -> OutlineNode:
        key, inner = (root, path, -1), path + "/"
        layer = self.layer_at.get(path) if not root else None
        if layer is not None:
            return OutlineNode(key, NodeKind.LAYER, layer.name, label, depth, places, inner, own)
        if len(places) == 1:  # a chain of scopes with a single op at its end is one row
            full, name = self.paths[places[0]], self.leaves[places[0]].name
            if full not in self.layer_at:
                shown, key = full[len(path) - len(label) :], (root, full, -1)
                return OutlineNode(key, NodeKind.OP, name, shown, depth, places, inner, places[0])
        if own is not None:
            name = self.leaves[own].name
            return OutlineNode(key, NodeKind.OP, name, label, depth, places, inner, own)
        return OutlineNode(key, NodeKind.SCOPE, path, label, depth, places, inner)

    def way_to_key(self, key: Key, members: Sequence[int]) -> list[OutlineNode]:
        """The nodes from a root down to the one with this key; empty where it is hidden."""
        root, path, part = key
        for place in members:
            full = self.paths[place]
            inside = full == path or full.startswith(path + "/") or part != -1
            if inside and self._root_of[place] == root and (part < 0 or place == part):
                way = self.way_to(place, members)
                at = next((at for at, one in enumerate(way) if one.key == key), None)
                return way[: at + 1] if at is not None else []
        return []

    def way_to(self, place: int, members: Sequence[int]) -> list[OutlineNode]:
        """The nodes from a root down to a leaf, among those of `members`; empty if it is not one.

        The last one is the layer or op itself.
        """
        level, found = self.roots(members), list[OutlineNode]()
        while here := next((one for one in level if _holds(one, place)), None):
            found.append(here)
            if here.own == place:
                break
            level = self.children(here)
        return found

    def place_of(self, name: str) -> int | None:
        """The leaf by which a layer or an op is reached: an op, or the first one of its layer."""
        if name in self._places:
            return self._places[name]
        layer = self.graph.layer_by_name.get(name)
        if layer is not None:
            return next((self._places[op] for op in layer.ops if op in self._places), None)
        owner = self.graph.layer_of_op.get(name)
        return None if owner is None else self._places.get(owner.name)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {leaf.name: place for place, leaf in enumerate(self.leaves)}

    def found(self, text: str, members: Sequence[int]) -> dict[str, list[int]]:
        """The leaves below each path that holds a text, in either case, in graph order.

        Of nested paths the uppermost is taken; the type of a leaf, and the variables it
        holds, count as its own path.
        """
        wanted = text.lower()
        length = len(wanted)
        hits: dict[str, list[int]] = {}
        paths, types = self._searched
        hit: list[int] = []
        inside: str | None = None  # a hit holds what follows mostly: then one look is enough
        for place in members:
            full = self.paths[place]
            if inside is None or not full.startswith(inside):
                at = paths[place].find(wanted)
                if at >= 0:
                    end = full.find("/", at + length)
                    top = full if end < 0 else full[:end]
                elif wanted in types[place]:
                    top = full
                else:
                    continue
                hit = hits.setdefault(top, [])
                inside = top + "/" if at >= 0 else None
            hit.append(place)
        return hits

    @cached_property
    def _searched(self) -> tuple[list[str], list[str]]:
        # Lower case may be longer (İ); then the path is searched as it is.
        lowered = [path.lower() for path in self.paths]
        pairs = zip(self.paths, lowered, strict=True)
        paths = [low if len(low) == len(path) else path for path, low in pairs]
        types = {leaf.type for leaf in self.leaves}
        small = {kind: kind.lower() for kind in types}
        words = [small[leaf.type] for leaf in self.leaves]
        for name, held in self._held.items():
            if name in self._places:
                words[self._places[name]] += " " + held.lower()
        return paths, words

    @cached_property
    def _held(self) -> dict[str, str]:
        """Names of variables by the layer that has them, or the ops through which they are held."""
        if not self.by_op:
            return {layer.name: " ".join(layer.variables) for layer in self.graph.layers}
        return {op: one.name for one in self.graph.variables for op in one.handles}

    def prepare(self) -> None:
        """Work out now what the first look and the first search need."""
        _ = self._root_of, self._searched


def _holds(node: OutlineNode, place: int) -> bool:
    return place in node.members if isinstance(node.members, range) else place in set(node.members)


def _path_of(layer: Layer) -> str:
    return "/".join((*layer.path, layer.name))


def _below(layer: str, op: str) -> str:
    """What an op's name says after its layer's; its last part where that is not in it."""
    for start in (f"{layer}/", f"/{layer}/"):
        at = 0 if start[0] != "/" and op.startswith(start) else op.find(start)
        if (at == 0 and start[0] != "/") or (at >= 0 and start[0] == "/"):
            return "/" + op[at + len(start) :]
    return "" if op == layer or op.endswith("/" + layer) else "/" + op.rpartition("/")[2]
