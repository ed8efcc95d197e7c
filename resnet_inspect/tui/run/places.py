"""Places of a network that can be selected and linked to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from resnet_inspect.analysis.browse.outline import Outline, OutlineNode
from resnet_inspect.graph import Layer, Op

PlaceKind = Literal["layer", "op", "variable", "scope"]


@dataclass(frozen=True)
class Place:
    """A layer, op or variable by name, or a scope with its `node` in the tree `outline`.

    `own_leaves` are the leaves of a scope that exist in one of two runs. None: all of the node.
    """

    kind: PlaceKind
    name: str
    node: OutlineNode | None = field(default=None, compare=False)
    outline: Outline | None = field(default=None, compare=False)
    own_leaves: tuple[Op | Layer, ...] | None = field(default=None, compare=False)

    @property
    def leaves(self) -> list[Op | Layer]:
        """The layers or ops of a scope."""
        if self.own_leaves is not None:
            return list(self.own_leaves)
        if self.node is None or self.outline is None:
            return []
        return [self.outline.leaves[at] for at in self.node.members]


@dataclass(frozen=True)
class AxisOf:
    """An axis, counted from 0, of a tensor such as `Reshape:0` or of a variable."""

    tensor: str
    axis: int


Link = Place | AxisOf
