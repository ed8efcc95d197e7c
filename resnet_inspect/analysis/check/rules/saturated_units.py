"""Hidden units are saturated at the flat ends of tanh or sigmoid.

Measures the share of activations where the slope is below 2 % of its maximum: |tanh| > 0.99, or
sigmoid outside 0.005…0.995.
Threshold: more than 70 % of a layer's activations, in the median of the recorded steps. Gates are
meant to be open or closed, so a lower share is normal. Warning.
Background: published checkers report layers with over half of the units at inputs beyond about 17
(sigmoid) or 9.5 (tanh).
Not reported: for the outputs of the network, which are meant to be certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import numpy as np

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

SHARE = 0.7
LINEAR_RANGE = {"Tanh": (-0.99, 0.99), "Sigmoid": (0.005, 0.995)}


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per layer."""
    outputs = {evidence.name_of(objective.output) for objective in evidence.objectives}
    last = evidence.graph.layers[-1].name if evidence.graph.layers else ""
    for layer in evidence.graph.layers:
        producer = evidence.producer(layer.output)
        if producer is None or producer.type not in LINEAR_RANGE or layer.name in outputs | {last}:
            continue
        low, high = LINEAR_RANGE[producer.type]
        shares = []
        for summary in evidence.summaries(layer.output).values():
            if summary.sketch.total:
                below, above = summary.sketch.cdf(np.array([low, high]))
                shares.append(float(below + 1 - above))
        if shares and median(shares) > SHARE:
            yield Finding(
                Severity.WARNING,
                f"{median(shares):.0%} of the activations of {layer.name} are saturated"
                f" ({producer.type.lower()} outside {low:g} … {high:g})",
                {"share": median(shares), "saturated_below": low, "saturated_above": high},
                "the slope there is nearly 0, so almost no gradient passes",
                "scale the inputs, initialize smaller weights, or normalize before the activation",
                place=evidence.place(layer.name),
                command=Command("hist", (layer.name,)),
            )
