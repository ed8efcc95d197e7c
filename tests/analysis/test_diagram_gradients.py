"""The gradients in diagrams: which box of the forward pass each op of the backward pass is of."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, EdgeKind, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.graph import Graph, Op, Phase, TensorRef, TensorSpec
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.render.diagram.look import heading
from resnet_inspect.store.run import Run
from tests.analysis.flat_networks import Network

Open = Callable[[str], Run]
FLOATS, WHOLE = TensorSpec((8, 4), "float32"), TensorSpec((2,), "int32")


def flow(made: Diagram) -> set[tuple[str, str]]:
    """Return the pairs of boxes between which gradients flow."""
    names = {node.id: heading(node).removeprefix("∇ ") for node in made.nodes}
    return {(names[e.tail], names[e.head]) for e in made.edges if e.way == EdgeKind.GRADIENT}


def gradient(graph: Graph, name: str, kind: str, *takes: str, spec: TensorSpec = FLOATS) -> Graph:
    """The graph with an op of the backward pass."""
    refs = tuple(TensorRef(taken) for taken in takes)
    op = Op(name, kind, Phase.BACKWARD, inputs=refs, outputs=(spec,))
    return msgspec.structs.replace(graph, ops=(*graph.ops, op))


def test_gradients_of_a_tape_belong_to_the_layers_in_their_names(recording: Open) -> None:
    run = recording("fit")
    made = draw(run.graph, run.lineage, Options(backward=True))
    assert flow(made) == {
        ("compile_loss", "logits"), ("logits", "flat"), ("flat", "pool"), ("pool", "relu"),
        ("relu", "norm"), ("norm", "conv"),
    }  # fmt: skip


def test_gradients_of_a_scope_are_those_of_its_layers(recording: Open) -> None:
    run = recording("fit")
    made = draw(run.graph, run.lineage, Options(level=Level.LAYER, backward=True, scope="norm"))
    inner = {node.name for node in made.nodes if node.box == Box.GRADIENT and not node.outside}
    assert inner == {"norm"}


def test_gradients_of_ops_in_one_scope_are_told_apart_by_their_tensors() -> None:
    network = Network()
    start = network.layer("Dense", "x", name="start")
    left = network.op("Tanh", start, name="m/Tanh", shape=(8, 4), dtype="float32")
    right = network.op("Sigmoid", start, name="m/Sigmoid", shape=(8, 4), dtype="float32")
    both = network.op("Mul", left, right, name="m/mul", shape=(8, 4), dtype="float32")
    joined = network.op("ConcatV2", both, start, name="m/concat", shape=(8, 8), dtype="float32")
    network.layer("Dense", joined, name="m/end")
    tape = "gradient_tape"
    graph = gradient(network.graph, f"{tape}/m/end/MatMul", "MatMul", "m/end")
    graph = gradient(graph, f"{tape}/m/Offset", "ConcatOffset", f"{tape}/m/end/MatMul", spec=WHOLE)
    graph = gradient(graph, f"{tape}/m/Slice", "Slice", f"{tape}/m/end/MatMul", f"{tape}/m/Offset")
    for at, other in enumerate((right, left)):
        graph = gradient(graph, f"{tape}/m/mul/Mul_{at}", "Mul", f"{tape}/m/Slice", other)
    graph = gradient(graph, f"{tape}/m/TanhGrad", "TanhGrad", left, f"{tape}/m/mul/Mul_0")
    graph = gradient(graph, f"{tape}/m/SigmoidGrad", "SigmoidGrad", right, f"{tape}/m/mul/Mul_1")
    sums = (f"{tape}/m/TanhGrad", f"{tape}/m/SigmoidGrad")
    graph = gradient(graph, "AddN", "AddN", *sums)
    graph = gradient(graph, f"{tape}/start/MatMul", "MatMul", "AddN")
    made = draw(graph, Lineage(), Options(backward=True))
    assert flow(made) == {
        ("end", "concat"), ("concat", "mul"), ("mul", "Tanh"), ("mul", "Sigmoid"),
        ("Tanh", "start"), ("Sigmoid", "start"),
    }  # fmt: skip


def test_a_gradient_in_the_scope_of_one_layer_belongs_to_the_layer() -> None:
    network = Network()
    first = network.layer("Dense", "x", name="first")
    network.layer("LayerNormalization", first, name="norm")
    graph = network.graph
    inner = tuple(Op(f"norm/moments/{at}", "Mean", Phase.FORWARD, inputs=(TensorRef(first),),
                     outputs=(FLOATS,)) for at in range(2))  # fmt: skip
    norm = msgspec.structs.replace(graph.layers[1], ops=("norm", *(op.name for op in inner)))
    graph = msgspec.structs.replace(graph, ops=(*graph.ops, *inner), layers=(graph.layers[0], norm))
    graph = gradient(graph, "gradient_tape/norm/moments/Tile", "Tile", "x")
    graph = gradient(graph, "AddN", "AddN", "gradient_tape/norm/moments/Tile")
    graph = gradient(graph, "gradient_tape/first/MatMul", "MatMul", "AddN")
    assert flow(draw(graph, Lineage(), Options(backward=True))) == {("norm", "first")}


@pytest.mark.parametrize("user", ["Reshape", "Tile"])
def test_sizes_that_gradients_compute_have_no_boxes(user: str) -> None:
    network = Network()
    network.layer("Dense", "x", name="dense")
    graph = gradient(network.graph, "gradient_tape/Shape", "Shape", "x", spec=WHOLE)
    graph = gradient(graph, "gradient_tape/Cast", "Cast", "gradient_tape/Shape", spec=WHOLE)
    graph = gradient(graph, "gradient_tape/dense/Out", user, "dense", "gradient_tape/Cast")
    made = draw(graph, Lineage(), Options(backward=True))
    assert [node.name for node in made.nodes if node.box == Box.GRADIENT] == ["dense"]


def test_an_order_of_axes_has_no_boxes() -> None:
    network = Network()
    start = network.op("Shape", "x", name="Shape", shape=(2,), dtype="int32")
    order = network.op("Range", start, name="range", shape=(2,), dtype="int32")
    turned = network.op("Transpose", "x", order, name="turn", shape=(4, 8), dtype="float32")
    network.layer("Dense", turned, name="dense")
    graph = gradient(network.graph, "g/Invert", "InvertPermutation", order, spec=WHOLE)
    assert [node.name for node in draw(graph, Lineage()).nodes] == ["x", "turn", "dense"]
