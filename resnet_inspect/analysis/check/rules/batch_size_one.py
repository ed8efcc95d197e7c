"""Batch normalization receives batches of one example.

Checks the size of all recorded batches where a batch normalization uses batch statistics.
Threshold: every recorded batch has one example. Error if a channel has a single value per batch,
warning if it has the values of one image.
Background: the mean of a single value is the value itself, so it is normalized to 0.
Not reported: in inference mode.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.rules.moving_averages import normalizes_the_batch


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding for the run."""
    parts = [part for parts in evidence.inputs.values() for part in parts]
    if not parts or any(part.examples > 1 for part in parts):
        return
    layers = [
        layer
        for layer in evidence.graph.layers
        if layer.normalizes and normalizes_the_batch(evidence, layer)
    ]
    if not layers:
        return
    flat = [layer for layer in layers if len(evidence.graph.spec(layer.output).shape or ()) < 3]
    layer = (flat or layers)[0]
    yield Finding(
        Severity.ERROR if flat else Severity.WARNING,
        f"{layer.name} computes batch statistics from batches of 1 example",
        {"layers": len(layers)},
        "each value is its own mean, so every normalized value is 0"
        if flat
        else "each image is normalized by its own statistics, evaluation uses different ones",
        "use larger batches, or layer or group normalization",
        place=evidence.place(layer.name),
    )
