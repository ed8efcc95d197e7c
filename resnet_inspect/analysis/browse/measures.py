"""One number a layer, by which a diagram is coloured: zeros, spread, gradient, update."""

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
    "gradient": "root mean square of the loss's gradient at a layer's output",
    "update-ratio": "‖Δw‖/‖w‖ of a layer's kernel, else of its variables (median)",
}


def measure(
    graph: Graph,
    name: str,
    *,
    activations: Mapping[str, TensorSummary],
    gradients: Mapping[str, TensorSummary],
    updates: Mapping[str, Update],
) -> dict[str, float]:
    """The number of each layer for which it was recorded; the mappings are of one step."""
    if name == "zeros":
        return {layer: one.zero_fraction for layer, one in activations.items()}
    if name == "std":
        return {layer: one.std for layer, one in activations.items() if one.std is not None}
    if name == "gradient":
        return {
            layer: (one.sum_of_squares / one.finite) ** 0.5
            for layer, one in gradients.items()
            if one.finite
        }
    found = {}
    for layer in graph.layers:
        moved = [graph.variable_by_name[v] for v in layer.variables if v in updates]
        kernels = [one for one in moved if len(one.spec.shape or ()) > 1] or moved
        known = relative_updates(updates[one.name] for one in kernels)
        if known:
            finite = all(map(isfinite, known))
            found[layer.name] = median(known) if finite else nan
    return found
