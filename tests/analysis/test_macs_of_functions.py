"""Multiply-accumulates of ops in functions: known ones are counted, others are named."""

from __future__ import annotations

from typing import Any

import pytest
import tensorflow as tf

from resnet_inspect.analysis.costs.macs import Uncounted
from resnet_inspect.analysis.sizes.shapes import Depth, Totals, shapes
from resnet_inspect.graph import Graph, Op, Phase, TensorRef, TensorSpec
from tests.analysis.traced_graphs import forward_graph

W = tf.Variable(tf.ones((8, 8)), name="weights")
BATCHES = pytest.mark.parametrize("batch", [5, None], ids=["known batch", "unknown batch"])


def totals(call: Any, *shapes_: tuple[int | None, ...]) -> Totals:
    return shapes(forward_graph(call, *shapes_), Depth.OP).totals


def reasons(counted: Totals) -> list[str]:
    return [uncounted.reason for uncounted in counted.uncounted]


def loop(x: Any) -> Any:
    body = lambda i, y: (i + 2, y @ W @ W)  # noqa: E731
    return tf.while_loop(lambda i, _: i < 7, body, (tf.constant(1), x))[1]


def nested_loops(x: Any) -> Any:
    return tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, loop(y)), (0, x))[1]


def scan(x: Any) -> Any:
    steps = tf.transpose(x, [1, 0, 2])
    return tf.scan(lambda state, step: tf.tanh((state + step) @ W), steps, tf.zeros_like(steps[0]))


called = tf.function(lambda x: x @ W)


def branches(x: Any) -> Any:
    return tf.cond(tf.reduce_sum(x) > 0, lambda: x @ W, lambda: tf.nn.relu(x) @ W)


def in_groups(x: Any) -> Any:
    return tf.nn.conv2d(x[:, None], tf.ones((1, 1, 4, 6)), 1, "SAME")


@BATCHES
@pytest.mark.parametrize(
    ("call", "shape", "macs"),
    [
        (loop, (8,), 3 * 2 * 64),
        (nested_loops, (8,), 2 * 3 * 2 * 64),
        (scan, (6, 8), 6 * 64),
        (called, (8,), 64),
        (lambda x: called(tf.reshape(x, (-1, 8))), (6, 8), 6 * 64),
        (branches, (8,), 64),
        (in_groups, (7, 8), 7 * 4 * 6),
        (lambda x: tf.einsum("...ij,...kj->...ik", x, x), (2, 6, 8), 2 * 6 * 6 * 8),
        (lambda x: tf.linalg.matmul(x, x, transpose_a=True), (6, 8), 8 * 8 * 6),
        (lambda x: tf.concat([x, x], 0) @ W, (8,), 2 * 64),
        (lambda x: tf.tile(x, (3, 1)) @ W, (8,), 3 * 64),
        (lambda x: tf.pad(x, ((0, 0), (1, 1), (0, 0))) @ W, (6, 8), 8 * 64),
        (lambda x: tf.zeros((tf.shape(x)[0], 8)) @ W, (4,), 64),
    ],
)
def test_products_count_for_one_example(
    call: Any, shape: tuple[int, ...], macs: int, batch: int | None
) -> None:
    counted = totals(call, (batch, *shape))
    assert (counted.macs, counted.uncounted) == (macs, ())


@BATCHES
def test_a_product_of_weights_counts_once(batch: int | None) -> None:
    assert totals(lambda x: x @ (W @ W), (batch, 8)).macs == 64 + 8 * 64


def test_a_product_of_all_pairs_of_examples_counts_the_pairs_of_one() -> None:
    call = lambda x: tf.matmul(x, x, transpose_b=True)  # noqa: E731
    assert totals(call, (5, 8)).macs == 5 * 8
    assert reasons(totals(call, (None, 8))) == ["a size of MatMul is unknown"]


def until(x: Any) -> Any:
    return tf.while_loop(lambda y: tf.reduce_sum(y) < 9.0, lambda y: (y @ W,), (x,))[0]


def chosen_rows(x: Any) -> Any:
    return tf.boolean_mask(x, x[:, 0] > 0) @ W


def unequal_branches(x: Any) -> Any:
    return tf.cond(tf.reduce_sum(x) > 0, lambda: x @ W, lambda: x)


def of_numpy(x: Any) -> Any:
    product = tf.py_function(lambda y: y @ W, [x], tf.float32)
    return tf.ensure_shape(product, x.shape) @ W


@pytest.mark.parametrize(
    ("call", "shape", "known", "reason"),
    [
        (until, (5, 8), 0, "the number of steps of a loop is unknown"),
        (unequal_branches, (5, 8), 0, "the branches of If differ"),
        (of_numpy, (5, 8), 64, "EagerPyFunc is not counted"),
        (lambda x: x @ W, (5, None, 8), 0, "a size of BatchMatMulV2 is unknown"),
        (
            lambda x: tf.boolean_mask(x, x[:, 0] > 0) @ W,
            (None, 8),
            0,
            "a size of MatMul is unknown",
        ),
        (lambda x: scan(x) @ W, (None, None, 8), 0, "the number of steps of a loop is unknown"),
    ],
)
def test_other_products_are_named(
    call: Any, shape: tuple[int | None, ...], known: int, reason: str
) -> None:
    counted = totals(call, shape)
    assert counted.macs == known
    assert reasons(counted)[0] == reason


def test_branches_of_tensorflow_1_are_named() -> None:
    matrix, flag = TensorSpec((5, 5), "float32"), TensorSpec((), "bool")

    def op(name: str, kind: str, *inputs: str, outputs: int = 1) -> Op:
        refs = tuple(TensorRef(name) for name in inputs)
        return Op(name, kind, Phase.FORWARD, inputs=refs, outputs=(matrix,) * outputs)

    ops = (
        op("x", "Placeholder"),
        Op("chosen", "Placeholder", Phase.FORWARD, outputs=(flag,)),
        op("switch", "Switch", "x", "chosen", outputs=2),
        op("inside", "MatMul", "switch", "switch"),
        op("merge", "Merge", "switch", "inside"),
        op("after", "MatMul", "merge", "merge"),
    )
    counted = shapes(Graph(ops, inputs={"x": TensorRef("x")}), Depth.OP).totals
    assert counted.macs == 5 * 5
    assert counted.uncounted == (
        Uncounted("inside", "MatMul is in a loop or branch of TensorFlow 1"),
    )
