"""One class that outweighs all others, with an answer that may be no better than it.

Threshold: 95 % of at least 200 recorded labels are of one class, and the loss is above 60 % of
their entropy, which is what an answer without any input comes to; where that is not known, the
accuracy has not come a third of the way from that share to 1.
Silent: where examples have weights, and where the loss is lower: then the rare class was learned.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence, class_shares, thirds
from resnet_inspect.analysis.check.finding import Finding, Severity

SHARE, EXAMPLES, LEARNED = 0.95, 200, 0.6


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    if any("sample_weight" in by for by in seen.batches.values()):
        return
    for objective in seen.objectives:
        parts = seen.parts(objective.labels)
        shares = class_shares(parts)
        count = sum(one.examples for one in parts)
        if len(shares) < 2 or count < EXAMPLES or max(shares.values()) < SHARE:
            continue
        share = max(shares.values())
        rare = min(shares.values())
        names = [name for name in seen.scalars if "accuracy" in name and "val_" not in name]
        best = max((thirds(seen.scalars[name])[1] for name in names), default=None)
        chance, last = seen.chance(objective), thirds(seen.loss)[1]
        if chance and seen.loss:
            idle = last > LEARNED * chance
        else:
            idle = best is None or best <= share + (1 - share) / 3
        if idle:
            yield Finding(
                Severity.WARNING,
                f"{share:.1%} of the labels are of one class, the rarest has {rare:.1%}"
                + (f"; the accuracy is {best:.1%}" if best is not None else ""),
                {"share": share, "rarest": rare, "examples": count},
                "always to name the common class looks like success",
                "class weights, other shares in a batch, and a metric such as precision and recall",
                layer=seen.name_of(objective.output),
            )
