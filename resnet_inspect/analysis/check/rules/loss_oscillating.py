"""The loss oscillates and does not fall.

Measures the mean change from one recorded loss to the next in the second half.
Threshold: at least 10 values and a mean change above 40 % of the mean loss. That mean must be above
70 % of chance level and of the mean of the first half. If chance level is unknown, the median
relative update must also exceed 1 %. Warning.
Background: updates that overshoot the minimum.
Not reported: for batches of fewer than four examples, whose losses differ as much, and for losses
that can be negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

VALUES, CHANGE, NOT_FALLEN, LARGE_UPDATE = 10, 0.4, 0.7, 0.01


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    values = [value for _, value in sorted(evidence.loss.items()) if math.isfinite(value)]
    if len(values) < VALUES or min(values) < 0:
        return
    half = len(values) // 2
    early, late = values[:half], values[half:]
    mean, before = sum(late) / len(late), sum(early) / len(early)
    jumps = sum(abs(b - a) for a, b in pairwise(late)) / max(1, len(late) - 1)
    fed = [part.examples for parts in evidence.inputs.values() for part in parts]
    if fed and max(fed) < 4:
        return
    sure = (
        evidence.chance_loss is not None
        or evidence.median_update_ratio is None
        or evidence.median_update_ratio > LARGE_UPDATE
    )
    if (
        sure
        and mean > NOT_FALLEN * max(before, evidence.chance_loss or 0.0)
        and mean > 0
        and jumps > CHANGE * mean
    ):
        yield Finding(
            Severity.WARNING,
            f"the loss oscillates: it changes by {jumps / mean:.0%} from one recorded value to the"
            " next and does not fall",
            {"mean_change": jumps, "mean_loss": mean, "mean_loss_before": before},
            "updates are so large that they overshoot the minimum",
            "lower the learning rate or use larger batches",
            command=Command("browse", remark="key 4: pane Scalars"),
        )
