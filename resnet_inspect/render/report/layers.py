"""The page's panels of layers: facts, neighbours, and the axes of the output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from resnet_inspect.analysis.page.report import LayerReport, Report
from resnet_inspect.render import spelling
from resnet_inspect.render.pages.shape_table import flow, window
from resnet_inspect.render.report.sections import meaning, pairs
from resnet_inspect.render.report.whys import Whys


def layer_panels(found: Report, whys: Whys) -> list[dict[str, Any]]:
    """What the panel of each layer holds."""
    return [_layer(one, whys) for one in found.layers]


def _layer(one: LayerReport, whys: Whys) -> dict[str, Any]:
    return {
        "name": one.layer.name,
        "type": one.layer.type,
        "path": list(one.layer.path),
        "shape": spelling.shape(one.row.shape),
        "facts": pairs(_facts(one))["pairs"],
        "before": list(one.before),
        "after": list(one.after),
        "normalized": one.normalized,
        "axes": whys.axes(one.axes, one.row.axes),
        "ops": list(one.layer.ops),
    }


def _facts(one: LayerReport) -> Iterator[tuple[str, str]]:
    row = one.row
    yield "shapes", flow(row)
    if meaning(row):
        yield "axes", meaning(row)
    yield "type", f"{row.type}, {row.dtype}"
    if row.window is not None:
        yield "window", window(row.window) + "  (kernel/stride, padding before+after)"
    if row.params:
        yield "parameters", f"{row.params:,}, {row.trainable_params:,} of them trainable"
    if row.macs:
        yield "MACs", f"{spelling.count(row.macs)} an example"
    yield "memory", f"{spelling.size(row.memory)} for the output"
    for place in one.source:
        yield "line", f"{spelling.path(place.file)}:{place.line} in {place.function}"
        yield "", place.text
