"""Blocks of networks without groups: where they are cut, which repeat, how they are drawn."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_inspect.analysis.diagram.diagram import Box, Diagram, EdgeKind, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import Graph, Note, TensorSpec
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.render.diagram.dot import dot
from resnet_inspect.render.diagram.look import DiagramStyle, details
from tests.analysis.flat_networks import Network

BLOCK = ("LayerNormalization", "MultiHeadAttention"), ("LayerNormalization", "Dense", "Dense")


def drawn(graph: Graph, **options: object) -> Diagram:
    return draw(graph, Lineage(), msgspec.convert(options, Options, strict=False))


def boxes(graph: Graph, level: Level) -> list[str]:
    """Return what the boxes at a level show, in order."""
    made = drawn(graph, level=level)
    return [
        f"{node.name} … {node.last} ×{node.times}" if node.times > 1 else node.name
        for node in made.nodes
        if node.box != Box.INPUT
    ]


def repeated(graph: Graph) -> dict[str, int]:
    """Return the collapsed groups around layers, with their numbers."""
    made = drawn(graph, level=Level.LAYER)
    return {f"{c.name} … {c.last}": c.times for c in made.clusters if c.times > 1}


def decoder(blocks: int) -> Network:
    """A transformer whose blocks are two residual sums each."""
    network = Network()
    taken = network.layer("Embedding", "x")
    for _ in range(blocks):
        for part in BLOCK:
            taken = network.residual(taken, *part)
    network.chain(taken, "LayerNormalization", "Dense", width=9)
    return network


def test_a_block_of_two_residual_sums_is_collapsed() -> None:
    graph = decoder(12).graph
    assert repeated(graph) == {"block 1 … block 12": 12}
    made = drawn(graph)
    assert (made.level, len(made.nodes)) == (Level.LAYER, 11)
    assert boxes(graph, Level.BLOCK) == [
        "embedding", "block 1 … block 12 ×12", "layernormalization_24", "dense_24",
    ]  # fmt: skip
    residual = [edge for edge in made.edges if edge.way == EdgeKind.RESIDUAL]
    assert len(residual) == 2


def test_names_give_blocks_without_a_shortcut_and_the_names_of_blocks() -> None:
    network = Network()
    taken = network.layer("Conv2D", "x", name="stem_conv")
    taken = network.layer("ReLU", taken, name="stem_relu")
    for at, width in enumerate((8, 8, 8, 16, 16)):
        before, start = taken, f"block_{at}"
        taken = network.layer("Conv2D", taken, name=f"{start}_expand", width=32)
        taken = network.layer("ReLU", taken, name=f"{start}_relu")
        taken = network.layer("Conv2D", taken, name=f"{start}_project", width=width)
        if network.widths[before] == width:
            taken = network.layer("Add", taken, before, name=f"{start}_add")
    assert boxes(network.graph, Level.BLOCK) == [
        "stem", "block_0", "block_1 … block_2 ×2", "block_3", "block_4",
    ]  # fmt: skip
    assert repeated(network.graph) == {"block_1 … block_2": 2}


def test_a_block_that_differs_is_its_own_box() -> None:
    network = Network()
    taken = network.layer("Dense", "x")
    for at in range(6):
        inside = ("Dense", "Tanh" if at == 3 else "ReLU", "Dense")
        taken = network.residual(taken, *inside)
    assert boxes(network.graph, Level.BLOCK) == [
        "dense", "block 1 … block 3 ×3", "block 4", "block 5 … block 6 ×2",
    ]  # fmt: skip


def test_blocks_of_different_width_are_not_equal() -> None:
    network = Network()
    taken = "x"
    for width in (8, 16):
        taken = network.layer("Dense", taken, width=width)
        for _ in range(2):
            taken = network.residual(taken, "Dense", "ReLU", "Dense")
    assert repeated(network.graph) == {"block 1 … block 2": 2, "block 3 … block 4": 2}


def test_a_run_ends_with_a_block_whose_output_is_used_elsewhere() -> None:
    network = Network()
    taken, outputs = "x", []
    for _ in range(3):
        taken = network.residual(taken, "Dense", "ReLU", "Dense")
        outputs.append(taken)
    assert repeated(network.graph) == {"block 1 … block 3": 3}
    network.layer("Concatenate", taken, outputs[1])
    assert repeated(network.graph) == {"block 1 … block 2": 2}


def test_equal_layers_are_one_box_if_it_replaces_at_least_three() -> None:
    network = Network()
    network.chain("x", "LSTM", "LSTM", "LSTM")
    for level in Level:
        assert boxes(network.graph, level) == ["lstm … lstm_2 ×3"]
    made = drawn(network.graph, expand=True)
    assert [node.name for node in made.nodes] == ["x", "lstm", "lstm_1", "lstm_2"]
    network = Network()
    network.chain("x", "LSTM", "LSTM")
    assert boxes(network.graph, Level.LAYER) == ["lstm", "lstm_1"]


def test_repeated_blocks_inside_repeated_groups() -> None:
    network = Network()
    taken = network.layer("Dense", "x", width=8)
    for stage in range(3):
        for at in range(4):
            path, start = (f"stage{stage}", f"block{at}"), taken
            for _ in range(3):
                taken = network.layer("Dense", taken, path=path)
            taken = network.layer("Add", taken, start, path=path)
    made = {level: drawn(network.graph, level=level).nodes[2:] for level in Level}
    rows = {
        level: [(node.name, node.times, node.copies, len(node.layers)) for node in nodes]
        for level, nodes in made.items()
    }
    assert rows[Level.STAGE] == [("stage0", 3, 3, 48)]
    assert rows[Level.BLOCK] == [("block0", 4, 12, 48)]
    assert rows[Level.LAYER] == [("dense_1", 3, 36, 36), ("add", 1, 12, 12)]
    assert rows[Level.OP] == rows[Level.LAYER]
    clusters = drawn(network.graph, level=Level.LAYER).clusters
    assert [(c.name, c.last, c.times) for c in clusters] == [
        ("stage0", "stage2", 3), ("block0", "block3", 4),
    ]  # fmt: skip


def test_repeated_groups_of_the_code() -> None:
    network = Network()
    taken = network.layer("Dense", "x")
    for at in range(3):
        for kind in ("conv", "identity"):
            for part in range(2):
                name = f"{kind}_{at}_{part}"
                network.layer("Dense", taken, name=name, path=("body", f"{kind}_{at}"))
                taken = name
            if kind == "conv":
                taken = network.layer("ReLU", taken, name=f"r{at}", path=("body", f"conv_{at}"))
    graph = network.graph
    assert list(repeated(graph).values()) == [3]
    made = drawn(graph, level=Level.LAYER)
    assert [n.name for n in made.nodes][1:] == [
        "dense", "conv_0_0", "conv_0_1", "r0", "identity_0_0", "identity_0_1",
    ]  # fmt: skip


def test_skip_connections_cross_blocks() -> None:
    network = Network(width=4)
    taken, skips = "x", []
    for width in (4, 8, 16, 32):
        taken = network.chain(taken, "Conv2D", "ReLU", "Conv2D", "ReLU", width=width)
        skips.append(taken)
        taken = network.layer("MaxPooling2D", taken)
    taken = network.chain(taken, "Conv2D", "ReLU", "Conv2D", "ReLU")
    for skip in reversed(skips):
        taken = network.layer("Conv2DTranspose", taken, width=network.widths[skip])
        taken = network.layer("Concatenate", taken, skip, width=2 * network.widths[skip])
        taken = network.chain(taken, "Conv2D", "ReLU", width=network.widths[skip])
    made = drawn(network.graph, level=Level.BLOCK)
    assert max(len(node.layers) // node.copies for node in made.nodes) == 2
    assert sum(edge.way == EdgeKind.RESIDUAL for edge in made.edges) == len(skips)


def test_a_long_skip_connection_does_not_hide_the_blocks_below_it() -> None:
    network = Network()
    first = taken = network.layer("Conv2D", "x", width=8)
    for _ in range(8):
        taken = network.residual(taken, "Conv2D", "ReLU", "Conv2D")
    taken = network.layer("Add", network.layer("Conv2D", taken), first)
    assert repeated(network.graph) == {"block 1 … block 8": 8}


def test_blocks_with_an_input_from_outside_and_mixed_branches() -> None:
    """The first layers of the decoder are executed among the last ones of the encoder."""
    network = Network("source", "target")
    memory, taken = (network.layer("Dense", name) for name in ("source", "target"))
    for _ in range(8):
        memory = network.residual(memory, "Dense", "Tanh", "Dense")
    for _ in range(8):
        crossed = network.layer("MultiHeadAttention", network.chain(taken, "Dense"), memory)
        taken = network.layer("Add", crossed, taken)
    moved = network.layers.pop(1), network.ops.pop(3)
    network.layers.insert(30, moved[0])
    network.ops.insert(32, moved[1])
    assert sorted(repeated(network.graph).values()) == [8, 8]
    made = drawn(network.graph, level=Level.LAYER)
    tails = {edge.tail for edge in made.edges if edge.head == "layer-multiheadattention"}
    assert len(tails) == 2


def test_shared_layers_are_not_collapsed() -> None:
    network = Network()
    network.chain("x", "Dense", "Dense", "Dense")
    shared = tuple(msgspec.structs.replace(layer, variables=("w",)) for layer in network.layers)
    graph = msgspec.structs.replace(
        network.graph,
        layers=shared,
        variables=(msgspec.structs.replace(network.variables[0], name="w"),),
    )
    assert boxes(graph, Level.LAYER) == ["dense", "dense_1", "dense_2"]


def test_a_block_without_weights_has_the_name_of_its_main_layer() -> None:
    network = Network()
    network.chain("x", "Flatten", "Dropout", "Dense")
    assert boxes(network.graph, Level.BLOCK) == ["flatten", "dense"]


def test_a_block_of_one_layer_and_ops_lists_its_layer() -> None:
    network = Network("x", "y")
    taken = network.layer("Embedding", "x", name="tokens", path=("decoder",))
    network.op("Mul", taken, "y", name="decoder/mul", shape=(8, 4), dtype="float32")
    made = draw(network.graph, Lineage(), Options(Level.BLOCK))
    assert [details(node)[0] for node in made.nodes if node.box == Box.BLOCK] == ["Embedding"]


def large() -> Graph:
    """A network of 120 layers in 24 blocks with different widths."""
    network = Network()
    taken = "x"
    for at in range(24):
        start = taken = network.layer("Dense", taken, width=8 + at, name=f"part{at}_in")
        for step, kind in enumerate(("Dense", "ReLU", "Dense")):
            taken = network.layer(kind, taken, name=f"part{at}_{step}")
        taken = network.layer("Add", taken, start, name=f"part{at}_add")
    return network.graph


def test_an_overview_has_at_most_60_boxes_and_says_so() -> None:
    graph = large()
    made = drawn(graph)
    assert (made.level, len(made.nodes) <= 60) == (Level.BLOCK, True)
    assert made.notes[0] == (
        f"shown as blocks ({len(made.nodes)} boxes) for an overview; use --level layer to show"
        f" {len(graph.layers) + 1} layers, or --scope NAME for a part"
    )
    layers = drawn(graph, level=Level.LAYER)
    assert (layers.level, len(layers.nodes)) == (Level.LAYER, len(graph.layers) + 1)
    assert drawn(graph, expand=True).level == Level.LAYER


def test_many_blocks_form_stages_by_the_size_of_their_outputs() -> None:
    network = Network()
    taken, channels = "x", 0
    for stage in (1, 2):
        for at in range(15):
            start, channels = taken, channels + 1
            for step in range(3):
                name = f"part{stage}_block{at}_{step}"
                taken = network.layer("Dense", taken, name=name, width=channels)
            taken = network.layer("Concatenate", taken, start, name=f"part{stage}_block{at}_end")
        taken = network.layer("Pool", taken, name=f"pool{stage}")
    sizes = {layer.name: (8, 4 // int(layer.name[4]), 1) for layer in network.layers}
    ops = tuple(
        msgspec.structs.replace(op, outputs=(TensorSpec(sizes[op.name], "float32"),))
        if op.name in sizes
        else op
        for op in network.graph.ops
    )
    graph = msgspec.structs.replace(network.graph, ops=ops)
    assert boxes(graph, Level.STAGE) == ["part1", "part2"]
    assert len(boxes(graph, Level.BLOCK)) == 32


def test_a_block_of_a_diagram_is_a_scope() -> None:
    graph = large()
    made = drawn(graph, scope="part3")
    inside = [node.name for node in made.nodes if not node.outside]
    assert inside == [layer.name for layer in graph.layers if layer.name.startswith("part3_")]
    with pytest.raises(UsageError, match="no stage, block, layer or name scope 'part99'"):
        drawn(graph, scope="part99")


def test_a_block_lists_the_types_of_its_layers() -> None:
    made = drawn(large(), level=Level.BLOCK)
    assert {node.contains for node in made.nodes if node.box == Box.BLOCK} == {("3 Dense",)}


def test_equal_notes_are_one_note() -> None:
    graph = large().noting(Note("a", "not recorded"), Note("b", "not recorded"))
    assert "a and 1 more: not recorded" in drawn(graph).notes


def test_the_main_path_of_a_group_lies_inside_it() -> None:
    network = Network("source", "target")
    memory = network.layer("Dense", "source", path=("encoder",))
    first = network.layer("Dense", "target", path=("decoder",))
    network.layer("Attention", first, memory, path=("decoder",))
    made = drawn(network.graph)
    lines = dot(made, DiagramStyle()).splitlines()
    weights = {
        line.split(" [")[0].strip(): line.rpartition("weight=")[2].rstrip("]")
        for line in lines
        if "->" in line
    }
    assert weights['"layer-dense" -> "layer-attention"'] == "1"
    assert weights['"layer-dense_1" -> "layer-attention"'] == "8"


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Chains, residual sums and branches, of which some repeat, with and without given names."""
    network = Network()
    taken = "x"
    kinds = st.sampled_from(["Dense", "ReLU", "Conv2D", "BatchNormalization", "ZeroPadding2D"])
    for number in range(draw(st.integers(1, 5))):
        form = draw(st.sampled_from(["chain", "residual", "branches", "skip"]))
        inside = draw(st.lists(kinds, min_size=1, max_size=4))
        width = draw(st.sampled_from([0, 4, 8]))
        start = taken
        for _ in range(draw(st.integers(1, 4))):
            before = len(network.layers)
            if form == "chain":
                taken = network.chain(taken, *inside, width=width)
            elif form == "residual":
                taken = network.residual(taken, *inside)
            else:
                ends = [network.chain(taken, *inside), network.chain(taken, *inside[:1])]
                taken = network.layer("Concatenate", *ends, *[start] * (form == "skip"))
            if draw(st.booleans()):
                path = (f"group{number}", f"inner{before}")
                network.layers[before:] = [
                    msgspec.structs.replace(layer, path=path[: draw(st.integers(1, 2))])
                    for layer in network.layers[before:]
                ]
    return network.graph


@given(networks(), st.sampled_from([Level.STAGE, Level.BLOCK, Level.LAYER]))
def test_boxes_represent_each_layer_once_and_edges_are_links(graph: Graph, level: Level) -> None:
    made = drawn(graph, level=level)
    shown = [name for node in made.nodes for name in node.layers]
    assert sorted(shown) == sorted(layer.name for layer in graph.layers)
    assert all(len(node.layers) % node.copies == 0 for node in made.nodes)
    box = {name: node for node in made.nodes for name in node.layers}
    links = {
        (box[ref.op].id if ref.op in box else f"input-{ref.op}", box[layer.name].id)
        for layer in graph.layers
        for ref in layer.inputs
    }
    edges = {(edge.tail, edge.head) for edge in made.edges}
    assert edges <= links
    copies = {node.id: node.copies for node in made.nodes}
    for tail, head in links - edges:
        assert tail == head or (copies[tail] > 1 and copies[head] > 1)
    assert len({node.id for node in made.nodes}) == len(made.nodes)
    every = drawn(graph, level=level, expand=True)
    assert {node.copies for node in every.nodes} <= {1}
