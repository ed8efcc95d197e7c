"""A loss that does not fall.

Source: published checkers ask for 0.1 % of decrease. Here the loss must also be no better than that
of the best answer that looks at no input: the entropy of the labels that were fed, or their
variance. Threshold: at least 30 steps; the median of the last third is above 98 % of that of the
first, and above 95 % of chance (where chance is not known, above 99.9 % of the first, and then it
is only worth knowing: a converged loss does not fall, either). Or the loss
in validation was never below 98 % of chance, in two validations or more.
Silent: in the beginning of a training, where the loss is already low, as in fine-tuning, in
validation with batch normalization, whose moving averages may not have arrived, and in validation
with an added loss such as L2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command

STEPS, FELL, CHANCE, FELL_ALONE, APART = 30, 0.98, 0.95, 0.999, 0.98


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    if len(seen.steps) < STEPS or len(seen.loss) < 5:
        return
    first, last = thirds(seen.loss)
    if first <= 0:
        return
    chance = seen.idle_loss
    if chance is not None and chance > 0:
        stuck = last > FELL * first and last > CHANCE * chance
    else:
        stuck = last > FELL_ALONE * first
    apart = _apart(seen) if not stuck else None
    if apart is not None:
        yield apart
    if stuck and not last > 2 * first:
        told = f", that of an answer without any input is {chance:.4g}" if chance else ""
        evidence: dict[str, Measured] = {"first": first, "last": last, "steps": len(seen.steps)}
        if chance:
            evidence["chance"] = chance
        yield Finding(
            Severity.WARNING if chance else Severity.INFO,
            f"the loss does not fall: {first:.4g} in the first third of {len(seen.steps)} steps,"
            f" {last:.4g} in the last{told}",
            evidence,
            "nothing of the inputs is used",
            "look at the other findings first; then another learning rate, and whether inputs and"
            " labels belong together",
            command=Command("browse", remark="pane Scalars"),
        )


def _apart(seen: Evidence) -> Finding | None:
    """What is learned does not hold for other examples, from the first validation on."""
    values = [one for one in seen.scalars.get("val_loss", {}).values() if math.isfinite(one)]
    chance, normalized = seen.idle_loss, any(layer.normalizes for layer in seen.graph.layers)
    if (
        seen.training.decay
        or not chance
        or normalized
        or len(values) < 2
        or min(values) < APART * chance
    ):
        return None
    return Finding(
        Severity.WARNING,
        f"on other examples the loss is {min(values):.4g} at best, that of an answer without any"
        f" input is {chance:.4g}",
        {"validation": min(values), "chance": chance, "validations": len(values)},
        "examples are learned by heart: nothing of the inputs says what the labels are",
        "whether inputs and labels belong together, as after a shuffle of one of them alone",
        command=Command("browse", remark="pane Scalars"),
    )
