"""Values of small integer tensors that a graph fixes, such as shapes and the bounds of loops."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType

from resnet_inspect.analysis.costs.batch_sizes import Size, product
from resnet_inspect.graph import Graph, Op, TensorRef

# A scalar or an element of a vector. None is unknown.
Element = float | Size
Value = Element | list[Element]

COPIES = ("Identity", "Cast", "StopGradient", "Snapshot", "EnsureShape")
REDUCTIONS: dict[str, Callable[[list[float]], float]] = {
    "Max": max,
    "Min": min,
    "Sum": sum,
}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "Add": operator.add,
    "AddV2": operator.add,
    "Sub": operator.sub,
    "FloorDiv": operator.floordiv,
    "Maximum": max,
    "Minimum": min,
}
NOTHING: Mapping[TensorRef, Value] = MappingProxyType({})


def as_size(element: Element) -> Size:
    """Return an element as a size; None if it is none."""
    return None if isinstance(element, float) else element


class Constants:
    """Values of scalars and vectors of one graph.

    Args:
        graph: The network or a nested function.
        given: The values of the arguments of a nested function.
        sizes: Returns the sizes of a tensor, by default those that TensorFlow knows.
    """

    def __init__(
        self,
        graph: Graph,
        given: Mapping[TensorRef, Value] = NOTHING,
        sizes: Callable[[TensorRef], tuple[Size, ...] | None] | None = None,
    ) -> None:
        self._graph = graph
        self._sizes = sizes or (lambda ref: graph.spec(ref).shape)
        self._known: dict[TensorRef, Value] = dict(given)

    def of(self, ref: TensorRef) -> Value:
        """Return the value of a tensor; None if it is unknown or has a rank above 1."""
        if ref not in self._known:
            self._known[ref] = None  # a loop of TensorFlow 1 leads back here
            self._known[ref] = self._value(self._graph.op_by_name[ref.op])
        return self._known[ref]

    def vector(self, ref: TensorRef) -> list[Element] | None:
        """Return the elements of a vector; None if the tensor is another one or unknown."""
        value = self.of(ref)
        return value if isinstance(value, list) else None

    def scalar(self, ref: TensorRef) -> Element:
        """Return the value of a scalar; None if the tensor is another one or unknown."""
        value = self.of(ref)
        return None if isinstance(value, list) else value

    def _value(self, op: Op) -> Value:
        shape = op.outputs[0].shape if op.outputs else None
        if shape is None or len(shape) > 1:
            return None
        if op.type == "Const":
            return self._literal(op)
        if op.type in COPIES or (op.type == "Reshape" and not shape):
            return self.of(op.inputs[0])
        if op.type == "Shape":
            sizes = self._sizes(op.inputs[0])
            return None if sizes is None else list(sizes)
        if op.type == "Pack":
            return [self.scalar(ref) for ref in op.inputs]
        if op.type == "ConcatV2":
            vectors = [self.vector(ref) for ref in op.inputs[:-1]]
            return (
                [element for vector in vectors for element in vector or ()]
                if all(vectors)
                else None
            )
        if op.type == "GatherV2" and shape:
            return self._gathered(op)
        if op.type == "StridedSlice" and not shape:
            return self._element(op)
        if op.type in (*REDUCTIONS, "Prod") and not shape:
            return self._reduced(op)
        if op.type in (*ARITHMETIC, "Mul") and not shape:
            return self._computed(op)
        return None

    def _computed(self, op: Op) -> Element:
        left, right = (self.scalar(ref) for ref in op.inputs)
        if op.type == "Mul" and not isinstance(left, float) and not isinstance(right, float):
            return product((left, right))
        if isinstance(left, int | float) and isinstance(right, int | float):
            return ARITHMETIC[op.type](left, right) if op.type in ARITHMETIC else left * right
        return None

    def _literal(self, op: Op) -> Value:
        value = op.attrs.get("value")
        if isinstance(value, list):
            return [None if isinstance(element, str) else element for element in value]
        return None if isinstance(value, str) else value

    def _element(self, op: Op) -> Element:
        """Return an element of a vector, such as the second size of a shape."""
        vector, begin = self.vector(op.inputs[0]), self.vector(op.inputs[1])
        if vector is None or begin is None or len(begin) != 1 or not isinstance(begin[0], int):
            return None
        return vector[begin[0]] if -len(vector) <= begin[0] < len(vector) else None

    def _joined(self, op: Op) -> Value:
        elements: list[Element] = []
        for ref in op.inputs[:-1]:
            vector = self.vector(ref)
            if vector is None:
                return None
            elements += vector
        return elements

    def _gathered(self, op: Op) -> Value:
        vector, places = self.vector(op.inputs[0]), self.vector(op.inputs[1])
        if vector is None or places is None:
            return None
        return [vector[place] if isinstance(place, int) else None for place in places]

    def _reduced(self, op: Op) -> Element:
        value = self.of(op.inputs[0])
        elements = value if isinstance(value, list) else [value]
        if op.type == "Prod":
            return product(map(as_size, elements))
        known = [element for element in elements if isinstance(element, int | float)]
        complete = known and len(known) == len(elements)
        return REDUCTIONS[op.type](known) if complete else None
