"""Ops in diagrams: those without a box, those of one call, those of one layer."""

from __future__ import annotations

import msgspec

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, EdgeKind, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.graph import AxisRef, Graph, TensorRef
from resnet_inspect.graph.lineage import FromAxis, FromVariable, Lineage, Link, Relation
from tests.analysis.flat_networks import Network


def drawn(graph: Graph, **options: object) -> Diagram:
    return draw(graph, Lineage(), msgspec.convert(options, Options, strict=False))


def boxes(graph: Graph, level: Level) -> list[str]:
    """Return the names of the boxes behind the inputs, in order."""
    return [node.name for node in drawn(graph, level=level).nodes if node.box != Box.INPUT]


def test_ops_that_only_compute_sizes_have_no_box() -> None:
    network = Network()
    taken = network.layer("Dense", "x")
    shape = network.op("Shape", taken, name="Shape", shape=(2,), dtype="int32")
    first = network.op("StridedSlice", shape, name="first", shape=(), dtype="int32")
    pack = network.op("Pack", first, name="pack", shape=(2,), dtype="int32")
    network.op("Prod", shape, name="unused", shape=(), dtype="int32")
    network.op("Reshape", taken, pack, name="reshaped", shape=(8, 4), dtype="float32")
    assert boxes(network.graph, Level.LAYER) == ["dense", "reshaped"]
    assert {"Shape", "first", "pack"} <= set(boxes(network.graph, Level.OP))
    count = network.op("Cast", first, name="count", shape=(), dtype="float32")
    network.op("RealDiv", "reshaped", count, name="mean", shape=(8, 4), dtype="float32")
    assert boxes(network.graph, Level.LAYER) == [
        "dense", "Shape", "first", "reshaped", "count", "mean",
    ]  # fmt: skip


def test_ops_that_only_compute_seeds_have_no_box() -> None:
    network = Network()
    network.op("ReadVariableOp", name="state", shape=(2,), dtype="int64")
    network.op("Mul", "state", name="times", shape=(2,), dtype="int64")
    network.op("StatelessRandomGetKeyCounter", "times", name="key", shape=(1,), dtype="uint64")
    network.op("Op", "key", "x", name="noise", shape=(8, 4), dtype="float32")
    assert boxes(network.graph, Level.LAYER) == ["key", "noise"]
    network.op("Gather", "x", "state", name="row", shape=(2, 4), dtype="float32")
    assert "state" in boxes(network.graph, Level.LAYER)


def test_the_ops_of_one_call_are_one_box() -> None:
    network = Network()
    taken = network.layer("Dense", "x", name="model/dense")
    for part in ("random", "mul"):
        network.op("Op", name=f"model/normal/{part}", shape=(8, 4), dtype="float32")
    network.op("Add", "model/normal/mul", name="model/normal", shape=(8, 4), dtype="float32")
    network.op("Mul", taken, "model/normal", name="model/mul", shape=(8, 4), dtype="float32")
    made = drawn(network.graph)
    kinds = {node.name: node.type for node in made.nodes}
    assert kinds["model/normal"] == "3 ops"
    assert [node.name for node in made.nodes if node.box == Box.OP] == ["model/normal", "model/mul"]
    assert "model/normal/random" in boxes(network.graph, Level.OP)


def test_the_path_of_a_size_in_the_last_of_collapsed_blocks_has_marked_edges() -> None:
    network = Network()
    taken = network.layer("Dense", "x", name="start")
    for _ in range(3):
        taken = network.residual(taken, "LayerNormalization", "Dense")
    network.layer("Dense", taken, name="end")
    links: dict[str, tuple[Link, ...]] = {
        f"{op.name}:0/1": (Link(FromAxis(AxisRef(op.inputs[0], 1)), Relation.SAME),)
        for op in network.ops
        if op.inputs and op.name != "layernormalization_2"
    }
    lineage = Lineage(links=links)
    size = why(network.graph, lineage, find(network.graph, "end")[0], 1)
    made = draw(network.graph, lineage, explanations=[size])
    names = {node.id: node.name for node in made.nodes}
    assert {(names[e.tail], names[e.head]) for e in made.edges if e.lineage} == {
        ("layernormalization", "dense_1"), ("dense_1", "add"), ("add", "end"),
    }  # fmt: skip


def test_the_variable_at_the_end_of_a_path_is_drawn_at_the_first_of_equal_blocks() -> None:
    network = Network()
    taken = network.layer("Dense", "x", name="start")
    for _ in range(3):
        taken = network.residual(taken, "LayerNormalization", "Dense")
    links: dict[str, tuple[Link, ...]] = {
        "add_2:0/1": (Link(FromAxis(AxisRef(TensorRef("dense_3"), 1)), Relation.SAME),),
        "dense_3:0/1": (Link(FromVariable("dense_3/kernel", 1), Relation.SAME),),
    }
    lineage = Lineage(links=links)
    size = why(network.graph, lineage, find(network.graph, "add_2")[0], 1)
    made = draw(network.graph, lineage, explanations=[size])
    nodes = {node.id: node for node in made.nodes}
    (read,) = [edge for edge in made.edges if edge.way == EdgeKind.VARIABLE]
    kernel, dense = nodes[read.tail], nodes[read.head]
    assert (kernel.name, kernel.lineage, read.lineage) == ("dense_3/kernel", "chain", "chain")
    assert (dense.name, dense.path) == ("dense_1", kernel.path)


def test_the_ops_of_one_layer_are_no_overview() -> None:
    graph = network_of_one_layer(80)
    assert drawn(graph, scope="attention").level == Level.OP
    assert drawn(graph, scope="attention", limit=50).level == Level.LAYER


def network_of_one_layer(size: int) -> Graph:
    """A network of one layer of many ops."""
    network = Network()
    taken = network.layer("Dense", "x", name="attention")
    for at in range(size):
        taken = network.op("Mul", taken, name=f"attention/{at}", shape=(8, 4), dtype="float32")
    layer = msgspec.structs.replace(
        network.layers[0], ops=tuple(op.name for op in network.ops[1:]), output=TensorRef(taken)
    )
    return msgspec.structs.replace(network.graph, layers=(layer,))
