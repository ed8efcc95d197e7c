"""Labels that the output has no unit for.

Source: TensorFlow refuses such labels on a CPU and gives NaN, in silence, on a GPU.
Threshold: the largest class number is not below the units of an output, or one is negative.
Where Keras refused the shapes of labels and output, that is told.
Silent: where the labels are 1…units, which is off by one (`label-range`), and where the largest or
smallest is one that the loss ignores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Failure, Place

UNLIKE = re.compile(r"target\.shape=\(([^)]*)\),\s*output\.shape=\(([^)]*)\)")
OUTSIDE = re.compile(r"label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)")


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    if (outside := refused(seen.failure)) is not None:
        if outside[0] != outside[1]:
            yield _finding(*outside, Place())
        return
    unlike = UNLIKE.search(seen.failure.message) if seen.failure is not None else None
    if unlike is not None:
        yield Finding(
            Severity.ERROR,
            f"labels have shape ({unlike[1]}), the output has ({unlike[2]})",
            {"labels": unlike[1], "output": unlike[2]},
            "the loss compares them element by element",
            "as many units as classes for one-hot labels; whole numbers with a sparse loss",
            command=Command("shapes"),
        )
        return
    for objective in seen.objectives:
        parts, units = seen.parts(objective.labels), seen.units(objective)
        if not parts or units is None or objective.loss != "sparse_categorical_crossentropy":
            continue
        low, high = min(one.low for one in parts), max(one.high for one in parts)
        if objective.ignore_class in (low, high):
            continue  # what lies beside it is not known
        if low < 0 or high > units or (high == units and low == 0):
            label = int(low if low < 0 else high)
            yield _finding(label, units, seen.place(seen.name_of(objective.output)))


def refused(failure: Failure | None) -> tuple[int, int] | None:
    """The label that TensorFlow refused, and the units that there are."""
    told = OUTSIDE.search(failure.message) if failure is not None else None
    return (int(told[1]), int(told[2])) if told else None


def _finding(label: int, units: int, place: Place) -> Finding:
    evidence: dict[str, Measured] = {"label": label, "units": units}
    return Finding(
        Severity.ERROR,
        f"there is a label {label}, but the output has {units} units, for classes 0…{units - 1}",
        evidence,
        "such an example has no answer that could be right",
        "as many units as classes, numbered from 0",
        place=place,
        command=Command("shapes"),
    )
