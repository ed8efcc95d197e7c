"""Class numbers that begin at 1.

Source: data sets that count classes from one. Threshold: labels for a softmax over k units are
1…k. Where TensorFlow refused the label k of k units, that is taken for the same.
Silent: if class 0 comes, or k does not.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.check.rules.labels_logits import refused
from resnet_inspect.graph import Place


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    outside = refused(seen.failure)
    if outside is not None and outside[0] == outside[1]:
        yield _finding(outside[1], Place())
        return
    for objective in seen.objectives:
        parts, units = seen.parts(objective.labels), seen.units(objective)
        if not parts or units is None or objective.loss != "sparse_categorical_crossentropy":
            continue
        if units == objective.ignore_class:
            continue
        if min(one.low for one in parts) >= 1 and max(one.high for one in parts) == units:
            yield _finding(units, seen.place(seen.name_of(objective.output)))


def _finding(units: int, place: Place) -> Finding:
    return Finding(
        Severity.ERROR,
        f"labels go up to {units}, the output's {units} units are for 0…{units - 1}",
        {"highest": units, "units": units},
        "the last class has no unit, and the first unit no class",
        "subtract 1 from the labels",
        place=place,
    )
