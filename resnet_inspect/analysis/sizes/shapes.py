"""Shape tables of a network at four depths: stage, block, layer, op."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from resnet_inspect.analysis.costs.macs import Macs, Uncounted
from resnet_inspect.analysis.sizes.geometry import Window, window
from resnet_inspect.analysis.sizes.group_outputs import group_output
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, Variable
from resnet_inspect.graph.tensors import Shape

if TYPE_CHECKING:
    from resnet_inspect.analysis.receptive.receptive_field import ReceptiveField, ReceptiveFields
    from resnet_inspect.analysis.sizes.meanings import Meanings


class Depth(StrEnum):
    """What one row of a shape table is."""

    STAGE = "stage"
    BLOCK = "block"
    LAYER = "layer"
    OP = "op"


class ShapeRow(msgspec.Struct, frozen=True):
    """One stage, block, layer or op. None means unknown.

    Attributes:
        inputs: shapes of the inputs that come from other rows.
        shape: shape of the first output.
        params: elements of the row's variables. A table counts each variable once.
        trainable_params: elements of the trainable variables among them.
        macs: multiply-accumulates per example. None if a part of them is unknown.
        memory: bytes of the first output, or of all layer outputs in a stage or block.
        axes: meanings of the axes of the first output.
        receptive_fields: positions of the inputs that a position of the first output reads.
    """

    name: str
    type: str
    phase: Phase
    inputs: tuple[Shape, ...]
    shape: Shape
    dtype: str
    window: Window | None
    trainable_params: int
    params: int
    macs: int | None
    memory: int | None
    axes: tuple[str, ...] = ()
    receptive_fields: tuple[ReceptiveField, ...] = ()


class Totals(msgspec.Struct, frozen=True):
    """Sums over the forward rows of a table.

    Attributes:
        macs: multiply-accumulates per example of all ops with a known number, also outside rows.
        memory: bytes. None if a part is unknown.
        uncounted: the ops with an unknown number of multiply-accumulates.
    """

    trainable_params: int
    params: int
    macs: int
    memory: int | None
    uncounted: tuple[Uncounted, ...] = ()


class ShapeTable(msgspec.Struct, frozen=True):
    """Rows in graph order, and their totals."""

    depth: Depth
    rows: tuple[ShapeRow, ...]
    totals: Totals


def shapes(
    graph: Graph,
    depth: Depth = Depth.LAYER,
    meanings: Meanings | None = None,
    fields: ReceptiveFields | None = None,
) -> ShapeTable:
    """Return the shape table of a graph.

    A graph without layers has rows for ops at every depth. With `meanings`, rows have `axes`; with
    `fields`, they have `receptive_fields`.
    """
    return _tables(graph, (depth if graph.layers else Depth.OP,), meanings, fields)[0]


def shapes_at_all_depths(
    graph: Graph, meanings: Meanings | None = None, fields: ReceptiveFields | None = None
) -> tuple[ShapeTable, ...]:
    """Return the tables at all depths, coarsest first. Without layers there is only that of ops."""
    return _tables(graph, tuple(Depth) if graph.layers else (Depth.OP,), meanings, fields)


class _Facts(NamedTuple):
    """What rows show besides the graph. Without `meanings` or `fields`, their columns are empty."""

    macs: Macs
    meanings: Meanings | None
    fields: ReceptiveFields | None

    def axes(self, ref: TensorRef) -> tuple[str, ...]:
        return self.meanings.axes(ref) if self.meanings else ()

    def receptive_fields(self, ref: TensorRef) -> tuple[ReceptiveField, ...]:
        return self.fields.of(ref) if self.fields else ()


def _tables(
    graph: Graph,
    depths: Sequence[Depth],
    meanings: Meanings | None,
    fields: ReceptiveFields | None,
) -> tuple[ShapeTable, ...]:
    owned, macs = _owned_variables(graph), Macs(graph)
    facts = _Facts(macs, meanings, fields)
    counted = macs.lower_bound(graph.ops)
    layers = (
        [_layer_row(graph, layer, owned[layer.name], facts) for layer in graph.layers]
        if set(depths) - {Depth.OP}
        else []
    )
    tables = []
    for depth in depths:
        if depth == Depth.OP:
            rows = _op_rows(graph, owned, facts)
        elif depth == Depth.LAYER:
            rows = layers
        else:
            rows = _group_rows(graph, layers, 1 if depth == Depth.STAGE else 2, depth, facts)
        tables.append(ShapeTable(depth, tuple(rows), _totals(graph, rows, *counted)))
    return tuple(tables)


def _totals(
    graph: Graph, rows: Sequence[ShapeRow], macs: int, uncounted: tuple[Uncounted, ...]
) -> Totals:
    """Return the totals of rows, with variables and multiply-accumulates outside of all rows."""
    loose = loose_variables(graph)
    forward = [row for row in rows if row.phase == Phase.FORWARD]
    trainable = _elements(variable for variable in loose if variable.trainable)
    return Totals(
        trainable_params=sum(row.trainable_params for row in forward) + trainable,
        params=sum(row.params for row in forward) + _elements(loose),
        macs=macs,
        memory=_sum(row.memory for row in forward),
        uncounted=uncounted,
    )


def loose_variables(graph: Graph) -> tuple[Variable, ...]:
    """Return the network's variables outside its layers. Without layers the result is empty."""
    owned = {name for layer in graph.layers for name in layer.variables}
    return tuple(
        variable
        for variable in (graph.variables if graph.layers else ())
        if variable.name not in owned and variable.counted and _is_of_network(graph, variable)
    )


def _is_of_network(graph: Graph, variable: Variable) -> bool:
    """Whether the forward pass or no op reads a variable. Others belong to an optimizer."""
    phases = {graph.op_by_name[name].phase for name in variable.readers}
    return Phase.FORWARD in phases or not phases


def _owned_variables(graph: Graph) -> dict[str, list[Variable]]:
    """Return the variables of each layer. A shared variable belongs to its first layer."""
    taken: set[str] = set()
    owned: dict[str, list[Variable]] = {}
    for layer in graph.layers:
        names = [name for name in layer.variables if name not in taken]
        taken.update(names)
        owned[layer.name] = [graph.variable_by_name[name] for name in names]
    return owned


def _layer_row(graph: Graph, layer: Layer, variables: list[Variable], facts: _Facts) -> ShapeRow:
    output = graph.spec(layer.output)
    return ShapeRow(
        name=layer.name,
        type=layer.type,
        phase=Phase.FORWARD,
        inputs=tuple(graph.spec(ref).shape for ref in layer.inputs),
        shape=output.shape,
        dtype=output.dtype,
        window=window(graph, graph.op_by_name[layer.main]),
        trainable_params=_elements(v for v in variables if v.trainable),
        params=_elements(variables),
        macs=facts.macs.sum(graph.op_by_name[name] for name in layer.ops),
        memory=output.bytes,
        axes=facts.axes(layer.output),
        receptive_fields=facts.receptive_fields(layer.output),
    )


def _group_rows(
    graph: Graph, rows: Sequence[ShapeRow], levels: int, depth: Depth, facts: _Facts
) -> list[ShapeRow]:
    """Merge neighbouring layers that share the first `levels` names of their path."""
    pairs = zip(graph.layers, rows, strict=True)
    sizes = Counter(layer.group(levels) for layer in graph.layers)
    between: dict[tuple[str, ...], list[Op]] = {}
    for group in graph.groups:
        ops = (graph.op_by_name[name] for name in group.ops)
        between.setdefault(group.path[:levels], []).extend(ops)
    joined = []
    for path, run in groupby(pairs, key=lambda pair: pair[0].group(levels)):
        members = list(run)
        whole = len(members) == sizes[path]
        loose = facts.macs.sum(between.get(path, ())) if whole else 0
        inputs = _entering(graph, path, members, whole=whole)
        joined.append(_joined(graph, path, members, inputs, loose, depth, facts))
    return joined


def _entering(
    graph: Graph, path: tuple[str, ...], members: list[tuple[Layer, ShapeRow]], *, whole: bool
) -> tuple[Shape, ...]:
    """Return the shapes of the inputs of a group: as it was called, else those of its layers."""
    group = graph.group_by_path.get(path)
    if whole and group is not None and group.inputs:
        return tuple(graph.spec(ref).shape for ref in dict.fromkeys(group.inputs))
    inside = {layer.output for layer, _ in members}
    entering: dict[TensorRef, Shape] = {}
    for layer, row in members:
        for ref, shape in zip(layer.inputs, row.inputs, strict=True):
            if ref not in inside:
                entering.setdefault(ref, shape)
    return tuple(entering.values())


def _joined(
    graph: Graph,
    path: tuple[str, ...],
    members: list[tuple[Layer, ShapeRow]],
    inputs: tuple[Shape, ...],
    loose: int | None,
    depth: Depth,
    facts: _Facts,
) -> ShapeRow:
    """Return the row of neighbouring layers; `loose` are the MACs between them."""
    rows = [row for _, row in members]
    ref = group_output(graph, path, [layer for layer, _ in members])
    output = graph.spec(ref)
    return ShapeRow(
        name="/".join(path),
        type=depth.value,
        phase=Phase.FORWARD,
        inputs=inputs,
        shape=output.shape,
        dtype=output.dtype,
        window=None,
        trainable_params=sum(row.trainable_params for row in rows),
        params=sum(row.params for row in rows),
        macs=_sum((*(row.macs for row in rows), loose)),
        memory=_sum(row.memory for row in rows),
        axes=facts.axes(ref),
        receptive_fields=facts.receptive_fields(ref),
    )


def _op_rows(graph: Graph, owned: dict[str, list[Variable]], facts: _Facts) -> list[ShapeRow]:
    variables = _by_op(graph, owned)
    return [_op_row(graph, op, variables.get(op.name, []), facts) for op in graph.ops]


def variables_by_op(graph: Graph) -> dict[str, list[Variable]]:
    """Return the variables of each op. Each variable belongs to one op, which computes with it."""
    return _by_op(graph, _owned_variables(graph))


def _by_op(graph: Graph, owned: dict[str, list[Variable]]) -> dict[str, list[Variable]]:
    result: dict[str, list[Variable]] = {}
    for layer in graph.layers:
        for variable in owned[layer.name]:
            result.setdefault(_user_of(graph, layer, variable), []).append(variable)
    counted = () if graph.layers else [item for item in graph.variables if item.counted]
    for variable in counted:
        for reader in variable.readers[:1]:
            user = next(iter(graph.consumers.get(TensorRef(reader), ())), reader)
            result.setdefault(user, []).append(variable)
    return result


def _user_of(graph: Graph, layer: Layer, variable: Variable) -> str:
    """Return the op of `layer` that computes with a variable, or else the layer's main op."""
    own = set(layer.ops)
    for reader in variable.readers:
        if reader in own:
            if graph.op_by_name[reader].type != "ReadVariableOp":
                return reader
            value = TensorRef(reader)
            for name in layer.ops:
                if value in graph.op_by_name[name].inputs:
                    return name
    return layer.main


def _op_row(graph: Graph, op: Op, variables: list[Variable], facts: _Facts) -> ShapeRow:
    output = op.outputs[0] if op.outputs else None
    return ShapeRow(
        name=op.name,
        type=op.type,
        phase=op.phase,
        inputs=tuple(graph.spec(ref).shape for ref in op.inputs),
        shape=output.shape if output else None,
        dtype=output.dtype if output else "",
        window=window(graph, op),
        trainable_params=_elements(v for v in variables if v.trainable),
        params=_elements(variables),
        macs=facts.macs.of(op),
        memory=output.bytes if output and output.dtype != "resource" else 0,
        axes=facts.axes(TensorRef(op.name)) if output else (),
        receptive_fields=facts.receptive_fields(TensorRef(op.name)) if output else (),
    )


def _elements(variables: Iterable[Variable]) -> int:
    return sum(variable.spec.elements or 0 for variable in variables)


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total
