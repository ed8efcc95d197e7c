"""Sizes that the graph does not know: names them, and takes them from the steps that ran.

TensorFlow traces a step with an unknown batch size if the last batch is smaller. Such an axis is
written `batch`, and memory is that of the first recorded step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod

import msgspec

from resnet_inspect.analysis.sizes.meanings import BATCH, CHANNEL, Meanings
from resnet_inspect.analysis.sizes.why import ChainStep, Explanation
from resnet_inspect.graph import AxisRef, Graph, MeasuredSize, Op, TensorRef, TensorSpec
from resnet_inspect.graph.lineage import Lineage
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
    return any(None in (spec.shape or ()) for op in graph.ops for spec in op.outputs)


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


class _Sizes:
    """The measured sizes of a graph. Each name belongs to an axis of an input."""

    def __init__(
        self,
        graph: Graph,
        lineage: Lineage,
        inputs: Sequence[Shapes],
        elements: Mapping[str, int],
    ) -> None:
        self._elements = elements
        self._by_name: dict[str, MeasuredSize] = {}
        axes = {name: tuple(self._names(graph, name, inputs)) for name in graph.inputs}
        self._meanings = Meanings(msgspec.structs.replace(graph, axes=axes), lineage)
        self._single = len(inputs) == 1

    def of_op(self, op: Op) -> Op:
        """Return the op with measured sizes in the shapes of its outputs."""
        if not any(None in (spec.shape or ()) for spec in op.outputs):
            return op
        refs = (TensorRef(op.name, index) for index in range(len(op.outputs)))
        outputs = tuple(map(self._of_output, refs, op.outputs))
        return msgspec.structs.replace(op, outputs=outputs)

    def _of_output(self, ref: TensorRef, spec: TensorSpec) -> TensorSpec:
        if spec.shape is None:
            return spec
        shape: list[int | None] = list(spec.shape)
        for axis, size in enumerate(shape):
            if size is None:
                meaning = self._meanings.of(AxisRef(ref, axis))
                if len(meaning.names) == 1 and meaning.share == 1:
                    shape[axis] = self._by_name.get(meaning.names[0])
        if shape.count(None) == 1 and str(ref) in self._elements:
            axis = shape.index(None)
            rest = prod(size for size in shape if size is not None)
            if rest:
                shape[axis] = self._counted(axis, self._elements[str(ref)] // rest)
        return TensorSpec(tuple(shape), spec.dtype)

    def _counted(self, axis: int, size: int) -> int:
        """Return a size that was computed from the number of elements of a tensor.

        A first axis of the size of the batch is the batch. Other sizes may differ in other steps,
        so they have no name.
        """
        batch = self._by_name.get(BATCH)
        if axis == 0 and batch is not None and size == batch:
            return batch
        return size if self._single else MeasuredSize(size)

    def _names(self, graph: Graph, name: str, inputs: Sequence[Shapes]) -> Iterator[str]:
        """Yield a name for each unknown size of an input, and an empty name for each known one."""
        shape = graph.spec(graph.inputs[name]).shape or ()
        meanings = graph.axes.get(name, ())
        for axis, size in enumerate(shape):
            series = [step[name][axis] for step in inputs if len(step.get(name, ())) > axis]
            meaning = meanings[axis] if axis < len(meanings) else ""
            if size is not None:
                yield ""
            elif series:
                yield self._name(f"{name}[{axis}]", meaning, series)
            else:
                yield BATCH if axis == 0 and meaning == BATCH else ""

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
