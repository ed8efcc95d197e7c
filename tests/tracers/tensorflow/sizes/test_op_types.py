"""The axes from which each axis of an op comes, against tables derived by hand."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.analysis.sizes.names import Target
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.graph import Graph, TensorRef
from resnet_inspect.graph.lineage import Lineage
from tests.tracers.tensorflow.sizes.test_lineage import traced

Function = Callable[..., Any]
Shapes = list[list[int | None]]


def roots(graph: Graph, lineage: Lineage, tensor: str, axis: int) -> set[str]:
    """Return the axes and literals from which an axis is computed.

    Axes of the inputs are a0, a1, … and b0, b1, …; a literal is its number.
    """
    op, _, index = tensor.rpartition(":")
    explanation = why(graph, lineage, Target.of(graph.whole, TensorRef(op, int(index))), axis)
    if explanation.computed is None:
        last, place = explanation.chain[-1], explanation.origin
        for number, letter in enumerate("abcd"):
            place = place.replace(f"x{number}:0 axis ", letter)
        return {str(last.size) if last.literal else place}
    axes: set[str] = set()
    for term in explanation.computed.terms:
        place, _, number_of_axis = term.place.rpartition(" axis ")
        literal = ":" not in place
        axes |= {str(term.size)} if literal else roots(graph, lineage, place, int(number_of_axis))
    return axes


def sources(function: Function, shapes: Shapes) -> list[set[str]]:
    """Return the roots of each axis of the tensor that the function returns."""
    returned: list[Any] = []

    def body(*tensors: Any) -> Any:
        returned.append(function(*tensors))
        return returned[-1]

    graph, lineage = traced(body, *shapes)
    (tensor,) = returned
    return [roots(graph, lineage, tensor.name, axis) for axis in range(tensor.shape.rank)]


def cases() -> dict[str, tuple[Function, Shapes, str]]:
    """Functions, shapes of their inputs, and the roots of each axis, separated by bars."""
    import tensorflow as tf

    def arithmetic(a: Any) -> Any:
        shape = tf.shape(a)
        return tf.reshape(a, [shape[0], shape[1] * shape[2], 7])

    def loop(a: Any) -> Any:
        return tf.while_loop(lambda i, _: i < 3, lambda i, b: (i + 1, tf.tanh(b)), [0, a])[1]

    def recurrent(a: Any) -> Any:
        weights = tf.ones([4, 5])
        return tf.map_fn(lambda row: tf.matmul(row, weights), a)

    def branches(a: Any) -> Any:
        return tf.cond(tf.reduce_sum(a) > 0, lambda: tf.transpose(a), lambda: tf.transpose(a) + 1)

    def called(a: Any) -> Any:
        return tf.function(lambda b: tf.reshape(b, [tf.shape(b)[1], -1]))(a)

    dot = tf.tensordot
    matrix: Shapes = [[5, 6]]
    cube: Shapes = [[5, 6, 7]]
    unknown: Shapes = [[None, 6, 7], [7, 8]]
    heads: Shapes = [[None, 6, 7], [7, 2, 3]]
    return {
        "concat": (lambda a, b: tf.concat([a, b], 1), [[5, 6], [5, 7]], "a0 | a1 b1"),
        "split": (lambda a: tf.split(a, 3, 1)[2], matrix, "a0 | a1"),
        "split into sizes": (lambda a: tf.split(a, [2, 4], 1)[1], matrix, "a0 | 4"),
        "tensordot": (lambda a, b: dot(a, b, 1), [[5, 6, 7], [7, 8]], "a0 | a1 | b1"),
        "tensordot, unknown batch": (lambda a, b: dot(a, b, 1), unknown, "a0 | a1 | b1"),
        "heads": (lambda a, b: tf.einsum("btd,dhk->bthk", a, b), heads, "a0 | a1 | b1 | b2"),
        "scores": (
            lambda a, b: tf.einsum("bthk,bshk->bhts", a, b),
            [[5, 6, 2, 3], [5, 7, 2, 3]],
            "a0 | a2 | a1 | b1",
        ),
        "gather": (
            lambda a: tf.gather(a, [0, 2], axis=1),
            cube,
            "a0 | GatherV2/indices:0 axis 0 | a2",
        ),
        "pack": (lambda a, b: tf.stack([a, b], 1), [*matrix, *matrix], "a0 | stack:0 axis 1 | a1"),
        "unpack": (lambda a: tf.unstack(a, axis=1)[1], [[5, 3, 7]], "a0 | a2"),
        "tile": (lambda a: tf.tile(a, [1, 4]), matrix, "a0 | a1 4"),
        "pad": (lambda a: tf.pad(a, [[0, 0], [2, 3]]), matrix, "a0 | a1 2 3"),
        "transpose": (lambda a: tf.transpose(a, [2, 0, 1]), cube, "a2 | a0 | a1"),
        "every second": (lambda a: a[:, ::2], matrix, "a0 | a1 2"),
        "new axis": (lambda a: a[:, None], matrix, "a0 | strided_slice:0 axis 1 | a1"),
        "first four": (lambda a: a[:, :4], matrix, "a0 | 4"),
        "sizes of a shape": (arithmetic, [[None, 3, 4, 7]], "a0 | a1 a2 | a3"),
        "flatten": (lambda a: tf.reshape(a, [5, 12]), [[5, 3, 4]], "a0 | a1 a2"),
        "equal sizes": (lambda a: tf.reshape(a, [4, 4, 16]), [[4, 4, 4, 4]], "a0 | a1 | a2 a3"),
        "loop": (loop, [[None, 6]], "a0 | a1"),
        "list": (recurrent, [[None, 3, 4]], "a0 | a1 | ones:0 axis 1"),
        "branches": (branches, matrix, "a1 | a0"),
        "function": (called, [[None, 6]], "a1 | a0"),
    }


NAMES = (
    *("concat", "split", "split into sizes", "tensordot", "tensordot, unknown batch", "heads"),
    *("scores", "gather", "pack", "unpack", "tile", "pad", "transpose", "every second"),
    *("new axis", "first four", "sizes of a shape", "flatten", "equal sizes", "loop", "list"),
    *("branches", "function"),
)


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_comes_from_the_axes_of_the_table(name: str) -> None:
    function, shapes, expected = cases()[name]
    # A root that is no axis of an input has a space in its name: `stack:0 axis 1`.
    wanted = [{axis} if " axis " in axis else set(axis.split()) for axis in expected.split(" | ")]
    assert sources(function, shapes) == wanted


def test_the_table_is_complete() -> None:
    assert set(cases()) == set(NAMES)


@st.composite
def merges(draw: st.DrawFn) -> tuple[list[int], list[int], list[list[int]]]:
    """A shape, an order of its axes, and groups of neighbours in this order; sizes may be equal."""
    shape = draw(st.lists(st.integers(2, 4), min_size=2, max_size=5))
    order = draw(st.permutations(range(len(shape))))
    ends = sorted({*draw(st.lists(st.integers(1, len(shape)))), len(shape)})
    starts = [0, *ends[:-1]]
    return shape, order, [list(order[a:b]) for a, b in zip(starts, ends, strict=True)]


@given(merges())
@settings(max_examples=40, deadline=None)
def test_merged_axes_come_from_their_parts(
    merge: tuple[list[int], list[int], list[list[int]]],
) -> None:
    import tensorflow as tf

    shape, order, groups = merge
    target = [prod(shape[axis] for axis in group) for group in groups]

    def merged(a: Any) -> Any:
        return tf.reshape(tf.transpose(a, order), target)

    assert sources(merged, [list(shape)]) == [{f"a{axis}" for axis in group} for group in groups]


@given(merges())
@settings(max_examples=25, deadline=None)
def test_axes_that_are_merged_and_split_again_come_from_themselves(
    merge: tuple[list[int], list[int], list[list[int]]],
) -> None:
    import tensorflow as tf

    shape, order, groups = merge
    target = [prod(shape[axis] for axis in group) for group in groups]

    def split(a: Any) -> Any:
        flat = tf.nn.relu(tf.reshape(tf.transpose(a, order), target))
        return tf.reshape(flat, [shape[axis] for axis in order])

    assert sources(split, [list(shape)]) == [{f"a{axis}"} for axis in order]


@given(st.lists(st.integers(2, 5), min_size=2, max_size=4), st.integers(1, 2))
@settings(max_examples=25, deadline=None)
def test_an_axis_of_a_concat_comes_from_all_parts(sizes: list[int], axis: int) -> None:
    import tensorflow as tf

    shapes: Shapes = [[None, size, 6] if axis == 1 else [None, 6, size] for size in sizes]
    expected = [{"a0"}, {"a1"}, {"a2"}]
    expected[axis] = {f"{letter}{axis}" for letter in "abcd"[: len(sizes)]}
    assert sources(lambda *parts: tf.concat(parts, axis), shapes) == expected
