"""Shape tables of the recordings agree with tables derived by hand from the specification."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from resnet_inspect.analysis.sizes.geometry import same_padding
from resnet_inspect.analysis.sizes.shapes import Depth, shapes
from resnet_inspect.graph import Phase
from resnet_inspect.store.run import Run
from tests.reference import expected_network as expected

Open = Callable[[str], Run]
VERSIONS = pytest.mark.parametrize("ver", [1, 2])


@VERSIONS
def test_layers_agree_with_the_specification(recording: Open, ver: int) -> None:
    table = shapes(recording(f"v{ver}").graph, Depth.LAYER)
    wanted = expected.layers(1, ver, 8)
    assert [row.name for row in table.rows] == [layer.name for layer in wanted]
    for row, layer in zip(table.rows, wanted, strict=True):
        assert row.type == layer.type
        assert row.inputs == layer.inputs
        assert row.shape == layer.output
        assert (row.trainable_params, row.params) == (layer.trainable_params, layer.params)
        assert row.macs == layer.macs
        window = row.window
        assert (window and window.kernel) == layer.kernel
        assert (window and window.stride) == layer.stride
        assert (window and window.padding) == layer.padding


@VERSIONS
def test_ops_agree_with_the_specification(recording: Open, ver: int) -> None:
    table = shapes(recording(f"v{ver}").graph, Depth.OP)
    wanted = expected.op_counts(1, ver)
    counts = Counter(row.type for row in table.rows if row.phase == Phase.FORWARD)
    assert {kind: counts[kind] for kind in wanted} == wanted


@VERSIONS
@pytest.mark.parametrize("depth", list(Depth))
def test_totals_are_the_same_at_every_depth(recording: Open, ver: int, depth: Depth) -> None:
    table = shapes(recording(f"v{ver}").graph, depth)
    wanted = expected.totals(1, ver)
    totals = table.totals
    assert totals.trainable_params == wanted.trainable_params
    assert totals.params == wanted.params
    assert totals.macs == wanted.macs
    forward = [row for row in table.rows if row.phase == Phase.FORWARD]
    assert totals.memory == sum(row.memory or 0 for row in forward)


def test_stages_and_blocks_merge_neighbouring_layers(recording: Open) -> None:
    graph = recording("v2").graph
    stages = shapes(graph, Depth.STAGE).rows
    assert [row.name for row in stages] == [
        "stem",
        "conv_block_stage0",
        "conv_block_stage1",
        "conv_block_stage2",
        "head",
    ]
    assert stages[2].inputs == ((8, 32, 32, 16),)
    assert stages[2].shape == (8, 16, 16, 32)
    blocks = shapes(graph, Depth.BLOCK).rows
    assert [row.name.rpartition("/")[2] for row in blocks] == [
        "stem",
        "res00",
        "res10",
        "res20",
        "head",
    ]


def test_a_failed_run_shows_its_recorded_layers(recording: Open) -> None:
    rows = {row.name: row for row in shapes(recording("mean_axes").graph).rows}
    assert rows["final_reduce_mean"].shape == (8, 8, 1, 1)
    assert rows["Reshape"].shape == (1, 64)
    assert rows["dense1"].shape == (1, 10)


@pytest.mark.parametrize(
    ("size", "reach", "stride", "wanted"),
    [
        (32, 3, 1, (1, 1)),
        (32, 3, 2, (0, 1)),
        (32, 1, 2, (0, 0)),
        (33, 3, 2, (1, 1)),
        (5, 7, 1, (3, 3)),
    ],
)
def test_same_padding(size: int, reach: int, stride: int, wanted: tuple[int, int]) -> None:
    assert same_padding(size, reach, stride) == wanted
