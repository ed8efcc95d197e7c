"""The network, compared with tables derived by hand and an implementation in NumPy."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Graph, Phase
from tests.reference import expected_network as expected
from tests.reference import numpy_network
from tests.tracers.tensorflow.conftest import session

SIZES = [(n, ver) for n in (1, 5, 18) for ver in (1, 2)]


@pytest.fixture(scope="module")
def graphs() -> dict[tuple[int, int], Graph]:
    """Forward graphs of all sizes; training graphs have the same forward part."""
    graphs_by_size = {}
    for n, ver in SIZES:
        graphs_by_size[n, ver] = session(n=n, ver=ver, steps=0).build().graph
    return graphs_by_size


@pytest.mark.parametrize(("n", "ver"), SIZES)
def test_ops_variables_and_layers_are_those_of_the_specification(
    graphs: dict[tuple[int, int], Graph], n: int, ver: int
) -> None:
    graph = graphs[n, ver]
    counts = Counter(op.type for op in graph.ops if op.phase == Phase.FORWARD)
    wanted = expected.op_counts(n, ver)
    assert {kind: counts[kind] for kind in wanted} == wanted
    variables = expected.variables(n, ver)
    assert {v.name: (v.spec.shape, v.trainable) for v in graph.variables} == {
        v.name: (v.shape, v.trainable) for v in variables
    }
    rows = shapes(graph, Depth.LAYER).rows
    layers = expected.layers(n, ver, 8)
    assert [(r.name, r.type, r.inputs, r.shape, r.params, r.macs) for r in rows] == [
        (e.name, e.type, e.inputs, e.output, e.params, e.macs) for e in layers
    ]
    assert [row.window and row.window.padding for row in rows] == [e.padding for e in layers]


@pytest.mark.parametrize(("n", "total"), [(5, 468_138), (18, 1_734_858)])
def test_trainable_parameters(graphs: dict[tuple[int, int], Graph], n: int, total: int) -> None:
    for ver in (1, 2):
        assert shapes(graphs[n, ver]).totals.trainable_params == total


@pytest.mark.parametrize("n", [1, 5])
def test_the_training_graph_has_the_same_forward_part(
    graphs: dict[tuple[int, int], Graph], n: int
) -> None:
    whole, forward = session(n=n, steps=1).build().graph, graphs[n, 2]
    kinds = [Counter(op.type for op in g.ops if op.phase == "forward") for g in (whole, forward)]
    assert kinds[0] == kinds[1]
    assert shapes(whole) == shapes(forward)


@pytest.mark.parametrize("ver", [1, 2])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_activations_agree_with_numpy(ver: int, mode: str) -> None:
    from tests.tracers.tensorflow.tutorial.reference_runs import Forward, weights_of

    training = mode == "train"
    made = session(ver=ver, mode=mode)
    made.build()
    weights = _shaken(weights_of(made.variables))
    images, _ = made.batches.batch(0)
    outputs = Forward(ver, training=training)(weights, images)
    wanted, _ = numpy_network.forward(weights, images, 1, ver, training)
    assert list(outputs) == [layer.name for layer in expected.layers(1, ver, 8)]
    for name, value in outputs.items():
        scale = np.abs(wanted[name]).max()
        np.testing.assert_allclose(value, wanted[name], atol=2e-5 * scale, err_msg=name)


def _shaken(weights: dict[str, Any]) -> dict[str, Any]:
    """Weights plus noise, so that none has its initial constant; variances stay positive."""
    rng = np.random.default_rng(7)
    return {
        name: np.abs(w + 0.1 * rng.normal(size=w.shape)).astype(np.float32)
        if name.endswith("variance")
        else (w + 0.1 * rng.normal(size=w.shape)).astype(np.float32)
        for name, w in weights.items()
        if w.dtype == np.float32
    }


def test_initial_weights_follow_the_initializers() -> None:
    from tests.tracers.tensorflow.tutorial.reference_runs import weights_of

    made = session(n=3)
    made.build()
    weights = weights_of(made.variables)
    for name, kernel in weights.items():
        if not name.endswith("/kernel"):
            continue
        if name in ("conv1/kernel", "dense1/kernel"):
            field = np.prod(kernel.shape[:-2])
            limit = np.sqrt(6 / (field * sum(kernel.shape[-2:])))
            assert np.abs(kernel).max() <= limit
            assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.1)
        else:
            deviation = np.sqrt(2 / np.prod(kernel.shape[:-1]))
            assert kernel.std() == pytest.approx(deviation, rel=0.1)
            assert np.abs(kernel).max() <= 2 * deviation / 0.8796
    assert np.all(weights["bn00_branch2a/gamma"] == 1)
    assert np.all(weights["bn00_branch2a/moving_variance"] == 1)
    assert not np.any(weights["conv1/bias"])
