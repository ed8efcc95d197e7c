"""The output of a group of layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef

# Their results depend on no other tensor.
SOURCES = ("Const", "ReadVariableOp", "Placeholder")


def group_output(graph: Graph, path: tuple[str, ...], layers: Sequence[Layer]) -> TensorRef:
    """Return the recorded output of a group, else its last tensor that something else uses.

    Ops outside of all layers belong to the group if they only read its tensors. Without a use, the
    output of the last layer is returned.
    """
    recorded = graph.group_outputs.get((path, layers[-1].name))
    if recorded is not None:
        return recorded
    last = layers[-1].output
    if len(layers) == 1:
        return last
    own = {layer.name for layer in layers}
    inside = {layer.output for layer in layers}
    order = {op.name: place for place, op in enumerate(graph.ops)}
    for op in _loose(graph):
        read = [ref for ref in op.inputs if graph.op_by_name[ref.op].type not in SOURCES]
        if read and inside.issuperset(read):
            inside.update(TensorRef(op.name, index) for index in range(len(op.outputs)))
    used = [ref for ref in inside if any(_uses(graph, ref, own, inside))]
    return max(used, key=lambda ref: (order.get(ref.op, -1), ref.index), default=last)


def _loose(graph: Graph) -> Iterator[Op]:
    """Yield the ops of the forward pass outside of all layers."""
    for op in graph.ops:
        if op.phase is Phase.FORWARD and op.name not in graph.layer_of_op:
            yield op


def _uses(graph: Graph, ref: TensorRef, own: set[str], inside: set[TensorRef]) -> Iterator[bool]:
    """Yield, for each op that reads a tensor, whether the op is outside of the group."""
    for name in graph.consumers.get(ref, ()):
        op, layer = graph.op_by_name[name], graph.layer_of_op.get(name)
        if op.phase in (Phase.BACKWARD, Phase.OPTIMIZER) or op.type == "Shape":
            continue
        yield layer.name not in own if layer else TensorRef(name) not in inside
