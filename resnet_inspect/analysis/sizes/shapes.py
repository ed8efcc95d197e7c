"""The shape table of a network at four depths: stage, block, layer, op."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from resnet_inspect.analysis.sizes.geometry import Window, macs, window
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, Variable
from resnet_inspect.graph.tensors import Shape

if TYPE_CHECKING:
    from resnet_inspect.analysis.sizes.meanings import Meanings


class Depth(StrEnum):
    """How finely a network is taken apart."""

    STAGE = "stage"
    BLOCK = "block"
    LAYER = "layer"
    OP = "op"


class ShapeRow(msgspec.Struct, frozen=True):
    """One stage, block, layer or op.

    `inputs` are the shapes it takes from elsewhere, `shape` is its (first) output's. `params` are
    elements of its variables, each variable counted once in a table, `trainable_params` those
    that training moves; `macs` multiply-accumulates per example; `memory` the bytes of that
    output, for stages and blocks of all layers in it. None is unknown.
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


class Totals(msgspec.Struct, frozen=True):
    """Sums over the forward rows of a table; None where a part is unknown.  Of a graph without
    layers they are those of its ops.
    """

    trainable_params: int
    params: int
    macs: int | None
    memory: int | None


class ShapeTable(msgspec.Struct, frozen=True):
    """Rows in graph order, and their totals."""

    depth: Depth
    rows: tuple[ShapeRow, ...]
    totals: Totals


def shapes(
    graph: Graph, depth: Depth = Depth.LAYER, meanings: Meanings | None = None
) -> ShapeTable:
    """Build the shape table of a graph; with `meanings`, each row tells those of its axes.

    A graph without layers, a model of the user's own, is told by its ops at every depth.
    """
    owned = _owned_variables(graph)
    depth = depth if graph.layers else Depth.OP
    if depth == Depth.OP:
        rows = _op_rows(graph, owned, meanings)
    else:
        rows = [_layer_row(graph, one, owned[one.name], meanings) for one in graph.layers]
        if depth != Depth.LAYER:
            rows = _group_rows(graph, rows, 1 if depth == Depth.STAGE else 2, depth)
    return _table(graph, depth, rows)


def shapes_at_all_depths(graph: Graph, meanings: Meanings | None = None) -> tuple[ShapeTable, ...]:
    """The tables at each depth, coarsest first; of a graph without layers only that of its ops."""
    if not graph.layers:
        return (shapes(graph, Depth.OP, meanings),)
    layers = shapes(graph, Depth.LAYER, meanings)
    grouped = (
        _table(graph, depth, _group_rows(graph, layers.rows, levels, depth))
        for levels, depth in ((1, Depth.STAGE), (2, Depth.BLOCK))
    )
    return (*grouped, layers, shapes(graph, Depth.OP, meanings))


def _table(graph: Graph, depth: Depth, rows: Sequence[ShapeRow]) -> ShapeTable:
    """The table of these rows; variables that lie in none of them are counted too."""
    loose = loose_variables(graph)
    forward = [row for row in rows if row.phase == Phase.FORWARD]
    trainable = _elements(variable for variable in loose if variable.trainable)
    totals = Totals(
        trainable_params=sum(row.trainable_params for row in forward) + trainable,
        params=sum(row.params for row in forward) + _elements(loose),
        macs=_sum(row.macs for row in forward),
        memory=_sum(row.memory for row in forward),
    )
    return ShapeTable(depth, tuple(rows), totals)


def loose_variables(graph: Graph) -> tuple[Variable, ...]:
    """The network's variables that lie in none of its layers; none where it has no layers."""
    owned = {name for layer in graph.layers for name in layer.variables}
    return tuple(
        variable
        for variable in (graph.variables if graph.layers else ())
        if variable.name not in owned and variable.counted and _is_of_network(graph, variable)
    )


def _is_of_network(graph: Graph, variable: Variable) -> bool:
    """Whether a variable is read on the way forward, or by nothing: not an optimizer's."""
    phases = {graph.op_by_name[name].phase for name in variable.readers}
    return Phase.FORWARD in phases or not phases


def _owned_variables(graph: Graph) -> dict[str, list[Variable]]:
    """Each layer's variables, a shared one only with the first layer that uses it."""
    taken: set[str] = set()
    owned: dict[str, list[Variable]] = {}
    for layer in graph.layers:
        names = [name for name in layer.variables if name not in taken]
        taken.update(names)
        owned[layer.name] = [graph.variable_by_name[name] for name in names]
    return owned


def _layer_row(
    graph: Graph, layer: Layer, variables: list[Variable], meanings: Meanings | None
) -> ShapeRow:
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
        macs=_sum(macs(graph, graph.op_by_name[name]) for name in layer.ops),
        memory=output.bytes,
        axes=meanings.axes(layer.output) if meanings else (),
    )


def _group_rows(
    graph: Graph, rows: Sequence[ShapeRow], levels: int, depth: Depth
) -> list[ShapeRow]:
    """Join neighbouring layers that share the first `levels` names of their path."""
    pairs = zip(graph.layers, rows, strict=True)
    return [
        _joined("/".join(path), list(members), depth)
        for path, members in groupby(pairs, key=lambda pair: pair[0].group(levels))
    ]


def _joined(name: str, members: list[tuple[Layer, ShapeRow]], depth: Depth) -> ShapeRow:
    inside = {layer.output for layer, _ in members}
    entering: dict[TensorRef, Shape] = {}
    for layer, row in members:
        for ref, shape in zip(layer.inputs, row.inputs, strict=True):
            if ref not in inside:
                entering.setdefault(ref, shape)
    rows = [row for _, row in members]
    return ShapeRow(
        name=name,
        type=depth.value,
        phase=Phase.FORWARD,
        inputs=tuple(entering.values()),
        shape=rows[-1].shape,
        dtype=rows[-1].dtype,
        window=None,
        trainable_params=sum(row.trainable_params for row in rows),
        params=sum(row.params for row in rows),
        macs=_sum(row.macs for row in rows),
        memory=_sum(row.memory for row in rows),
        axes=rows[-1].axes,
    )


def _op_rows(
    graph: Graph, owned: dict[str, list[Variable]], meanings: Meanings | None
) -> list[ShapeRow]:
    held = _by_op(graph, owned)
    return [_op_row(graph, op, held.get(op.name, []), meanings) for op in graph.ops]


def variables_by_op(graph: Graph) -> dict[str, list[Variable]]:
    """Each variable with the one op that its elements are counted for: that computes with it."""
    return _by_op(graph, _owned_variables(graph))


def _by_op(graph: Graph, owned: dict[str, list[Variable]]) -> dict[str, list[Variable]]:
    held: dict[str, list[Variable]] = {}
    for layer in graph.layers:
        for variable in owned[layer.name]:
            held.setdefault(_user_of(graph, layer, variable), []).append(variable)
    for variable in () if graph.layers else (one for one in graph.variables if one.counted):
        for reader in variable.readers[:1]:
            user = next(iter(graph.consumers.get(TensorRef(reader), ())), reader)
            held.setdefault(user, []).append(variable)
    return held


def _user_of(graph: Graph, layer: Layer, variable: Variable) -> str:
    """The op of `layer` that computes with a variable's value; its main op if none does."""
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


def _op_row(graph: Graph, op: Op, variables: list[Variable], meanings: Meanings | None) -> ShapeRow:
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
        macs=macs(graph, op) if op.phase == Phase.FORWARD else 0,
        memory=output.bytes if output and output.dtype != "resource" else 0,
        axes=meanings.axes(TensorRef(op.name)) if meanings and output else (),
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
