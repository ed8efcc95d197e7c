"""Batch normalization in inference mode while it trains, or at the output.

Source: `training=False` left behind; a normalization after the last layer.
Threshold: a trainable layer normalizes with averages that are still exactly 0 and 1; or an output
comes out of one. Silent: for frozen layers, for averages that were learned before, as in
fine-tuning, and for outputs with a loss of one's own, as embeddings have.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import (
    BINARY_LOSSES,
    REGRESSION_LOSSES,
    SOFTMAX_LOSSES,
    Evidence,
)
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.rules.moving_averages import normalizes_the_batch
from resnet_inspect.graph import Layer


def find(seen: Evidence) -> Iterator[Finding]:
    """One for the mode, one for each output."""
    every = [one for one in seen.graph.layers if one.normalizes]
    if seen.training.optimizer:
        wrong = [one for one in every if _untrained(seen, one)]
        if wrong:
            yield Finding(
                Severity.WARNING,
                f"{len(wrong)} of {len(every)} batch normalizations run in inference mode with"
                f" averages that are still 0 and 1: {wrong[0].name} …",
                {"layers": len(wrong), "of": len(every)},
                "they normalize nothing: each is a scale and a shift",
                "call them with training=True in training",
                place=seen.place(wrong[0].name),
            )
    for objective in seen.objectives:
        if objective.loss not in SOFTMAX_LOSSES | BINARY_LOSSES | REGRESSION_LOSSES:
            continue
        layer = seen.layer_of(objective.output)
        behind = _after_softmax(seen, layer) if layer is not None else False
        if layer is not None and (layer.normalizes or behind):
            yield Finding(
                Severity.WARNING,
                f"{layer.name} normalizes the network's output over the batch",
                {},
                "an answer then depends on the other examples of its batch",
                "put the normalization before the last layer",
                place=seen.place(layer.name),
            )


def _untrained(seen: Evidence, layer: Layer) -> bool:
    if layer.settings.get("trainable") is False or normalizes_the_batch(seen, layer):
        return False
    held = {name.rpartition("/")[2]: list(seen.weight(name).values()) for name in layer.variables}
    means, variances = held.get("moving_mean"), held.get("moving_variance")
    if not means or not variances:
        return False
    zero = all(one.min == one.max == 0 for one in means)
    return zero and all(one.min == one.max == 1 for one in variances)


def _after_softmax(seen: Evidence, layer: Layer) -> bool:
    return layer.normalizes and any(
        (op := seen.maker(ref)) is not None and op.type == "Softmax" for ref in layer.inputs
    )
