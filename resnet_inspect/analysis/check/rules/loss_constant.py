"""A loss that is the same at every step.

Threshold: the largest and the smallest differ by less than a millionth of their size, over at least
five steps. Batches differ, so a loss that does not is cut off from the data.
Silent: for batches that are all the same, and losses of 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

EQUAL, STEPS = 1e-6, 5


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    values = [value for value in seen.loss.values() if math.isfinite(value)]
    if len(values) < STEPS or not any(values):
        return
    low, high = min(values), max(values)
    if high - low <= EQUAL * max(abs(low), abs(high)):
        yield Finding(
            Severity.ERROR,
            f"the loss is {high:.6g} at all {len(values)} steps",
            {"loss": high, "steps": len(values)},
            "it depends neither on the data nor on the weights",
            "look for an output that is constant (a softmax over one unit, dead ReLUs), labels that"
            " are all alike, or an optimizer that is not applied",
            command=Command("browse", remark="pane Scalars"),
        )
