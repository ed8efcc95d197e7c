"""Weights that grow without anything that holds them.

Source: the tutorial's question what happens without L2. Threshold: nothing decays weights, and the
median length of the kernels has grown fivefold; from threefold on it is a hint.
Silent: with weight decay in loss or optimizer, and for kernels that began at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.computations import usual_length
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

WARNED, TOLD = 5.0, 3.0


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    if seen.training.decay or len(seen.updates) < 3:
        return
    steps = sorted(seen.updates)
    grown: dict[str, float] = {}
    owners: dict[str, str] = {}
    for layer, variable in seen.kernels:
        held = [one[variable.name].norm for s in steps if variable.name in (one := seen.updates[s])]
        usual = usual_length(variable)
        if len(held) > 2 and held[0] > 0 and not seen.looked_up(variable) and usual:
            grown[variable.name] = held[-1] / max(held[0], usual)
            owners[variable.name] = layer.name
    if len(grown) < 2:
        return
    times, most = median(grown.values()), max(grown, key=lambda one: grown[one])
    if times > TOLD:
        yield Finding(
            Severity.WARNING if times > WARNED else Severity.INFO,
            f"kernels have grown to {times:.1f} times their length, that of {most} to"
            f" {grown[most]:.1f}, and nothing holds them",
            {"median": times, "most": grown[most]},
            "large weights make sure answers and small relative steps, and fit noise",
            "L2 (kernel_regularizer, weight_decay 1e-4 or so), or a smaller learning rate",
            place=seen.place(owners[most]),
            command=Command("hist", (most,)),
        )
