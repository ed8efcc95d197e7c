"""A ReLU on the output.

Source: an activation copied to the last layer. Threshold: an output comes out of a ReLU, and the
loss takes logits or probabilities, or labels are below 0.
Silent: for labels that are never below 0, as amounts.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import BINARY_LOSSES, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    for objective in seen.objectives:
        maker = seen.maker(objective.output) if objective.output is not None else None
        if maker is None or maker.type not in ("Relu", "Relu6"):
            continue
        low = min((one.low for one in seen.parts(objective.labels)), default=0.0)
        classes = objective.loss in SOFTMAX_LOSSES | BINARY_LOSSES
        if classes or low < 0:
            layer = seen.name_of(objective.output)
            yield Finding(
                Severity.ERROR,
                f"the output {layer} is a ReLU: it never goes below 0"
                + ("" if classes else f", labels go down to {low:.3g}"),
                {"lowest_label": low},
                "a unit that is 0 gets no gradient: its answer stays, however wrong",
                "no activation on the last layer, or the one that the loss expects",
                place=seen.place(layer),
            )
