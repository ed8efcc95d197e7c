"""Hidden units at the flat ends of tanh or sigmoid.

Source: published checkers: over half of the units with inputs beyond about 17 (sigmoid) or 9.5
(tanh). Here the outputs are looked at, where the slope has fallen below 2 % of its largest:
|tanh| > 0.99, sigmoid outside 0.005…0.995.
Threshold: 70 % of all outputs at the median of the recorded steps, because gates are meant to be
open or closed. Silent: for the network's outputs, which are meant to be certain.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import numpy as np

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

SHARE = 0.7
ENDS = {"Tanh": (-0.99, 0.99), "Sigmoid": (0.005, 0.995)}


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each layer."""
    outputs = {seen.name_of(one.output) for one in seen.objectives}
    last = seen.graph.layers[-1].name if seen.graph.layers else ""
    for layer in seen.graph.layers:
        maker = seen.maker(layer.output)
        if maker is None or maker.type not in ENDS or layer.name in outputs | {last}:
            continue
        low, high = ENDS[maker.type]
        shares = []
        for held in seen.held(layer.output).values():
            if held.sketch.total:
                below, above = held.sketch.cdf(np.array([low, high]))
                shares.append(float(below + 1 - above))
        if shares and median(shares) > SHARE:
            yield Finding(
                Severity.WARNING,
                f"{median(shares):.0%} of the outputs of {layer.name} lie at the flat ends of"
                f" {maker.type.lower()}",
                {"share": median(shares), "low": low, "high": high},
                "there the slope is nearly 0, and hardly any gradient passes",
                "scale the inputs, begin with smaller weights, normalize before the activation",
                place=seen.place(layer.name),
                command=Command("hist", (layer.name,)),
            )
