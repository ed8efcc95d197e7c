"""A last layer whose activation or units do not fit loss and labels.

Threshold: a single unit for a softmax, or for a cross entropy over classes; a softmax, or a cross
entropy over classes, for labels of which several are right at once; a sigmoid before a cross
entropy over classes; tanh before a cross entropy; sigmoid, softmax or tanh for numbers that leave
its range; a softmax for numbers that on average do not sum to 1.
Silent: for outputs without labels, where the activation can reach all labels, and for a softmax
that gives back the items it was fed, as shares.
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

SUM = 0.05
RANGES = {"Sigmoid": (0.0, 1.0), "Softmax": (0.0, 1.0), "Tanh": (-1.0, 1.0)}


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    for objective in seen.objectives:
        told = _wrong(seen, objective)
        if told is not None:
            text, evidence, fix = told
            layer = seen.name_of(objective.output)
            yield Finding(
                Severity.ERROR,
                f"{layer}: {text}",
                evidence,
                "the answer that the labels ask for cannot be given, or not by one class against"
                " the others",
                fix,
                place=seen.place(layer),
                command=Command("shapes"),
            )


def _wrong(seen: Evidence, objective: Objective) -> tuple[str, dict[str, Measured], str] | None:
    maker = seen.maker(objective.output) if objective.output is not None else None
    kind, units = (maker.type if maker is not None else ""), seen.units(objective)
    loss = objective.loss
    if units == 1 and (loss in SOFTMAX_LOSSES or kind == "Softmax"):
        text = "a softmax over a single unit is always 1"
        return text, {"units": 1}, "a sigmoid with binary_crossentropy, or a unit for each class"
    of_classes = kind == "Softmax" or loss == "categorical_crossentropy"
    if of_classes and seen.several(objective) and not seen.gives_back(objective):
        text = f"the {units} answers of a softmax sum to 1, but of the labels any number is right"
        return text, {"units": units or 0}, "a sigmoid with binary_crossentropy: yes or no for each"
    if loss in SOFTMAX_LOSSES and kind in ("Sigmoid", "Tanh"):
        text = f"{kind.lower()} before {loss}"
        return text, {"units": units or 0}, "softmax: the probabilities of the classes sum to 1"
    if loss in BINARY_LOSSES and kind == "Tanh":
        return "tanh before binary_crossentropy", {}, "sigmoid, whose answers lie in 0…1"
    if loss in REGRESSION_LOSSES and kind == "Softmax" and units and units > 1:
        sums = [one.mean * units for one in seen.parts(objective.labels) if one.features == units]
        if sums and max(abs(one - 1) for one in sums) > SUM:
            text = f"softmax gives numbers that sum to 1, those of the labels sum to {sums[0]:.3g}"
            return text, {"sum": sums[0]}, "no activation, or a sigmoid for numbers of 0…1"
    if loss in REGRESSION_LOSSES and kind in RANGES:
        low, high = RANGES[kind]
        parts = seen.parts(objective.labels)
        least = min((one.low for one in parts), default=low)
        most = max((one.high for one in parts), default=high)
        if least < low - 0.05 or most > high + 0.05:
            text = f"{kind.lower()} gives {low:g} … {high:g}, labels are {least:.3g} … {most:.3g}"
            return text, {"lowest": least, "highest": most}, "no activation on the last layer"
    return None
