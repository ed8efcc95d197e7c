"""The operands of an op in the text of the user's line."""

from __future__ import annotations

import msgspec
import pytest

from resnet_inspect.analysis.check.expressions import expression, replaced_size
from resnet_inspect.graph import Graph, Op, Source
from tests.analysis.check.synthetic import op


def on_line(name: str, kind: str, text: str) -> Op:
    """An op that a line of the user's made."""
    source = Source("train.py", 7, "step", text)
    return msgspec.structs.replace(op(name, kind), source=(source,))


@pytest.mark.parametrize(
    ("kind", "line", "whole", "left", "right"),
    [
        ("Sub", "    loss = mean((y - p) ** 2)", "y - p", "y", "p"),
        ("Sub", "return tf.subtract(y, model(x))", "tf.subtract(y, model(x))", "y", "model(x)"),
        ("Mul", "loss += tf.multiply(x=each, y=w[:, 0])", None, "each", "w[:, 0]"),
        ("Equal", "same = labels == tf.argmax(p, 1)", None, "labels", "tf.argmax(p, 1)"),
        ("Equal", "elif tf.equal(a.b, c): return 1", "tf.equal(a.b, c)", "a.b", "c"),
        ("AddV2", "with scope(a + b) as total:", "a + b", "a", "b"),
        ("LogicalAnd", "both = tf.logical_and(p > 0, y)", None, "p > 0", "y"),
        ("Maximum", "m = tf.maximum(a, b)", "tf.maximum(a, b)", "a", "b"),
    ],
)
def test_operands_are_read_from_the_line(
    kind: str, line: str, whole: str | None, left: str, right: str
) -> None:
    made = on_line("op", kind, line)
    written = expression(Graph((made,)), made)
    assert written is not None
    assert [operand.text for operand in written.operands] == [left, right]
    assert whole in (None, written.text)


@pytest.mark.parametrize(
    "line",
    ["loss = fit(", "loss = mse(y, p)", "d = (a - b) * (c - d)", "a = b + c", "", "if x - y - z:"],
)
def test_no_operands_for_part_of_a_statement_or_another_number_of_ops(line: str) -> None:
    made = on_line("op", "Sub", line)
    assert expression(Graph((made,)), made) is None


def test_several_ops_of_a_line_are_matched_in_order_also_of_repeated_calls() -> None:
    line = "d = (a - b) * (c - d)"
    ops = tuple(on_line(f"op{number}", "Sub", line) for number in range(4))
    graph = Graph(ops)
    texts = [written.text for each in ops if (written := expression(graph, each))]
    assert texts == ["a - b", "c - d", "a - b", "c - d"]


def test_a_compound_operand_is_put_into_parentheses_before_an_index() -> None:
    made = on_line("op", "Sub", "z = y - 2 * p")
    written = expression(Graph((made,)), made)
    assert written is not None
    first, second = written.operands
    assert first.indexed(":, None") == "y[:, None]"
    assert second.indexed(":, 0") == "(2 * p)[:, 0]"


@pytest.mark.parametrize(
    ("line", "size", "change"),
    [
        ("flat = tf.reshape(h, [-1, 4 * 4 * 64])", 1024, ("4 * 4 * 64", "8 * 8 * 64")),
        ("flat = tf.reshape(h, [-1, 1024])", 1024, ("1024", "4096")),
        ("flat = tf.reshape(h, [-1, width])", 1024, None),
        ("flat = f(1024, 4 * 256)", 1024, None),
        ("flat = tf.reshape(", 1024, None),
    ],
)
def test_the_size_of_a_line_is_replaced_in_its_own_form(
    line: str, size: int, change: tuple[str, str] | None
) -> None:
    assert replaced_size(line, size, (8, 8, 64)) == change
