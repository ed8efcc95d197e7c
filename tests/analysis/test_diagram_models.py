"""Diagrams of other people's networks are readable: few boxes, repeated blocks collapsed."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from resnet_inspect.analysis.diagram.diagram import READABLE, Box, EdgeKind, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.graph.lineage import Lineage
from tests.analysis.traced_graphs import forward_graph


def decoder(blocks: int) -> keras.Model:
    """A transformer decoder of Keras layers and operators, without groups and given names."""
    tokens = keras.Input((8,))
    taken = layers.Dense(16)(layers.Reshape((8, 1))(tokens))
    for _ in range(blocks):
        normal = layers.LayerNormalization()(taken)
        taken = taken + layers.MultiHeadAttention(2, 8)(normal, normal, use_causal_mask=True)
        inner = layers.Dense(32, activation="gelu")(layers.LayerNormalization()(taken))
        taken = layers.Add()([taken, layers.Dense(16)(inner)])
    return keras.Model(tokens, layers.Dense(20)(layers.LayerNormalization()(taken)))


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("MobileNetV2", {"block_4": 2, "block_7": 3, "block_11": 2, "block_14": 2}),
        ("EfficientNetB0", {"block4b": 2, "block5b": 2, "block6b": 3}),
    ],
)
def test_applications_of_keras(name: str, runs: dict[str, int]) -> None:
    model = getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3))
    graph = forward_graph(model, (2, 64, 64, 3))
    made = draw(graph, Lineage())
    assert (made.level, len(made.nodes) <= READABLE) == (Level.BLOCK, True)
    assert {node.name: node.times for node in made.nodes if node.times > 1} == runs
    represented = [layer for node in made.nodes for layer in node.layers]
    assert sorted(represented) == sorted(layer.name for layer in graph.layers)


def test_a_decoder_of_twelve_blocks() -> None:
    graph = forward_graph(decoder(12), (2, 8))
    made = draw(graph, Lineage())
    assert (made.level, len(made.nodes) <= READABLE) == (Level.LAYER, True)
    assert [cluster.times for cluster in made.clusters] == [12]
    assert sum(edge.way == EdgeKind.RESIDUAL for edge in made.edges) == 2
    blocks = draw(graph, Lineage(), Options(level=Level.BLOCK))
    assert [node.times for node in blocks.nodes if node.box == Box.BLOCK] == [12]
