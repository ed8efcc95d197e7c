"""Labels that are all the same.

Source: a filter, a sorted file or a wrong column. Threshold: one class in all recorded batches, at
least 32 examples. Silent: where labels are no classes.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import (
    BINARY_LOSSES,
    SOFTMAX_LOSSES,
    Evidence,
    class_shares,
)
from resnet_inspect.analysis.check.finding import Finding, Severity

EXAMPLES = 32


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    for objective in seen.objectives:
        parts = seen.parts(objective.labels)
        shares = class_shares(parts)
        count = sum(one.examples for one in parts)
        wanted = objective.loss in SOFTMAX_LOSSES | BINARY_LOSSES
        if wanted and len(shares) == 1 and count >= EXAMPLES:
            number = next(iter(shares))
            yield Finding(
                Severity.ERROR,
                f"all {count} labels that were recorded are of class {number}",
                {"class": number, "examples": count},
                "whatever the input, the same answer is right: nothing else is learned",
                "shuffle the data before it is cut into batches; look at where labels come from",
                layer=seen.name_of(objective.output),
            )
