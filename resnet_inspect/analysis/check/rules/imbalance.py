"""One class that outweighs all others, with an answer that may be no better than it.

Threshold: 95 % of at least 200 recorded labels are of one class, or of several labels at once 95 %
have the more frequent value of their kind, and the mean loss of the second half is above 60 % of
their entropy, which is what an answer without any input comes to; where that is not known, the
accuracy has not come a third of the way from that share to 1.
Silent: where examples have weights, and where the loss is lower: then the rare class was learned.
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


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    if seen.weighted:
        return
    for objective in seen.objectives:
        parts = seen.parts(objective.labels)
        share, rare, told = _shares(seen, objective)
        if sum(one.examples for one in parts) < EXAMPLES or share < SHARE:
            continue
        names = [name for name in seen.scalars if "accuracy" in name and "val_" not in name]
        best = max((thirds(seen.scalars[name])[1] for name in names), default=None)
        chance, late = seen.chance(objective), _late(seen.loss)
        if chance and late:
            idle = mean(late) > LEARNED * chance
        else:
            idle = best is None or best <= share + (1 - share) / 3
        if idle:
            yield Finding(
                Severity.WARNING,
                f"{share:.1%} of the labels are {told} {rare:.1%}"
                + (f"; the accuracy is {best:.1%}" if best is not None else ""),
                {"share": share, "rarest": rare, "examples": sum(one.examples for one in parts)},
                "always to name the common class looks like success",
                "class weights, other shares in a batch, and a metric such as precision and recall",
                place=seen.place(seen.name_of(objective.output)),
            )


def _late(series: Mapping[int, float]) -> list[float]:
    """The second half of a loss. Its mean counts: batches without the rare class say nothing."""
    values = [value for _, value in sorted(series.items()) if math.isfinite(value)]
    return values[len(values) // 2 :]


def _shares(seen: Evidence, objective: Objective) -> tuple[float, float, str]:
    """The share of the common answer, that of the rarest one, and what they are of."""
    parts = seen.parts(objective.labels)
    if seen.several(objective):
        each = [max(one, 1 - one) for one in label_shares(parts)]
        return sum(each) / len(each), 1 - max(each), "the common value of theirs, the rarest has"
    shares = class_shares(parts, objective.ignore_class)
    if len(shares) < 2:
        return 0.0, 0.0, ""
    return max(shares.values()), min(shares.values()), "of one class, the rarest has"
