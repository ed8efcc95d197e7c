"""All labels are identical.

Counts the distinct labels in all recorded batches.
Threshold: all of at least 32 recorded examples have the same class; or, for several labels at once,
the same row; or all label values are equal, as in empty masks. Error.
Background: a filter, a sorted file or a wrong column.
Not reported: for losses other than cross entropies.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import class_shares, label_shares
from resnet_inspect.analysis.check.evidence import BINARY_LOSSES, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity

EXAMPLES = 32


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    for objective in evidence.objectives:
        parts = evidence.parts(objective.labels)
        shares = class_shares(parts, objective.ignore_class)
        count = sum(part.examples for part in parts)
        judged = objective.loss in SOFTMAX_LOSSES | BINARY_LOSSES and count >= EXAMPLES
        text, measured = "", dict[str, Measured](examples=count)
        if judged and len(shares) == 1:
            measured["class"] = next(iter(shares))
            text = f"all {count} recorded labels are class {measured['class']}"
        elif (
            judged
            and evidence.is_multi_label(objective)
            and {0.0, 1.0}.issuperset(label_shares(parts))
        ):
            text = f"all {count} recorded rows of labels are identical"
        elif judged and all(part.low == part.high == parts[0].low for part in parts):
            text = f"all labels of {count} recorded examples are {parts[0].low:g}"
        if text:
            yield Finding(
                Severity.ERROR,
                text,
                measured,
                "the same prediction is correct for every input, so nothing else is learned",
                "shuffle the data before batching, and check how labels are read",
                place=evidence.place(evidence.name_of(objective.output)),
            )
