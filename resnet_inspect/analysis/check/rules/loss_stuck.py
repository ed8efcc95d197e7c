"""A loss that does not fall.

Source: published checkers ask for 0.1 % of decrease. Here the loss must also be no better than that
of the best answer that looks at no input: the entropy of the labels that were fed, or their
variance. Threshold: at least 30 steps; the median of the last third is above 98 % of that of the
first, and above 95 % of chance (where chance is not known, above 99.9 % of the first).
Silent: in the beginning of a training, and where the loss is already low, as in fine-tuning.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence, thirds
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity

STEPS, FELL, CHANCE, FELL_ALONE = 30, 0.98, 0.95, 0.999


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    if len(seen.steps) < STEPS or len(seen.loss) < 5:
        return
    first, last = thirds(seen.loss)
    if first <= 0:
        return
    chances = [one for o in seen.objectives if (one := seen.chance(o)) is not None]
    chance = sum(chances) if chances and len(chances) == len(seen.objectives) else None
    if chance is not None and chance > 0:
        stuck = last > FELL * first and last > CHANCE * chance
    else:
        stuck = last > FELL_ALONE * first
    if stuck and not last > 2 * first:
        told = f", that of an answer without any input is {chance:.4g}" if chance else ""
        evidence: dict[str, Measured] = {"first": first, "last": last, "steps": len(seen.steps)}
        if chance:
            evidence["chance"] = chance
        yield Finding(
            Severity.WARNING,
            f"the loss does not fall: {first:.4g} in the first third of {len(seen.steps)} steps,"
            f" {last:.4g} in the last{told}",
            evidence,
            "nothing of the inputs is used",
            "look at the other findings first; then another learning rate, and whether inputs and"
            " labels belong together",
            command="resnet-inspect browse, pane Scalars",
        )
