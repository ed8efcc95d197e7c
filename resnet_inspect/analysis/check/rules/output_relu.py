"""The output is a ReLU.

Checks the op that makes each output.
Threshold: an output is a ReLU, and the loss is a cross entropy or labels are below 0. Error.
Background: an activation copied to the last layer.
Not reported: for regression labels that are never negative, such as amounts.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import BINARY_LOSSES, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    for objective in evidence.objectives:
        producer = evidence.producer(objective.output) if objective.output is not None else None
        if producer is None or producer.type not in ("Relu", "Relu6"):
            continue
        low = min((part.low for part in evidence.parts(objective.labels)), default=0.0)
        classes = objective.loss in SOFTMAX_LOSSES | BINARY_LOSSES
        if classes or low < 0:
            layer = evidence.name_of(objective.output)
            yield Finding(
                Severity.ERROR,
                f"the output {layer} is a ReLU and cannot be negative"
                + ("" if classes else f"; labels go down to {low:.3g}"),
                {"lowest_label": low},
                "a unit at 0 gets no gradient, so its prediction stays even if it is wrong",
                "remove the activation of the last layer, or use the one that the loss expects",
                place=evidence.place(layer),
            )
