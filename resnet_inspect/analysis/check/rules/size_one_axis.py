"""A softmax, argmax or cross entropy works on an axis of size 1, so its result is always the same.

Checks the axis of each argmax, top-k and softmax, and the classes of TensorFlow's cross entropies.
Threshold: the axis has size 1. Error for a cross entropy, and for an argmax or top-k that is
compared with labels. Warning for a softmax inside the network.
Background: code for several classes, used with one output; attention scores have shape
(batch, steps, 1), and a softmax over the last axis gives each step the weight 1.
Not reported: for the batch axis, for outputs with a known loss (see `last-layer`), and for an
argmax that is not compared, as the class of a detector of one class.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Op, Phase, TensorRef
from resnet_inspect.graph.tensors import Shape

ARGUMENTS = {"ArgMax": "argmax", "ArgMin": "argmin", "TopKV2": "top_k"}
SOFTMAX = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}
CROSS_ENTROPIES = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")
COMPARISONS = ("Equal", "NotEqual")
PASSED = ("Cast", "Identity", "Reshape", "Squeeze", "ExpandDims")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per line of the user's code."""
    lines: set[str] = set()
    for op in evidence.graph.ops:
        if op.phase not in (Phase.FORWARD, Phase.OTHER) or not op.inputs:
            continue
        finding = _finding(evidence, op)
        line = str(op.source[0]) if op.source else op.name
        if finding is not None and line not in lines:
            lines.add(line)
            yield finding


def _finding(evidence: Evidence, op: Op) -> Finding | None:
    if op.inputs[0].op not in evidence.graph.op_by_name:
        return None
    shape = evidence.graph.spec(op.inputs[0]).shape
    axis = _axis(evidence, op, shape)
    if axis is None or not shape or axis == 0 or shape[axis] != 1:
        return None
    if op.type in ARGUMENTS and _compared(evidence, op):
        name, always = ARGUMENTS[op.type], "index 0"
        why = "if both sides of a comparison are such, the accuracy is always 1"
        severity = Severity.ERROR
    elif op.type in CROSS_ENTROPIES and not evidence.objectives:
        name, always, severity = "the softmax cross entropy", "0 for its class", Severity.ERROR
        why = "a softmax over one class is always 1, so the loss has no gradient"
    elif op.type in SOFTMAX and not _is_output(evidence, op):
        name, always = SOFTMAX[op.type], "1" if op.type == "Softmax" else "0"
        why = "the weights do not depend on the scores, and the layers before get no gradient"
        severity = Severity.WARNING
    else:
        return None
    line = str(op.source[0]) if op.source else ""
    return Finding(
        severity,
        f"{name} over axis {axis} of {_spelled(shape)} is always {always}: the axis has size 1",
        {"op": op.name, "source": line},
        why,
        _fix(op, shape, axis, line),
        place=evidence.place(op.name),
        command=Command("shapes"),
    )


def _axis(evidence: Evidence, op: Op, shape: Shape) -> int | None:
    """Return the axis on which an op works; None for other ops."""
    if not shape:
        return None
    if op.type in ("ArgMax", "ArgMin"):
        constant = evidence.graph.op_by_name.get(op.inputs[1].op) if len(op.inputs) > 1 else None
        value = constant.attrs.get("value") if constant is not None else None
        return value % len(shape) if isinstance(value, int) else None
    known = op.type == "TopKV2" or op.type in SOFTMAX or op.type in CROSS_ENTROPIES
    return len(shape) - 1 if known else None


def _compared(evidence: Evidence, op: Op) -> bool:
    """Whether the result is compared with other class numbers."""
    waiting = [TensorRef(op.name, index) for index in range(len(op.outputs) or 1)]
    while waiting:
        for name in evidence.graph.consumers.get(waiting.pop(), ()):
            user = evidence.graph.op_by_name[name]
            if user.type in COMPARISONS:
                return True
            if user.type in PASSED:
                waiting.append(TensorRef(name))
    return False


def _is_output(evidence: Evidence, op: Op) -> bool:
    """Whether a softmax is the activation of an output, which `last-layer` judges."""
    for objective in evidence.objectives:
        producer = evidence.producer(objective.output) if objective.output is not None else None
        if producer is not None and producer.name == op.name:
            return True
    return False


def _fix(op: Op, shape: tuple[int | None, ...], axis: int, line: str) -> str:
    place = f", {line}" if line else ""
    if op.type in SOFTMAX and len(shape) == 3 and axis == 2 and shape[1] != 1:
        steps = "?" if shape[1] is None else shape[1]
        return f"use axis=1, which has {steps} elements{place}"
    if op.type in ARGUMENTS:
        return f"compare the rounded sigmoid of one output with the labels{place}"
    return f"use a sigmoid for one output, or one unit per class{place}"


def _spelled(shape: tuple[int | None, ...]) -> str:
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"
