"""Shapes that fit by accident: [N] against [N, 1] makes [N, N].

Source: regression losses written by hand. Threshold: an elementwise op of the
loss takes a tensor with one axis and one with two whose last is 1, and what it makes has two axes.
Silent: where the single axis is known to be 1, and for biases and scales, which are variables or
constants.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.graph import Op, Phase
from resnet_inspect.graph.tensors import Shape

ELEMENTWISE = frozenset(("Sub", "AddV2", "Add", "Mul", "SquaredDifference", "RealDiv", "Equal",
                         "Maximum", "Minimum"))  # fmt: skip
FIXED = ("Const", "ReadVariableOp")


def find(seen: Evidence) -> Iterator[Finding]:
    """The first one."""
    for op in seen.graph.ops:
        if op.type in ELEMENTWISE and op.phase in (Phase.OTHER, Phase.FORWARD):
            shapes = _apart(seen, op)
            if shapes is not None:
                yield Finding(
                    Severity.ERROR,
                    f"{op.type} of shapes {shapes[0]} and {shapes[1]} gives every example with"
                    " every other one",
                    {"op": op.name, "source": str(op.source[0]) if op.source else ""},
                    "the loss compares each answer with the labels of all examples: its best answer"
                    " is their mean",
                    "give both the same shape: squeeze the last axis of one, or add one to the"
                    " other",
                    layer=op.name,
                    command=f"resnet-inspect why '{op.name}'",
                )
                return


def _apart(seen: Evidence, op: Op) -> tuple[str, str] | None:
    graph = seen.graph
    if len(op.inputs) != 2 or any(graph.op_by_name[ref.op].type in FIXED for ref in op.inputs):
        return None
    shapes: list[Shape] = [graph.spec(ref).shape for ref in op.inputs]
    flat = next((one for one in shapes if one is not None and len(one) == 1), None)
    column = next((one for one in shapes if one is not None and len(one) == 2), None)
    made = op.outputs[0].shape if op.outputs else None
    if flat is None or column is None or flat[0] == 1 or column[1] != 1 or column[0] == 1:
        return None
    if made is not None and len(made) == 2 and (flat[0] is None or flat[0] == column[0]):
        return str(list(flat)), str(list(column))
    return None
