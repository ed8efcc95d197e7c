"""A loss that is made for another task than the labels are.

Threshold: a squared or absolute error on classes, where the output is a softmax or sigmoid, or the
labels are one-hot; a cross entropy on numbers that are no probabilities, or no whole ones where
classes are meant; a binary cross entropy on one-hot labels with a softmax of more than two units
(of two it is the same as the categorical one).
Silent: for counts and ratings that one unit tells, and for pictures that an autoencoder gives back.
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


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    for objective in seen.objectives:
        told = _wrong(seen, objective)
        if told is not None:
            text, evidence, fix = told
            yield Finding(
                Severity.WARNING if objective.loss in REGRESSION_LOSSES else Severity.ERROR,
                text,
                evidence,
                "another loss measures what is not asked for: it may fall while answers stay wrong",
                fix,
                place=seen.place(seen.name_of(objective.output)),
            )


def _wrong(seen: Evidence, objective: Objective) -> tuple[str, dict[str, Measured], str] | None:
    parts, loss = seen.parts(objective.labels), objective.loss
    if not parts:
        return None
    maker = seen.maker(objective.output) if objective.output is not None else None
    kind, units = (maker.type if maker is not None else ""), seen.units(objective)
    low, high = min(one.low for one in parts), max(one.high for one in parts)
    evidence: dict[str, Measured] = {"lowest": low, "highest": high}
    whole = all(one.whole for one in parts)
    classes = all(one.classes is not None for one in parts)
    several = parts[0].features > 1
    if loss in REGRESSION_LOSSES and classes:
        named = several or kind == "Softmax" or (kind == "Sigmoid" and high == 1)
        if named or (units or 1) > 1 == parts[0].features:
            fix = "categorical, sparse or binary cross entropy"
            return f"{loss} on labels that are classes", evidence, fix
    fix = "mean_squared_error, or another loss for numbers"
    if loss in BINARY_LOSSES and (low < -SLACK or high > 1 + SLACK):
        text = f"{loss} on labels from {low:.3g} to {high:.3g}: it takes shares of 0…1"
        return text, evidence, fix
    if loss == "sparse_categorical_crossentropy" and not whole:
        return f"{loss} on labels that are no whole numbers", evidence, fix
    if loss == "categorical_crossentropy" and (low < -SLACK or high > 1 + SLACK):
        return f"{loss} on labels from {low:.3g} to {high:.3g}", evidence, fix
    if loss in BINARY_LOSSES and kind == "Softmax" and parts[0].features > 2 and classes:
        text = f"{loss} on a softmax with one-hot labels"
        return text, evidence, "categorical_crossentropy: one class of several is right"
    return None
