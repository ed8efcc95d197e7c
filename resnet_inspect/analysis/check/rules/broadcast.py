"""Shapes are broadcast by accident: [N] with [N, 1] gives [N, N].

Checks the operand shapes of elementwise ops in the loss and the forward pass.
Threshold: the shapes are like [N] and [N, 1]: one operand has an additional last axis of size 1,
and the result keeps that number of axes. Error.
Background: regression losses written by hand.
Not reported: if the axis that is repeated has size 1; for biases and scales, which are variables or
constants; and if the loss adds the axis itself to compare all pairs.
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
REDUCTIONS = ("Sum", "Mean", "Max", "Min")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield the first accidental broadcast."""
    for op in evidence.graph.ops:
        if op.type in ELEMENTWISE and op.phase in (Phase.OTHER, Phase.FORWARD):
            shapes = _broadcast_shapes(evidence, op)
            if shapes is not None:
                yield Finding(
                    Severity.ERROR,
                    f"{op.type} broadcasts {shapes[0]} and {shapes[1]}: every example is combined"
                    " with every other",
                    {"op": op.name, "source": str(op.source[0]) if op.source else ""},
                    "the loss compares each prediction with the labels of all examples, so the best"
                    " prediction is their mean",
                    "give both tensors the same shape: squeeze the last axis of one, or add an axis"
                    " to the other",
                    place=evidence.place(op.name),
                    command=Command("why", (op.name,)),
                )
                return


def _broadcast_shapes(evidence: Evidence, op: Op) -> tuple[str, str] | None:
    graph = evidence.graph
    if len(op.inputs) != 2 or any(graph.op_by_name[ref.op].type in FIXED for ref in op.inputs):
        return None
    left, right = ((graph.spec(ref).shape, ref) for ref in op.inputs)
    for (flat, _), (column, ref) in ((left, right), (right, left)):
        if not flat or not column or len(column) != len(flat) + 1 or column[-1] != 1:
            continue
        alike = all(a == b or None in (a, b) for a, b in zip(flat, column, strict=False))
        if not alike or flat[-1] == 1 or column[0] == 1 or _added_by_loss(evidence, ref):
            continue
        result = op.outputs[0].shape if op.outputs else None
        if result is not None and len(result) == len(column):
            return str(list(flat)), str(list(column))
    return None


def _added_by_loss(evidence: Evidence, ref: TensorRef) -> bool:
    """Whether an op of the loss itself added the last axis of a tensor."""
    op = evidence.graph.op_by_name[ref.op]
    while op.type in ("Identity", "Cast", "Neg", "Square") and op.inputs:
        op = evidence.graph.op_by_name[op.inputs[0].op]
    if evidence.graph.layer_of_op.get(op.name) is not None or not op.inputs:
        return False
    before, after = evidence.graph.spec(op.inputs[0]).shape, op.outputs[0].shape
    grown = before is not None and after is not None and len(after) > len(before)
    return op.type in REDUCTIONS or (grown and op.type in ("ExpandDims", "StridedSlice", "Reshape"))
