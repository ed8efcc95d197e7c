"""Layers that Keras numbers: one put in or taken out shifts the names of all behind it."""

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
    """A Sequential of Dense layers (of Dropout where a width is 0) with Keras' names."""
    ops = [Op("x", "Placeholder", Phase.OTHER, outputs=(TensorSpec((8, 10), "float32"),))]
    layers, variables = [], []
    before, size, counts = "x", 10, {"dense": 0, "dropout": 0}
    for i, width in enumerate(widths):
        kind = "dense" if width else "dropout"
        name = names[i] if names else f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1
        op = f"model/{name}/MatMul"
        spec = TensorSpec((8, width or size), "float32")
        taken, held = (TensorRef(before),), []
        ops.append(Op(op, "MatMul", Phase.FORWARD, inputs=taken, outputs=(spec,)))
        if width:
            kernel = Variable(f"model/{name}/kernel", TensorSpec((size, width), "float32"), True)
            held = [kernel.name]
            variables.append(kernel)
            if optimizer:
                slot = f"adam/model_{name}_kernel_momentum"
                variables.append(Variable(slot, kernel.spec, False))
            size = width
        layers.append(Layer(name, kind.title(), (), op, (op,), taken, TensorRef(op), tuple(held)))
        before = op
    return Graph(tuple(ops), tuple(variables), tuple(layers), {"x": TensorRef("x")})


def compared(a: Graph, b: Graph, depth: Depth = Depth.LAYER) -> GraphDiff:
    return compare_graphs(a, b, align(a, b, every_op=depth == Depth.OP), depth)


def test_one_put_in_between_is_one_put_in_and_the_rest_has_other_numbers() -> None:
    found = compared(dense(16, 8, 4), dense(16, 32, 8, 4))
    assert [one.name for one in found.only_b] == ["dense_1"]
    assert found.only_a == ()
    assert [(one.a, one.b, one.numbered) for one in found.renamed] == [
        ("dense_1", "dense_2", True),
        ("dense_2", "dense_3", True),
    ]
    (change,) = found.changed
    assert (change.a, change.b) == ("dense_1", "dense_2")
    assert [(one.name, one.a, one.b) for one in change.differences] == [
        ("inputs", ["dense"], ["dense_1"]),
        ("parameters", 128, 256),
        ("kernel", (16, 8), (32, 8)),
    ]


def test_variables_go_with_their_layers_and_so_what_an_optimizer_keeps_of_them() -> None:
    a, b = dense(16, 8, 4, optimizer=True), dense(16, 32, 8, 4, optimizer=True)
    assert align(a, b, every_op=True).variables == {
        "model/dense/kernel": "model/dense/kernel",
        "adam/model_dense_kernel_momentum": "adam/model_dense_kernel_momentum",
        "model/dense_1/kernel": "model/dense_2/kernel",
        "adam/model_dense_1_kernel_momentum": "adam/model_dense_2_kernel_momentum",
        "model/dense_2/kernel": "model/dense_3/kernel",
        "adam/model_dense_2_kernel_momentum": "adam/model_dense_3_kernel_momentum",
    }


def test_all_renamed_and_one_put_in() -> None:
    found = compared(dense(16, 8, 4), dense(16, 0, 8, 4, names=["p", "dd", "q", "r"]))
    assert [(one.a, one.b) for one in found.renamed] == [
        ("dense", "p"), ("dense_1", "q"), ("dense_2", "r"),
    ]  # fmt: skip
    assert ([one.name for one in found.only_b], found.only_a) == (["dd"], ())


def test_as_many_layers_of_other_widths_are_the_same_layers_changed() -> None:
    found = compared(dense(16, 32, 64), dense(32, 64, 128))
    assert (found.only_a, found.only_b, found.renamed) == ((), (), ())
    assert [change.a for change in found.changed] == ["dense", "dense_1", "dense_2"]


def test_a_model_made_second_has_all_numbers_moved() -> None:
    late = ["dense_1", "dense_2", "dense_3"]
    found = compared(dense(16, 32, 64), dense(32, 64, 128, names=late))
    assert (found.only_a, found.only_b) == ((), ())
    assert [(one.a, one.b) for one in found.renamed] == [*zip(["dense", *late], late, strict=False)]


def test_names_of_one_s_own_are_the_same_layer_whatever_its_shape() -> None:
    found = compared(
        dense(16, 8, 4, names=["in", "mid", "out"]),
        dense(8, 32, 16, 4, names=["in", "new", "mid", "out"]),
    )
    assert [one.name for one in found.only_b] == ["new"]
    assert (found.only_a, found.renamed) == ((), ())


def test_a_width_changed_behind_one_put_in_is_that_layer_changed() -> None:
    found = compared(dense(16, 8, 6, 4), dense(12, 16, 8, 7, 4))
    assert [one.name for one in found.only_b] == ["dense"]
    assert [(one.a, one.b) for one in found.renamed] == [
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
def test_what_was_put_in_is_found_wherever_it_stands(
    widths: list[int], new: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(widths)))
    found = compared(dense(*widths), dense(*widths[:place], new, *widths[place:]))
    assert [one.shape for one in found.only_b] == [(8, new)]
    assert found.only_a == ()
    assert found.aligned == len(widths)
