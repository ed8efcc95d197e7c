"""Content of diagrams: boxes, shapes, shortcuts, repeats, paths of sizes, failures, limits."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, EdgeKind, Level, Options, anchor
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Graph, Op, Phase, TensorRef
from resnet_inspect.render.diagram.look import heading
from resnet_inspect.store.run import Run
from tests.analysis.deep_graphs import deep
from tests.recordings import RECORDINGS

Open = Callable[[str], Run]


def drawn(run: Run, **options: object) -> Diagram:
    return draw(
        run.graph,
        run.lineage,
        msgspec.convert(options, Options, strict=False),
        failure=run.info.failure,
    )


def ways(made: Diagram, way: EdgeKind) -> list[tuple[str, str]]:
    return [(edge.tail, edge.head) for edge in made.edges if edge.way == way]


@pytest.mark.parametrize("name", sorted(RECORDINGS))
@pytest.mark.parametrize("level", list(Level))
def test_every_edge_ends_at_a_box_and_every_box_has_its_group(
    recording: Open, name: str, level: Level
) -> None:
    made = drawn(recording(name), level=level)
    ids = [node.id for node in made.nodes]
    assert len(set(ids)) == len(ids)
    assert {end for edge in made.edges for end in (edge.tail, edge.head)} <= set(ids)
    paths = {cluster.path for cluster in made.clusters}
    assert {node.path for node in made.nodes} <= paths | {()}


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_every_layer_and_every_tensor_between_layers_is_drawn(recording: Open, name: str) -> None:
    run = recording(name)
    made = drawn(run)
    layers = [node for node in made.nodes if node.box == Box.LAYER]
    assert [node.name for node in layers] == [layer.name for layer in run.graph.layers]
    taken = {(str(ref), layer.name) for layer in run.graph.layers for ref in layer.inputs}
    names = {node.id: node.name for node in made.nodes}
    assert {(edge.tensor, names[edge.head]) for edge in made.edges} == taken
    specs = {str(ref): run.graph.spec(ref).shape for x in run.graph.layers for ref in x.inputs}
    assert all(edge.shape == specs[edge.tensor] for edge in made.edges)


def test_shortcuts_of_both_versions(recording: Open) -> None:
    v2, v1 = drawn(recording("v2")), drawn(recording("v1"))
    assert ways(v2, EdgeKind.RESIDUAL) == [("layer-conv1", "layer-add00")]
    assert ways(v1, EdgeKind.RESIDUAL) == [("layer-relu_conv1", "layer-add00")]
    assert ways(v2, EdgeKind.PROJECTION)[:3] == [
        ("layer-relu10_branch2a", "layer-res10_branch1"),
        ("layer-res10_branch1", "layer-bn10_branch1"),
        ("layer-bn10_branch1", "layer-add10"),
    ]
    projected = [node.name for node in v1.nodes if node.projection]
    assert projected == ["res10_branch1", "bn10_branch1", "res20_branch1", "bn20_branch1"]


def test_equal_blocks_are_collapsed(recording: Open) -> None:
    run = recording("v2")
    graph = deep(run.graph, 5)
    assert len(graph.layers) == len(run.graph.layers) + 3 * 4 * 7
    made = draw(graph, run.lineage)
    runs = {c.path: (c.name, c.last, c.times) for c in made.clusters if c.times > 1}
    assert set(runs.values()) == {
        ("res00", "copy3_res00", 5),
        ("copy0_res10", "copy3_res10", 4),
        ("copy0_res20", "copy3_res20", 4),
    }
    every = draw(graph, run.lineage, Options(expand=True))
    assert [n.name for n in every.nodes if n.box == Box.LAYER] == [x.name for x in graph.layers]
    represented = sorted(layer for node in made.nodes for layer in node.layers)
    assert represented == sorted(layer.name for layer in graph.layers)
    blocks = draw(graph, run.lineage, Options(level=Level.BLOCK))
    assert [n.times for n in blocks.nodes if n.times > 1] == [5, 4, 4]
    order = {node.id: at for at, node in enumerate(made.nodes)}
    assert all(order[edge.tail] < order[edge.head] for edge in made.edges)


def test_too_many_boxes_are_shown_at_a_coarser_level_with_a_note(recording: Open) -> None:
    run = recording("v2")
    made = drawn(run, expand=True, limit=20)
    assert (made.level, len(made.nodes) <= 20) == (Level.BLOCK, True)
    note = "shown as blocks, because layers need 32 boxes and the limit is 20; "
    assert made.notes[0].startswith(note)
    made = drawn(run, expand=True, limit=3)
    assert len(made.nodes) == 3
    assert [node.box for node in made.nodes] == [Box.REST] * 3
    assert any("merged" in note for note in made.notes)
    assert sorted(layer for n in made.nodes for layer in n.layers) == sorted(
        layer.name for layer in run.graph.layers
    )


def test_a_scope_with_its_neighbours(recording: Open) -> None:
    made = drawn(recording("v2"), scope="res10")
    assert [node.name for node in made.nodes if node.outside] == ["add00", "bn20_branch2a"]
    assert len(made.nodes) == 11
    inside = drawn(recording("v2"), scope="conv1", variables=True)
    assert inside.level == Level.OP
    assert {"conv1/kernel", "conv1/bias"} <= {n.name for n in inside.nodes if not n.outside}
    with pytest.raises(UsageError, match="no stage, block, layer or name scope 'res1'"):
        drawn(recording("v2"), scope="res1")


def test_paths_between_two_layers(recording: Open) -> None:
    run = recording("v2")
    made = drawn(run, path=("add10", "add20"))
    names = {node.name for node in made.nodes}
    assert {"add10", "res20_branch1", "res20_branch2b", "add20"} <= names
    assert not {"conv1", "dense1", "add00"} & names
    with pytest.raises(UsageError, match="no path leads from 'add20' to 'add10'") as caught:
        drawn(run, path=("add20", "add10"))
    assert caught.value.fix == "swap the names: --path add10 add20"


def test_the_path_of_a_size(recording: Open) -> None:
    run = recording("v2")
    target, axes = find(run.graph, "Reshape:1")
    explanation = why(run.graph, run.lineage, target, axes[0])
    made = draw(run.graph, run.lineage, explanations=[explanation])
    nodes = {node.name: node for node in made.nodes}
    assert nodes["Reshape"].lineage == "chain"
    kernel = nodes["res20_branch1/kernel"]
    assert (kernel.box, kernel.lineage) == (Box.VARIABLE, "inflow")
    assert any("origin of 64" in text for text in kernel.remarks)
    traced = {(e.tail, e.head): e.axes for e in made.edges if e.lineage}
    assert traced["variable-res20_branch1~2f~kernel", "layer-res20_branch1"] == (3,)
    assert traced["layer-add20", "layer-pre_activation_final_norm"] == (3,)
    assert ("layer-bn20_branch2a", "layer-relu20_branch2a") not in traced


@pytest.mark.parametrize(
    ("name", "call", "sides"),
    [
        ("filters", "conv_block_stage0/add00", {"layer-conv1", "layer-res00_branch2b"}),
        ("mean_axes", "sparse_softmax_cross_entropy_with_logits", {"input-labels", "layer-dense1"}),
    ],
)
def test_a_rejected_call_is_shown_with_its_inputs(
    recording: Open, name: str, call: str, sides: set[str]
) -> None:
    made = drawn(recording(name))
    failed = [node for node in made.nodes if node.failed]
    assert [node.name for node in failed] == [call]
    assert any("disagree" in text for text in failed[0].remarks)
    assert {edge.tail for edge in made.edges if edge.head == failed[0].id} == sides
    assert any("while building the network" in note for note in made.notes)


def test_variables_and_gradients(recording: Open) -> None:
    run = recording("v2")
    made = drawn(run, variables=True)
    variables = {node.name for node in made.nodes if node.box == Box.VARIABLE}
    trained = {variable.name for variable in run.graph.variables if variable.trainable}
    assert trained <= variables
    backward = drawn(run, backward=True)
    gradients = {node.name for node in backward.nodes if node.box == Box.GRADIENT}
    moved = {layer.name for layer in run.graph.layers if layer.variables}
    assert moved <= gradients
    assert ways(backward, EdgeKind.GRADIENT)
    assert any("l2_loss" in note for note in backward.notes)


def test_gradients_of_a_scope_lie_inside_in_the_order_of_the_backward_pass(
    recording: Open,
) -> None:
    made = drawn(recording("v2"), scope="res20", backward=True)
    inner = {n.name for n in made.nodes if n.box == Box.GRADIENT and not n.outside}
    layers = {n.name for n in made.nodes if n.box == Box.LAYER and not n.outside}
    assert inner == layers - {"add20"}  # its gradient equals those of its two inputs
    edges = [edge for edge in made.edges if edge.way == EdgeKind.GRADIENT]
    assert all(edge.shape for edge in edges)
    names = {node.id: node.name for node in made.nodes}
    assert {(names[e.tail], names[e.head]) for e in edges} == {
        ("pre_activation_final_norm", "bn20_branch1"),
        ("pre_activation_final_norm", "res20_branch2b"),
        ("bn20_branch1", "res20_branch1"), ("res20_branch2b", "relu20_branch2b"),
        ("relu20_branch2b", "bn20_branch2b"), ("bn20_branch2b", "res20_branch2a"),
        ("res20_branch1", "relu20_branch2a"), ("res20_branch2a", "relu20_branch2a"),
        ("relu20_branch2a", "bn20_branch2a"), ("bn20_branch2a", "bn10_branch1"),
        ("bn20_branch2a", "res10_branch2b"),
    }  # fmt: skip
    outside = {node.id for node in made.nodes if node.outside and node.box == Box.GRADIENT}
    assert outside <= {end for edge in edges for end in (edge.tail, edge.head)}
    assert "not shown: edges from the gradient of l2_loss to 9 boxes" in made.notes


def backwards(graph: Graph) -> Graph:
    """The graph with an op of the backward pass for each layer, and a sum of two of them."""
    made = [(layer, graph.op_by_name[layer.main].inputs[0]) for layer in graph.layers]
    ops = tuple(
        Op(
            f"gradients/{layer.main}_grad/Made",
            "Made",
            Phase.BACKWARD,
            inputs=(layer.output,),
            outputs=(graph.spec(taken),),
        )
        for layer, taken in made
    )
    takers = graph.consumers[graph.layer_by_name["add00"].output][:2]
    sums = tuple(TensorRef(f"gradients/{taker}_grad/Made") for taker in takers)
    total = Op("gradients/AddN", "AddN", Phase.BACKWARD, inputs=sums, outputs=ops[0].outputs)
    return msgspec.structs.replace(graph, ops=(*graph.ops, *ops, total))


def test_gradients_of_collapsed_blocks_have_their_count(recording: Open) -> None:
    run = recording("v2")
    graph = backwards(deep(run.graph, 5))
    made = draw(graph, run.lineage, Options(level=Level.BLOCK, backward=True))
    blocks = {node.name: node.times for node in made.nodes if node.box == Box.BLOCK}
    gradients = {node.name: node.times for node in made.nodes if node.box == Box.GRADIENT}
    assert blocks == gradients
    assert max(gradients.values()) == 5


def test_a_sum_of_gradients_belongs_to_the_shared_input(recording: Open) -> None:
    run = recording("v2")
    graph = backwards(deep(run.graph, 2))
    made = draw(graph, run.lineage, Options(backward=True, expand=True))
    summed = [head for tail, head in ways(made, EdgeKind.GRADIENT)]
    assert set(summed) == {"gradient-layer~3a~add00"}


def test_notes_on_missing_parts(recording: Open) -> None:
    run = recording("v2")
    empty = draw(Graph(ops=()), run.lineage)
    assert (empty.nodes, empty.notes) == (
        (), ("the diagram is empty: the run ended before the graph was built",)
    )  # fmt: skip
    images = run.graph.op_by_name[run.graph.inputs["images"].op]
    inputs = {"images": run.graph.inputs["images"]}
    same = draw(Graph(ops=(images,), inputs=inputs), run.lineage)
    assert [node.name for node in same.nodes] == ["images"]
    assert any("no ops are shown" in note for note in same.notes)
    own = draw(recording("own").graph, run.lineage, Options(backward=True))
    assert "no gradients are shown: the run has no backward pass" in own.notes


def test_the_shortcut_into_a_rejected_addition(recording: Open) -> None:
    made = drawn(recording("filters"))
    failed = next(node for node in made.nodes if node.failed)
    assert ways(made, EdgeKind.RESIDUAL) == [("layer-conv1", failed.id)]
    assert heading(failed) == "add00"


def test_identifiers_differ_as_names_do() -> None:
    names = ["a/b", "a~2f~b", "a_b", "a.b", "a b", "A/b", "é", "", "~", "<", "\u202e"]
    ids = [anchor("layer", name) for name in names]
    assert len(set(ids)) == len(names)
    assert all(x.isascii() and " " not in x for x in ids)
    assert anchor("layer", "res00_branch2a") == "layer-res00_branch2a"
