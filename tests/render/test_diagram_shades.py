"""Shades of boxes: their values, the range of the legend, NaN and infinities."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

from resnet_inspect.analysis.diagram.diagram import Diagram, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.render.diagram.dot import dot
from resnet_inspect.render.diagram.look import DiagramStyle
from resnet_inspect.render.diagram.shades import alarms, shades
from resnet_inspect.stats import NotFinite
from resnet_inspect.store.run import Run
from tests.analysis.deep_graphs import deep

Open = Callable[[str], Run]


def folded(run: Run, level: Level) -> tuple[Diagram, dict[str, float]]:
    """A diagram with 5 and 4 blocks collapsed, and an ascending number for each layer."""
    graph = deep(run.graph, 5)
    numbers = {layer.name: 1.5**at for at, layer in enumerate(graph.layers)}
    return draw(graph, run.lineage, Options(level=level)), numbers


@pytest.mark.parametrize("level", [Level.LAYER, Level.BLOCK, Level.STAGE])
def test_the_legend_covers_every_number_in_the_boxes(recording: Open, level: Level) -> None:
    made, numbers = folded(recording("v2"), level)
    by_box, legend, _ = shades(made, numbers, "std")
    low, high = legend[0][1].split(" … ")[0], legend[-1][1].split(" … ")[1]
    assert float(low) == pytest.approx(min(numbers.values()), rel=0.01)
    assert float(high) == pytest.approx(max(numbers.values()), rel=0.01)
    assert min(shade.low for shade in by_box.values()) == min(numbers.values())
    assert max(shade.high for shade in by_box.values()) == max(numbers.values())
    assert {shade.level for shade in by_box.values()} <= {at for at, _ in legend}


def test_a_collapsed_box_shows_the_mean(recording: Open) -> None:
    made, numbers = folded(recording("v2"), Level.LAYER)
    by_box, _, remarks = shades(made, numbers, "std")
    node = next(node for node in made.nodes if len(node.layers) == 5)
    values = [numbers[layer] for layer in node.layers]
    assert by_box[node.id].value == pytest.approx(sum(values) / 5)
    assert re.fullmatch(r"std \S+ … \S+, mean \S+", by_box[node.id].text)
    assert "a box of k identical blocks (×k) is shaded by their mean" in remarks


def test_groups_are_shaded_by_their_output(recording: Open) -> None:
    run = recording("v2")
    numbers = {layer.name: 0.5 if layer.type == "Relu" else 0.0 for layer in run.graph.layers}
    numbers["add10"] = 0.9
    made = draw(run.graph, run.lineage, Options(level=Level.STAGE))
    by_box, _, remarks = shades(made, numbers, "zeros")
    assert by_box["stage-conv_block_stage1"].level == 4
    assert by_box["stage-conv_block_stage1"].text == "zeros 0.0 % … 90.0 %, output 90.0 %"
    assert by_box["stage-conv_block_stage0"].level == 0
    assert "a box of several layers is shaded by the output of its last layer" in remarks
    blocks, deep_numbers = folded(run, Level.BLOCK)
    repeated = next(node for node in blocks.nodes if node.times == 5)
    last = [deep_numbers[layer] for layer in repeated.layers if "add" in layer]
    assert len(last) == 5
    value = shades(blocks, deep_numbers, "std")[0][repeated.id].value
    assert value == pytest.approx(sum(last) / 5)


def test_boxes_without_a_number_are_reported(recording: Open) -> None:
    run = recording("v2")
    made = draw(run.graph, run.lineage)
    by_box, _, remarks = shades(made, {"conv1": 0.5, "dense1": math.nan}, "std")
    assert list(by_box) == ["layer-conv1"]
    assert remarks == ("boxes without a number: no value was recorded at this step",)


def test_nan_and_infinities_are_marked(recording: Open) -> None:
    run = recording("diverged")
    made = draw(run.graph, run.lineage)
    assert alarms(made, run.summaries(0), {}) == {}
    by_box = alarms(made, run.summaries(2), {})
    assert by_box["layer-bn20_branch2a"] == "all NaN"
    assert "layer-conv1" not in by_box
    some = alarms(made, run.summaries(0), {"bn20_branch2a": NotFinite(2, 0, 1)})
    assert some == {"layer-bn20_branch2a": "contains 2 NaN, 1 −inf"}
    blocks = draw(run.graph, run.lineage, Options(level=Level.BLOCK))
    words = alarms(blocks, run.summaries(2), {})
    assert words == {"block-conv_block_stage2~2f~res20": "NaN in 8 of 9 layers"}
    text = dot(made, DiagramStyle(alarms=by_box))
    assert "! all NaN" in text
    assert 'class="layer not-finite"' in text
    assert "━━ contains NaN or infinity" in text
