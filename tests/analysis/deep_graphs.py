"""Deeper graphs, made from a recording by repeating its blocks."""

from __future__ import annotations

from itertools import groupby

import msgspec

from resnet_inspect.graph import Graph, Layer, Op, TensorRef, Variable


def deep(graph: Graph, n: int) -> Graph:
    """Return a version 2 network with n blocks per stage, from one with n=1.

    The other blocks are copies of the first block, which has no projection, resized to the stage.
    """
    ops: list[Op] = []
    layers: list[Layer] = []
    variables = {variable.name: variable for variable in graph.variables}
    first = [layer for layer in graph.layers if layer.path[1:] == ("res00",)]
    renamed: dict[TensorRef, TensorRef] = {}
    of_layers = {name for layer in graph.layers for name in layer.ops}
    kept = [op for op in graph.ops if op.phase == "forward" or op.name in of_layers]
    ops += [op for op in graph.ops if op.name in {ref.op for ref in graph.inputs.values()}]
    have = {op.name for op in ops}
    by_layer = {layer.name: [op for op in kept if op.name in layer.ops] for layer in graph.layers}
    for path, group in groupby(graph.layers, key=lambda layer: layer.path[:2]):
        members = list(group)
        for layer in members:
            made = [_rewired(op, renamed) for op in by_layer[layer.name] if op.name not in have]
            ops += made
            inputs = tuple(renamed.get(ref, ref) for ref in layer.inputs)
            layers.append(msgspec.structs.replace(layer, inputs=inputs))
        if len(path) == 2:
            last = members[-1].output
            sizes = graph.spec(last).shape or ()
            before = last
            for copy in range(n - 1):
                before = _copy(
                    graph, first, path, f"copy{copy}_", before, sizes, ops, layers, variables
                )
            renamed[last] = before
    names = {op.name for op in ops}
    for name, variable in variables.items():
        readers = tuple(reader for reader in variable.readers if reader in names)
        variables[name] = msgspec.structs.replace(variable, readers=readers)
    return Graph(
        ops=tuple(ops),
        variables=tuple(variables.values()),
        layers=tuple(layers),
        inputs=graph.inputs,
        axes=graph.axes,
    )


def _rewired(op: Op, renamed: dict[TensorRef, TensorRef]) -> Op:
    return msgspec.structs.replace(op, inputs=tuple(renamed.get(ref, ref) for ref in op.inputs))


def _copy(
    graph: Graph,
    block: list[Layer],
    path: tuple[str, ...],
    prefix: str,
    before: TensorRef,
    sizes: tuple[int | None, ...],
    ops: list[Op],
    layers: list[Layer],
    variables: dict[str, Variable],
) -> TensorRef:
    """Add a block after `before` and return its output."""
    entry = block[0].inputs[0]
    whole = graph.spec(entry).shape
    mark = f"{path[0]}_{prefix}"

    def renamed(ref: TensorRef) -> TensorRef:
        return before if ref == entry else TensorRef(mark + ref.op, ref.index)

    for layer in block:
        for name in layer.ops:
            op = graph.op_by_name[name]
            outputs = tuple(
                msgspec.structs.replace(spec, shape=sizes) if spec.shape == whole else spec
                for spec in op.outputs
            )
            ops.append(
                msgspec.structs.replace(
                    op,
                    name=mark + name,
                    inputs=tuple(map(renamed, op.inputs)),
                    control_inputs=(),
                    outputs=outputs,
                )
            )
        for name in layer.variables:
            variable = graph.variable_by_name[name]
            variables[mark + name] = msgspec.structs.replace(
                variable,
                name=mark + name,
                handles=tuple(mark + handle for handle in variable.handles if handle in layer.ops),
                readers=tuple(mark + reader for reader in variable.readers if reader in layer.ops),
            )
        layers.append(
            msgspec.structs.replace(
                layer,
                name=mark + layer.name,
                path=(path[0], prefix + path[1]),
                main=mark + layer.main,
                ops=tuple(mark + name for name in layer.ops),
                inputs=tuple(map(renamed, layer.inputs)),
                output=renamed(layer.output),
                variables=tuple(mark + name for name in layer.variables),
            )
        )
    return renamed(block[-1].output)
