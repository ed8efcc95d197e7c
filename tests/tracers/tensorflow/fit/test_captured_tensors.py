"""Tensors from outside of a step, such as the nodes and edges of a graph network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import resnet_inspect
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.analysis.sizes.names import find
from resnet_inspect.analysis.sizes.origins import CAPTURED, OriginKind
from resnet_inspect.analysis.sizes.why import why
from resnet_inspect.render.pages.shape_table import flow
from resnet_inspect.store.run import Run

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Return a fit whose layers read nodes [40, 4] and an adjacency [40, 40] of the model."""
    import keras
    import numpy as np
    import tensorflow as tf

    class Mixing(keras.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(shape[0][-1], 4), name="kernel")

        def call(self, inputs: Any) -> Any:
            nodes, adjacency = inputs
            return tf.nn.relu(tf.matmul(adjacency, tf.matmul(nodes, self.kernel)))

    class Network(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.nodes = tf.ones((40, 4))
            self.adjacency = tf.eye(40)
            self.mixings = [Mixing(), Mixing()]
            self.last = keras.layers.Dense(3)

        def call(self, rows: Any) -> Any:
            x = self.nodes
            for mixing in self.mixings:
                x = mixing((x, self.adjacency))
            return tf.gather(self.last(x), rows)

    path: Path = tmp_path_factory.mktemp("captured") / "run.db"
    model = Network()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rows = np.arange(6)
    recorder = resnet_inspect.Recorder(path)
    model.fit(rows, rows % 3, batch_size=3, verbose=0, callbacks=[recorder])
    with Run.open(path) as opened:
        yield opened


def test_the_diagram_has_a_box_for_each_tensor(run: Run) -> None:
    diagram = draw(run.graph, run.lineage)
    names = {node.id: node.name for node in diagram.nodes}
    edges = {(names[edge.tail], names[edge.head]) for edge in diagram.edges}
    assert ("constant", "mixing") in edges
    assert ("constant 2", "mixing") in edges
    # The first reader of a tensor did not compute it.
    assert all(head in ("mixing", "mixing_1") for tail, head in edges if "constant" in tail)
    between = [(tail, head) for tail, head in edges if tail == "mixing"]
    assert between in ([("mixing", "mixing_1")], [("mixing", "dense")])  # separate or collapsed


def test_layers_have_them_as_inputs(run: Run) -> None:
    table = resnet_inspect.shapes(run)
    rows = {row.name: flow(row) for row in table.rows}
    assert rows["mixing"] == "40×4, 40×40 → 40×4"
    assert rows["mixing_1"] == "40×4, 40×40 → 40×4"


def test_paths_end_at_them(run: Run) -> None:
    target, axes = find(run.graph, "mixing:0")
    explanation = why(run.graph, run.lineage, target, axes[0])
    assert (explanation.kind, explanation.reason) == (OriginKind.INPUT, CAPTURED)
