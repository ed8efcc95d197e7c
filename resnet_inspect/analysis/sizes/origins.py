"""The kinds of origins at which paths of sizes end, and why a path ends at an op."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from resnet_inspect.graph import Graph, Op
from resnet_inspect.graph.lineage import FromLiteral, FromVariable, Lineage, Origin

# Ops that bring tensors into the graph.
INPUTS = frozenset(("Placeholder", "PlaceholderWithDefault", "IteratorGetNext"))
CAPTURED = "a tensor from outside of the step"
RANK_READERS = frozenset(("Shape", "ShapeN", "TensorListElementShape"))
KEPT = ("keep_dims", "keepdims")


class OriginKind(StrEnum):
    """What a path ends at.

    - INPUT: an axis of an input of the network.
    - LITERAL: a number in the code.
    - CONSTANT: an axis of a constant tensor.
    - VARIABLE: an axis of a variable.
    - ARGUMENT: an op whose type and arguments give the size, such as a kept axis of a reduction.
    - UNTRACED: an op through which the size could not be traced.
    """

    INPUT = "input"
    LITERAL = "literal"
    CONSTANT = "constant"
    VARIABLE = "variable"
    ARGUMENT = "argument"
    UNTRACED = "untraced"


class Ending(NamedTuple):
    """The kind of an origin, and how an op gives the size or why it was not traced."""

    kind: OriginKind
    reason: str = ""


def ending(graph: Graph, lineage: Lineage, origin: Origin) -> Ending:
    """Return what the place `origin` is, which has no links."""
    if isinstance(origin, FromLiteral):
        return Ending(OriginKind.LITERAL)
    if isinstance(origin, FromVariable):
        return Ending(OriginKind.VARIABLE)
    op = graph.op_by_name[origin.ref.tensor.op]
    reason = lineage.reason(origin.ref)
    if reason:
        return Ending(OriginKind.UNTRACED, reason)
    if op.type in INPUTS:
        outside = origin.ref.tensor in graph.captured.values()
        return Ending(OriginKind.INPUT, CAPTURED if outside else "")
    if op.type == "Const":
        return Ending(OriginKind.CONSTANT)
    shape = graph.spec(origin.ref.tensor).shape
    if op.type == "Reshape":  # all axes of a Reshape have links in later recordings
        return Ending(OriginKind.UNTRACED, "the run was recorded by an earlier version")
    return Ending(OriginKind.ARGUMENT, _argument(op, shape[origin.ref.axis] if shape else None))


def _argument(op: Op, size: int | None) -> str:
    """Return how the type and arguments of an op give a size that no input changes."""
    if op.type in RANK_READERS and op.inputs:
        return f"the number of axes of {op.inputs[0]}"
    if op.type == "Pack":
        return "the number of tensors that Pack stacks"
    if size == 1 and any(op.attrs.get(name) for name in KEPT):
        return f"{op.type} keeps reduced axes with size 1 (keepdims=True)"
    if size == 1:
        return f"{op.type} adds this axis"
    return f"set by {op.type}, not by a size of its inputs"
