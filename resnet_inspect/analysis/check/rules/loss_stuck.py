"""The loss does not fall.

Compares the median loss of the last third of the steps with the first third and with chance level:
the entropy or variance of the labels.
Threshold: at least 30 steps, the last third above 98 % of the first and above 95 % of chance level
(warning). If chance level is unknown, above 99.9 % of the first third (info: a converged loss does
not fall, either). Or at least two validations, and no validation loss below 98 % of chance level
(warning).
Background: published checkers require a decrease of 0.1 %.
Not reported: below 30 steps, and if the loss is already low, as in fine-tuning. For validation
losses: with batch normalization, whose moving averages may lag, and with an added term such as L2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command

STEPS, OF_FIRST, OF_CHANCE, OF_FIRST_ALONE, VALIDATION_OF_CHANCE = 30, 0.98, 0.95, 0.999, 0.98


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    if len(evidence.steps) < STEPS or len(evidence.loss) < 5:
        return
    first, last = thirds(evidence.loss)
    if first <= 0:
        return
    chance = evidence.chance_loss
    if chance is not None and chance > 0:
        stuck = last > OF_FIRST * first and last > OF_CHANCE * chance
    else:
        stuck = last > OF_FIRST_ALONE * first
    memorised = _memorised(evidence) if not stuck else None
    if memorised is not None:
        yield memorised
    if stuck and not last > 2 * first:
        compared = f"; chance level is {chance:.4g}" if chance else ""
        measured: dict[str, Measured] = {
            "loss_first": first,
            "loss_last": last,
            "steps": len(evidence.steps),
        }
        if chance:
            measured["chance"] = chance
        yield Finding(
            Severity.WARNING if chance else Severity.INFO,
            f"the loss does not fall: median {first:.4g} in the first third of"
            f" {len(evidence.steps)} steps, {last:.4g} in the last third{compared}",
            measured,
            "the predictions do not use the inputs",
            "fix the other findings first; then try another learning rate, and check that inputs"
            " and labels belong together",
            command=Command("browse", remark="key 4: pane Scalars"),
        )


def _memorised(evidence: Evidence) -> Finding | None:
    """Return a finding if no validation loss is below chance level."""
    values = [
        value for value in evidence.scalars.get("val_loss", {}).values() if math.isfinite(value)
    ]
    chance, normalized = (
        evidence.chance_loss,
        any(layer.normalizes for layer in evidence.graph.layers),
    )
    if (
        evidence.training.decay
        or not chance
        or normalized
        or len(values) < 2
        or min(values) < VALIDATION_OF_CHANCE * chance
    ):
        return None
    return Finding(
        Severity.WARNING,
        f"the validation loss is never below chance level: {min(values):.4g} at best; chance level"
        f" is {chance:.4g}",
        {"validation": min(values), "chance": chance, "validations": len(values)},
        "training examples are memorised: the inputs do not predict the labels",
        "check that inputs and labels belong together, for example after shuffling",
        command=Command("browse", remark="key 4: pane Scalars"),
    )
