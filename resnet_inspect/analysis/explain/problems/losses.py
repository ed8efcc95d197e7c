"""Losses and metrics that reject the shapes of labels and predictions."""

from __future__ import annotations

import re

from resnet_inspect.analysis.explain.case import Case, Problem, Side, counted, shapes_in
from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.graph.crash import Call, Shape

RECEIVED = re.compile(r"Received: target\.shape=(\(.*?\)), output\.shape=(\(.*?\))")
SPARSE = re.compile(
    r"logits and labels must have the same first dimension, got logits shape (\[.*?\]) "
    r"and labels shape (\[.*?\])"
)
LOGITS = re.compile(
    r"logits and labels must be broadcastable: logits_size=(\[.*?\]) labels_size=(\[.*?\])"
)
RANKS = re.compile(
    r"`?labels\.shape\.rank`? must equal `?logits\.shape\.rank - 1`?\. Received: "
    r"labels\.shape=(\(.*?\)) of rank \d+ and logits\.shape=(\(.*?\))"
)
SHAPES = re.compile(r"[Ss]hapes (\(.*?\)) and (\(.*?\)) (?:are incompatible|must have the same)")


def recognize(case: Case) -> Problem | None:
    """Return the problem of labels and predictions, None for other failures."""
    call = loss_call(case)
    received = RECEIVED.search(case.text)
    if received:
        labels, output = shapes_in(received[1])[0], shapes_in(received[2])[0]
        sparse = "target.ndim - 1" in case.text or "up until the last dimension" in case.text
        return problem(case, call, labels, output, sparse=sparse)
    ranks = RANKS.search(case.text)
    if ranks:
        labels, output = shapes_in(ranks[1])[0], shapes_in(ranks[2])[0]
        losses = "sparse_softmax_cross_entropy_with_logits"
        return problem(case, case.called(losses), labels, output, sparse=True)
    sparse_found = SPARSE.search(case.text)
    if sparse_found:
        output, labels = shapes_in(sparse_found[1])[0], shapes_in(sparse_found[2])[0]
        return problem(case, call, labels, output, sparse=True)
    logits = LOGITS.search(case.text)
    if logits:
        output, labels = shapes_in(logits[1])[0], shapes_in(logits[2])[0]
        return problem(case, call, labels, output, sparse=False)
    if call is not None and case.crash.kind in ("ValueError", "InvalidArgumentError"):
        labels_value, output_value = call.arguments.get("y_true"), call.arguments.get("y_pred")
        if labels_value is not None and output_value is not None:
            a, b = labels_value.shape, output_value.shape
            if a is not None and b is not None and _disagree(a, b):
                return problem(case, call, a, b, sparse=False)
    return None


def loss_call(case: Case) -> Call | None:
    """Return the innermost call of a loss or metric with labels and predictions."""
    for call in reversed(case.crash.calls):
        if {"y_true", "y_pred"} <= set(call.arguments):
            return call
    return None


def problem(
    case: Case, call: Call | None, labels: Shape, output: Shape, *, sparse: bool
) -> Problem:
    """Return the problem of labels and an output whose shapes do not fit a loss."""
    y, p = _operands(case, call, labels, output)
    loss = _loss_name(case)
    function = f"loss {loss}" if loss else "the loss"
    is_sparse = sparse or "sparse" in loss.lower()
    if (
        is_sparse
        and len(labels) == len(output)
        and labels[-1] not in (1, None)
        and labels[-1] == output[-1]
    ):
        verdict = (
            f"{function} needs one class number per example, but labels {spelled(labels)} are "
            "one-hot"
        )
        sides = (
            Side(y, None, len(labels), f"axes of {y.label} {spelled(labels)}", rank=True),
            Side(
                Operand(function, None, argument="loss"),
                None,
                len(labels) - 1,
                f"axes that {function} needs",
                rank=True,
            ),
        )
        return Problem(
            Kind.SHAPE,
            "one-hot-labels",
            verdict,
            function,
            operands=(y, p),
            sides=sides,
            facts={"loss": loss},
        )
    if len(labels) != len(output) and not is_sparse:
        axis = next(
            (
                i
                for i in range(1, max(len(labels), len(output)))
                if i >= len(labels) or i >= len(output) or labels[i] != output[i]
            ),
            1,
        )
        a = output[axis] if axis < len(output) else None
        b = labels[axis] if axis < len(labels) else None
        verdict = (
            f"{function} compares the output {spelled(output)} with labels {spelled(labels)}: "
            f"{counted(len(output))} against {len(labels)}"
        )
        sides = (
            (Side(p, axis, a), Side(y, axis, b))
            if a is not None and b is not None and len(output) > len(labels)
            else (
                Side(p, None, len(output), f"axes of {p.label} {spelled(output)}", rank=True),
                Side(y, None, len(labels), f"axes of {y.label} {spelled(labels)}", rank=True),
            )
        )
        rule = "loss-rank"
        return Problem(
            Kind.SHAPE, rule, verdict, function, p.layer, (y, p), sides, facts={"loss": loss}
        )
    if is_sparse:
        verdict = (
            f"{function} needs one label for each prediction: labels {spelled(labels)}, "
            f"output {spelled(output)}"
        )
        a, b = _product(output[:-1]), _product(labels)
        differ = a and b and a != b
        counts = (Side(p, 0, a or 0), Side(y, 0, b or 0)) if differ else ()
        return Problem(
            Kind.SHAPE,
            "sparse-labels",
            verdict,
            function,
            p.layer,
            (y, p),
            counts,
            facts={"loss": loss},
        )
    for axis in reversed(range(len(labels))):
        a, b = output[axis], labels[axis]
        if a is not None and b is not None and a != b:
            verdict = (
                f"{function} compares the output {spelled(output)} with labels "
                f"{spelled(labels)}: axis {axis} has {a} and {b}"
            )
            return Problem(
                Kind.SHAPE,
                "loss-shape",
                verdict,
                function,
                p.layer,
                (y, p),
                (Side(p, axis, a), Side(y, axis, b)),
                facts={"loss": loss, "axis": axis},
            )
    return Problem(
        Kind.SHAPE,
        "loss-shape",
        f"{function} rejects labels {spelled(labels)} and output {spelled(output)}",
        function,
        p.layer,
        (y, p),
        facts={"loss": loss},
    )


def _operands(
    case: Case, call: Call | None, labels: Shape, output: Shape
) -> tuple[Operand, Operand]:
    y, p = Operand("labels", labels), Operand("predictions", output)
    for name, value in (call.arguments if call is not None else {}).items():
        if name in ("y_true", "target", "labels") and value.node >= 0:
            y = case.operands.of_node(value.node, labels)
        if name in ("y_pred", "output", "logits") and value.node >= 0:
            p = case.operands.of_node(value.node, output)
    node = case.crash.nodes[case.crash.op_node] if case.crash.op_node >= 0 else None
    if y.node < 0 and node is not None and "CrossEntropy" in node.type and len(node.inputs) > 1:
        p = before_reshape(case, node.inputs[0], output)
        y = before_reshape(case, node.inputs[1], labels)
    if y.node < 0:
        data = list(case.operands.data())
        if len(data) > 1:
            y = Operand(
                data[1].label,
                labels,
                data[1].dtype,
                frame=data[1].frame,
                expression=data[1].expression,
            )
    return y, p


def before_reshape(case: Case, number: int, shape: Shape | None = None) -> Operand:
    """Return the operand of a loss before the reshape that the loss itself adds.

    Without `shape`, the shape is that before the reshape.
    """
    node = case.crash.nodes[number]
    while node.type in ("Reshape", "Identity", "StopGradient", "Cast") and node.inputs[:1] > (-1,):
        if case.crash.nodes[node.inputs[0]].sites[:1] != node.sites[:1]:
            number = node.inputs[0]
            break
        number = node.inputs[0]
        node = case.crash.nodes[number]
    return case.operands.of_node(number, shape)


def _loss_name(case: Case) -> str:
    return next((layer.loss for layer in case.crash.layers if layer.loss), "")


def _disagree(labels: Shape, output: Shape) -> bool:
    if len(labels) != len(output):
        return True
    pairs = zip(labels, output, strict=True)
    return any(a is not None and b is not None and a != b and 1 not in (a, b) for a, b in pairs)


def _product(shape: Shape) -> int | None:
    total = 1
    for size in shape:
        if size is None:
            return None
        total *= size
    return total
