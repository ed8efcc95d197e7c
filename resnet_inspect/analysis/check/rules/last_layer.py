"""The activation or the units of the last layer do not fit the loss and the labels.

Compares the last layer with the loss and the recorded labels.
Threshold: one unit with a softmax or a categorical cross entropy. A softmax or a categorical cross
entropy for several labels at once. A sigmoid or tanh with a categorical, or tanh with a binary
cross entropy. For regression: labels outside the range of a sigmoid, softmax or tanh, or labels
whose sum is not 1 with a softmax. Error.
Background: activation and loss come from different tasks; the framework raises no error.
Not reported: for regression outputs without recorded labels, and if the activation can reach all
labels. Also for a softmax that reconstructs the items of its input as shares.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import (
    BINARY_LOSSES,
    REGRESSION_LOSSES,
    SOFTMAX_LOSSES,
    Evidence,
)
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Objective

SUM_TOLERANCE = 0.05
RANGES = {"Sigmoid": (0.0, 1.0), "Softmax": (0.0, 1.0), "Tanh": (-1.0, 1.0)}


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    for objective in evidence.objectives:
        mismatch = _mismatch(evidence, objective)
        if mismatch is not None:
            text, measured, fix = mismatch
            layer = evidence.name_of(objective.output)
            yield Finding(
                Severity.ERROR,
                f"{layer}: {text}",
                measured,
                "the output cannot represent the correct prediction, or cannot rank one class"
                " against the others",
                fix,
                place=evidence.place(layer),
                command=Command("shapes"),
            )


def _mismatch(
    evidence: Evidence, objective: Objective
) -> tuple[str, dict[str, Measured], str] | None:
    producer = evidence.producer(objective.output) if objective.output is not None else None
    kind, units = (producer.type if producer is not None else ""), evidence.units(objective)
    loss = objective.loss
    if units == 1 and (loss in SOFTMAX_LOSSES or kind == "Softmax"):
        text = "a softmax over a single unit is always 1"
        return text, {"units": 1}, "use a sigmoid with binary_crossentropy, or one unit per class"
    of_classes = kind == "Softmax" or loss == "categorical_crossentropy"
    if (
        of_classes
        and evidence.is_multi_label(objective)
        and not evidence.is_reconstruction(objective)
    ):
        text = f"the {units} outputs of a softmax sum to 1, but several labels can be true at once"
        return text, {"units": units or 0}, "use a sigmoid with binary_crossentropy for each label"
    if loss in SOFTMAX_LOSSES and kind in ("Sigmoid", "Tanh"):
        text = f"a {kind.lower()} output does not fit {loss}"
        return text, {"units": units or 0}, "use softmax, whose class probabilities sum to 1"
    if loss in BINARY_LOSSES and kind == "Tanh":
        text = "a tanh output does not fit binary_crossentropy"
        return text, {}, "use sigmoid, whose outputs are in 0…1"
    if loss in REGRESSION_LOSSES and kind == "Softmax" and units and units > 1:
        parts = evidence.parts(objective.labels)
        sums = [part.mean * units for part in parts if part.features == units]
        if sums and max(abs(total - 1) for total in sums) > SUM_TOLERANCE:
            text = f"the outputs of a softmax sum to 1; labels sum to {sums[0]:.3g}"
            return (
                text,
                {"sum_of_labels": sums[0]},
                "remove the activation, or use a sigmoid for labels in 0…1",
            )
    if loss in REGRESSION_LOSSES and kind in RANGES:
        low, high = RANGES[kind]
        parts = evidence.parts(objective.labels)
        least = min((part.low for part in parts), default=low)
        most = max((part.high for part in parts), default=high)
        if least < low - 0.05 or most > high + 0.05:
            text = f"{kind.lower()} returns {low:g} … {high:g}; labels are {least:.3g} … {most:.3g}"
            return (
                text,
                {"lowest": least, "highest": most},
                "remove the activation of the last layer",
            )
    return None
