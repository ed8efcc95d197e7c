"""Labels that are all the same.

Source: a filter, a sorted file or a wrong column. Threshold: one class in all recorded batches, or
of several labels at once each the same in all of them, or one value in all labels, as of empty
masks; at least 32 examples. Silent: where labels are no classes.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import class_shares, label_shares
from resnet_inspect.analysis.check.evidence import BINARY_LOSSES, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity

EXAMPLES = 32


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    for objective in seen.objectives:
        parts = seen.parts(objective.labels)
        shares = class_shares(parts, objective.ignore_class)
        count = sum(one.examples for one in parts)
        wanted = objective.loss in SOFTMAX_LOSSES | BINARY_LOSSES and count >= EXAMPLES
        text, evidence = "", dict[str, Measured](examples=count)
        if wanted and len(shares) == 1:
            evidence["class"] = next(iter(shares))
            text = f"all {count} labels that were recorded are of class {evidence['class']}"
        elif wanted and seen.several(objective) and {0.0, 1.0}.issuperset(label_shares(parts)):
            text = f"all {count} rows of labels that were recorded are the same"
        elif wanted and all(one.low == one.high == parts[0].low for one in parts):
            text = f"all labels of {count} recorded examples are {parts[0].low:g}"
        if text:
            yield Finding(
                Severity.ERROR,
                text,
                evidence,
                "whatever the input, the same answer is right: nothing else is learned",
                "shuffle the data before it is cut into batches; look at where labels come from",
                place=seen.place(seen.name_of(objective.output)),
            )
