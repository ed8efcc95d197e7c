"""Finds the op of the forward pass whose gradient an op of the backward pass computes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from resnet_inspect.analysis.diagram.items import scopes
from resnet_inspect.graph import Graph, Op, Phase, TensorRef

# Names of `tf.gradients` contain the name of the op: gradients/dense/MatMul_grad/MatMul.
GRADIENT_OF = re.compile(r"(?:.*?gradients?\w*/)?(.+?)_grad(?:/|$)")
# Names of `tf.GradientTape` contain its name scope: gradient_tape/dense/MatMul/MatMul_1.
TAPE = re.compile(r"(?:.*?/)?gradient_tape(?:_\d+)?/((?:.+/)?)[^/]+$")

# Types of tensors that have gradients.
REAL = ("float", "bfloat", "half", "double", "complex")


class Sources:
    """The ops of the forward pass whose gradients a graph computes.

    Attributes:
        named: the source of each op of the backward pass as its name gives it: an op or a scope.
            Sums of gradients have none.
        of: the source of each op of the backward pass, if it is known.
    """

    def __init__(self, graph: Graph, known: Collection[str]) -> None:
        """Find the sources. Of the ops in a name scope, only those in `known` that compute
        real numbers are sources.
        """
        self.named: dict[str, str] = {}
        self.of: dict[str, str] = {}
        self._graph = graph
        self._inside: dict[str, list[str]] = {"": []}
        self._beside: dict[str, list[str]] = {}
        for name in known:
            if not any(spec.dtype.startswith(REAL) for spec in graph.op_by_name[name].outputs):
                continue
            self._beside.setdefault(name.rpartition("/")[0], []).append(name)
            for scope in scopes(name):
                self._inside.setdefault(scope, []).append(name)
        for op in backward_ops(graph):
            tape = TAPE.match(op.name)
            match = None if tape else GRADIENT_OF.match(op.name)
            if tape:
                self.named[op.name] = self._scope(tape[1].rstrip("/"))
            elif match:
                self.named[op.name] = match[1]
            source = self._source(op)
            if source:
                self.of[op.name] = source

    def inside(self, scope: str) -> Sequence[str]:
        """Return the ops in a name scope that may be sources."""
        return self._inside.get(scope, ())

    def _scope(self, name: str) -> str:
        """Return the longest beginning of a name that is an op or a scope of known ops."""
        beginnings = [*scopes(f"{name}/")] if name else []
        known = (
            n for n in reversed(beginnings) if n in self._graph.op_by_name or n in self._inside
        )
        return next(known, name)

    def _source(self, op: Op) -> str:
        """Return the source of an op; empty if several ops of its scope may be its source.

        The op reads inputs and outputs of its source, and the gradient of its source's output.
        """
        name = self.named.get(op.name)
        if name is None or name in self._graph.op_by_name:
            return name or ""
        near = self._beside.get(name) or self._inside.get(name, [])
        if len(near) == 1:
            return near[0]
        read = {ref for ref in op.inputs if self._graph.op_by_name[ref.op].phase != Phase.BACKWARD}
        later = {source for ref in op.inputs for source in self._readers(ref)}

        def connections(other: str) -> int:
            tensors = outputs(self._graph.op_by_name[other])
            users = {user for ref in tensors for user in self._graph.consumers.get(ref, ())}
            taken = read.intersection(self._graph.op_by_name[other].inputs)
            return 2 * bool(read.intersection(tensors)) + 2 * bool(users & later) + bool(taken)

        best = max(near, key=connections, default="")
        if best and connections(best):
            return best
        same = (self.of.get(ref.op, "") for ref in op.inputs)
        return next((source for source in same if source in near), "")

    def _readers(self, ref: TensorRef) -> Iterator[str]:
        """Yield the ops whose gradients a tensor is, or is a sum of."""
        if not self._graph.spec(ref).dtype.startswith(REAL):
            return
        op = self._graph.op_by_name[ref.op]
        for name in [input.op for input in op.inputs] if op.type == "AddN" else [op.name]:
            if name in self.of:
                yield self.of[name]


def gradients_of(graph: Graph, ops: Collection[str]) -> frozenset[str]:
    """Return the ops of the backward pass that compute gradients of `ops`."""
    known = [op.name for op in graph.ops if op.phase == Phase.FORWARD]
    return frozenset(name for name, source in Sources(graph, known).of.items() if source in ops)


def backward_ops(graph: Graph) -> Iterator[Op]:
    """Yield the ops of the backward pass."""
    return (op for op in graph.ops if op.phase == Phase.BACKWARD)


def outputs(op: Op) -> list[TensorRef]:
    """Return the outputs of an op."""
    return [TensorRef(op.name, index) for index in range(len(op.outputs))]
