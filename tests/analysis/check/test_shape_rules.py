"""The limits of the rules about shapes, on small graphs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from resnet_inspect.analysis.check import Finding, check
from resnet_inspect.graph import (
    Failure,
    Graph,
    Objective,
    Op,
    Phase,
    Source,
    TensorRef,
    TensorSpec,
    Training,
    Variable,
)
from resnet_inspect.stats import Tap
from tests.analysis.check.synthetic import evidence, op

Sizes = tuple[int | None, ...]
X = np.zeros((8, 4))


def of_rule(graph: Graph, rule: str, **more: Any) -> list[Finding]:
    return [finding for finding in check(evidence(graph, **more)) if finding.rule == rule]


def constant(name: str, value: int) -> Op:
    return msgspec.structs.replace(op(name, "Const", shape=()), attrs={"value": value})


def on_line(made: Op, line: int, text: str = "z = f(x)") -> Op:
    return msgspec.structs.replace(made, source=(Source("train.py", line, "step", text),))


def in_loss(made: Op) -> Op:
    return msgspec.structs.replace(made, phase=Phase.OTHER)


@pytest.mark.parametrize(
    ("first", "second", "result", "expected"),
    [
        ((8, 1), (8,), (8, 8), True),
        ((8,), (8, 1), (8, 8), True),
        ((8, 1, 3), (8, 3), (8, 8, 3), True),
        ((8, 1, 1), (8,), (8, 1, 8), True),
        ((None, 1), (None,), (None, None), True),
        ((8, 6, 1), (8, 6), (8, 8, 6), True),
        ((8, 1), (1,), (8, 1), False),
        ((1, 1), (1,), (1, 1), False),
        ((8, 1), (8, 3), (8, 3), False),
        ((8, 1), (1, 8), (8, 8), False),
        ((8, 5, 1), (5,), (8, 5, 5), False),
        ((8, 4, 3), (4, 3), (8, 4, 3), False),
    ],
)
def test_both_operands_must_be_repeated(
    first: Sizes, second: Sizes, result: Sizes, expected: bool
) -> None:
    ops = (
        op("x", "Placeholder", shape=first),
        op("y", "Placeholder", shape=second),
        in_loss(op("all", "Sub", "x", "y", shape=result)),
    )
    assert bool(of_rule(Graph(ops), "broadcast")) == expected


@pytest.mark.parametrize(
    ("kind", "expected"), [("Range", False), ("Fill", True), ("ReadVariableOp", False)]
)
def test_an_operand_must_depend_on_the_batch(kind: str, expected: bool) -> None:
    ops = (
        op("x", "Placeholder", shape=(None, 1)),
        op("other", kind, shape=(None,)),
        op("same", "Exp", "other", shape=(None,)),
        in_loss(op("all", "Equal", "x", "same", shape=(None, None))),
    )
    assert bool(of_rule(Graph(ops), "broadcast")) == expected


@pytest.mark.parametrize(
    ("trained", "axis", "expected"), [(True, 1, True), (False, 1, False), (True, 2, False)]
)
def test_an_added_axis_is_a_mistake_between_labels_and_predictions(
    trained: bool, axis: int, expected: bool
) -> None:
    flat: Sizes = (8,) if axis == 1 else (8, 4)
    column: Sizes = (8, 1) if axis == 1 else (8, 1, 4)
    ops = (
        op("x", "Placeholder", shape=flat),
        op("kernel/read", "ReadVariableOp", shape=()),
        op("p", "Mul", "x", "kernel/read", shape=flat),
        op("y", "Placeholder", shape=flat),
        constant("axis", 1),
        on_line(in_loss(op("wide", "ExpandDims", "y", "axis", shape=column)), 3, "y = y[:, None]"),
        in_loss(op("all", "Sub", "wide", "p", shape=(8, *column[:0], *flat))),
    )
    kernel = Variable("kernel", TensorSpec((), "float32"), trained, readers=("kernel/read",))
    findings = of_rule(Graph(ops, (kernel,)), "broadcast")
    assert bool(findings) == expected
    if expected:
        assert findings[0].fix == "remove the axis that `y = y[:, None]` adds, train.py:3"


@pytest.mark.parametrize(
    ("kind", "user", "shape", "severity"),
    [
        ("ArgMax", "Equal", (8, 1), "error"),
        ("ArgMin", "NotEqual", (8, 1), "error"),
        ("ArgMax", "Cast", (8, 1), None),
        ("ArgMax", "Equal", (8, 2), None),
        ("ArgMax", "Equal", (8, None), None),
        ("Softmax", "Mul", (8, 9, 1), "warning"),
        ("Softmax", "Mul", (8, 9, 2), None),
        ("Softmax", "Mul", (1,), None),
        ("SparseSoftmaxCrossEntropyWithLogits", "Mean", (8, 1), "error"),
        ("SparseSoftmaxCrossEntropyWithLogits", "Mean", (8, 3), None),
    ],
)
def test_axes_of_size_1(kind: str, user: str, shape: Sizes, severity: str | None) -> None:
    ops = (
        op("x", "Placeholder", shape=shape),
        constant("axis", 1),
        op("y", "Placeholder", shape=(8,)),
        on_line(op("made", kind, "x", "axis", shape=shape[:1]), 5),
        op("used", user, "made", "y", shape=(8,)),
    )
    findings = of_rule(Graph(ops), "size-one-axis")
    assert [finding.severity.value for finding in findings] == ([severity] if severity else [])


def test_one_finding_for_two_argmaxes_of_a_line() -> None:
    ops = (
        op("x", "Placeholder", shape=(8, 1)),
        constant("axis", -1),
        on_line(op("first", "ArgMax", "x", "axis", shape=(8,)), 5),
        on_line(op("second", "ArgMax", "x", "axis", shape=(8,)), 5),
        on_line(op("same", "Equal", "first", "second", shape=(8,)), 5),
    )
    (finding,) = of_rule(Graph(ops), "size-one-axis")
    assert finding.message == "argmax over axis 1 of (8, 1) is always index 0: the axis has size 1"
    assert finding.fix == "compare the rounded sigmoid of one output with the labels, train.py:5"


def reshaped(after: Sizes, *later: Op, before: Sizes = (16, 8, 8, 4)) -> Graph:
    """A graph that reshapes its input on line 9."""
    ops = (
        op("x", "Placeholder", shape=before),
        op("y", "Placeholder", shape=(64,)),
        on_line(op("flat", "Reshape", "x", shape=after), 9, "flat = tf.reshape(x, [-1, 64])"),
        *later,
    )
    names = ("batch", *[""] * (len(before) - 1))
    labels = {"x": TensorRef("x"), "y": TensorRef("y")}
    return Graph(ops, inputs=labels, axes={"x": names})


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (op("dense", "MatMul", "flat", shape=(64, 3)), True),
        (op("back", "Reshape", "flat", shape=(16, 256)), False),
        (op("first", "StridedSlice", "flat", shape=(16, 64)), False),
        (op("loss", "Mul", "flat", "y", shape=(64, 64)), False),
        (op("like", "OnesLike", "flat", shape=(64, 64)), True),
    ],
)
def test_rows_may_be_examples_again_or_have_labels(later: Op, expected: bool) -> None:
    findings = of_rule(reshaped((64, 64), later), "reshape-rows")
    assert bool(findings) == expected
    if expected:
        assert findings[0].message == (
            "flat turns batch 16 into 64: an example has 8 × 8 × 4 = 256 elements, a row 64"
        )
        assert findings[0].fix == "change `64` to `256`, train.py:9"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((16, 8, 8, 4), (1024, 4), False),  # positions
        ((16, 8, 8, 4), (16, 256), False),  # examples
        ((16, 8, 8, 4), (4, 1024), True),  # four examples a row
        ((16, 8, 8, 4), (64, 8, 8, 1), True),  # channels as rows
        ((16, 60, 4), (64, 15, 4), False),  # windows of steps
        ((16, 6, 6, 8), (64, 9, 8), True),  # rows across the width
        ((None, 8, 8, 4), (None, 64), True),
    ],
)
def test_which_rows_are_no_examples(before: Sizes, after: Sizes, expected: bool) -> None:
    assert bool(of_rule(reshaped(after, before=before), "reshape-rows")) == expected


def test_rows_of_a_graph_that_failed_are_not_judged() -> None:
    failure = Failure("ValueError", "shapes", "building the network")
    assert not of_rule(reshaped((64, 64)), "reshape-rows", failure=failure)


@pytest.mark.parametrize(
    ("shape", "loss", "labels", "expected"),
    [
        ((8, 5, 1), "mean_squared_error", (8, 1), True),
        ((8, 5, 1), "binary_crossentropy", (8,), True),
        ((8, 5, 1), "my_loss", (8, 1), False),
        ((8, 5, 1), "mean_squared_error", (8, 5), False),
        ((8, 1, 1), "mean_squared_error", (8, 1), False),
        ((8, 5), "mean_squared_error", (8, 1), False),
    ],
)
def test_a_label_is_repeated_over_positions(
    shape: Sizes, loss: str, labels: Sizes, expected: bool
) -> None:
    ops = (op("x", "Placeholder", shape=(8, 5)), op("p", "Tanh", "x", shape=shape))
    goal = Objective(loss, output=TensorRef("p"), labels="y")
    graph = Graph(ops, inputs={"x": TensorRef("x")}, training=Training((goal,)))
    numbers = np.zeros([size or 0 for size in labels])
    findings = of_rule(graph, "repeated-labels", x=np.zeros((8, 5)), y=numbers)
    assert [finding.severity.value for finding in findings] == (["warning"] if expected else [])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((16, 7, 4), (7, 16, 4), True),
        ((6, 7, 4), (7, 6, 4), True),
        ((None, 7, 4), (7, None, 4), True),
        ((16, 7, 4), (112, 4), False),
        ((7, 7, 4), (7, 7, 4), False),
        ((16, 1, 4), (1, 16, 4), False),
    ],
)
def test_a_reshape_that_stands_for_a_transpose(before: Sizes, after: Sizes, expected: bool) -> None:
    findings = of_rule(reshaped(after, before=before), "batch-axis")
    assert [finding.severity.value for finding in findings] == (["error"] if expected else [])
    if expected:
        assert findings[0].fix == (
            "use a transpose with the order [1, 0, 2] instead of the Reshape, train.py:9"
        )


def test_rows_that_the_step_chooses_are_no_other_examples() -> None:
    def judged(*later: Op, source: str = "x") -> list[Finding]:
        ops = (
            op("x", "Placeholder", shape=(8, 4)),
            op("nodes", "Const", shape=(40, 4)),
            op("out", "MatMul", source, shape=(40, 3)),
            *later,
        )
        goal = Objective("my_loss", output=TensorRef("out"), labels="y")
        inputs = {"x": TensorRef("x")}
        graph = Graph(ops, inputs=inputs, training=Training((goal,), inputs=("x",)))
        tap = Tap("out", "activation", "out:0")
        data = replace(evidence(graph, x=X, y=X[:, 0]), taps=[tap], sizes={tap: 120})
        return [finding for finding in check(data) if finding.rule == "batch-axis"]

    assert [finding.message for finding in judged()] == [
        "out: the output has 40 rows for 8 examples"
    ]
    assert not judged(op("chosen", "GatherV2", "out", shape=(8, 3)))
    assert judged(op("columns", "StridedSlice", "out", shape=(40, 2)))
    assert not judged(source="nodes")
