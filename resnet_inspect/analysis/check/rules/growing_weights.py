"""Kernel norms grow, and no weight decay was recorded that limits them.

Measures the growth of each kernel's norm from the first to the last recorded step. A kernel that
starts small counts with the norm of Glorot's initial weights.
Threshold: the median growth over kernels is more than 5× (warning) or 3× (info), without weight
decay in the loss or the optimizer.
Background: the tutorial's question what happens without L2.
Not reported: with weight decay, for lookup tables, and for kernels that start at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.computations import glorot_norm
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

WARNING_GROWTH, INFO_GROWTH = 5.0, 3.0


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    if evidence.training.decay or len(evidence.updates) < 3:
        return
    steps = sorted(evidence.updates)
    grown: dict[str, float] = {}
    owners: dict[str, str] = {}
    for layer, variable in evidence.kernels:
        name, usual = variable.name, glorot_norm(variable)
        norms = [
            updates[name].norm for step in steps if name in (updates := evidence.updates[step])
        ]
        if len(norms) > 2 and norms[0] > 0 and not evidence.is_lookup_table(variable) and usual:
            grown[variable.name] = norms[-1] / max(norms[0], usual)
            owners[variable.name] = layer.name
    if len(grown) < 2:
        return
    times, most = median(grown.values()), max(grown, key=lambda name: grown[name])
    if times > INFO_GROWTH:
        yield Finding(
            Severity.WARNING if times > WARNING_GROWTH else Severity.INFO,
            f"kernel norms grew {times:.3g}× (median of {len(grown)} kernels, largest"
            f" {grown[most]:.3g}× for {most}); {_recorded(evidence)}",
            {"growth_median": times, "growth_largest": grown[most]},
            "large weights cause overconfident predictions, small updates and overfitting",
            "lower the learning rate, or add L2 (kernel_regularizer, or weight_decay of 1e-4)",
            place=evidence.place(owners[most]),
            command=Command("hist", (most,)),
        )


def _recorded(evidence: Evidence) -> str:
    """What is known of weight decay. Of a loop, only the optimizer is recorded."""
    training = evidence.training
    if training.objectives:
        return "the model has no regularizer and its optimizer no weight decay"
    if training.optimizer:
        return (
            "the optimizer has no weight decay; terms that a loop adds to its loss are not recorded"
        )
    return "weight decay was not recorded"
