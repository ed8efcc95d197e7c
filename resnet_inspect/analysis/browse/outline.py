"""The tree of a network: stages, blocks, layers and ops. A level is computed when it is opened.

Only open nodes are split, so that graphs with 100,000 ops stay fast. The path of an op is that of
its layer, the layer's name and the rest of the op's name. Ops without a layer are below their name
scopes. Ops outside the forward pass are below a root per phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from resnet_inspect.graph import Graph, Layer, Op, Phase

# More children are divided into parts of this size.
MOST_CHILDREN = 500
ROOTS = {Phase.OTHER: "loss and metrics"}


class NodeKind(StrEnum):
    """What a row of the tree represents."""

    SCOPE = "scope"
    LAYER = "layer"
    OP = "op"


class OutlineFilter(StrEnum):
    """Filter of a tree."""

    ALL = "all"
    PARAMETERS = "with parameters"
    RELU = "ReLU"
    FORWARD = "forward"
    BACKWARD = "backward"
    OPTIMIZER = "optimizer"


# The root of a node (a phase, empty for the forward pass), its path, and a number: the first leaf
# of a part, -2 for the root of a phase, -1 for all other nodes.
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class OutlineNode:
    """One row of the tree.

    Attributes:
        key: identifies the node, also while leaves are filtered.
        name: name of the layer or op, or path of the scope.
        members: the leaves in this node, as indexes in graph order.
        inner: the beginning of the paths of its children.
        own: the leaf that the node itself is, None for a scope.
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
        """Whether the node has children."""
        return len(self.members) > (self.own is not None)


class Outline:
    """The tree over the layers of a graph, or with `ops` over all its ops."""

    def __init__(self, graph: Graph, *, ops: bool) -> None:
        self.graph = graph
        self.by_op = ops or not graph.layers
        self.layer_at = {_path_of(layer): layer for layer in graph.layers}
        self.leaves: Sequence[Op | Layer] = graph.ops if self.by_op else graph.layers
        self.paths = [leaf.name for leaf in self.leaves] if self.by_op else list(self.layer_at)
        self._kept: dict[OutlineFilter, list[int]] = {}
        if self.by_op and graph.layers:
            places = {op.name: place for place, op in enumerate(graph.ops)}
            for path, layer in self.layer_at.items():
                for name in layer.ops:
                    self.paths[places[name]] = path + _below(layer.name, name)

    def filtered(self, only: OutlineFilter = OutlineFilter.ALL) -> Sequence[int]:
        """Return the leaves that pass a filter, in graph order."""
        if only == OutlineFilter.ALL:
            return range(len(self.leaves))
        if only not in self._kept:
            self._kept[only] = self._chosen(only)
        return self._kept[only]

    def _chosen(self, only: OutlineFilter) -> list[int]:
        leaves = enumerate(self.leaves)
        if only == OutlineFilter.PARAMETERS:
            wanted = self._with_variables
            return [place for place, leaf in leaves if leaf.name in wanted]
        if only == OutlineFilter.RELU:
            small = {kind: kind.lower() for kind in {leaf.type for leaf in self.leaves}}
            relus = {kind for kind, low in small.items() if "relu" in low and "grad" not in low}
            return [place for place, leaf in leaves if leaf.type in relus]
        phase = Phase(only.value)
        return [place for place, leaf in leaves if self._phase(leaf) is phase]

    def _phase(self, leaf: Op | Layer) -> Phase:
        return leaf.phase if isinstance(leaf, Op) else Phase.FORWARD

    @cached_property
    def _with_variables(self) -> frozenset[str]:
        """Layers that have a variable, and ops that are the handle of one, read or change it."""
        names = {layer.name for layer in self.graph.layers if layer.variables}
        for variable in self.graph.variables:
            names.update((*variable.readers, *variable.handles))
        return frozenset(names)

    def roots(self, members: Sequence[int]) -> list[OutlineNode]:
        """Return the top nodes: those of the forward pass, then one for each other phase."""
        by_root: dict[str, list[int]] = {"": [], **{phase.value: [] for phase in Phase}}
        root_of = self._root_of
        for place in members:
            by_root[root_of[place]].append(place)
        nodes = self._grouped("", "", 0, by_root.pop(""))
        for phase in Phase:
            if below := by_root[phase.value]:
                label = ROOTS.get(phase, phase.value)
                key = (phase.value, "", -2)
                nodes.append(OutlineNode(key, NodeKind.SCOPE, label, label, 0, below, ""))
        return nodes

    @cached_property
    def _root_of(self) -> list[str]:
        """The root of each leaf."""
        owned = self.graph.layer_of_op
        roots = {phase: "" if phase == Phase.FORWARD else phase.value for phase in Phase}
        return ["" if leaf.name in owned else roots[self._phase(leaf)] for leaf in self.leaves]

    def children(self, node: OutlineNode) -> list[OutlineNode]:
        """Return the children of a node, in graph order."""
        below = [place for place in node.members if place != node.own]
        root, _, part = node.key
        return self._grouped(root, node.inner, node.depth + 1, below, apart=part >= 0)

    def _grouped(
        self, root: str, inner: str, depth: int, members: Sequence[int], *, apart: bool = False
    ) -> list[OutlineNode]:
        """Return nodes for members, grouped by the next part of their paths.

        Too many groups are divided into parts. `apart` prevents that inside a part.
        """
        start, paths = len(inner), self.paths
        groups: dict[str, list[int]] = {}
        owners: dict[str, int] = {}
        group: list[int] = []
        inside: str | None = None  # consecutive members mostly share a group
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
        if len(places) == 1:  # nested scopes with a single op are one row
            full, name = self.paths[places[0]], self.leaves[places[0]].name
            if full not in self.layer_at:
                shown, key = full[len(path) - len(label) :], (root, full, -1)
                return OutlineNode(key, NodeKind.OP, name, shown, depth, places, inner, places[0])
        if own is not None:
            name = self.leaves[own].name
            return OutlineNode(key, NodeKind.OP, name, label, depth, places, inner, own)
        return OutlineNode(key, NodeKind.SCOPE, path, label, depth, places, inner)

    def path_to_key(self, key: Key, members: Sequence[int]) -> list[OutlineNode]:
        """Return the nodes from a root to the node with a key, or an empty list if it is hidden."""
        root, path, part = key
        for place in members:
            full = self.paths[place]
            inside = full == path or full.startswith(path + "/") or part != -1
            if inside and self._root_of[place] == root and (part < 0 or place == part):
                nodes = self.path_to(place, members)
                at = next((at for at, node in enumerate(nodes) if node.key == key), None)
                return nodes[: at + 1] if at is not None else []
        return []

    def path_to(self, place: int, members: Sequence[int]) -> list[OutlineNode]:
        """Return the nodes from a root to a leaf, which is the last node.

        The list is empty if the leaf is not among `members`.
        """
        level, nodes = self.roots(members), list[OutlineNode]()
        while here := next((node for node in level if _contains(node, place)), None):
            nodes.append(here)
            if here.own == place:
                break
            level = self.children(here)
        return nodes

    def place_of(self, name: str) -> int | None:
        """Return the leaf for a layer or op. In an op tree a layer has the leaf of its first op."""
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

    def search(self, text: str, members: Sequence[int]) -> dict[str, list[int]]:
        """Return the leaves below each path that contains a text, ignoring case, in graph order.

        Among nested paths the top one is used. The type of a leaf and the names of its variables
        count as part of its own path.
        """
        wanted = text.lower()
        length = len(wanted)
        hits: dict[str, list[int]] = {}
        paths, types = self._searched
        hit: list[int] = []
        inside: str | None = None  # consecutive leaves are mostly below one hit
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
        # Lower case can be longer (İ). Then the path is searched without change of case.
        lowered = [path.lower() for path in self.paths]
        pairs = zip(self.paths, lowered, strict=True)
        paths = [low if len(low) == len(path) else path for path, low in pairs]
        types = {leaf.type for leaf in self.leaves}
        small = {kind: kind.lower() for kind in types}
        words = [small[leaf.type] for leaf in self.leaves]
        for name, variables in self._variables.items():
            if name in self._places:
                words[self._places[name]] += " " + variables.lower()
        return paths, words

    @cached_property
    def _variables(self) -> dict[str, str]:
        """Names of variables by their layer, or in an op tree by their handle."""
        if not self.by_op:
            return {layer.name: " ".join(layer.variables) for layer in self.graph.layers}
        return {op: owner.name for owner in self.graph.variables for op in owner.handles}

    def prepare(self) -> None:
        """Build the indexes now, so that the first display and search are fast."""
        _ = self._root_of, self._searched


def _contains(node: OutlineNode, place: int) -> bool:
    return place in node.members if isinstance(node.members, range) else place in set(node.members)


def _path_of(layer: Layer) -> str:
    return "/".join((*layer.path, layer.name))


def _below(layer: str, op: str) -> str:
    """Return the part of an op's name after its layer's name, or else its last part."""
    for start in (f"{layer}/", f"/{layer}/"):
        at = 0 if start[0] != "/" and op.startswith(start) else op.find(start)
        if (at == 0 and start[0] != "/") or (at >= 0 and start[0] == "/"):
            return "/" + op[at + len(start) :]
    return "" if op == layer or op.endswith("/" + layer) else "/" + op.rpartition("/")[2]
