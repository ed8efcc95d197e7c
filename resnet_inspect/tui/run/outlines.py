"""The trees of layers and of ops of a network, each built at its first use."""

from __future__ import annotations

from functools import cached_property

from resnet_inspect.analysis.browse.outline import Outline
from resnet_inspect.graph import Graph


class Outlines:
    """The tree of layers and the tree of ops of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def layers(self) -> Outline:
        """The tree down to layers, or to ops if the graph has no layers."""
        return Outline(self.graph, ops=False)

    @cached_property
    def ops(self) -> Outline:
        """The tree down to ops."""
        return Outline(self.graph, ops=True)

    def prepare(self) -> None:
        """Compute what the first keys need."""
        self.layers.prepare()
        self.ops.prepare()
