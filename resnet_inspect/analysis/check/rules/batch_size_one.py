"""Batch normalization with one example in a batch.

Source: the mean of one number is itself: what is normalized becomes 0.
Threshold: batches of one example, and a normalization in training mode. An error where a channel
has a single number in the batch; a warning where it has a picture.
Silent: in inference mode.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.rules.moving_averages import normalizes_the_batch


def find(seen: Evidence) -> Iterator[Finding]:
    """One for the run."""
    parts = [part for parts in seen.inputs.values() for part in parts]
    if not parts or any(one.examples > 1 for one in parts):
        return
    layers = [o for o in seen.graph.layers if o.normalizes and normalizes_the_batch(seen, o)]
    if not layers:
        return
    flat = [one for one in layers if len(seen.graph.spec(one.output).shape or ()) < 3]
    layer = (flat or layers)[0]
    yield Finding(
        Severity.ERROR if flat else Severity.WARNING,
        f"{layer.name} normalizes over a batch of one example",
        {"layers": len(layers)},
        "each number is its own mean, so nothing of it is left"
        if flat
        else "each picture is normalized by itself, and evaluation by other means than training",
        "larger batches, or a normalization of each example (layer or group normalization)",
        place=seen.place(layer.name),
    )
