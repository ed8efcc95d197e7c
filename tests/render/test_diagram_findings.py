"""Findings on the boxes of diagrams, shown by colour and also as text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_inspect.analysis.check import Finding, Severity
from resnet_inspect.analysis.diagram.diagram import Diagram, Level, Options
from resnet_inspect.analysis.diagram.drawing import draw
from resnet_inspect.findings import check
from resnet_inspect.graph import place_named
from resnet_inspect.render.diagram.dot import dot
from resnet_inspect.render.diagram.findings import findings_at, shades_of
from resnet_inspect.render.diagram.look import DiagramStyle, fill
from resnet_inspect.store.run import Run

Open = Callable[[str], Run]


def finding_at(run: Run, severity: Severity, name: str, rule: str = "dead-units") -> Finding:
    """A finding at a place."""
    return Finding(
        severity, "message", {}, "why", "fix", place=place_named(run.graph, name), rule=rule
    )


def drawn(run: Run, level: str) -> Diagram:
    """The diagram at a level, without collapsed blocks."""
    return draw(run.graph, run.lineage, Options(level=Level(level), expand=True))


@pytest.mark.parametrize("level", ["stage", "block", "layer"])
def test_the_box_of_the_layer_is_shaded_and_names_the_rule(recording: Open, level: str) -> None:
    run = recording("bn_axis")
    made, findings = drawn(run, level), check(run)
    at = findings_at(run.graph, made, findings)
    (key,) = at
    (node,) = (node for node in made.nodes if node.id == key)
    assert "bn00_branch2a" in node.layers
    shades, legend, remarks = shades_of(at, findings)
    assert shades[key].text == "✗ error: batch-norm-axis"
    assert legend == ((4, "✗ error"),)
    assert remarks == ()
    look = DiagramStyle(shades=shades, legend=legend, measure="findings")
    assert fill(node, look) == "l8"
    assert {fill(node, look) for node in made.nodes if node.id != key} == {"box"}
    assert dot(made, look).count("✗ error") == 2  # in the box and in the legend


@pytest.mark.parametrize("level", ["layer", "op"])
def test_ops_tensors_and_variables_are_found_at_their_boxes(recording: Open, level: str) -> None:
    run = recording("v2")
    made = drawn(run, level)
    kernel = run.graph.layer_by_name["conv1"].main
    findings = [
        finding_at(run, Severity.WARNING, f"{kernel}:0"),
        finding_at(run, Severity.INFO, "loss of nothing"),
    ]
    at = findings_at(run.graph, made, findings)
    (key,) = at
    (node,) = (node for node in made.nodes if node.id == key)
    assert node.name == ("conv1" if level == "layer" else kernel)
    _, legend, remarks = shades_of(at, findings)
    assert legend == ((2, "! warning"),)
    assert remarks == ("i info, not in this diagram: dead-units",)
    if level == "layer":
        (beside,) = findings_at(run.graph, made, [finding_at(run, Severity.INFO, "conv1/kernel")])
        assert beside == key


def test_the_worst_finding_comes_first_and_shades_follow_severities(
    recording: Open,
) -> None:
    run = recording("v2")
    made = drawn(run, "layer")
    findings = [
        finding_at(run, Severity.ERROR, "conv1", "symmetric-weights"),
        finding_at(run, Severity.WARNING, "conv1"),
        finding_at(run, Severity.WARNING, "add00"),
        finding_at(run, Severity.INFO, "dense1"),
        *(finding_at(run, Severity.WARNING, "", f"rule-{at}") for at in range(7)),
    ]
    shades, legend, remarks = shades_of(findings_at(run.graph, made, findings), findings)
    by_name = {node.name: shades[node.id] for node in made.nodes if node.id in shades}
    assert by_name["conv1"].text == "✗ error: symmetric-weights and 1 more"
    assert [by_name[name].level for name in ("conv1", "add00", "dense1")] == [4, 2, 1]
    assert [text for _, text in legend] == ["✗ error", "! warning", "i info"]
    assert remarks[0] == "! warning, not in this diagram: rule-0"
    assert remarks[-1] == "and 2 more: resnet-inspect check"


def test_hostile_rules_and_places_stay_text(recording: Open) -> None:
    run = recording("v2")
    made = drawn(run, "layer")
    findings = [
        finding_at(run, Severity.ERROR, "conv1", '</td>"\\N&'),
        finding_at(run, Severity.ERROR, '"];x["'),
    ]
    shades, legend, remarks = shades_of(findings_at(run.graph, made, findings), findings)
    text = dot(
        made, DiagramStyle(shades=shades, legend=legend, remarks=remarks, measure="findings")
    )
    assert "&lt;/td&gt;" in text
    assert '"];x["' not in text
