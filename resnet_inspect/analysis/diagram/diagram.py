"""A picture of a network before it is drawn: boxes, groups, edges, and what is left out.

Says nothing of colours, sizes or places; `render.dot` writes it down for Graphviz.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from resnet_inspect.analysis.sizes.geometry import Window
from resnet_inspect.graph.tensors import Shape

LIMIT = 400


class Level(StrEnum):
    """What one box is."""

    STAGE = "stage"
    BLOCK = "block"
    LAYER = "layer"
    OP = "op"


class Box(StrEnum):
    """What kind of thing a box stands for. REFUSED is a call that the framework did not accept."""

    STAGE = "stage"
    BLOCK = "block"
    LAYER = "layer"
    OP = "op"
    INPUT = "input"
    VARIABLE = "variable"
    GRADIENT = "gradient"
    REST = "rest"
    REFUSED = "refused"


class Way(StrEnum):
    """What an edge is: data, a block's shortcut (unchanged or projected), an order of execution,
    a variable that is read, a gradient, or data of the forward pass that a gradient needs.
    """

    DATA = "data"
    RESIDUAL = "residual"
    PROJECTION = "projection"
    CONTROL = "control"
    VARIABLE = "variable"
    GRADIENT = "gradient"
    KEPT = "kept"


class Options(msgspec.Struct, frozen=True):
    """What is to be drawn.

    `expand` draws repeated blocks one by one; `scope` is the name of a stage, block, layer or name
    scope, drawn with its neighbours; `path` the ops between which all ways are drawn. Above `limit`
    boxes a coarser level is drawn.
    """

    level: Level | None = None
    expand: bool = False
    scope: str = ""
    path: tuple[str, str] | None = None
    variables: bool = False
    backward: bool = False
    limit: int = LIMIT


class Node(msgspec.Struct, frozen=True):
    """One box. `id` is unique, such as `layer-conv1` (see `anchor`).

    `layers` are all layers it stands for, those of repeated blocks too; `times` is how often it is
    repeated itself. `path` names the groups it stands in. `outside` marks a neighbour of the
    scope, `projection` a box on a projected shortcut. `lineage` is chain or inflow where the size
    that is followed passes; `remarks` say what happens to it here.
    """

    id: str
    box: Box
    name: str
    type: str
    path: tuple[str, ...] = ()
    shape: Shape = None
    window: Window | None = None
    params: int = 0
    layers: tuple[str, ...] = ()
    times: int = 1
    last: str = ""
    outside: bool = False
    projection: bool = False
    refused: bool = False
    lineage: str = ""
    remarks: tuple[str, ...] = ()


class Edge(msgspec.Struct, frozen=True):
    """A way from box `tail` to box `head` that takes `tensor`, of that shape.

    `lineage` is chain or inflow where the followed size goes this way, as the axes `axes`.
    """

    tail: str
    head: str
    way: Way
    tensor: str = ""
    shape: Shape = None
    lineage: str = ""
    axes: tuple[int, ...] = ()


class Cluster(msgspec.Struct, frozen=True):
    """A group of boxes: the blocks from `name` to `last`, which are alike, drawn once."""

    id: str
    path: tuple[str, ...]
    name: str
    last: str = ""
    times: int = 1


class Diagram(msgspec.Struct, frozen=True):
    """A picture. `notes` say what it leaves out and why; `follows` which sizes are followed."""

    level: Level
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    clusters: tuple[Cluster, ...]
    notes: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()


def anchor(kind: str, name: str) -> str:
    """An identifier for a name, different for different names: `layer-conv1`.

    Signs other than ASCII letters, digits, `_`, `.` and `-` become `~hex~`.
    """
    safe = "".join(
        c if c.isascii() and (c.isalnum() or c in "_.-") else f"~{ord(c):x}~" for c in name
    )
    return f"{kind}-{safe}"


def coarser(level: Level) -> Level | None:
    """The next level with fewer boxes; None above stages."""
    order: Sequence[Level] = (Level.OP, Level.LAYER, Level.BLOCK, Level.STAGE)
    place = order.index(level) + 1
    return order[place] if place < len(order) else None
