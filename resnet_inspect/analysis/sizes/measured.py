"""Sizes that the graph does not know: names them, and takes them from the steps that ran.

TensorFlow traces a step with an unknown batch size if the last batch is smaller. Such an axis is
written `batch`, and memory is that of the first recorded step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

import msgspec

from resnet_inspect.analysis.sizes.meanings import BATCH, CHANNEL, product_of
from resnet_inspect.analysis.sizes.paths import ChainStep
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.graph import AxisRef, Graph, MeasuredSize, Op, TensorRef, TensorSpec
from resnet_inspect.graph.lineage import FromAxis, Lineage, Relation
from resnet_inspect.graph.tensors import Shape

Shapes = Mapping[str, tuple[int, ...]]


def measured_graph(
    graph: Graph, lineage: Lineage, inputs: Sequence[Shapes], elements: Mapping[str, int]
) -> Graph:
    """Return the graph with a `MeasuredSize` in place of each unknown size that was measured.

    Args:
        graph: the graph.
        lineage: the origins of its sizes.
        inputs: the shapes of its inputs, by name, in each recorded step.
        elements: the number of elements of tensors in the first of these steps, by tensor.
    """
    sizes = _Sizes(graph, lineage, inputs, elements)
    return msgspec.structs.replace(graph, ops=tuple(map(sizes.of_op, graph.ops)))


def has_unknown_sizes(graph: Graph) -> bool:
    """Return whether the size of an axis of the graph is unknown."""
    return any(any(_unknown_axes(op)) for op in graph.ops)


def measured_sizes(shapes: Iterable[Shape]) -> tuple[MeasuredSize, ...]:
    """Return the sizes with names in some shapes, each name once."""
    named = {
        size.name: size
        for shape in shapes
        for size in shape or ()
        if isinstance(size, MeasuredSize) and size.steps
    }
    return tuple(named.values())


def measured_explanation(explanation: Explanation, graph: Graph) -> Explanation:
    """Return an explanation with the sizes of `graph`, a measured graph, for unknown sizes."""

    def size_at(place: str, size: int | None) -> int | None:
        tensor, _, axis = place.partition(" axis ")
        op, _, index = tensor.rpartition(":")
        if size is not None or op not in graph.op_by_name:
            return size
        return (graph.op_by_name[op].outputs[int(index)].shape or ())[int(axis)]

    def steps(chain: tuple[ChainStep, ...]) -> tuple[ChainStep, ...]:
        return tuple(
            msgspec.structs.replace(step, size=size_at(step.place, step.size)) for step in chain
        )

    chain = steps(explanation.chain)
    return msgspec.structs.replace(
        explanation, size=chain[0].size, chain=chain, inflow=steps(explanation.inflow)
    )


def _unknown_axes(op: Op) -> Iterator[AxisRef]:
    for index, spec in enumerate(op.outputs):
        for axis, size in enumerate(spec.shape or ()):
            if size is None:
                yield AxisRef(TensorRef(op.name, index), axis)


class _Sizes:
    """The measured sizes of a graph. Each name belongs to an axis of an input."""

    def __init__(
        self,
        graph: Graph,
        lineage: Lineage,
        inputs: Sequence[Shapes],
        elements: Mapping[str, int],
    ) -> None:
        self._graph, self._lineage, self._elements = graph, lineage, elements
        self._by_name: dict[str, MeasuredSize] = {}
        self._single = len(inputs) == 1
        self._known: dict[AxisRef, int] = {}
        names = {name: self._names(name, inputs) for name in graph.inputs}
        for name, ref in graph.inputs.items():
            for axis, size_name in names[name].items():
                if size_name in self._by_name:
                    self._known[AxisRef(ref, axis)] = self._by_name[size_name]
        unknown = [axis for op in graph.ops for axis in _unknown_axes(op)]
        self._unknown = frozenset(unknown)
        self._name_axes(unknown)
        self._count_axes(unknown)
        self._spread(unknown)

    def of_op(self, op: Op) -> Op:
        """Return the op with measured sizes in the shapes of its outputs."""
        if not any(_unknown_axes(op)):
            return op
        shapes = (self._shape(TensorRef(op.name, index)) for index in range(len(op.outputs)))
        outputs = map(TensorSpec, shapes, (spec.dtype for spec in op.outputs))
        return msgspec.structs.replace(op, outputs=tuple(outputs))

    def _shape(self, ref: TensorRef) -> Shape:
        shape = self._graph.spec(ref).shape
        if shape is None:
            return None
        return tuple(
            self._known.get(AxisRef(ref, axis)) if size is None else size
            for axis, size in enumerate(shape)
        )

    def _name_axes(self, unknown: Sequence[AxisRef]) -> None:
        """Set the axes that always have the size of an axis of an input.

        Links to axes of different names contradict each other, so they set nothing.
        """
        for axis in unknown:
            sources = [ref for ref in self._same(axis) if ref in self._unknown] or self._kept(axis)
            sizes = {str(self._known.get(source)): self._known.get(source) for source in sources}
            size = sizes.popitem()[1] if len(sizes) == 1 else None
            if axis not in self._known and size is not None:
                self._known[axis] = size

    def _same(self, axis: AxisRef) -> list[AxisRef]:
        """Return the axes of inputs of the op that always have the size of an axis."""
        return [
            link.origin.ref
            for link in self._lineage.of(axis)
            if link.relation == Relation.SAME and isinstance(link.origin, FromAxis)
        ]

    def _kept(self, axis: AxisRef) -> list[AxisRef]:
        """Return the first axis of the input of a Reshape that keeps it, else nothing."""
        op = self._graph.op_by_name[axis.tensor.op]
        if op.type != "Reshape" or axis.axis:
            return []
        before, after = self._graph.spec(op.inputs[0]).shape, op.outputs[0].shape
        inner = product_of((before or (None,))[1:])
        keeps = inner is not None and inner == product_of((after or ())[1:])
        return [AxisRef(op.inputs[0], 0)] if before and keeps else []

    def _count_axes(self, unknown: Sequence[AxisRef]) -> None:
        """Set the only unknown size of each tensor whose elements were counted."""
        for tensor in dict.fromkeys(axis.tensor for axis in unknown):
            shape, elements = self._shape(tensor) or (), self._elements.get(str(tensor))
            rest = prod(size for size in shape if size is not None)
            if elements is not None and rest and shape.count(None) == 1:
                place = shape.index(None)
                self._known[AxisRef(tensor, place)] = self._counted(place, elements // rest)

    def _spread(self, unknown: Sequence[AxisRef]) -> None:
        """Set the axes that always have the size of a counted one: first towards the inputs."""
        same = [
            (axis, source)
            for axis in unknown
            if len(self._lineage.of(axis)) == 1
            for source in self._same(axis)
        ]
        for axis, origin in (*((b, a) for a, b in reversed(same)), *same):
            if axis not in self._known and origin in self._known:
                self._known[axis] = self._known[origin]

    def _counted(self, axis: int, size: int) -> int:
        """Return a size that was computed from the number of elements of a tensor.

        A first axis of the size of the batch is the batch. Other sizes may differ in other steps,
        so they have no name.
        """
        batch = self._by_name.get(BATCH)
        if axis == 0 and batch is not None and size == batch:
            return batch
        return size if self._single else MeasuredSize(size)

    def _names(self, name: str, inputs: Sequence[Shapes]) -> dict[int, str]:
        """Return the names of the unknown sizes of an input, by axis."""
        names = {}
        meanings = self._graph.axes.get(name, ())
        for axis, size in enumerate(self._graph.spec(self._graph.inputs[name]).shape or ()):
            series = [step[name][axis] for step in inputs if len(step.get(name, ())) > axis]
            meaning = meanings[axis] if axis < len(meanings) else ""
            if size is None and series:
                names[axis] = self._name(f"{name}[{axis}]", meaning, series)
            elif size is None and axis == 0 and meaning == BATCH:
                names[axis] = BATCH
        return names

    def _name(self, place: str, meaning: str, series: list[int]) -> str:
        """Return the name of a size, which is its meaning unless another size has that name."""
        size = MeasuredSize(series[0], meaning, _spelled(series))
        other = self._by_name.get(meaning, size)
        if meaning in ("", CHANNEL) or (other, other.steps) != (size, size.steps):
            size = MeasuredSize(size, place, size.steps)
        self._by_name[size.name] = size
        return size.name


def _spelled(series: Sequence[int]) -> str:
    """Return the sizes in the recorded steps, such as `8 here, 5 in the last`."""
    here, others = series[0], set(series) - {series[0]}
    if not others:
        return f"{here} here"
    if others == {series[-1]}:
        return f"{here} here, {series[-1]} in the last"
    return f"{here} here, {min(series)} to {max(series)} in all"
