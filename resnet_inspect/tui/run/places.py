"""What can be selected, followed and come back to: places in a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from resnet_inspect.analysis.browse.outline import Outline, OutlineNode
from resnet_inspect.graph import Layer, Op

PlaceKind = Literal["layer", "op", "variable", "scope"]


@dataclass(frozen=True)
class Place:
    """A layer, op or variable by name, or a scope, with its `node` in the tree of an `outline`.

    `held` are the leaves of a scope that are meant, where not all of that node's are.
    """

    kind: PlaceKind
    name: str
    node: OutlineNode | None = field(default=None, compare=False)
    outline: Outline | None = field(default=None, compare=False)
    held: tuple[Op | Layer, ...] | None = field(default=None, compare=False)

    @property
    def leaves(self) -> list[Op | Layer]:
        """The layers, or ops, of a scope."""
        if self.held is not None:
            return list(self.held)
        if self.node is None or self.outline is None:
            return []
        return [self.outline.leaves[at] for at in self.node.members]


@dataclass(frozen=True)
class AxisOf:
    """One axis, counted from 0, of a tensor (its name, such as `Reshape:0`) or a variable."""

    tensor: str
    axis: int


Link = Place | AxisOf
