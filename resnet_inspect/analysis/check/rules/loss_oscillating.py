"""A loss that goes up and down without falling.

Threshold: in the second half of at least 10 values the mean change from one to the next is over
40 % of their mean, and that mean is no lower than 70 % of that of the first half, nor than 70 % of
the loss of an answer without any input; where that is not known, steps must be long, too: above 1 %
of the weights.
Silent: for batches of fewer than four examples, which differ as much, and for losses below 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

VALUES, JUMPS, FELL, LONG = 10, 0.4, 0.7, 0.01


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    values = [one for _, one in sorted(seen.loss.items()) if math.isfinite(one)]
    if len(values) < VALUES or min(values) < 0:
        return
    half = len(values) // 2
    early, late = values[:half], values[half:]
    mean, before = sum(late) / len(late), sum(early) / len(early)
    jumps = sum(abs(b - a) for a, b in pairwise(late)) / max(1, len(late) - 1)
    fed = [part.examples for parts in seen.inputs.values() for part in parts]
    if fed and max(fed) < 4:
        return
    sure = seen.idle_loss is not None or seen.ratio is None or seen.ratio > LONG
    if (
        sure
        and mean > FELL * max(before, seen.idle_loss or 0.0)
        and mean > 0
        and jumps > JUMPS * mean
    ):
        yield Finding(
            Severity.WARNING,
            f"the loss goes up and down by {jumps / mean:.0%} of itself from one recorded value to"
            " the next, and does not fall",
            {"jumps": jumps, "mean": mean, "before": before},
            "steps are so long that they pass over what they look for",
            "a smaller learning rate or larger batches",
            command=Command("browse", remark="pane Scalars"),
        )
