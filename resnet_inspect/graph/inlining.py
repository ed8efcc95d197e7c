"""A graph with the ops of its nested functions: bodies of loops, branches, called functions.

An op of a function is named below the op that calls the function, such as
`lstm/while/body/lstm_cell/MatMul`. A function that several ops call is repeated for each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from resnet_inspect.graph.network import Graph
from resnet_inspect.graph.nodes import Layer, Op, Variable
from resnet_inspect.graph.tensors import TensorRef

LOOPS = frozenset(("While", "StatelessWhile"))
BRANCHES = frozenset(("If", "StatelessIf", "Case", "StatelessCase"))
CALLS = frozenset(("PartitionedCall", "StatefulPartitionedCall"))
# The attributes that name functions, by type of the calling op.
FUNCTIONS = (
    dict.fromkeys(LOOPS, ("cond", "body"))
    | dict.fromkeys(BRANCHES, ("then_branch", "else_branch", "branches"))
    | dict.fromkeys(CALLS, ("f",))
)
MOST_LEVELS = 8  # of functions inside functions, against functions that call themselves


class Inlined(msgspec.Struct, frozen=True):
    """A graph with its nested ops, and the tensors that enter and leave functions.

    Attributes:
        graph: the graph. Its layers contain the nested ops of their ops.
        arguments: the tensor that each argument of a function receives, by op of the argument.
        results: for each output of a calling op, the tensors that the functions return.
    """

    graph: Graph
    arguments: dict[str, TensorRef]
    results: dict[TensorRef, tuple[TensorRef, ...]]


def inlined(graph: Graph) -> Inlined:
    """Return the graph with the ops of its nested functions."""
    if not graph.functions:
        return Inlined(graph, {}, {})
    inlining = _Inlining(graph)
    ops = tuple(inlining.expanded(graph.ops, 0))
    inner = inlining.inner
    whole = msgspec.structs.replace(
        graph,
        ops=ops,
        layers=tuple(_with_inner(layer, inner) for layer in graph.layers),
        variables=tuple(_read_inside(graph.variables, inlining.arguments, ops)),
    )
    return Inlined(whole, inlining.arguments, inlining.results)


class _Inlining:
    """Expands calling ops; `inner` are the ops that each calling op of the graph leads to."""

    def __init__(self, graph: Graph) -> None:
        self._functions = graph.functions
        self._taken = set(graph.op_by_name)
        self._original: dict[str, tuple[str, ...]] = {}  # names in functions, by new name
        self.arguments: dict[str, TensorRef] = {}
        self.results: dict[TensorRef, tuple[TensorRef, ...]] = {}
        self.inner: dict[str, tuple[str, ...]] = {}

    def expanded(self, ops: tuple[Op, ...], level: int) -> Iterator[Op]:
        """Yield the ops, with the ops of called functions before the calling op."""
        for op in ops:
            if op.type in FUNCTIONS and level < MOST_LEVELS:
                inside = list(self._inside(op, level))
                self.inner[op.name] = tuple(inner.name for inner in inside)
                yield from inside
            yield op

    def _inside(self, op: Op, level: int) -> Iterator[Op]:
        given = op.inputs[1:] if op.type in BRANCHES else op.inputs
        for label, function in self._called(op):
            graph = self._functions[function]
            names = self._names(op, label, graph)
            for argument, ref in zip(graph.inputs.values(), given, strict=False):
                self.arguments[names[argument.op]] = ref
            if label != "cond":
                for index, ref in enumerate(graph.outputs):
                    result = TensorRef(names[ref.op], ref.index)
                    place = TensorRef(op.name, index)
                    self.results[place] = (*self.results.get(place, ()), result)
            renamed = tuple(
                msgspec.structs.replace(
                    inner,
                    name=names[inner.name],
                    phase=op.phase,
                    inputs=tuple(TensorRef(names[ref.op], ref.index) for ref in inner.inputs),
                    control_inputs=tuple(names[name] for name in inner.control_inputs),
                )
                for inner in graph.ops
            )
            yield from self.expanded(renamed, level + 1)

    def _called(self, op: Op) -> Iterator[tuple[str, str]]:
        """Yield label and name of each function that an op calls, if it is recorded."""
        for attribute in FUNCTIONS[op.type]:
            value = op.attrs.get(attribute)
            functions = value if isinstance(value, list) else [value]
            for number, function in enumerate(functions):
                if isinstance(function, str) and function in self._functions:
                    label = f"{attribute}_{number}" if isinstance(value, list) else attribute
                    yield label, function

    def _names(self, op: Op, label: str, graph: Graph) -> dict[str, str]:
        """Return a free name for each op of a function that `op` calls."""
        names = {}
        for inner in graph.ops:
            short = inner.name
            for prefix in (op.name, *self._original.get(op.name, ())):
                short = short.removeprefix(f"{prefix}/")
            name = f"{op.name}/{label}/{short}"
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            self._original[name] = (inner.name,)
            names[inner.name] = name
        return names


def _with_inner(layer: Layer, inner: Mapping[str, tuple[str, ...]]) -> Layer:
    ops = tuple(name for op in layer.ops for name in (*inner.get(op, ()), op))
    return msgspec.structs.replace(layer, ops=ops)


def _read_inside(
    variables: tuple[Variable, ...], arguments: Mapping[str, TensorRef], ops: tuple[Op, ...]
) -> Iterator[Variable]:
    """Yield variables with the arguments that receive them as handles, and their readers."""
    handles: dict[str, list[str]] = {}
    for argument in arguments:
        handle = argument
        while handle in arguments:
            handle = arguments[handle].op
        handles.setdefault(handle, []).append(argument)
    readers: dict[str, list[str]] = {}
    inner = {name for names in handles.values() for name in names}
    for op in ops:
        for ref in op.inputs:
            if ref.op in inner:
                readers.setdefault(ref.op, []).append(op.name)
    for variable in variables:
        more = [name for handle in variable.handles for name in handles.get(handle, ())]
        reading = dict.fromkeys(reader for name in more for reader in readers.get(name, ()))
        yield msgspec.structs.replace(
            variable,
            handles=(*variable.handles, *more),
            readers=(*variable.readers, *reading),
        )
