"""Both trees of a network, each made when it is first looked at."""

from __future__ import annotations

from functools import cached_property

from resnet_inspect.analysis.browse.outline import Outline
from resnet_inspect.graph import Graph


class Outlines:
    """The outlines of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def layers(self) -> Outline:
        """The tree down to layers (to ops, where there are no layers)."""
        return Outline(self.graph, ops=False)

    @cached_property
    def ops(self) -> Outline:
        """The tree down to ops."""
        return Outline(self.graph, ops=True)

    def prepare(self) -> None:
        """Work out what first keys would wait for."""
        self.layers.prepare()
        self.ops.prepare()
