"""Differences between two aligned graphs, by layer or by op."""

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
    Renaming,
    Unmatched,
)
from resnet_inspect.analysis.diff.numbering import without_numbers
from resnet_inspect.analysis.sizes.meanings import BATCH
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, Variable
from resnet_inspect.graph.tensors import Shape

# Attributes that repeat the types and shapes of outputs, which are compared separately.
OUTPUT_ATTRS = {"T", "U", "dtype", "shape", "SrcT", "DstT", "out_type", "Tshape", "Tidx", "Tdim"}
Node = Layer | Op


def compare_graphs(a: Graph, b: Graph, alignment: Alignment, depth: Depth) -> GraphDiff:
    """The differences of two aligned graphs, in graph order: of ops at depth op, else of layers.

    A different batch size is listed once, in the totals, and not for each tensor.
    """
    batches = _batch(a), _batch(b)
    by_op = depth == Depth.OP
    first: Sequence[Node] = a.ops if by_op else a.layers
    second: Sequence[Node] = b.ops if by_op else b.layers
    partners = alignment.ops if by_op else alignment.layers
    places = {node.name: place for place, node in enumerate(first)}
    others = {node.name: place for place, node in enumerate(second)}
    pairs = sorted(
        ((places[name], others[partner]) for name, partner in partners.items()),
        key=lambda pair: (
            sum(pair),
            min(pair),
            sorted((first[pair[0]].name, second[pair[1]].name)),
        ),
    )
    renamed, changed = [], []
    for i, j in pairs:
        node, partner = first[i], second[j]
        if node.name != partner.name:
            renamed.append(_renaming(node, partner))
        if isinstance(node, Op) and isinstance(partner, Op):
            differences = tuple(_of_ops(node, partner, alignment, batches))
        elif isinstance(node, Layer) and isinstance(partner, Layer):
            differences = tuple(_of_layers(a, b, node, partner, alignment, batches))
        if differences:
            phase = _phase(node, partner)
            changed.append(Change(node.name, partner.name, phase, differences))
    paired = set(partners.values())
    return GraphDiff(
        depth=Depth.OP if by_op else Depth.LAYER,
        aligned=len(pairs),
        only_a=tuple(_unmatched(a, node) for node in first if node.name not in partners),
        only_b=tuple(_unmatched(b, node) for node in second if node.name not in paired),
        renamed=tuple(renamed),
        changed=tuple(changed),
        totals=(*_differing("batch", *batches), *_totals(a, b)),
    )


def _renaming(a: Node, b: Node) -> Renaming:
    numbered = without_numbers(a.name) == without_numbers(b.name)
    return Renaming(a.name, b.name, a.type, _phase(a, b), numbered)


def _phase(a: Node, b: Node) -> Phase:
    """The phase of both; if they differ, the phase that comes first in a step."""
    phases = {node.phase for node in (a, b) if isinstance(node, Op)}
    return min(phases, key=list(Phase).index, default=Phase.FORWARD)


def _unmatched(graph: Graph, node: Node) -> Unmatched:
    if isinstance(node, Op):
        shape = node.outputs[0].shape if node.outputs else None
        return Unmatched(node.name, node.type, node.phase, shape, 0)
    shape = graph.spec(node.output).shape
    return Unmatched(node.name, node.type, Phase.FORWARD, shape, _elements(graph, node))


def _elements(graph: Graph, layer: Layer) -> int:
    return sum(graph.variable_by_name[name].spec.elements or 0 for name in set(layer.variables))


def _totals(a: Graph, b: Graph) -> Iterator[Difference]:
    sums = [_sums(graph) for graph in (a, b)]
    for name, value in sums[0].items():
        if value != sums[1][name]:
            yield Difference(name, value, sums[1][name])


def _sums(graph: Graph) -> dict[str, Any]:
    totals = msgspec.structs.asdict(shapes(graph, Depth.LAYER).totals)
    unknown = {"ops_with_unknown_macs": len(totals.pop("uncounted"))}
    return {"layers": len(graph.layers), "ops": len(graph.ops)} | totals | unknown


def _batch(graph: Graph) -> int | None:
    """How many examples a batch has; None if unknown, or if inputs disagree."""
    named = [ref for name, ref in graph.inputs.items() if graph.axes.get(name, ("",))[0] == BATCH]
    sizes = {shape[0] for ref in named if (shape := graph.spec(ref).shape)}
    return sizes.pop() if len(sizes) == 1 else None


def _shapes(a: Shape, b: Shape, batches: tuple[int | None, int | None]) -> Iterator[Difference]:
    """A difference of shapes, unless only the batch size differs."""
    if a and b and (a[0], b[0]) == batches and a[1:] == b[1:]:
        return
    yield from _differing("shape", a, b)


def _of_layers(
    a: Graph,
    b: Graph,
    layer_a: Layer,
    layer_b: Layer,
    alignment: Alignment,
    batches: tuple[int | None, int | None],
) -> Iterator[Difference]:
    yield from _differing("type", layer_a.type, layer_b.type)
    yield from _differing("path", layer_a.path, layer_b.path)
    yield from _inputs(_takes(a, layer_a), _takes(b, layer_b), alignment.makers)
    outputs = a.spec(layer_a.output), b.spec(layer_b.output)
    yield from _shapes(outputs[0].shape, outputs[1].shape, batches)
    yield from _differing("dtype", outputs[0].dtype, outputs[1].dtype)
    yield from _differing("parameters", _elements(a, layer_a), _elements(b, layer_b))
    yield from _variables(a, b, layer_a, layer_b, alignment)
    yield from _attributes(a, b, layer_a, layer_b, alignment)
    yield from _unmatched_ops(a, b, layer_a, layer_b, alignment)


def _takes(graph: Graph, layer: Layer) -> list[str]:
    return [_maker(graph, ref) for ref in layer.inputs]


def _maker(graph: Graph, ref: TensorRef) -> str:
    """The layer that makes a tensor, or its op if the op is in no layer."""
    layer = graph.layer_of_op.get(ref.op)
    return ref.op if layer is None else layer.name


def _inputs(
    a: Sequence[str], b: Sequence[str], partners: Mapping[str, str]
) -> Iterator[Difference]:
    """Inputs that do not correspond; all inputs if their number differs."""
    if len(a) != len(b):
        yield Difference("inputs", list(a), list(b), "inputs")
        return
    pairs = zip(a, b, strict=True)
    unlike = [(left, right) for left, right in pairs if partners.get(left) != right]
    if unlike:
        inputs_a, inputs_b = ([pair[side] for pair in unlike] for side in (0, 1))
        yield Difference("inputs", inputs_a, inputs_b, "inputs")


def _differing(aspect: str, a: Any, b: Any) -> Iterator[Difference]:
    if a != b:
        yield Difference(aspect, a, b, aspect)


def _variables(
    a: Graph, b: Graph, layer_a: Layer, layer_b: Layer, alignment: Alignment
) -> Iterator[Difference]:
    """Variables that differ or that one side lacks, sorted by the last part of their names."""
    variables_a, variables_b = _variables_of(a, layer_a), _variables_of(b, layer_b)
    pairs = {name: alignment.variables.get(name) for name in variables_a}
    differences = []
    for name, partner in pairs.items():
        right = variables_b.get(partner) if partner is not None else None
        differences += _variable(name, variables_a[name], right)
    paired = set(pairs.values())
    for name, variable in variables_b.items():
        if name not in paired:
            differences += _variable(name, None, variable)
    yield from sorted(differences, key=lambda difference: difference.name)


def _variables_of(graph: Graph, layer: Layer) -> dict[str, Variable]:
    return {name: graph.variable_by_name[name] for name in layer.variables}


def _variable(name: str, a: Variable | None, b: Variable | None) -> list[Difference]:
    last = name.rpartition("/")[2]
    shapes_of = [None if variable is None else variable.spec.shape for variable in (a, b)]
    differences = []
    if shapes_of[0] != shapes_of[1]:
        differences.append(Difference(last, shapes_of[0], shapes_of[1], "variable"))
    if a is not None and b is not None and a.trainable != b.trainable:
        differences.append(Difference(f"{last} trainable", a.trainable, b.trainable, "variable"))
    return differences


def _attributes(
    a: Graph, b: Graph, layer_a: Layer, layer_b: Layer, alignment: Alignment
) -> Iterator[Difference]:
    """Attributes of a layer's ops; names of other ops than the main one are prefixed."""
    if layer_a.type != layer_b.type:
        return
    inside = set(layer_b.ops)
    differences = []
    for name in layer_a.ops:
        partner = alignment.ops.get(name)
        if partner not in inside:
            continue
        left, right = a.op_by_name[name], b.op_by_name[partner]
        last = "" if name == layer_a.main else min(_last(name), _last(partner)) + "."
        differences += [
            Difference(last + key, before, after, "attribute")
            for key, before, after in _attrs(left, right)
        ]
    yield from sorted(differences, key=lambda difference: difference.name)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _attrs(a: Op, b: Op) -> list[tuple[str, Any, Any]]:
    if a.attrs == b.attrs or a.type != b.type:
        return []
    return [
        (key, a.attrs.get(key), b.attrs.get(key))
        for key in sorted({*a.attrs, *b.attrs} - OUTPUT_ATTRS)
        if a.attrs.get(key) != b.attrs.get(key)
    ]


def _unmatched_ops(
    a: Graph, b: Graph, layer_a: Layer, layer_b: Layer, alignment: Alignment
) -> Iterator[Difference]:
    """Types of ops that only one side has within a layer."""
    partners = {alignment.ops.get(name) for name in layer_a.ops}
    left = [a.op_by_name[name].type for name in layer_a.ops if name not in alignment.ops]
    right = [b.op_by_name[name].type for name in layer_b.ops if name not in partners]
    yield from _differing("ops", _counted(left), _counted(right))


def _counted(types: Iterable[str]) -> list[str]:
    return [f"{n}× {kind}" if n > 1 else kind for kind, n in sorted(Counter(types).items())]


def _of_ops(
    a: Op, b: Op, alignment: Alignment, batches: tuple[int | None, int | None]
) -> Iterator[Difference]:
    yield from _differing("type", a.type, b.type)
    yield from _differing("phase", a.phase, b.phase)
    if a.inputs or b.inputs:
        yield from _tensors(a.inputs, b.inputs, alignment.ops)
    if a.control_inputs or b.control_inputs:
        yield from _controls(a, b, alignment)
    if a.outputs != b.outputs:
        left, right = ([spec.shape for spec in op.outputs] for op in (a, b))
        if len(left) == len(right) == 1:
            yield from _shapes(left[0], right[0], batches)
        elif len(left) != len(right) or any(
            [*_shapes(*pair, batches)] for pair in zip(left, right, strict=True)
        ):
            yield Difference("shape", left, right, "shape")
        types = [[spec.dtype for spec in op.outputs] for op in (a, b)]
        yield from _differing("dtype", *(part[0] if len(part) == 1 else part for part in types))
    for key, left, right in _attrs(a, b):
        yield Difference(key, left, right, "attribute")


def _tensors(
    a: Sequence[TensorRef], b: Sequence[TensorRef], partners: Mapping[str, str]
) -> Iterator[Difference]:
    names = {str(ref): f"{partners[ref.op]}:{ref.index}" for ref in a if ref.op in partners}
    yield from _inputs(list(map(str, a)), list(map(str, b)), names)


def _controls(a: Op, b: Op, alignment: Alignment) -> Iterator[Difference]:
    """Control inputs that only one side has."""
    partners = {alignment.ops.get(name) for name in a.control_inputs}
    waits = set(b.control_inputs)
    left = [name for name in a.control_inputs if alignment.ops.get(name) not in waits]
    right = [name for name in b.control_inputs if name not in partners]
    yield from _differing("control inputs", left, right)
