"""Class numbers start at 1.

Compares the smallest and the largest recorded label with the number of output units.
Threshold: labels for a softmax over k units are 1…k, or TensorFlow rejected label k of k units.
Error.
Background: data sets that count classes from 1.
Not reported: if class 0 occurs or class k does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.rules.labels_logits import rejected_label
from resnet_inspect.graph import Place


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    outside = rejected_label(evidence.failure)
    if outside is not None and outside[0] == outside[1]:
        yield _finding(outside[1], Place())
        return
    for objective in evidence.objectives:
        parts, units = evidence.parts(objective.labels), evidence.units(objective)
        if not parts or units is None or objective.loss != "sparse_categorical_crossentropy":
            continue
        if units == objective.ignore_class:
            continue
        if min(part.low for part in parts) >= 1 and max(part.high for part in parts) == units:
            yield _finding(units, evidence.place(evidence.name_of(objective.output)))


def _finding(units: int, place: Place) -> Finding:
    return Finding(
        Severity.ERROR,
        f"labels go up to {units}; the {units} output units are for classes 0…{units - 1}",
        {"highest": units, "units": units},
        "the last class has no unit, and the first unit has no class",
        "subtract 1 from the labels",
        place=place,
    )
