"""Finds consecutive equal blocks, so that a diagram can show one of them."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from resnet_inspect.analysis.sizes.geometry import window
from resnet_inspect.graph import Graph, Layer, TensorRef

# Attributes that differ between ops with the same computation.
NAMES = ("shared_name", "container", "_class", "_output_shapes")
Block = tuple[Layer, ...]


def repeats(graph: Graph) -> tuple[tuple[Block, ...], ...]:
    """Return runs of two or more consecutive blocks of a stage with equal computation and shapes.

    In a run, all inputs of a block come from the previous block, from the same layers each time.
    Only the next block uses the outputs of a block.
    """
    runs: list[list[Block]] = []
    before: Block = ()
    form: Any = None
    for path, members in groupby(graph.layers, key=lambda layer: layer.path[:2]):
        block = tuple(members)
        current = _form(graph, block) if len(path) == 2 else None
        equal = current is not None and current == form and path[0] == before[0].path[0]
        if equal and _follows(graph, before, block, runs[-1]):
            runs[-1].append(block)
        else:
            runs.append([block])
        before, form = block, current
    return tuple(tuple(run) for run in runs if len(run) > 1)


def _form(graph: Graph, block: Block) -> Any:
    """Return a description of a block's computation with positions instead of names."""
    places = {layer.output: at for at, layer in enumerate(block)}
    entering: dict[TensorRef, int] = {}
    rows = []
    for layer in block:
        sources = [
            places[ref]
            if ref in places
            else (entering.setdefault(ref, len(entering)), _shape(graph, ref))
            for ref in layer.inputs
        ]
        ops = [graph.op_by_name[name] for name in layer.ops]
        rows.append(
            (
                layer.type,
                window(graph, graph.op_by_name[layer.main]),
                sources,
                [(op.type, [spec.shape for spec in op.outputs]) for op in ops],
                [sorted((k, str(v)) for k, v in op.attrs.items() if k not in NAMES) for op in ops],
                [graph.variable_by_name[name].spec for name in layer.variables],
            )
        )
    return rows


def _follows(graph: Graph, before: Block, block: Block, run: list[Block]) -> bool:
    places = {layer.output: at for at, layer in enumerate(before)}
    if any(set(a.variables) & set(b.variables) for a in before for b in block):
        return False
    if any(places.get(ref) is None for ref in _entering(block)):
        return False
    if len(run) > 1:
        earlier = {layer.output: at for at, layer in enumerate(run[-2])}
        if [earlier[ref] for ref in _entering(before)] != [places[ref] for ref in _entering(block)]:
            return False
    inside = {name for layer in (*before, *block) for name in layer.ops}
    users = (user for layer in before for user in graph.consumers.get(layer.output, ()))
    return all(user in inside for user in users if user in graph.layer_of_op)


def _entering(block: Block) -> list[TensorRef]:
    own = {layer.output for layer in block}
    return list(dict.fromkeys(ref for layer in block for ref in layer.inputs if ref not in own))


def _shape(graph: Graph, ref: TensorRef) -> Any:
    return graph.spec(ref).shape


def counterparts(run: tuple[Block, ...]) -> tuple[dict[str, tuple[str, int]], dict[str, str]]:
    """Return the counterparts of ops and variables in the first block of a run.

    For each op the index of its block in the run, from 0, is added.
    """
    ops: dict[str, tuple[str, int]] = {}
    variables: dict[str, str] = {}
    for at, block in enumerate(run):
        for layer, model in zip(block, run[0], strict=True):
            pairs = zip(layer.ops, model.ops, strict=True)
            ops.update({name: (first, at) for name, first in pairs})
            variables.update(zip(layer.variables, model.variables, strict=True))
    return ops, variables
