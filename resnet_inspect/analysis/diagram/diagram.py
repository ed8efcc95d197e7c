"""A network diagram as data: boxes, groups, edges, and notes on what is left out.

It has no colours, sizes or positions. `render.diagram.dot` converts it for Graphviz.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from resnet_inspect.analysis.sizes.geometry import Window
from resnet_inspect.graph.tensors import Shape

# The most boxes of a diagram, and of one whose level is chosen for it.
LIMIT, READABLE = 400, 60


class Level(StrEnum):
    """What one box represents at most."""

    STAGE = "stage"
    BLOCK = "block"
    LAYER = "layer"
    OP = "op"


class Box(StrEnum):
    """Kind of a box. REJECTED is a call that TensorFlow rejected."""

    STAGE = "stage"
    BLOCK = "block"
    LAYER = "layer"
    OP = "op"
    INPUT = "input"
    VARIABLE = "variable"
    GRADIENT = "gradient"
    REST = "rest"
    REJECTED = "refused"


class EdgeKind(StrEnum):
    """Kind of an edge.

    - RESIDUAL, PROJECTION: a block's shortcut, unchanged or projected.
    - CONTROL: an order of execution.
    - VARIABLE: a read of a variable.
    - KEPT: data of the forward pass that a gradient uses.
    """

    DATA = "data"
    RESIDUAL = "residual"
    PROJECTION = "projection"
    CONTROL = "control"
    VARIABLE = "variable"
    GRADIENT = "gradient"
    KEPT = "kept"


class Options(msgspec.Struct, frozen=True):
    """What a diagram shows.

    Attributes:
        level: what one box represents, None for layers, or for an overview with at most
            READABLE boxes.
        expand: show each repeated block.
        scope: name of a stage, block, layer or name scope to show with its neighbours.
        path: two names. Only paths between them are shown.
        variables: show variables.
        backward: show gradients.
        limit: with more boxes a coarser level is used.
    """

    level: Level | None = None
    expand: bool = False
    scope: str = ""
    path: tuple[str, str] | None = None
    variables: bool = False
    backward: bool = False
    limit: int = LIMIT

    @property
    def overview(self) -> bool:
        """Whether few boxes matter more than layers: nothing in it asks for details."""
        return not (self.level or self.expand or self.variables or self.backward)


class Node(msgspec.Struct, frozen=True):
    """One box.

    Attributes:
        id: unique identifier such as `layer-conv1`, see `anchor`.
        path: the groups that contain the box.
        contains: types of the layers in a block, with their numbers.
        layers: all layers it represents, including those of repeated blocks.
        times: how many repeated blocks it represents, if it is a block or a single layer.
        copies: how many equal boxes it represents, also by the groups that contain it.
        last: name of the last repeated block.
        outside: whether it is a neighbour of the scope.
        projection: whether it is on a projected shortcut.
        failed: whether its call failed.
        lineage: `chain` or `inflow` if it is on the path of a traced size.
        remarks: facts about the traced size, or about the failure.
    """

    id: str
    box: Box
    name: str
    type: str
    path: tuple[str, ...] = ()
    shape: Shape = None
    window: Window | None = None
    params: int = 0
    contains: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    times: int = 1
    copies: int = 1
    last: str = ""
    outside: bool = False
    projection: bool = False
    failed: bool = msgspec.field(default=False, name="refused")
    lineage: str = ""
    remarks: tuple[str, ...] = ()


class Edge(msgspec.Struct, frozen=True):
    """An edge from box `tail` to box `head` that carries `tensor`.

    `lineage` is `chain` or `inflow` if the edge is on the path of a traced size, with its `axes`.
    """

    tail: str
    head: str
    way: EdgeKind
    tensor: str = ""
    shape: Shape = None
    lineage: str = ""
    axes: tuple[int, ...] = ()


class Cluster(msgspec.Struct, frozen=True):
    """A group of boxes. It represents `times` equal blocks, from `name` to `last`."""

    id: str
    path: tuple[str, ...]
    name: str
    last: str = ""
    times: int = 1


class Diagram(msgspec.Struct, frozen=True):
    """A diagram. `notes` state what is left out and why. `follows` are the traced sizes."""

    level: Level
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...]
    notes: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


def anchor(kind: str, name: str) -> str:
    """Return a unique identifier for a name, such as `layer-conv1`.

    Characters other than ASCII letters, digits, `_`, `.` and `-` become `~hex~`.
    """
    safe = "".join(
        c if c.isascii() and (c.isalnum() or c in "_.-") else f"~{ord(c):x}~" for c in name
    )
    return f"{kind}-{safe}"


def coarser(level: Level) -> Level | None:
    """Return the next level with fewer boxes, or None for stages."""
    order: Sequence[Level] = (Level.OP, Level.LAYER, Level.BLOCK, Level.STAGE)
    place = order.index(level) + 1
    return order[place] if place < len(order) else None
