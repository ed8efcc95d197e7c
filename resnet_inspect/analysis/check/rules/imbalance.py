"""One class dominates the labels, and the predictions may ignore the others.

Measures the share of the most frequent class, and compares the loss with chance level, the entropy
of the labels.
Threshold: at least 95 % of at least 200 recorded labels are one class. With several labels per
example, 95 % of them have the more frequent of 0 and 1. And the mean loss of the second half is
above 60 % of chance level. If chance level is unknown, the accuracy closes at most a third of the
gap between the share of the common class and 100 %. Warning.
Background: a constant prediction of the common class already reaches its share as accuracy.
Not reported: with sample weights, and if the loss is lower: then the rare class was learned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from statistics import mean

from resnet_inspect.analysis.check.computations import class_shares, label_shares, thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.graph import Objective

SHARE, EXAMPLES, LEARNED = 0.95, 200, 0.6


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    if evidence.has_sample_weights:
        return
    for objective in evidence.objectives:
        parts = evidence.parts(objective.labels)
        share, rare, text = _shares(evidence, objective)
        if sum(part.examples for part in parts) < EXAMPLES or share < SHARE:
            continue
        names = [name for name in evidence.scalars if "accuracy" in name and "val_" not in name]
        best = max((thirds(evidence.scalars[name])[1] for name in names), default=None)
        chance, late = evidence.baseline_loss(objective), _second_half(evidence.loss)
        if chance and late:
            idle = mean(late) > LEARNED * chance
        else:
            idle = best is None or best <= share + (1 - share) / 3
        if idle:
            yield Finding(
                Severity.WARNING,
                f"{share:.1%} of the labels are {text} {rare:.1%}"
                + (f"; the accuracy is {best:.1%}" if best is not None else ""),
                {
                    "share": share,
                    "share_of_rarest": rare,
                    "examples": sum(part.examples for part in parts),
                },
                "always predicting the common class looks like success",
                "use class weights or balanced batches, and a metric such as precision and recall",
                place=evidence.place(evidence.name_of(objective.output)),
            )


def _second_half(series: Mapping[int, float]) -> list[float]:
    """Return the second half of a loss. Only its mean counts: many batches lack the rare class."""
    values = [value for _, value in sorted(series.items()) if math.isfinite(value)]
    return values[len(values) // 2 :]


def _shares(evidence: Evidence, objective: Objective) -> tuple[float, float, str]:
    """Return the shares of the most and least frequent class, and the text between them."""
    parts = evidence.parts(objective.labels)
    if evidence.is_multi_label(objective):
        each = [max(share, 1 - share) for share in label_shares(parts)]
        return sum(each) / len(each), 1 - max(each), "the more frequent value; the rarest value has"
    shares = class_shares(parts, objective.ignore_class)
    if len(shares) < 2:
        return 0.0, 0.0, ""
    return max(shares.values()), min(shares.values()), "one class; the rarest class has"
