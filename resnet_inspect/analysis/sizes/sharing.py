"""Variables that several layers read. TensorFlow 1 calls this `reuse`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resnet_inspect.graph import Graph


class SharedVariable(msgspec.Struct, frozen=True):
    """A variable that several layers read. `readers` are the ops in these layers that read it."""

    variable: str
    layers: tuple[str, ...]
    readers: tuple[str, ...]


def shared_variables(graph: Graph) -> tuple[SharedVariable, ...]:
    """Return the shared variables of a graph, in the order of its variables."""
    return tuple(_shared(graph))


def _shared(graph: Graph) -> Iterator[SharedVariable]:
    for variable in graph.variables:
        inside = [op for op in variable.readers if op in graph.layer_of_op]
        layers = tuple(dict.fromkeys(graph.layer_of_op[op].name for op in inside))
        if len(layers) > 1:
            yield SharedVariable(variable.name, layers, tuple(inside))
