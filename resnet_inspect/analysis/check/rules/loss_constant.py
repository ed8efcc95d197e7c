"""The loss is the same at every step.

Measures the difference between the largest and the smallest loss.
Threshold: less than one millionth of the loss, over at least five steps. Batches differ, so a
constant loss does not depend on the data. Error.
Background: a constant output, such as a softmax over one unit.
Not reported: if the loss is 0 at every step.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

EQUAL, STEPS = 1e-6, 5


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    values = [value for value in evidence.loss.values() if math.isfinite(value)]
    if len(values) < STEPS or not any(values):
        return
    low, high = min(values), max(values)
    if high - low <= EQUAL * max(abs(low), abs(high)):
        yield Finding(
            Severity.ERROR,
            f"the loss is constant: {high:.6g} at all {len(values)} steps",
            {"loss": high, "steps": len(values)},
            "a constant loss depends neither on the data nor on the weights",
            "look for a constant output (a softmax over one unit, dead ReLUs), identical labels, or"
            " an optimizer that is not applied",
            command=Command("browse", remark="key 4: pane Scalars"),
        )
