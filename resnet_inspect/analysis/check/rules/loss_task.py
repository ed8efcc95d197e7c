"""The loss does not fit the type of the labels.

Compares the loss with the recorded labels and the activation of the output.
Threshold: a regression loss on class labels, with a softmax or sigmoid output or one-hot labels
(warning). A cross entropy on labels outside 0…1, or a sparse one on labels that are no integers
(error). A binary cross entropy on one-hot labels with a softmax of more than two units (error).
Background: a loss copied from another task; the framework raises no error.
Not reported: for counts and ratings predicted by one unit, and for autoencoders that reconstruct
images.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import (
    BINARY_LOSSES,
    REGRESSION_LOSSES,
    Evidence,
)
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.graph import Objective

SLACK = 1e-6


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    for objective in evidence.objectives:
        mismatch = _mismatch(evidence, objective)
        if mismatch is not None:
            text, measured, fix = mismatch
            yield Finding(
                Severity.WARNING if objective.loss in REGRESSION_LOSSES else Severity.ERROR,
                text,
                measured,
                "the loss measures something else: it can fall while predictions stay wrong",
                fix,
                place=evidence.place(evidence.name_of(objective.output)),
            )


def _mismatch(
    evidence: Evidence, objective: Objective
) -> tuple[str, dict[str, Measured], str] | None:
    parts, loss = evidence.parts(objective.labels), objective.loss
    if not parts:
        return None
    producer = evidence.producer(objective.output) if objective.output is not None else None
    kind, units = (producer.type if producer is not None else ""), evidence.units(objective)
    low, high = min(part.low for part in parts), max(part.high for part in parts)
    measured: dict[str, Measured] = {"lowest": low, "highest": high}
    whole = all(part.whole for part in parts)
    classes = all(part.classes is not None for part in parts)
    several = parts[0].features > 1
    if loss in REGRESSION_LOSSES and classes:
        named = several or kind == "Softmax" or (kind == "Sigmoid" and high == 1)
        if named or (units or 1) > 1 == parts[0].features:
            fix = "use a categorical, sparse categorical or binary cross entropy"
            return f"{loss} does not fit class labels", measured, fix
    fix = "use mean_squared_error or another regression loss"
    if loss in BINARY_LOSSES and (low < -SLACK or high > 1 + SLACK):
        text = f"{loss} expects labels in 0…1; recorded labels are {low:.3g} … {high:.3g}"
        return text, measured, fix
    if loss == "sparse_categorical_crossentropy" and not whole:
        return f"{loss} expects integer labels; recorded labels are not", measured, fix
    if loss == "categorical_crossentropy" and (low < -SLACK or high > 1 + SLACK):
        text = f"{loss} expects labels in 0…1; recorded labels are {low:.3g} … {high:.3g}"
        return text, measured, fix
    if loss in BINARY_LOSSES and kind == "Softmax" and parts[0].features > 2 and classes:
        text = f"{loss} does not fit a softmax output with one-hot labels"
        return text, measured, "use categorical_crossentropy: exactly one class is correct"
    return None
