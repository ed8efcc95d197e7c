"""Which variables several layers read: what TensorFlow 1 calls `reuse`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resnet_inspect.graph import Graph


class Shared(msgspec.Struct, frozen=True):
    """A variable that more than one layer reads: the layers, and those of their ops that do."""

    variable: str
    layers: tuple[str, ...]
    readers: tuple[str, ...]


def shared_variables(graph: Graph) -> tuple[Shared, ...]:
    """Those of a graph, in the order of its variables."""
    return tuple(_found(graph))


def _found(graph: Graph) -> Iterator[Shared]:
    for variable in graph.variables:
        inside = [op for op in variable.readers if op in graph.layer_of_op]
        layers = tuple(dict.fromkeys(graph.layer_of_op[op].name for op in inside))
        if len(layers) > 1:
            yield Shared(variable.name, layers, tuple(inside))
