"""Batch normalization whose moving averages are never updated.

Source: a mistake that the tutorial invites: update ops without a control dependency. No published
checker has it. Threshold: training normalizes with the batch, and the averages do not change at
any recorded step, or are still exactly 0 and 1 after the first while the batch is not.
Silent: for layers that are frozen or run in inference mode (`batch-norm-mode`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Layer


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them."""
    every = [one for one in seen.graph.layers if one.normalizes]
    stuck = [one for one in every if _stuck(seen, one)]
    if not stuck:
        return
    yield Finding(
        Severity.ERROR,
        f"the moving averages of {len(stuck)} of {len(every)} batch normalizations are never"
        f" updated, those of {stuck[0].name} among them",
        {"layers": len(stuck), "of": len(every)},
        "training does not use them, so it looks well; evaluation does, and is wrong",
        "run the update ops with the training step (control_dependencies over UPDATE_OPS), call the"
        " layer with training=True, and use a momentum below 1",
        place=seen.place(stuck[0].name),
        command=Command("hist", (stuck[0].name,), ("--pair", "bn")),
    )


def _stuck(seen: Evidence, layer: Layer) -> bool:
    if layer.settings.get("trainable") is False or not seen.training.optimizer:
        return False
    told = [one for step, one in sorted(seen.normalizations(layer.name).items()) if step > 0]
    if told:
        return all(
            not one.moving_mean.any() and (one.moving_variance == 1).all()
            and float(np.abs(one.batch_mean).max()) > 0 for one in told
        )  # fmt: skip
    if not normalizes_the_batch(seen, layer):
        return False
    names = [name for name in layer.variables if "moving_" in name.rpartition("/")[2]]
    changes = [by[n].change for by in seen.updates.values() for n in names if n in by]
    return len(changes) > 2 and not any(changes)


def normalizes_the_batch(seen: Evidence, layer: Layer) -> bool:
    """Whether a batch normalization takes means over the batch in this step."""
    ops = [seen.graph.op_by_name[name] for name in layer.ops]
    for op in ops:
        if op.type.startswith("FusedBatchNorm"):
            return bool(op.attrs.get("is_training", True))
    return any(op.type == "Mean" for op in ops)
