"""Labels have no matching output unit.

Compares the recorded labels with the number of output units.
Threshold: a class number is negative or not below the number of units, or Keras rejected the shapes
of labels and output. Error.
Background: TensorFlow rejects such labels on a CPU and silently returns NaN on a GPU.
Not reported: for labels 1…k with k units (see `label-range`), and if the loss ignores the smallest
or the largest label.
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


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    if (outside := rejected_label(evidence.failure)) is not None:
        if outside[0] != outside[1]:
            yield _finding(*outside, Place())
        return
    unlike = UNLIKE.search(evidence.failure.message) if evidence.failure is not None else None
    if unlike is not None:
        yield _unlike(unlike[1], unlike[2])
        return
    for objective in evidence.objectives:
        parts, units = evidence.parts(objective.labels), evidence.units(objective)
        if not parts or units is None or objective.loss != "sparse_categorical_crossentropy":
            continue
        low, high = min(part.low for part in parts), max(part.high for part in parts)
        if objective.ignore_class in (low, high):
            continue  # the range of the other labels is not recorded
        if low < 0 or high > units or (high == units and low == 0):
            label = int(low if low < 0 else high)
            yield _finding(label, units, evidence.place(evidence.name_of(objective.output)))


def rejected_label(failure: Failure | None) -> tuple[int, int] | None:
    """Return the label that TensorFlow rejected and the number of output units."""
    match = OUTSIDE.search(failure.message) if failure is not None else None
    return (int(match[1]), int(match[2])) if match else None


def _unlike(labels: str, output: str) -> Finding:
    """Return the finding for shapes that Keras rejected, such as `16, 10` and `16, 8`."""
    if labels.partition(",")[0] != output.partition(",")[0]:
        why = "the loss compares the labels of each example with its prediction"
        fix = "keep the batch as the first axis, from the inputs to the output"
    else:
        why = "the loss compares labels and predictions element by element"
        fix = "use one unit per class for one-hot labels, or integer labels with a sparse loss"
    return Finding(
        Severity.ERROR,
        f"labels have shape ({labels}), the output has shape ({output})",
        {"labels": f"({labels})", "output": f"({output})"},
        why,
        fix,
        command=Command("shapes"),
    )


def _finding(label: int, units: int, place: Place) -> Finding:
    measured: dict[str, Measured] = {"label": label, "units": units}
    return Finding(
        Severity.ERROR,
        f"label {label} has no output unit: {units} units are for classes 0…{units - 1}",
        measured,
        "no prediction can be correct for such an example",
        "use one unit per class, and number classes from 0",
        place=place,
        command=Command("shapes"),
    )
