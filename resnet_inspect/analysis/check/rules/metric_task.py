"""A metric that is made for another task.

Threshold: an accuracy where numbers are predicted (labels that are not whole, with a loss for
numbers); a binary accuracy where one class of several is right; an accuracy of classes (which
`accuracy` is, for Keras, where there are several units) where any number of labels is right.
Silent: for accuracies of classes whose loss happens to be a squared error, and for metrics of
one's own, whatever they are called.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import REGRESSION_LOSSES, SOFTMAX_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

ACCURACIES = (
    *("accuracy", "acc", "binary_accuracy", "categorical_accuracy"),
    *("sparse_categorical_accuracy", "top_k_categorical_accuracy"),
    "sparse_top_k_categorical_accuracy",
)


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output."""
    for objective in seen.objectives:
        wrong = [one for one in objective.metrics if one in ACCURACIES]
        parts = seen.parts(objective.labels)
        numbers = bool(parts) and not all(one.whole for one in parts)
        if objective.loss in SOFTMAX_LOSSES:
            wrong = [one for one in wrong if one.startswith("binary")]
            text, fix = (
                "judges each class by itself",
                "accuracy, for which Keras takes the right one",
            )
        elif seen.several(objective):
            wrong = [one for one in wrong if not one.startswith("binary")]
            text, fix = (
                "looks at the largest answer alone",
                "binary_accuracy, or precision and recall",
            )
        else:
            wrong = wrong if objective.loss in REGRESSION_LOSSES and numbers else []
            text, fix = "counts exact hits", "mean_absolute_error, or another error"
        if wrong:
            yield Finding(
                Severity.WARNING,
                f"{wrong[0]} {text}, and the loss is {objective.loss}",
                {"metric": wrong[0], "loss": objective.loss},
                "it says nothing of how good answers are: near 0 for numbers, near 1 for one class"
                " of many, next to anything for several labels at once",
                fix,
                place=seen.place(seen.name_of(objective.output)),
            )
