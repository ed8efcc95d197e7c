"""Measures with one number per layer, by which a diagram is coloured."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, nan
from statistics import median
from typing import TYPE_CHECKING

from resnet_inspect.graph import Graph
from resnet_inspect.stats import relative_updates

if TYPE_CHECKING:
    from resnet_inspect.stats import TensorSummary, Update

MEASURES = {
    "zeros": "share of zeros in a layer's output",
    "std": "standard deviation of a layer's output",
    "gradient": "root mean square of the loss gradient at a layer's output",
    "update-ratio": "median ‖Δw‖/‖w‖ of a layer's kernels, or of all its variables without one",
}


def measure(
    graph: Graph,
    name: str,
    *,
    activations: Mapping[str, TensorSummary],
    gradients: Mapping[str, TensorSummary],
    updates: Mapping[str, Update],
) -> dict[str, float]:
    """Return a measure by layer, where it was recorded. The mappings belong to one step."""
    if name == "zeros":
        return {layer: summary.zero_fraction for layer, summary in activations.items()}
    if name == "std":
        return {
            layer: summary.std for layer, summary in activations.items() if summary.std is not None
        }
    if name == "gradient":
        return {
            layer: (summary.sum_of_squares / summary.finite) ** 0.5
            for layer, summary in gradients.items()
            if summary.finite
        }
    medians = {}
    for layer in graph.layers:
        moved = [graph.variable_by_name[v] for v in layer.variables if v in updates]
        kernels = [variable for variable in moved if len(variable.spec.shape or ()) > 1] or moved
        ratios = relative_updates(updates[variable.name] for variable in kernels)
        if ratios:
            finite = all(map(isfinite, ratios))
            medians[layer.name] = median(ratios) if finite else nan
    return medians
