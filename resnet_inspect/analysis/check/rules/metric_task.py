"""A metric does not fit the task.

Compares each accuracy with the loss and the recorded labels.
Threshold: an accuracy for a regression loss with labels that are no integers. A binary accuracy
where exactly one class of several is correct. A class accuracy for several labels per example,
which `accuracy` becomes in Keras if the output has several units. Warning.
Background: an accuracy copied from another task; Keras computes it without an error.
Not reported: for class accuracies with a regression loss on integer labels, and for custom metrics
of any name.
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


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    for objective in evidence.objectives:
        wrong = [metric for metric in objective.metrics if metric in ACCURACIES]
        parts = evidence.parts(objective.labels)
        numbers = bool(parts) and not all(part.whole for part in parts)
        if objective.loss in SOFTMAX_LOSSES:
            wrong = [metric for metric in wrong if metric.startswith("binary")]
            text, fix = (
                "scores each class separately",
                "use accuracy, which Keras resolves to the matching metric",
            )
        elif evidence.is_multi_label(objective):
            wrong = [metric for metric in wrong if not metric.startswith("binary")]
            text, fix = (
                "scores only the largest prediction",
                "use binary_accuracy, or precision and recall",
            )
        else:
            wrong = wrong if objective.loss in REGRESSION_LOSSES and numbers else []
            text, fix = "counts exact matches", "use mean_absolute_error or another error"
        if wrong:
            yield Finding(
                Severity.WARNING,
                f"{wrong[0]} {text}, but the loss is {objective.loss}",
                {"metric": wrong[0], "loss": objective.loss},
                "it does not show how good predictions are: near 0 for regression, near 1 for one"
                " class of many, arbitrary for several labels at once",
                fix,
                place=evidence.place(evidence.name_of(objective.output)),
            )
