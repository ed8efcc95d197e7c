"""Alignment of graphs: corresponding, renamed and unmatched parts, and general laws."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_inspect.analysis.diff.alignment import align
from resnet_inspect.analysis.diff.differences import Difference, GraphDiff
from resnet_inspect.analysis.diff.graphs import compare_graphs
from resnet_inspect.analysis.sizes.shapes import Depth
from resnet_inspect.graph import Graph, Op, Phase, TensorRef, TensorSpec, Variable
from resnet_inspect.store.run import Run
from tests.analysis.chains import SPEC, chain, graphs, network

DEPTHS = (Depth.LAYER, Depth.OP)


def compared(a: Graph, b: Graph, depth: Depth = Depth.LAYER) -> GraphDiff:
    return compare_graphs(a, b, align(a, b, every_op=depth == Depth.OP), depth)


def test_version_1_against_2_is_aligned_as_by_hand(recording: Callable[[str], Run]) -> None:
    diff = compared(recording("v1").graph, recording("v2").graph)
    assert [row.name for row in diff.only_a] == [
        "bn_conv1", "relu_conv1", "relu00", "relu10", "relu20",
    ]  # fmt: skip
    assert [row.name for row in diff.only_b] == [
        "relu00_branch2b", "relu10_branch2b", "relu20_branch2b",
        "pre_activation_final_norm", "relu_final",
    ]  # fmt: skip
    assert diff.renamed == ()
    assert diff.aligned == 26
    changes = {change.a: change.differences for change in diff.changed}
    # Pre-activation: a block begins with the normalization of the previous block's output.
    inputs = {
        name: (each.a, each.b)
        for name, differences in changes.items()
        for each in differences
        if each.aspect == "inputs"
    }
    assert inputs["bn00_branch2a"] == (["res00_branch2a"], ["conv1"])
    assert inputs["res00_branch2a"] == (["relu_conv1"], ["relu00_branch2a"])
    assert inputs["bn20_branch2b"] == (["res20_branch2b"], ["res20_branch2a"])
    assert inputs["add10"] == (["bn10_branch2b"], ["res10_branch2b"])
    assert inputs["final_reduce_mean"] == (["relu20"], ["relu_final"])
    # The input of this normalization is not downsampled yet, and has half as many channels.
    assert Difference("gamma", (32,), (16,), "variable") in changes["bn10_branch2a"]
    assert (
        Difference("shape", (8, 16, 16, 32), (8, 32, 32, 16), "shape") in changes["bn10_branch2a"]
    )
    same = {"conv1", "relu00_branch2a", "bn10_branch1", "bn20_branch1", "Reshape", "dense1"}
    assert not same & set(changes)


def test_the_wrong_axis_of_normalization_shows_in_every_one(
    recording: Callable[[str], Run],
) -> None:
    diff = compared(recording("v2").graph, recording("bn_axis").graph)
    assert (diff.only_a, diff.only_b, diff.renamed) == ((), (), ())
    norms = [layer.name for layer in recording("v2").graph.layers if layer.normalizes]
    assert [change.a for change in diff.changed] == norms
    for change in diff.changed:
        assert Difference("data_format", "NHWC", "NCHW", "attribute") in change.differences
    sizes = {c.a: {d.name: (d.a, d.b) for d in c.differences} for c in diff.changed}
    assert sizes["bn20_branch2b"]["gamma"] == ((64,), (8,))
    assert sizes["bn00_branch2b"]["moving_variance"] == ((16,), (32,))


def test_the_axes_of_a_mean_that_failed(recording: Callable[[str], Run]) -> None:
    diff = compared(recording("v2").graph, recording("mean_axes").graph)
    changes = {c.a: [(d.name, d.a, d.b) for d in c.differences] for c in diff.changed}
    assert changes == {
        "final_reduce_mean": [
            ("shape", (8, 1, 1, 64), (8, 8, 1, 1)),
            ("reduction_indices.value", [1, 2], [2, 3]),
        ],
        "Reshape": [("shape", (8, 64), (1, 64))],
        "dense1": [("shape", (8, 10), (1, 10))],
    }


def test_without_l2_only_its_ops_are_missing(recording: Callable[[str], Run]) -> None:
    a, b = recording("v2").graph, recording("no_l2").graph
    layers = compared(a, b)
    assert (layers.only_a, layers.only_b, layers.changed) == ((), (), ())
    assert [total.name for total in layers.totals] == ["ops"]
    ops = compared(a, b, Depth.OP)
    assert {row.phase for row in ops.only_a} == {Phase.OTHER, Phase.BACKWARD}
    losses = [row.name for row in ops.only_a if row.type == "L2Loss"]
    assert len(losses) == 38
    assert not [row for row in ops.only_a if row.name.startswith("gradients/conv")]
    # The sum of gradients per variable is missing: the updates read the gradient itself.
    updates = [c for c in ops.changed if c.a.startswith("Momentum/update_")]
    assert len(updates) == 38
    assert updates[0].differences[0].b == ["gradients/conv1/Conv2D_grad/Conv2DBackpropFilter:0"]
    # One sum remains for each shortcut; some of these sums are numbered differently.
    assert all(row.numbered for row in ops.renamed)


def rebatched(graph: Graph, before: int, after: int) -> Graph:
    """The same graph with another batch size."""

    def sized(spec: TensorSpec) -> TensorSpec:
        if not spec.shape or spec.shape[0] != before:
            return spec
        return msgspec.structs.replace(spec, shape=(after, *spec.shape[1:]))

    ops = tuple(
        msgspec.structs.replace(op, outputs=tuple(map(sized, op.outputs))) for op in graph.ops
    )
    return msgspec.structs.replace(graph, ops=ops)


@pytest.mark.parametrize("depth", [Depth.LAYER, Depth.OP])
def test_another_batch_is_listed_once(recording: Callable[[str], Run], depth: Depth) -> None:
    graph = recording("v2").graph
    other = rebatched(graph, 8, 32)
    diff = compare_graphs(graph, other, align(graph, other, every_op=True), depth)
    totals = {row.name: (row.a, row.b) for row in diff.totals}
    assert totals["batch"] == (8, 32)
    assert diff.changed == ()
    wrong = msgspec.structs.replace(
        other,
        ops=tuple(
            msgspec.structs.replace(op, outputs=(TensorSpec((4, 64), "float32"),))
            if op.name == "Reshape"
            else op
            for op in other.ops
        ),
    )
    diff = compare_graphs(graph, wrong, align(graph, wrong, every_op=True), depth)
    (change,) = diff.changed
    assert change.a == "Reshape"
    assert change.differences == (Difference("shape", (8, 64), (4, 64), "shape"),)


def test_a_renamed_chain_is_found_by_its_place() -> None:
    a = chain("one:Dense", "two:Relu", "three:Dense", "four:Relu")
    b = chain("p:Dense", "q:Relu", "r:Dense", "s:Relu")
    diff = compared(a, b)
    assert [(row.a, row.b) for row in diff.renamed] == [
        ("one", "p"), ("two", "q"), ("three", "r"), ("four", "s"),
    ]  # fmt: skip
    assert (diff.only_a, diff.only_b, diff.changed) == ((), (), ())


def test_an_inserted_layer_is_listed_and_the_rest_matched() -> None:
    a = chain("in:Dense", "one:Conv", "two:Relu", "out:Dense")
    b = chain("in:Dense", "first:Conv", "norm:BN", "second:Relu", "out:Dense")
    diff = compared(a, b)
    assert [(row.a, row.b) for row in diff.renamed] == [("one", "first"), ("two", "second")]
    assert [row.name for row in diff.only_b] == ["norm"]
    assert diff.only_a == ()
    assert [(c.a, c.differences) for c in diff.changed] == [
        ("two", (Difference("inputs", ["one"], ["norm"], "inputs"),))
    ]


def test_another_type_at_the_same_place_is_not_the_same_layer() -> None:
    diff = compared(chain("in:Dense", "one:Relu", "out:Dense"),
                     chain("in:Dense", "two:Tanh", "out:Dense"))  # fmt: skip
    assert [row.name for row in diff.only_a] == ["one"]
    assert [row.name for row in diff.only_b] == ["two"]
    assert diff.renamed == ()


def test_another_type_under_the_same_name_is_a_change() -> None:
    diff = compared(chain("one:Relu"), chain("one:Tanh"))
    assert diff.changed[0].differences == (Difference("type", "Relu", "Tanh", "type"),)


def fan(prefix: str, count: int, *, summed: bool) -> Graph:
    names = [f"{prefix}{i}" for i in range(count)]
    ends = [("sum", "Add", names)] if summed else []
    return network(*((name, "Dense", ["x"]) for name in names), *ends)


def test_branches_are_distinguished_by_their_readers() -> None:
    diff = compared(fan("p", 2, summed=True), fan("q", 3, summed=True))
    assert [(row.a, row.b) for row in diff.renamed] == [("p0", "q0"), ("p1", "q1")]
    assert (diff.only_a, [row.name for row in diff.only_b]) == ((), ["q2"])


def test_indistinguishable_branches_are_paired_in_order_if_equally_many() -> None:
    diff = compared(fan("p", 2, summed=False), fan("q", 2, summed=False))
    assert [(row.a, row.b) for row in diff.renamed] == [("p0", "q0"), ("p1", "q1")]
    unequal = compared(fan("p", 2, summed=False), fan("q", 3, summed=False))
    assert (unequal.renamed, len(unequal.only_a), len(unequal.only_b)) == ((), 2, 3)


def test_a_swap_of_two_inputs_is_seen() -> None:
    rows = ("one", "Dense", ["x"]), ("two", "Relu", ["x"])
    diff = compared(network(*rows, ("sum", "Sub", ["one", "two"])),
                     network(*rows, ("sum", "Sub", ["two", "one"])))  # fmt: skip
    assert [c.a for c in diff.changed] == ["sum"]
    assert diff.changed[0].differences[0].b == ["two", "one"]


def reading(variable: str) -> Graph:
    handle = Op(
        "read/resource", "Placeholder", Phase.FORWARD, outputs=(TensorSpec((), "resource"),)
    )
    read = Op("read", "ReadVariableOp", Phase.FORWARD, inputs=(TensorRef("read/resource"),))
    kept = Variable(variable, TensorSpec((2,), "float32"), True, ("read/resource",), ("read",))
    return Graph((handle, read), variables=(kept,))


def test_handles_of_different_variables_are_not_each_other_s_place() -> None:
    renamed = msgspec.structs.replace(reading("w"), ops=())
    ops = [msgspec.structs.replace(op, name=f"other/{op.name}") for op in reading("v").ops]
    ops[1] = msgspec.structs.replace(ops[1], inputs=(TensorRef("other/read/resource"),))
    variable = Variable("v", TensorSpec((2,), "float32"), True, (ops[0].name,), (ops[1].name,))
    other = msgspec.structs.replace(renamed, ops=tuple(ops), variables=(variable,))
    diff = compared(reading("w"), other, Depth.OP)
    assert (diff.aligned, len(diff.only_a), len(diff.only_b)) == (0, 2, 2)


@pytest.mark.parametrize("depth", DEPTHS)
@settings(deadline=None)
@given(graph=graphs())
def test_a_graph_does_not_differ_from_itself(depth: Depth, graph: Graph) -> None:
    diff = compared(graph, graph, depth)
    assert diff.empty
    assert diff.aligned == len(graph.ops if depth == Depth.OP else graph.layers)


@pytest.mark.slow
@pytest.mark.parametrize("depth", DEPTHS)
@settings(deadline=None, max_examples=150)
@given(a=graphs(), b=graphs())
def test_both_directions_are_equal(depth: Depth, a: Graph, b: Graph) -> None:
    forward, backward = compared(a, b, depth), compared(b, a, depth)
    assert in_any_order(forward.mirrored()) == in_any_order(backward)


def in_any_order(diff: GraphDiff) -> GraphDiff:
    """The differences sorted by name: ops that exchange places and names have no fixed order."""
    renamed = tuple(sorted(diff.renamed, key=lambda row: (row.a, row.b)))
    changed = tuple(sorted(diff.changed, key=lambda row: (row.a, row.b)))
    return msgspec.structs.replace(diff, renamed=renamed, changed=changed)


def without_layer(name: str, graph: Graph) -> Graph:
    """The graph with the ops of this layer outside of layers."""
    layers = tuple(layer for layer in graph.layers if layer.name != name)
    return msgspec.structs.replace(graph, layers=layers)


def both_ways(a: Graph, b: Graph, depth: Depth = Depth.LAYER) -> GraphDiff:
    diff = compared(a, b, depth)
    assert in_any_order(diff.mirrored()) == in_any_order(compared(b, a, depth))
    return diff


def test_a_renumbered_layer_does_not_share_its_partner_with_an_op() -> None:
    a = network(("act", "Relu", []), ("act_1", "Relu", []), ("out", "Dense", ["act"]))
    b = network(("act", "Relu", []), ("out", "Dense", ["act"]))
    diff = both_ways(without_layer("act", a), b)
    assert [(row.a, row.b) for row in diff.renamed] == [("act_1", "act")]
    assert [(c.a, c.differences) for c in diff.changed] == [
        ("out", (Difference("inputs", ["act"], ["act"], "inputs"),))
    ]


def test_a_layer_paired_by_shape_does_not_share_its_partner_with_an_op() -> None:
    owned = Variable("w", SPEC, True)

    def with_weight(name: str, graph: Graph) -> Graph:
        layers = tuple(
            msgspec.structs.replace(layer, variables=("w",)) if layer.name == name else layer
            for layer in graph.layers
        )
        return msgspec.structs.replace(graph, layers=layers, variables=(owned,))

    a = network(("in", "Dense", []), ("fc", "Dense", []), ("out", "Dense", ["in"]))
    b = network(("in", "Dense", []), ("out", "Dense", ["in"]))
    diff = both_ways(with_weight("fc", without_layer("in", a)), with_weight("in", b))
    assert (diff.renamed, diff.changed) == ((), ())
    assert ([row.name for row in diff.only_a], [row.name for row in diff.only_b]) == (
        ["fc"],
        ["in"],
    )


def test_an_op_of_a_renumbered_layer_has_one_partner() -> None:
    a = network(("in", "Dense", []), ("act_1/op", "Relu", ["in"]), ("last/op", "Relu", []))
    b = network(("in", "Dense", []), ("last/op", "Relu", ["in"]))
    diff = both_ways(without_layer("last/op", a), b, Depth.OP)
    assert [(row.a, row.b) for row in diff.renamed] == [("act_1/op", "last/op")]
    assert ([row.name for row in diff.only_a], diff.only_b) == (["last/op"], ())
    assert diff.changed == ()


@pytest.mark.parametrize("pair", [("v1", "v2"), ("v2", "no_l2"), ("bn_axis", "filters")])
@pytest.mark.parametrize("depth", DEPTHS)
def test_both_directions_of_recordings(
    recording: Callable[[str], Run], depth: Depth, pair: tuple[str, str]
) -> None:
    a, b = (recording(name).graph for name in pair)
    diff = compared(a, b, depth)
    assert diff.mirrored() == compared(b, a, depth)
    assert compared(a, a, depth).empty
    counted = len(a.ops if depth == Depth.OP else a.layers)
    assert counted == diff.aligned + len(diff.only_a)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["Dense", "Relu", "BN"]), min_size=1, max_size=12))
def test_a_chain_with_all_names_changed_is_the_same_chain(types: list[str]) -> None:
    a = chain(*(f"a{i}:{kind}" for i, kind in enumerate(types)))
    b = chain(*(f"b{i}:{kind}" for i, kind in enumerate(types)))
    diff = compared(a, b)
    assert [(row.a, row.b) for row in diff.renamed] == [
        (f"a{i}", f"b{i}") for i in range(len(types))
    ]
    assert (diff.only_a, diff.only_b, diff.changed, diff.totals) == ((), (), (), ())
