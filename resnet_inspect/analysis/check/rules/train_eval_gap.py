"""Evaluation is far worse than training.

Compares the last validation loss with the training loss.
Threshold: the last validation loss is over 3 times the training loss and above the initial training
loss, so predictions are worse than before training. A cross entropy from `--evaluate` that is not
finite also counts. Warning; info in the first 3/(1 - momentum) steps of batch normalization.
Background: published checkers use a relative change of the loss above 0.5 when batch normalization
switches to its averages. Overfitting and averages that lag early often change the loss that much.
Not reported: without validation or evaluation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

TIMES = 3.0


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    name, trained = "val_loss", evidence.loss
    if name not in evidence.scalars:  # the tutorial's network, on held-out images
        name, trained = "eval_cross_entropy", evidence.scalars.get("cross_entropy", {})
    every = [value for _, value in sorted(evidence.scalars.get(name, {}).items())]
    evaluated = [value for value in every if math.isfinite(value)]
    if name != "val_loss" and every and not math.isfinite(every[-1]):
        evaluated = [math.inf]
    if not evaluated or not trained:
        return
    first, last = thirds(trained)
    began = trained[min(trained)]
    if evaluated[-1] > TIMES * max(last, 0) and evaluated[-1] > max(first, began):
        lags = _lags(evidence)
        value = f"{evaluated[-1]:.4g}" if math.isfinite(evaluated[-1]) else "not finite"
        what = "validation loss" if name == "val_loss" else "evaluation cross entropy"
        yield Finding(
            Severity.INFO if lags else Severity.WARNING,
            f"the {what} is {value}; in training it is {last:.4g}, initially {began:.4g}",
            {
                name: value if math.isinf(evaluated[-1]) else evaluated[-1],
                "loss": last,
                "loss_first": began,
            },
            "predictions in use come from the network in evaluation mode"
            + ("; so early, the averages of batch normalization still lag" * lags),
            "train more steps, or lower the momentum of batch normalization"
            if lags
            else "check that validation data is prepared like training data, that batch"
            " normalization updates its averages, and that dropout is off",
        )


def _lags(evidence: Evidence) -> bool:
    momenta = [
        layer.settings.get("momentum", 0.99) for layer in evidence.graph.layers if layer.normalizes
    ]
    needed = [3 / (1 - m) for m in momenta if isinstance(m, float) and m < 1]
    return bool(needed) and len(evidence.steps) < max(needed)
