"""The content of the answer page, on the recordings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_inspect import api
from resnet_inspect.analysis.page.overview import shape_flow
from resnet_inspect.analysis.sizes.why import reshapes
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_the_64_is_a_literal_that_must_equal_the_channels(recording: Open, name: str) -> None:
    run = recording(name)
    (origin,) = reshapes(run.graph, run.lineage)
    assert (origin.tensor, origin.axis, origin.size) == ("Reshape:0", 1, 64)
    assert origin.formula is not None
    assert origin.formula.text == "filters × 2²"
    assert origin.formula.source.file == "resnet_inspect/tracers/tensorflow/tutorial/resnet.py"
    assert "[-1, filters * 2**2]" in origin.formula.source.text
    assert origin.inflow[0].place == "final_reduce_mean:0 axis 3"
    assert origin.inflow[-1].place == "res20_branch1/kernel axis 3"
    assert {step.size for step in origin.inflow} == {64}


def test_a_mean_over_wrong_axes_leaves_no_axis_for_the_literal(recording: Open) -> None:
    run = recording("mean_axes")
    (origin,) = reshapes(run.graph, run.lineage)
    assert origin.inflow == ()
    assert origin.couplings == ()
    assert origin.incoming == ((8, 8, 1, 1),)
    assert origin.outgoing == (1, 64)


def test_shapes_from_images_to_logits(recording: Open) -> None:
    flow = shape_flow(recording("v2").graph)
    assert [(step.first, step.last, step.layers, step.shape) for step in flow] == [
        ("images", "images", 0, (8, 32, 32, 3)),
        ("conv1", "relu10_branch2a", 10, (8, 32, 32, 16)),
        ("res10_branch1", "relu20_branch2a", 9, (8, 16, 16, 32)),
        ("res20_branch1", "relu_final", 9, (8, 8, 8, 64)),
        ("final_reduce_mean", "final_reduce_mean", 1, (8, 1, 1, 64)),
        ("Reshape", "Reshape", 1, (8, 64)),
        ("dense1", "dense1", 1, (8, 10)),
    ]


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_blocks_are_shown_by_their_last_layer_at_the_last_step(recording: Open, name: str) -> None:
    run = recording(name)
    summary = api.summarize(run)
    assert summary.step == 2
    kept = run.summaries(2)
    assert [block.block for block in summary.blocks] == ["stem", "res00", "res10", "res20", "head"]
    for block in summary.blocks:
        assert block.summary == kept[block.layer]
    inside = [kept["relu10_branch2a"], kept["relu10_branch2b" if name == "v2" else "relu10"]]
    share = sum(relu.zeros for relu in inside) / sum(relu.count for relu in inside)
    assert summary.blocks[2].relu_zeros == pytest.approx(share)
    assert 0.2 < share < 0.8


@pytest.mark.parametrize("name", ["v1", "v2"])
def test_how_blocks_learned(recording: Open, name: str) -> None:
    run = recording(name)
    learning = {row.block: row for row in api.summarize(run).learning}
    assert list(learning) == ["stem", "res00", "res10", "res20", "head"]
    gradients, updates = run.summaries(2, "gradient"), run.updates()[2]
    for row in learning.values():
        assert row.gradient == gradients[row.layer]
        assert row.dead == 0
    kernels = [f"res10_{part}/kernel" for part in ("branch1", "branch2a", "branch2b")]
    assert (
        learning["res10"].ratio == sorted(updates[kernel].relative() or 0 for kernel in kernels)[1]
    )
    # Two ReLUs per block. In version 2, before and after the first convolution: 16 and 32 channels.
    assert learning["res10"].channels == {"v1": 32 + 32, "v2": 16 + 32}[name]


def test_a_failed_run_has_an_overview_too(recording: Open) -> None:
    summary = api.summarize(recording("mean_axes"))
    assert summary.blocks == ()
    assert summary.scalars == ()
    assert summary.flow[-1].shape == (1, 10)
