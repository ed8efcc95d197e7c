"""The loss grows.

Compares the median loss of the last third of the steps with the first third, the lowest fifth and
chance level.
Threshold: at least ten steps, and the last third is twice the first. Or it is twice the lowest
fifth, and above the first third and a known chance level. Or the loss reached 50 times both its
start and chance level, and the last third is above 90 % of chance level. If chance level is
unknown, the loss reached 50 times both its start and its median, and ends above its start. Error.
Background: published checkers use twice the minimum.
Not reported: for losses that can be negative, and for a loss that jumps but stays below chance
level.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

STEPS, GROWTH, PEAK, RETURNED = 10, 2.0, 50.0, 0.9


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    values = [value for value in evidence.loss.values() if math.isfinite(value)]
    if len(evidence.steps) < STEPS or len(values) < 5 or min(values) < 0:
        return
    first, last = thirds(evidence.loss)
    began = next(value for _, value in sorted(evidence.loss.items()) if math.isfinite(value))
    usual = max(began, evidence.chance_loss or median(values), 1e-3)
    back = RETURNED * evidence.chance_loss if evidence.chance_loss else began
    if max(values) > PEAK * usual and last > back:
        step = max(
            evidence.loss, key=lambda at: (math.isfinite(evidence.loss[at]), evidence.loss[at])
        )
        yield Finding(
            Severity.ERROR,
            f"the loss jumps from {began:.4g} to {evidence.loss[step]:.4g} at step {step}",
            {"loss_first": began, "loss_largest": evidence.loss[step], "loss_last": last},
            "one large update moved the weights far away from useful values",
            "divide the learning rate by 10, clip gradients, or normalize the inputs",
            step=step,
            command=Command("browse", remark="key 4: pane Scalars"),
        )
        return
    lowest = median(sorted(values)[: max(1, len(values) // 5)])
    worse = evidence.chance_loss is not None and last > max(first, evidence.chance_loss)
    if last > GROWTH * first or (worse and last > GROWTH * max(lowest, 1e-12)):
        yield Finding(
            Severity.ERROR,
            f"the loss grows: median {first:.4g} in the first third, {last:.4g} in the last third",
            {"loss_first": first, "loss_last": last, "loss_lowest": lowest},
            "training makes the predictions worse",
            "divide the learning rate by 10, clip gradients, or normalize the inputs",
            command=Command("browse", remark="key 4: pane Scalars"),
        )
