"""Shades of boxes: what they stand for, legends that hold every number, what is not finite."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

from resnet_inspect.analysis.diagram.diagram import Diagram, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.render.diagram.dot import dot
from resnet_inspect.render.diagram.look import Look
from resnet_inspect.render.diagram.shades import alarms, shades
from resnet_inspect.stats import NotFinite
from resnet_inspect.store.run import Run
from tests.analysis.deep_graphs import deep

Open = Callable[[str], Run]


def folded(run: Run, level: Level) -> tuple[Diagram, dict[str, float]]:
    """Five and four blocks drawn once, and for each layer a number of its own, rising in order."""
    graph = deep(run.graph, 5)
    numbers = {layer.name: 1.5**at for at, layer in enumerate(graph.layers)}
    return draw(graph, run.lineage, Options(level=level)), numbers


@pytest.mark.parametrize("level", [Level.LAYER, Level.BLOCK, Level.STAGE])
def test_a_legend_holds_every_number_in_the_boxes(recording: Open, level: Level) -> None:
    made, numbers = folded(recording("v2"), level)
    found, legend, _ = shades(made, numbers, "std")
    low, high = legend[0][1].split(" … ")[0], legend[-1][1].split(" … ")[1]
    assert float(low) == pytest.approx(min(numbers.values()), rel=0.01)
    assert float(high) == pytest.approx(max(numbers.values()), rel=0.01)
    assert min(one.low for one in found.values()) == min(numbers.values())
    assert max(one.high for one in found.values()) == max(numbers.values())
    assert {one.level for one in found.values()} <= {at for at, _ in legend}


def test_a_box_drawn_once_has_the_mean_and_says_so(recording: Open) -> None:
    made, numbers = folded(recording("v2"), Level.LAYER)
    found, _, remarks = shades(made, numbers, "std")
    node = next(one for one in made.nodes if len(one.layers) == 5)
    held = [numbers[layer] for layer in node.layers]
    assert found[node.id].value == pytest.approx(sum(held) / 5)
    assert re.fullmatch(r"std \S+ … \S+, mean \S+", found[node.id].text)
    assert any("(×k) have the shade of the k blocks' mean" in one for one in remarks)


def test_groups_have_the_shade_of_what_they_hand_on(recording: Open) -> None:
    run = recording("v2")
    numbers = {layer.name: 0.5 if layer.type == "Relu" else 0.0 for layer in run.graph.layers}
    numbers["add10"] = 0.9
    made = draw(run.graph, run.lineage, Options(level=Level.STAGE))
    found, _, remarks = shades(made, numbers, "zeros")
    assert found["stage-conv_block_stage1"].level == 4
    assert found["stage-conv_block_stage1"].text == "zeros 0.0 % … 90.0 %, handed on 90.0 %"
    assert found["stage-conv_block_stage0"].level == 0
    assert any("what the last of them hands on" in one for one in remarks)
    blocks, deep_numbers = folded(run, Level.BLOCK)
    repeated = next(one for one in blocks.nodes if one.times == 5)
    last = [deep_numbers[layer] for layer in repeated.layers if "add" in layer]
    assert len(last) == 5
    value = shades(blocks, deep_numbers, "std")[0][repeated.id].value
    assert value == pytest.approx(sum(last) / 5)


def test_boxes_without_a_number_are_told(recording: Open) -> None:
    run = recording("v2")
    made = draw(run.graph, run.lineage)
    found, _, remarks = shades(made, {"conv1": 0.5, "dense1": math.nan}, "std")
    assert list(found) == ["layer-conv1"]
    assert remarks == ("boxes without a number: none was recorded at this step",)


def test_what_is_not_finite_is_marked(recording: Open) -> None:
    run = recording("diverged")
    made = draw(run.graph, run.lineage)
    assert alarms(made, run.summaries(0), {}) == {}
    found = alarms(made, run.summaries(2), {})
    assert found["layer-bn20_branch2a"] == "all NaN"
    assert "layer-conv1" not in found
    some = alarms(made, run.summaries(0), {"bn20_branch2a": NotFinite(2, 0, 1)})
    assert some == {"layer-bn20_branch2a": "holds 2 NaN, 1 −inf"}
    blocks = draw(run.graph, run.lineage, Options(level=Level.BLOCK))
    words = alarms(blocks, run.summaries(2), {})
    assert words == {"block-conv_block_stage2~2f~res20": "NaN in 8 of 9 layers"}
    text = dot(made, Look(alarms=found))
    assert "! all NaN" in text
    assert 'class="layer not-finite"' in text
    assert "━━ held NaN or infinities" in text
