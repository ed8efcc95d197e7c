"""Layers that Keras numbers: an inserted or removed layer shifts the names of later layers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.analysis.diff.alignment import align
from resnet_inspect.analysis.diff.differences import GraphDiff
from resnet_inspect.analysis.diff.graphs import compare_graphs
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, TensorSpec, Variable

WIDTHS = st.lists(st.integers(1, 5), max_size=7)


def dense(*widths: int, names: Sequence[str] = (), optimizer: bool = False) -> Graph:
    """A Sequential of Dense layers (Dropout for a width of 0) with Keras' names."""
    ops = [Op("x", "Placeholder", Phase.OTHER, outputs=(TensorSpec((8, 10), "float32"),))]
    layers, variables = [], []
    before, size, counts = "x", 10, {"dense": 0, "dropout": 0}
    for i, width in enumerate(widths):
        kind = "dense" if width else "dropout"
        name = names[i] if names else f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1
        op = f"model/{name}/MatMul"
        spec = TensorSpec((8, width or size), "float32")
        taken, kernels = (TensorRef(before),), []
        ops.append(Op(op, "MatMul", Phase.FORWARD, inputs=taken, outputs=(spec,)))
        if width:
            kernel = Variable(f"model/{name}/kernel", TensorSpec((size, width), "float32"), True)
            kernels = [kernel.name]
            variables.append(kernel)
            if optimizer:
                slot = f"adam/model_{name}_kernel_momentum"
                variables.append(Variable(slot, kernel.spec, False))
            size = width
        output = TensorRef(op)
        layers.append(Layer(name, kind.title(), (), op, (op,), taken, output, tuple(kernels)))
        before = op
    return Graph(tuple(ops), tuple(variables), tuple(layers), {"x": TensorRef("x")})


def compared(a: Graph, b: Graph, depth: Depth = Depth.LAYER) -> GraphDiff:
    return compare_graphs(a, b, align(a, b, every_op=depth == Depth.OP), depth)


def test_an_inserted_layer_renumbers_the_rest() -> None:
    diff = compared(dense(16, 8, 4), dense(16, 32, 8, 4))
    assert [row.name for row in diff.only_b] == ["dense_1"]
    assert diff.only_a == ()
    assert [(row.a, row.b, row.numbered) for row in diff.renamed] == [
        ("dense_1", "dense_2", True),
        ("dense_2", "dense_3", True),
    ]
    (change,) = diff.changed
    assert (change.a, change.b) == ("dense_1", "dense_2")
    assert [(row.name, row.a, row.b) for row in change.differences] == [
        ("inputs", ["dense"], ["dense_1"]),
        ("parameters", 128, 256),
        ("kernel", (16, 8), (32, 8)),
    ]


def test_variables_and_optimizer_variables_follow_their_layers() -> None:
    a, b = dense(16, 8, 4, optimizer=True), dense(16, 32, 8, 4, optimizer=True)
    assert align(a, b, every_op=True).variables == {
        "model/dense/kernel": "model/dense/kernel",
        "adam/model_dense_kernel_momentum": "adam/model_dense_kernel_momentum",
        "model/dense_1/kernel": "model/dense_2/kernel",
        "adam/model_dense_1_kernel_momentum": "adam/model_dense_2_kernel_momentum",
        "model/dense_2/kernel": "model/dense_3/kernel",
        "adam/model_dense_2_kernel_momentum": "adam/model_dense_3_kernel_momentum",
    }


def test_all_renamed_and_one_inserted() -> None:
    diff = compared(dense(16, 8, 4), dense(16, 0, 8, 4, names=["p", "dd", "q", "r"]))
    assert [(row.a, row.b) for row in diff.renamed] == [
        ("dense", "p"), ("dense_1", "q"), ("dense_2", "r"),
    ]  # fmt: skip
    assert ([row.name for row in diff.only_b], diff.only_a) == (["dd"], ())


def test_as_many_layers_of_other_widths_are_the_same_layers_changed() -> None:
    diff = compared(dense(16, 32, 64), dense(32, 64, 128))
    assert (diff.only_a, diff.only_b, diff.renamed) == ((), (), ())
    assert [change.a for change in diff.changed] == ["dense", "dense_1", "dense_2"]


def test_a_model_that_is_built_second_has_shifted_numbers() -> None:
    late = ["dense_1", "dense_2", "dense_3"]
    diff = compared(dense(16, 32, 64), dense(32, 64, 128, names=late))
    assert (diff.only_a, diff.only_b) == ((), ())
    assert [(row.a, row.b) for row in diff.renamed] == [*zip(["dense", *late], late, strict=False)]


def test_equal_names_from_user_code_are_the_same_layer_with_any_shape() -> None:
    diff = compared(
        dense(16, 8, 4, names=["in", "mid", "out"]),
        dense(8, 32, 16, 4, names=["in", "new", "mid", "out"]),
    )
    assert [row.name for row in diff.only_b] == ["new"]
    assert (diff.only_a, diff.renamed) == ((), ())


def test_a_changed_width_after_an_inserted_layer() -> None:
    diff = compared(dense(16, 8, 6, 4), dense(12, 16, 8, 7, 4))
    assert [row.name for row in diff.only_b] == ["dense"]
    assert [(row.a, row.b) for row in diff.renamed] == [
        ("dense", "dense_1"), ("dense_1", "dense_2"), ("dense_2", "dense_3"), ("dense_3", "dense_4")
    ]  # fmt: skip


@pytest.mark.parametrize("depth", [Depth.LAYER, Depth.OP])
@settings(deadline=None)
@given(a=WIDTHS, b=WIDTHS)
def test_laws(depth: Depth, a: list[int], b: list[int]) -> None:
    assert compared(dense(*a), dense(*a), depth).empty
    there, back = (compared(*pair, depth) for pair in ((dense(*a), dense(*b)),
                                                       (dense(*b), dense(*a))))  # fmt: skip
    assert there.mirrored() == back


@settings(deadline=None)
@given(
    widths=st.lists(st.integers(2, 60), min_size=1, max_size=7, unique=True),
    new=st.integers(61, 90),
    data=st.data(),
)
def test_an_inserted_layer_is_found_at_every_place(
    widths: list[int], new: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(widths)))
    diff = compared(dense(*widths), dense(*widths[:place], new, *widths[place:]))
    assert [row.shape for row in diff.only_b] == [(8, new)]
    assert diff.only_a == ()
    assert diff.aligned == len(widths)
