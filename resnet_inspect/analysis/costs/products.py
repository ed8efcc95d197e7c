"""Products that an op multiplies and accumulates, for the whole batch, also in nested functions."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from resnet_inspect.analysis.costs.batch_sizes import Rows, Size, product
from resnet_inspect.analysis.costs.dimensions import CALLS, LOOPS, Dimensions
from resnet_inspect.analysis.costs.loops import repetitions
from resnet_inspect.graph import Op, TensorRef

CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative")
# They multiply each element of their third input with the kernel.
TRANSPOSED = (
    "Conv2DBackpropInput",
    "Conv3DBackpropInputV2",
    "DepthwiseConv2dNativeBackpropInput",
)
PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "SparseMatMul")
COUNTED = (*CONVOLUTIONS, *TRANSPOSED, *PRODUCTS, "Einsum")
BRANCHES = ("If", "StatelessIf", "Case", "StatelessCase")
# Other ops with these words in their type multiply too, or their contents are unknown.
UNCOUNTED = re.compile("Conv[23]?D|Conv2d|MatMul|Einsum|RNN|LSTM|GRU|PyFunc|Xla|TRT|^Conv$")


class Unknown(NamedTuple):
    """The reason for an unknown number of multiply-accumulates."""

    reason: str


class Products:
    """Counts the ops of the network or of one nested function, for the whole batch.

    `known` has, for functions by name, whether they may multiply.
    """

    def __init__(self, dimensions: Dimensions, known: dict[str, bool]) -> None:
        self._dimensions, self._functions, self._known = dimensions, dimensions.functions, known

    def multiplies(self, op: Op) -> bool:
        """Whether an op multiplies and accumulates, or may do so."""
        if op.type in COUNTED or op.type in CALLS or UNCOUNTED.search(op.type):
            return True
        return any(self._may_multiply(name) for name in self._called(op))

    def _may_multiply(self, name: str) -> bool:
        if name not in self._known:
            self._known[name] = True  # ends a recursion
            self._known[name] = any(map(self.multiplies, self._functions[name].ops))
        return self._known[name]

    def count(self, op: Op) -> Rows | Unknown:
        """Return a count, per example of an unknown batch."""
        if op.name in self._conditional:
            return Unknown(f"{op.type} is in a loop or branch of TensorFlow 1")
        if op.type in (*CALLS, *LOOPS, *BRANCHES):
            return self._function(op)
        factors = self._factors(op)
        if factors is None:
            return Unknown(f"{op.type} is not counted")
        total = product(factors)
        if total is None:
            return Unknown(f"a size of {op.type} is unknown")
        return Rows(Fraction(total)) if isinstance(total, int) else total

    def _factors(self, op: Op) -> list[Size] | None:
        """Return the numbers whose product is the count; None for an op of an unknown kind."""
        sizes = self._sizes
        if op.type in CONVOLUTIONS:
            return [*sizes(op.inputs[1]), *_positions(op, sizes(self._convolved(op)))]
        if op.type in TRANSPOSED:
            return [*sizes(op.inputs[1]), *_positions(op, sizes(op.inputs[2]))]
        if op.type in PRODUCTS:
            return [self._contracted(op), *sizes(TensorRef(op.name))]
        if op.type == "Einsum":
            return self._einsum(op)
        return None

    def _sizes(self, ref: TensorRef) -> tuple[Size, ...]:
        """Return the sizes of a tensor; one unknown size for an unknown rank."""
        sizes = self._dimensions.of(ref)
        return (None,) if sizes is None else sizes

    def _convolved(self, op: Op) -> TensorRef:
        """Return the output of a convolution.

        TensorFlow may split the input of a dilated one into blocks with additional padding. Their
        outputs count after they are merged.
        """
        output, graph = TensorRef(op.name), self._dimensions.graph
        users = [graph.op_by_name[name] for name in graph.consumers.get(output, ())]
        merging = [user for user in users if user.type == "BatchToSpaceND"]
        return TensorRef(merging[0].name) if merging else output

    def _contracted(self, op: Op) -> Size:
        """Return the size over which a matrix product sums."""
        left = -2 if _is_transposed(op, "a", "x") else -1
        right = -1 if _is_transposed(op, "b", "y") else -2
        for ref, place in zip(op.inputs, (left, right), strict=False):
            sizes = self._sizes(ref)
            if len(sizes) > 1 and sizes[place] is not None:
                return sizes[place]
        return None

    def _einsum(self, op: Op) -> list[Size]:
        """Return the size of each letter of the equation. An ellipsis is in the output."""
        if len(op.inputs) == 1:
            return [0]
        terms, _, result = str(op.attrs["equation"]).partition("->")
        letters: dict[str, Size] = {}
        for term, ref in zip((*terms.split(","), result), (*op.inputs, TensorRef(op.name)),
                             strict=True):  # fmt: skip
            sizes = self._sizes(ref)
            before, dots, after = term.partition("...")
            middle = len(sizes) - len(before) - len(after)
            if middle < 0 or (middle and not dots):
                return [None]
            names = [*before, *(f".{place}" for place in range(middle, 0, -1)), *after]
            for name, size in zip(names, sizes, strict=True):
                if letters.get(name) in (None, 1):
                    letters[name] = size
        return list(letters.values())

    def _function(self, op: Op) -> Rows | Unknown:
        """Return the count of a call, of a loop, or of branches with equal counts."""
        names = self._called(op)
        names = [str(op.attrs["body"])] if op.type in LOOPS and names else names
        if not names:
            return Unknown(f"the function of {op.type} is not recorded")
        counts = [self._body(op, name) for name in names]
        first = counts[0]
        if isinstance(first, Unknown):
            return first
        if any(count != first for count in counts[1:]):
            return Unknown(f"the branches of {op.type} differ")
        if op.type not in LOOPS or not first.per_example:
            return first
        times = repetitions(op, self._dimensions)
        if times is None:
            return Unknown("the number of steps of a loop is unknown")
        return Rows(first.per_example * times)

    def _body(self, op: Op, name: str) -> Rows | Unknown:
        """Return the count of one call of a function."""
        total = Fraction()
        if self._may_multiply(name):
            frame = Products(self._dimensions.inside(op, name), self._known)
            for inner in filter(self.multiplies, self._functions[name].ops):
                count = frame.count(inner)
                if isinstance(count, Unknown):
                    return count
                total += count.per_example
        return Rows(total)

    @cached_property
    def _conditional(self) -> frozenset[str]:
        """The ops in loops and branches of TensorFlow 1, which are no functions."""
        inside: set[str] = set()
        graph = self._dimensions.graph
        for op in graph.ops:
            before = [graph.op_by_name[ref.op] for ref in op.inputs if ref.op in inside]
            ends = all(earlier.type in ("Exit", "Merge") for earlier in before)
            if op.type in ("Enter", "Switch") or not ends:
                inside.add(op.name)
        return frozenset(inside)

    def _called(self, op: Op) -> list[str]:
        """Return the names of the nested functions that an op runs."""
        values = (value if isinstance(value, list) else [value] for value in op.attrs.values())
        names = (name for value in values for name in value if isinstance(name, str))
        return [name for name in names if name in self._functions]


def _is_transposed(op: Op, old: str, new: str) -> bool:
    return bool(op.attrs.get(f"transpose_{old}") or op.attrs.get(f"adj_{new}"))


def _positions(op: Op, sizes: tuple[Size, ...]) -> tuple[Size, ...]:
    """Return the sizes of a tensor without that of its channels."""
    first = str(op.attrs.get("data_format", "")).startswith("NC")
    return (sizes[0], *sizes[2:]) if first and len(sizes) > 1 else sizes[:-1] or (None,)
