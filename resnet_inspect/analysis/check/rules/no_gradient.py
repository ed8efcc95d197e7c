"""Variables that are to be trained and on which the loss does not depend.

Source: Keras warns of it once, on the console, where it is easily missed.
Threshold: the tape gave None for the variable. An error where it did so for all of them.
Silent: for gradients that are 0, and where nothing of a training is known.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

SHOWN = 3


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them."""
    names = list(seen.training.no_gradient)
    if not names:
        return
    listed = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    owners = {name: one.name for one in seen.graph.layers for name in one.variables}
    every = sum(1 for one in seen.graph.variables if one.trainable)
    yield Finding(
        Severity.ERROR if len(names) >= every else Severity.WARNING,
        f"{len(names)} trainable variable{'s get' if len(names) > 1 else ' gets'} no gradient:"
        f" {listed}",
        {"variables": len(names), "trainable": every},
        "the loss does not depend on them: they stay as they were made",
        "use them on the way to the loss; stop_gradient, argmax, casts to integers and outputs that"
        " are left aside cut the way",
        layer=owners.get(names[0], names[0]),
        command=f"resnet-inspect why '{names[0]}'",
    )
