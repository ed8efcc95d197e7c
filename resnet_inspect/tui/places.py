"""What can be selected, followed and come back to: places in a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from resnet_inspect.analysis.outline import Node

PlaceKind = Literal["layer", "op", "variable", "scope"]


@dataclass(frozen=True)
class Place:
    """A layer, op or variable by name, or a scope, with its `node` in the tree of layers or ops."""

    kind: PlaceKind
    name: str
    node: Node | None = field(default=None, compare=False)
    by_op: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class AxisOf:
    """One axis, counted from 0, of a tensor (its name, such as `Reshape:0`) or a variable."""

    tensor: str
    axis: int


Link = Place | AxisOf
