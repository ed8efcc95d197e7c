"""Evaluation that is far worse than training.

Source: published: a relative change of the loss over 0.5 when batch normalization switches to its
averages. That much is ordinary: it is over-fitting, or averages that lag behind in the first steps.
Threshold: the last validation loss is three times the training loss and above the first of the
training, so that the network answers worse than before it was trained.
A cross entropy that `--evaluate` measured and that is not finite counts as such.
Silent: without validation or evaluation; a hint only, where batch normalization has seen fewer
steps than its averages need (three times 1/(1 - momentum)).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

TIMES = 3.0


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    name, trained = "val_loss", seen.loss
    if name not in seen.scalars:  # of the tutorial's network, on pictures that are not trained on
        name, trained = "eval_cross_entropy", seen.scalars.get("cross_entropy", {})
    every = [value for _, value in sorted(seen.scalars.get(name, {}).items())]
    evaluated = [value for value in every if math.isfinite(value)]
    if name != "val_loss" and every and not math.isfinite(every[-1]):
        evaluated = [math.inf]
    if not evaluated or not trained:
        return
    first, last = thirds(trained)
    began = trained[min(trained)]
    if evaluated[-1] > TIMES * max(last, 0) and evaluated[-1] > max(first, began):
        lags = _lags(seen)
        told = f"{evaluated[-1]:.4g}" if math.isfinite(evaluated[-1]) else "not finite"
        what = "validation loss" if name == "val_loss" else "cross entropy in evaluation"
        yield Finding(
            Severity.INFO if lags else Severity.WARNING,
            f"the {what} is {told}, that of training {last:.4g}, at the beginning {began:.4g}",
            {
                name: told if math.isinf(evaluated[-1]) else evaluated[-1],
                "loss": last,
                "first": began,
            },
            "what is used later is the network as it is evaluated"
            + (": so early batch normalization's averages are not those of the batches" * lags),
            "more steps, or a smaller momentum of batch normalization"
            if lags
            else "see that validation data are prepared like those of training, that batch"
            " normalization's averages are updated, and that dropout is off",
        )


def _lags(seen: Evidence) -> bool:
    moments = [one.settings.get("momentum", 0.99) for one in seen.graph.layers if one.normalizes]
    needed = [3 / (1 - m) for m in moments if isinstance(m, float) and m < 1]
    return bool(needed) and len(seen.steps) < max(needed)
