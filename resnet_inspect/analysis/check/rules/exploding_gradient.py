"""The gradient norm explodes.

Measures the norm of the gradient of all weights at each recorded step.
Threshold: the norm exceeds 1e6 and is still above 1e4 at the last recorded step. Or it exceeds 100
times its median, and the loss is no lower than at the beginning. Error.
Background: published checkers use a mean |g| over 1e6, or a mean that more than doubles over five
records. A norm alone shows little: regression with large targets starts in the thousands and falls.
Not reported: if fewer than two norms were recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

HUGE, GROWN = 1e6, 100.0


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    norms = {
        step: norm for step, norm in sorted(evidence.gradient_norms.items()) if math.isfinite(norm)
    }
    if len(norms) < 2:
        return
    step = max(norms, key=lambda step: norms[step])
    first, last = thirds(evidence.loss)
    usual = median(norms.values())
    end = list(norms.values())[-1]
    huge = norms[step] > HUGE and end > HUGE / GROWN
    grown = usual > 0 and norms[step] > GROWN * usual and last >= first
    if huge or grown:
        yield Finding(
            Severity.ERROR,
            f"the gradient norm reaches {norms[step]:.3g}; its median is {usual:.3g}",
            {"norm": norms[step], "median": usual, "loss_first": first, "loss_last": last},
            "one such step moves the weights far away from useful values",
            "clip gradients (clipnorm), lower the learning rate, initialize smaller weights, or add"
            " normalization",
            step=step,
            command=Command("browse", remark="key 4: pane Scalars"),
        )
