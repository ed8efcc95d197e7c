"""Shapes are broadcast by accident: (N,) with (N, 1) gives (N, N).

Checks the operand shapes of elementwise ops in the loss, the metrics and the forward pass.
Threshold: one operand has additional axes of size 1, as (N,) and (N, 1), or (N, 3) and (N, 1, 3),
and both operands are repeated. Error.
Background: losses and metrics written by hand; NumPy's broadcasting aligns the last axes.
Not reported: for biases, scales and other tensors that do not depend on the batch. If the code adds
the axis itself to compare all pairs, as in contrastive losses and distances, unless one operand is
labels and the other a prediction.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.expressions import Expression, Operand, expression
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.roles import depends_on_batch, is_part_of_batch, is_trained
from resnet_inspect.commands import Command
from resnet_inspect.graph import Objective, Op, Phase, TensorRef, TensorSpec
from resnet_inspect.graph.tensors import Shape

ELEMENTWISE = frozenset(("Sub", "AddV2", "Add", "Mul", "SquaredDifference", "RealDiv", "Equal",
                         "NotEqual", "Maximum", "Minimum", "LogicalAnd", "LogicalOr"))  # fmt: skip
FIXED = ("Const", "ReadVariableOp")
REDUCTIONS = ("Sum", "Mean", "Max", "Min")
NEW_AXES = ("ExpandDims", "StridedSlice", "Reshape")
WITHOUT_EFFECT = ("Identity", "Cast", "Neg", "Square")


class Broadcast(msgspec.Struct, frozen=True):
    """Two operands of an op: `column` has an axis of size 1 more than `flat`, numbered `axis`."""

    op: Op
    flat: TensorRef
    column: TensorRef
    axis: int


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield the first accidental broadcast."""
    for op in evidence.graph.ops:
        if op.type in ELEMENTWISE and op.phase in (Phase.OTHER, Phase.FORWARD):
            broadcast = _broadcast(evidence, op)
            if broadcast is not None and not _intended(evidence, broadcast):
                yield _finding(evidence, broadcast)
                return


def _broadcast(evidence: Evidence, op: Op) -> Broadcast | None:
    known = evidence.graph.op_by_name
    if len(op.inputs) != 2 or not op.outputs or any(ref.op not in known for ref in op.inputs):
        return None
    if any(known[ref.op].type in FIXED for ref in op.inputs):
        return None
    first, second = op.inputs
    for flat, column in ((first, second), (second, first)):
        axis = _extra_axis(evidence.graph.spec(flat).shape, evidence.graph.spec(column).shape)
        if axis is not None:
            return Broadcast(op, flat, column, axis)
    return None


def _extra_axis(flat: Shape, column: Shape) -> int | None:
    """Return the last additional axis of size 1 of a shape; None if the shapes are not alike.

    Both tensors must be repeated, so that their axes 0 do not meet.
    """
    if not flat or not column or len(column) <= len(flat) or column[0] == 1:
        return None
    shape, extra = list(column), None
    for axis in reversed(range(1, len(column))):
        if shape[axis] == 1 and len(shape) > len(flat):
            rest = shape[:axis] + shape[axis + 1 :]
            if len(rest) > len(flat) or _alike(rest, flat):
                shape, extra = rest, axis if extra is None else extra
    if extra is None or len(shape) != len(flat) or not _alike(shape, flat):
        return None
    aligned = zip(column[len(column) - len(flat) :], flat, strict=True)
    return extra if any(a == 1 and b != 1 for a, b in aligned) else None


def _alike(shape: list[int | None], flat: tuple[int | None, ...]) -> bool:
    return all(a == b or None in (a, b) for a, b in zip(shape, flat, strict=True))


def _intended(evidence: Evidence, broadcast: Broadcast) -> bool:
    """Whether an operand is no batch, or the code adds the axis to compare all pairs."""
    if not all(depends_on_batch(evidence, ref) for ref in (broadcast.flat, broadcast.column)):
        return True
    made = _made(evidence, broadcast.column)
    if made is None:
        return False
    if made.type in REDUCTIONS:
        labels = is_part_of_batch(evidence, broadcast.flat)
        return not (labels and is_trained(evidence, broadcast.column))
    last = len(evidence.graph.spec(broadcast.column).shape or ()) - 1
    if _added_axis(evidence, made) != last:
        return True
    pair = (broadcast.flat, broadcast.column)
    labels_first = is_part_of_batch(evidence, pair[0]) and is_trained(evidence, pair[1])
    return not (
        labels_first or (is_part_of_batch(evidence, pair[1]) and is_trained(evidence, pair[0]))
    )


def _made(evidence: Evidence, ref: TensorRef) -> Op | None:
    """Return the op of the user's own code that added an axis of a tensor; None without."""
    known = evidence.graph.op_by_name
    op = known[ref.op]
    while op.type in WITHOUT_EFFECT and op.inputs and op.inputs[0].op in known:
        op = known[op.inputs[0].op]
    if evidence.graph.layer_of_op.get(op.name) is not None or not op.inputs:
        return None
    before, after = evidence.graph.spec(op.inputs[0]).shape, op.outputs[0].shape
    grown = before is not None and after is not None and len(after) > len(before)
    return op if op.type in REDUCTIONS or (grown and op.type in NEW_AXES) else None


def _added_axis(evidence: Evidence, op: Op) -> int:
    """Return the axis that an op added; the first that fits if its number is not recorded."""
    before = evidence.graph.spec(op.inputs[0]).shape or ()
    after = op.outputs[0].shape or ()
    if op.type == "ExpandDims" and len(op.inputs) > 1:
        constant = evidence.graph.op_by_name.get(op.inputs[1].op)
        value = constant.attrs.get("value") if constant is not None else None
        if isinstance(value, int):
            return value % len(after)
    for axis, size in enumerate(after):
        if axis and size == 1 and (*after[:axis], *after[axis + 1 :]) == before:
            return axis
    return 0


def _finding(evidence: Evidence, broadcast: Broadcast) -> Finding:
    op, graph = broadcast.op, evidence.graph
    left, right = (_spelled(graph.spec(ref)) for ref in op.inputs)
    written = expression(graph, op)
    objective = _objective(evidence, broadcast)
    what = f"`{written.text}`" if written is not None else op.type
    place, line = op.name, str(op.source[0]) if op.source else ""
    fix = _fix(evidence, broadcast, written, line)
    if objective is not None:
        what, place = objective.loss, evidence.name_of(objective.output)
        fix = f"remove the axes of size 1 behind {place}, as by Flatten, or give them to the labels"
    return Finding(
        Severity.ERROR,
        f"{what} broadcasts {left} and {right} to {_spelled(op.outputs[0])}: every example is"
        " combined with every other",
        {"op": op.name, "source": line},
        "the loss or metric compares each prediction with the labels of all examples, so the best"
        " prediction is their mean",
        fix,
        place=evidence.place(place),
        command=Command("why", (place,)),
    )


def _objective(evidence: Evidence, broadcast: Broadcast) -> Objective | None:
    """Return the objective whose loss Keras computes with the op; None for the user's own code."""
    if broadcast.op.source:
        return None
    pair = (broadcast.flat, broadcast.column)
    return next((goal for goal in evidence.objectives if goal.output in pair), None)


def _fix(evidence: Evidence, broadcast: Broadcast, written: Expression | None, line: str) -> str:
    made = _made(evidence, broadcast.column)
    if made is not None and made.type in NEW_AXES and made.source:
        return f"remove the axis that `{made.source[0].text.strip()}` adds, {made.source[0]}"
    if written is None:
        return "give both tensors the same shape: remove the axis of size 1, or add it to the other"
    first, second = written.operands
    flat, column = (first, second) if broadcast.op.inputs[0] == broadcast.flat else (second, first)
    rank = len(evidence.graph.spec(broadcast.column).shape or ())
    last = broadcast.axis == rank - 1
    if rank - len(evidence.graph.spec(broadcast.flat).shape or ()) > 1:
        return f"give {flat.text} and {column.text} the same shape, {line}"
    if _squeezes(evidence, broadcast, flat, column, last=last):
        index = ":, 0" if broadcast.axis == 1 else "..., 0"
        return f"change `{column.text}` to `{column.indexed(index)}`, {line}"
    index = ":, None" if broadcast.axis == 1 else "..., None"
    return f"change `{flat.text}` to `{flat.indexed(index)}`, {line}"


def _squeezes(
    evidence: Evidence, broadcast: Broadcast, flat: Operand, column: Operand, *, last: bool
) -> bool:
    """Whether the axis of size 1 should be removed, rather than added to the other tensor.

    Labels are changed rather than predictions. An axis in the middle is removed.
    """
    if not last or is_part_of_batch(evidence, broadcast.column):
        return True
    return not is_part_of_batch(evidence, broadcast.flat) and column.simple and not flat.simple


def _spelled(spec: TensorSpec) -> str:
    sizes = ["?" if size is None else str(size) for size in spec.shape or ()]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
