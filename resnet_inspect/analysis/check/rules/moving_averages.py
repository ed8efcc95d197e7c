"""Moving averages of batch normalization are never updated.

Checks the moving mean and variance of each batch normalization over the recorded steps.
Threshold: training normalizes with batch statistics and the averages change at no recorded step.
Or they are still exactly 0 and 1 after the first step, although the batch mean is not 0. Error.
Background: update ops without a control dependency, a mistake that the tutorial's code invites; no
published checker covers this.
Not reported: for layers that are frozen or run in inference mode (see `batch-norm-mode`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Layer


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for all affected layers."""
    every = [layer for layer in evidence.graph.layers if layer.normalizes]
    stuck = [layer for layer in every if _stuck(evidence, layer)]
    if not stuck:
        return
    yield Finding(
        Severity.ERROR,
        f"{len(stuck)} of {len(every)} batch normalizations never update their moving averages"
        f" (first: {stuck[0].name})",
        {"layers": len(stuck), "layers_in_all": len(every)},
        "training does not use the averages and looks correct; evaluation uses them and is wrong",
        "run the update ops with the training step (control_dependencies on UPDATE_OPS), call the"
        " layer with training=True, and use a momentum below 1",
        place=evidence.place(stuck[0].name),
        command=Command("hist", (stuck[0].name,), ("--pair", "bn")),
    )


def _stuck(evidence: Evidence, layer: Layer) -> bool:
    if layer.settings.get("trainable") is False or not evidence.training.optimizer:
        return False
    recorded = sorted(evidence.normalizations(layer.name).items())
    later = [statistics for step, statistics in recorded if step > 0]
    if later:
        return all(
            not at.moving_mean.any() and (at.moving_variance == 1).all()
            and float(np.abs(at.batch_mean).max()) > 0 for at in later
        )  # fmt: skip
    if not normalizes_the_batch(evidence, layer):
        return False
    names = [name for name in layer.variables if "moving_" in name.rpartition("/")[2]]
    changes = [by[n].change for by in evidence.updates.values() for n in names if n in by]
    return len(changes) > 2 and not any(changes)


def normalizes_the_batch(evidence: Evidence, layer: Layer) -> bool:
    """Whether a batch normalization uses batch statistics in this step."""
    ops = [evidence.graph.op_by_name[name] for name in layer.ops]
    for op in ops:
        if op.type.startswith("FusedBatchNorm"):
            return bool(op.attrs.get("is_training", True))
    return any(op.type == "Mean" for op in ops)
