"""Shapes that fit by accident: [N] against [N, 1] makes [N, N].

Source: regression losses written by hand. Threshold: an elementwise op of the
loss takes a tensor with one axis and one with two whose last is 1, and what it makes has two axes;
or the same with more axes before that.
Silent: where the single axis is known to be 1, for biases and scales, which are variables or
constants, and where the axis was put there in the loss itself, to compare all with all.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Op, Phase, TensorRef

ELEMENTWISE = frozenset(("Sub", "AddV2", "Add", "Mul", "SquaredDifference", "RealDiv", "Equal",
                         "Maximum", "Minimum"))  # fmt: skip
FIXED = ("Const", "ReadVariableOp")
REDUCED = ("Sum", "Mean", "Max", "Min")


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
                    place=seen.place(op.name),
                    command=Command("why", (op.name,)),
                )
                return


def _apart(seen: Evidence, op: Op) -> tuple[str, str] | None:
    graph = seen.graph
    if len(op.inputs) != 2 or any(graph.op_by_name[ref.op].type in FIXED for ref in op.inputs):
        return None
    one, other = ((graph.spec(ref).shape, ref) for ref in op.inputs)
    for (flat, _), (column, ref) in ((one, other), (other, one)):
        if not flat or not column or len(column) != len(flat) + 1 or column[-1] != 1:
            continue
        alike = all(a == b or None in (a, b) for a, b in zip(flat, column, strict=False))
        if not alike or flat[-1] == 1 or column[0] == 1 or _put_there(seen, ref):
            continue
        made = op.outputs[0].shape if op.outputs else None
        if made is not None and len(made) == len(column):
            return str(list(flat)), str(list(column))
    return None


def _put_there(seen: Evidence, ref: TensorRef) -> bool:
    """Whether the last axis of a tensor was made by an op of the loss itself."""
    op = seen.graph.op_by_name[ref.op]
    while op.type in ("Identity", "Cast", "Neg", "Square") and op.inputs:
        op = seen.graph.op_by_name[op.inputs[0].op]
    if seen.graph.layer_of_op.get(op.name) is not None or not op.inputs:
        return False
    before, after = seen.graph.spec(op.inputs[0]).shape, op.outputs[0].shape
    grown = before is not None and after is not None and len(after) > len(before)
    return op.type in REDUCED or (grown and op.type in ("ExpandDims", "StridedSlice", "Reshape"))
