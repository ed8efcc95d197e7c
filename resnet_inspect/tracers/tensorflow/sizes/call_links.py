"""Follows tensors into functions and out of them, and into lists of tensors and out of them.

A loop keeps the shapes of its tensors. An argument of a function has the shape of the tensor that
the calling op passes. A tensor that a loop reads from a list or writes to it has the axes of the
elements, without the axis that counts them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from resnet_inspect.graph import Inlined, Op, TensorRef
from resnet_inspect.graph.inlining import BRANCHES, CALLS, LOOPS
from resnet_inspect.graph.nodes import Attr
from resnet_inspect.graph.tensors import TensorSpec
from resnet_inspect.tracers.tensorflow.sizes.shape_probe import INTEGERS

NOT_RECORDED = "the function that computes the tensor was not recorded"
NO_ELEMENT = "no op was found that adds an element to the list of tensors"


@dataclass(frozen=True)
class Passed:
    """Axes of an output that have the sizes of axes of other tensors.

    Axis `start` of output `output` has the size of axis `first` of each of `tensors`, and so on for
    the axes behind them.
    """

    output: int
    tensors: tuple[TensorRef, ...]
    start: int = 0
    first: int = 0


class CallLinks:
    """Finds the axes that functions and lists of tensors pass on. `ops` are the ops by name."""

    def __init__(self, network: Inlined, ops: Mapping[str, Op]) -> None:
        self._network = network
        self._ops = ops

    def of(self, op: Op) -> list[Passed] | str | None:
        """Return the axes that `op` passes on, or why they are unknown; None for other ops."""
        if op.name in self._network.arguments:
            return [Passed(0, (self._network.arguments[op.name],))]
        if op.type == "TensorListElementShape":
            return []  # as many elements as the tensors of the list have axes
        if op.type == "IdentityN":
            return [Passed(index, (ref,)) for index, ref in enumerate(op.inputs)]
        if op.type in LOOPS | BRANCHES | CALLS:
            return list(self._of_call(op)) or NOT_RECORDED
        if op.type in ("TensorListGetItem", "TensorListPopBack", "TensorListStack"):
            passed = list(self._of_list(op))
            return passed if any(axes.tensors for axes in passed) else NO_ELEMENT
        return None

    def _of_call(self, op: Op) -> Iterator[Passed]:
        for index in range(len(op.outputs)):
            given = op.inputs[index : index + 1] if op.type in LOOPS else ()
            results = self._network.results.get(TensorRef(op.name, index), ())
            if given or results:
                yield Passed(index, (*given, *results))

    def _of_list(self, op: Op) -> Iterator[Passed]:
        output = 1 if op.type == "TensorListPopBack" else 0
        start = 1 if op.type == "TensorListStack" else 0
        for maker in self._makers(op.inputs[0]):
            if maker.type == "TensorListFromTensor":
                yield Passed(output, (maker.inputs[0],), start, first=1)
                if start:
                    yield Passed(output, (maker.inputs[0],))
            elif maker.type == "TensorListSetItem":
                yield Passed(output, (maker.inputs[2],), start)
            elif maker.type == "TensorListPushBack":
                yield Passed(output, (maker.inputs[1],), start)
            elif maker.type == "TensorListReserve" and start:
                yield Passed(output, (TensorRef(counted(maker)),))

    def _makers(self, list_of_tensors: TensorRef) -> Iterator[Op]:
        """Yield the ops that create a list of tensors or add elements to it, the latest first."""
        waiting, begun = [list_of_tensors], set[TensorRef]()
        while waiting:
            ref = waiting.pop()
            if ref in begun:
                continue
            begun.add(ref)
            op = self._ops[ref.op]
            yield op
            if ref.op in self._network.arguments:
                waiting.append(self._network.arguments[ref.op])
            elif op.type in LOOPS | BRANCHES | CALLS:
                waiting += self._network.results.get(ref, ())
            elif op.type not in ("TensorListFromTensor", "TensorListReserve"):
                waiting += op.inputs[:1]


def counted(reserve: Op) -> str:
    """Return the name of the op that `counting_ops` adds for a list of a given length."""
    return f"{reserve.name}/counted"


def counting_ops(op: Op) -> Iterator[Op]:
    """Yield ops that make a vector with as many elements as a new list of tensors."""
    if op.type == "TensorListReserve":
        number, vector = op.inputs[1], f"{op.name}/vector"
        packed: dict[str, Attr] = {"N": 1, "T": "int32", "axis": 0}
        filled: dict[str, Attr] = {"T": "int32", "index_type": "int32"}
        single, unknown = TensorSpec((1,), "int32"), TensorSpec((None,), "int32")
        yield Op(vector, "Pack", inputs=(number,), outputs=(single,), attrs=packed)
        inputs = TensorRef(vector), number
        yield Op(counted(op), "Fill", inputs=inputs, outputs=(unknown,), attrs=filled)


def with_fixed_arguments(network: Inlined) -> dict[str, Op]:
    """Return the ops by name, with integer arguments that do not change as ops that read them.

    These are the arguments of functions, and of loops whose body returns them unchanged. Other
    arguments of loops have another value in each iteration.
    """
    ops = dict(network.graph.op_by_name)
    loops = [op for op in network.graph.ops if op.type in LOOPS]
    inside = tuple(f"{op.name}/" for op in loops)
    unchanged = {name for op in loops for name in _unchanged(op, network, ops)}
    for name, ref in network.arguments.items():
        spec = ops[name].outputs[0]
        fixed = name in unchanged or not name.startswith(inside)
        if fixed and spec.dtype in INTEGERS:
            attrs: dict[str, Attr] = {"T": spec.dtype}
            ops[name] = Op(name, "Identity", inputs=(ref,), outputs=(spec,), attrs=attrs)
    return ops


def _unchanged(loop: Op, network: Inlined, ops: Mapping[str, Op]) -> Iterator[str]:
    """Yield the arguments that the body of a loop returns unchanged."""
    for index, given in enumerate(loop.inputs):
        for result in network.results.get(TensorRef(loop.name, index), ()):
            name = result.op
            while ops[name].type == "Identity":
                name = ops[name].inputs[0].op
            if network.arguments.get(name) == given:
                yield name
