"""Batch normalization runs in inference mode during training, or normalizes the output.

Checks the moving averages of trainable batch normalizations and the layer that makes each output.
Threshold: a trainable layer normalizes with moving averages that are still exactly 0 (mean) and
1 (variance). Or a batch normalization makes an output. Warning.
Background: `training=False` left over from evaluation, or a normalization added after the last
layer.
Not reported: for frozen layers; for averages that were trained before, as in fine-tuning; for
outputs with a custom loss, as of embeddings.
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


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for inference mode and one per normalized output."""
    every = [layer for layer in evidence.graph.layers if layer.normalizes]
    if evidence.training.optimizer:
        wrong = [layer for layer in every if _untrained(evidence, layer)]
        if wrong:
            yield Finding(
                Severity.WARNING,
                f"{len(wrong)} of {len(every)} batch normalizations run in inference mode with"
                f" moving averages that are still 0 and 1 (first: {wrong[0].name})",
                {"layers": len(wrong), "layers_in_all": len(every)},
                "these layers normalize nothing: they only scale and shift",
                "call these layers with training=True during training",
                place=evidence.place(wrong[0].name),
            )
    for objective in evidence.objectives:
        if objective.loss not in SOFTMAX_LOSSES | BINARY_LOSSES | REGRESSION_LOSSES:
            continue
        layer = evidence.layer_of(objective.output)
        after_softmax = _after_softmax(evidence, layer) if layer is not None else False
        if layer is not None and (layer.normalizes or after_softmax):
            yield Finding(
                Severity.WARNING,
                f"{layer.name} normalizes the output of the network over the batch",
                {},
                "each prediction depends on the other examples of its batch",
                "move the normalization before the last layer",
                place=evidence.place(layer.name),
            )


def _untrained(evidence: Evidence, layer: Layer) -> bool:
    if layer.settings.get("trainable") is False or normalizes_the_batch(evidence, layer):
        return False
    weights = {
        name.rpartition("/")[2]: list(evidence.weight(name).values()) for name in layer.variables
    }
    means, variances = weights.get("moving_mean"), weights.get("moving_variance")
    if not means or not variances:
        return False
    zero = all(summary.min == summary.max == 0 for summary in means)
    return zero and all(summary.min == summary.max == 1 for summary in variances)


def _after_softmax(evidence: Evidence, layer: Layer) -> bool:
    return layer.normalizes and any(
        (op := evidence.producer(ref)) is not None and op.type == "Softmax" for ref in layer.inputs
    )
