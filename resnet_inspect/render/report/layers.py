"""The content of layer panels: facts, neighbours, and the axes of the output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnet_inspect.analysis.page.report import LayerReport, Report
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.shape_table import flow, window
from resnet_inspect.render.receptive_field import receptive_fields
from resnet_inspect.render.report.sections import meaning, pairs
from resnet_inspect.render.report.whys import SharedExplanations


def layer_panels(report: Report, explanations: SharedExplanations) -> list[dict[str, Any]]:
    """The content of the panel of each layer."""
    return [_layer(row, explanations) for row in report.layers]


def _layer(report: LayerReport, explanations: SharedExplanations) -> dict[str, Any]:
    return {
        "name": report.layer.name,
        "type": report.layer.type,
        "path": list(report.layer.path),
        "shape": spelling.shape(report.row.shape),
        "facts": pairs(_facts(report))["pairs"],
        "before": list(report.before),
        "after": list(report.after),
        "normalized": report.normalized,
        "axes": explanations.axes(report.axes, report.row.axes),
        "ops": list(report.layer.ops),
    }


def _facts(report: LayerReport) -> Iterator[tuple[str, str]]:
    row = report.row
    yield "shapes", flow(row)
    if meaning(row):
        yield "axes", meaning(row)
    yield "type", f"{row.type}, {row.dtype}"
    if row.window is not None:
        yield "window", window(row.window) + "  (kernel/stride, padding before+after)"
    if row.receptive_fields:
        yield "receptive field", f"{receptive_fields(row.receptive_fields)}  (size/stride, offset)"
    if row.params:
        yield "parameters", f"{row.params:,}, {row.trainable_params:,} of them trainable"
    if row.macs != 0:
        yield "MACs", f"{spelling.count(row.macs)} per example"
    yield "memory", f"{spelling.size(row.memory)} for the output"
    for place in report.source:
        yield "line", f"{spelling.path(place.file)}:{place.line} in {place.function}"
        yield "", place.text
