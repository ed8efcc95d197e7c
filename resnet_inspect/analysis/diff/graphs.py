"""What is different between two graphs, told of layers or of ops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from resnet_inspect.analysis.diff.alignment import Alignment
from resnet_inspect.analysis.diff.differences import (
    Change,
    Difference,
    GraphDiff,
    Lone,
    Renaming,
)
from resnet_inspect.analysis.diff.numbering import without_numbers
from resnet_inspect.analysis.sizes.meanings import BATCH
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, Variable
from resnet_inspect.graph.tensors import Shape

# Attributes that say what outputs say: their types and shapes.
TOLD_ELSEWHERE = {"T", "U", "dtype", "shape", "SrcT", "DstT", "out_type", "Tshape", "Tidx", "Tdim"}
Thing = Layer | Op


def compare_graphs(a: Graph, b: Graph, found: Alignment, depth: Depth) -> GraphDiff:
    """The differences of two aligned graphs, at depth op or else layer; in their order.

    Another batch size is told once, in the totals, not of each tensor that it is the first axis of.
    """
    batches = _batch(a), _batch(b)
    by_op = depth == Depth.OP
    first: Sequence[Thing] = a.ops if by_op else a.layers
    second: Sequence[Thing] = b.ops if by_op else b.layers
    partners = found.ops if by_op else found.layers
    places = {thing.name: place for place, thing in enumerate(first)}
    others = {thing.name: place for place, thing in enumerate(second)}
    pairs = sorted(
        ((places[one], others[other]) for one, other in partners.items()),
        key=lambda pair: (
            sum(pair),
            min(pair),
            sorted((first[pair[0]].name, second[pair[1]].name)),
        ),
    )
    renamed, changed = [], []
    for i, j in pairs:
        one, other = first[i], second[j]
        if one.name != other.name:
            renamed.append(_renaming(one, other))
        if isinstance(one, Op) and isinstance(other, Op):
            told = tuple(_of_ops(one, other, found, batches))
        elif isinstance(one, Layer) and isinstance(other, Layer):
            told = tuple(_of_layers(a, b, one, other, found, batches))
        if told:
            changed.append(Change(one.name, other.name, _phase(one, other), told))
    back = set(partners.values())
    return GraphDiff(
        depth=Depth.OP if by_op else Depth.LAYER,
        aligned=len(pairs),
        only_a=tuple(_lone(a, one) for one in first if one.name not in partners),
        only_b=tuple(_lone(b, one) for one in second if one.name not in back),
        renamed=tuple(renamed),
        changed=tuple(changed),
        totals=(*_differing("batch", *batches), *_totals(a, b)),
    )


def _renaming(one: Thing, other: Thing) -> Renaming:
    numbered = without_numbers(one.name) == without_numbers(other.name)
    return Renaming(one.name, other.name, one.type, _phase(one, other), numbered)


def _phase(one: Thing, other: Thing) -> Phase:
    """The phase of both; of two different ones that which comes first in a step."""
    phases = {thing.phase for thing in (one, other) if isinstance(thing, Op)}
    return min(phases, key=list(Phase).index, default=Phase.FORWARD)


def _lone(graph: Graph, thing: Thing) -> Lone:
    if isinstance(thing, Op):
        shape = thing.outputs[0].shape if thing.outputs else None
        return Lone(thing.name, thing.type, thing.phase, shape, 0)
    shape = graph.spec(thing.output).shape
    return Lone(thing.name, thing.type, Phase.FORWARD, shape, _elements(graph, thing))


def _elements(graph: Graph, layer: Layer) -> int:
    return sum(graph.variable_by_name[name].spec.elements or 0 for name in set(layer.variables))


def _totals(a: Graph, b: Graph) -> Iterator[Difference]:
    sums = [_sums(graph) for graph in (a, b)]
    for name, value in sums[0].items():
        if value != sums[1][name]:
            yield Difference(name, value, sums[1][name])


def _sums(graph: Graph) -> dict[str, Any]:
    totals = msgspec.structs.asdict(shapes(graph, Depth.LAYER).totals)
    return {"layers": len(graph.layers), "ops": len(graph.ops)} | totals


def _batch(graph: Graph) -> int | None:
    """How many examples a batch has; None where that is not known or inputs disagree."""
    named = [ref for name, ref in graph.inputs.items() if graph.axes.get(name, ("",))[0] == BATCH]
    sizes = {shape[0] for ref in named if (shape := graph.spec(ref).shape)}
    return sizes.pop() if len(sizes) == 1 else None


def _shapes(
    one: Shape, other: Shape, batches: tuple[int | None, int | None]
) -> Iterator[Difference]:
    """Two shapes, unless they differ by the batch alone."""
    if one and other and (one[0], other[0]) == batches and one[1:] == other[1:]:
        return
    yield from _differing("shape", one, other)


def _of_layers(
    a: Graph,
    b: Graph,
    one: Layer,
    other: Layer,
    found: Alignment,
    batches: tuple[int | None, int | None],
) -> Iterator[Difference]:
    yield from _differing("type", one.type, other.type)
    yield from _differing("path", one.path, other.path)
    yield from _inputs(_takes(a, one), _takes(b, other), found.makers)
    outputs = a.spec(one.output), b.spec(other.output)
    yield from _shapes(outputs[0].shape, outputs[1].shape, batches)
    yield from _differing("dtype", outputs[0].dtype, outputs[1].dtype)
    yield from _differing("parameters", _elements(a, one), _elements(b, other))
    yield from _variables(a, b, one, other, found)
    yield from _attributes(a, b, one, other, found)
    yield from _lone_ops(a, b, one, other, found)


def _takes(graph: Graph, layer: Layer) -> list[str]:
    return [_maker(graph, ref) for ref in layer.inputs]


def _maker(graph: Graph, ref: TensorRef) -> str:
    """The layer that makes a tensor, or its op where that lies in none."""
    layer = graph.layer_of_op.get(ref.op)
    return ref.op if layer is None else layer.name


def _inputs(
    one: Sequence[str], other: Sequence[str], partners: Mapping[str, str]
) -> Iterator[Difference]:
    """Inputs that are no partners; all of them where one side takes more."""
    if len(one) != len(other):
        yield Difference("inputs", list(one), list(other), "inputs")
        return
    pairs = zip(one, other, strict=True)
    unlike = [(left, right) for left, right in pairs if partners.get(left) != right]
    if unlike:
        left, right = [one for one, _ in unlike], [two for _, two in unlike]
        yield Difference("inputs", left, right, "inputs")


def _differing(aspect: str, one: Any, other: Any) -> Iterator[Difference]:
    if one != other:
        yield Difference(aspect, one, other, aspect)


def _variables(
    a: Graph, b: Graph, one: Layer, other: Layer, found: Alignment
) -> Iterator[Difference]:
    """Variables of another shape, and those that one side lacks; by the last part of their names,
    in one order whichever comes first.
    """
    held = [_held(a, one), _held(b, other)]
    pairs = {name: found.variables.get(name) for name in held[0]}
    told = []
    for name, partner in pairs.items():
        right = held[1].get(partner) if partner is not None else None
        told += _variable(name, held[0][name], right)
    back = set(pairs.values())
    for name, variable in held[1].items():
        if name not in back:
            told += _variable(name, None, variable)
    yield from sorted(told, key=lambda difference: difference.name)


def _held(graph: Graph, layer: Layer) -> dict[str, Variable]:
    return {name: graph.variable_by_name[name] for name in layer.variables}


def _variable(name: str, one: Variable | None, other: Variable | None) -> list[Difference]:
    last = name.rpartition("/")[2]
    shapes_of = [None if variable is None else variable.spec.shape for variable in (one, other)]
    told = []
    if shapes_of[0] != shapes_of[1]:
        told.append(Difference(last, shapes_of[0], shapes_of[1], "variable"))
    if one is not None and other is not None and one.trainable != other.trainable:
        told.append(Difference(f"{last} trainable", one.trainable, other.trainable, "variable"))
    return told


def _attributes(
    a: Graph, b: Graph, one: Layer, other: Layer, found: Alignment
) -> Iterator[Difference]:
    """Attributes of a layer's ops, those of its main op by their own name."""
    if one.type != other.type:
        return
    inside = set(other.ops)
    told = []
    for name in one.ops:
        partner = found.ops.get(name)
        if partner not in inside:
            continue
        left, right = a.op_by_name[name], b.op_by_name[partner]
        last = "" if name == one.main else min(_last(name), _last(partner)) + "."
        told += [
            Difference(last + key, before, after, "attribute")
            for key, before, after in _attrs(left, right)
        ]
    yield from sorted(told, key=lambda difference: difference.name)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _attrs(one: Op, other: Op) -> list[tuple[str, Any, Any]]:
    if one.attrs == other.attrs or one.type != other.type:
        return []
    return [
        (key, one.attrs.get(key), other.attrs.get(key))
        for key in sorted({*one.attrs, *other.attrs} - TOLD_ELSEWHERE)
        if one.attrs.get(key) != other.attrs.get(key)
    ]


def _lone_ops(
    a: Graph, b: Graph, one: Layer, other: Layer, found: Alignment
) -> Iterator[Difference]:
    """Types of ops that only one side has within a layer."""
    partners = {found.ops.get(name) for name in one.ops}
    left = [a.op_by_name[name].type for name in one.ops if name not in found.ops]
    right = [b.op_by_name[name].type for name in other.ops if name not in partners]
    yield from _differing("ops", _counted(left), _counted(right))


def _counted(types: Iterable[str]) -> list[str]:
    return [f"{n}× {kind}" if n > 1 else kind for kind, n in sorted(Counter(types).items())]


def _of_ops(
    one: Op, other: Op, found: Alignment, batches: tuple[int | None, int | None]
) -> Iterator[Difference]:
    yield from _differing("type", one.type, other.type)
    yield from _differing("phase", one.phase, other.phase)
    if one.inputs or other.inputs:
        yield from _tensors(one.inputs, other.inputs, found.ops)
    if one.control_inputs or other.control_inputs:
        yield from _controls(one, other, found)
    if one.outputs != other.outputs:
        left, right = ([spec.shape for spec in op.outputs] for op in (one, other))
        if len(left) == len(right) == 1:
            yield from _shapes(left[0], right[0], batches)
        elif len(left) != len(right) or any(
            [*_shapes(*pair, batches)] for pair in zip(left, right, strict=True)
        ):
            yield Difference("shape", left, right, "shape")
        types = [[spec.dtype for spec in op.outputs] for op in (one, other)]
        yield from _differing("dtype", *(part[0] if len(part) == 1 else part for part in types))
    for key, left, right in _attrs(one, other):
        yield Difference(key, left, right, "attribute")


def _tensors(
    one: Sequence[TensorRef], other: Sequence[TensorRef], partners: Mapping[str, str]
) -> Iterator[Difference]:
    names = {str(ref): f"{partners[ref.op]}:{ref.index}" for ref in one if ref.op in partners}
    yield from _inputs(list(map(str, one)), list(map(str, other)), names)


def _controls(one: Op, other: Op, found: Alignment) -> Iterator[Difference]:
    """What only one of both waits for."""
    partners = {found.ops.get(name) for name in one.control_inputs}
    waits = set(other.control_inputs)
    left = [name for name in one.control_inputs if found.ops.get(name) not in waits]
    right = [name for name in other.control_inputs if name not in partners]
    yield from _differing("control inputs", left, right)
