"""Trainable weights that never change.

Source: published checkers compare with rtol 1e-5 and atol 1e-8. Here the change itself is known.
Threshold: a change of exactly 0 at every recorded step, at least two of them. An error where it
holds for all weights, or where there are none to be trained though an optimizer is used.
Silent: for variables without a gradient, which `no-gradient` tells of, and for those that change
between recorded steps, as where gradients are added up. Where no gradient was asked for, as of a
teacher's model, it is only worth knowing.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

FIX = (
    "see that the optimizer is given these variables and is applied, that the learning rate is not"
    " 0, and that the loss depends on them (no stop_gradient, argmax or rounding between)"
)


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them, or one for each layer."""
    graph = seen.graph
    owned = {name for layer in graph.layers for name in layer.variables}
    trained = [one for one in graph.variables if one.trainable and one.name in owned]
    if owned and not trained and seen.training.optimizer:
        yield Finding(
            Severity.ERROR,
            "no weight is trainable: the optimizer has nothing to move",
            {"variables": len(owned)},
            "the loss can only change with the data",
            "set trainable to True for the layers that are to learn, before compile",
        )
        return
    if len(seen.updates) < 2:
        return
    told = {name for by in seen.updates.values() for name in by}
    still = {
        one.name
        for one in trained
        if one.name in told and one.name not in seen.training.no_gradient
        and all(by[one.name].change == 0 for by in seen.updates.values() if one.name in by)
        and len({(one.mean, one.std) for one in seen.weight(one.name).values()}) < 2
    }  # fmt: skip
    if not still:
        return
    steps = len(seen.updates)
    if still >= {one.name for one in trained if one.name in told}:
        yield Finding(
            Severity.ERROR,
            f"none of {len(still)} trainable variables changes at any of {steps} recorded steps",
            {"variables": len(still), "steps": steps},
            "nothing is learned",
            FIX,
        )
        return
    owners = {name: layer for layer in reversed(graph.layers) for name in layer.variables}
    for layer in graph.layers:
        kernels = [name for name in layer.variables if name in still and owners[name] is layer]
        if kernels and kernels == [name for name in layer.variables if name in told]:
            yield Finding(
                Severity.INFO if seen.not_asked.issuperset(kernels) else Severity.WARNING,
                f"the weights of {layer.name} do not change at any of {steps} recorded steps",
                {"variables": len(kernels), "steps": steps},
                "the layer is trainable and does not learn",
                FIX,
                place=seen.place(layer.name),
                command=Command("hist", (kernels[0],), ("--kind", "weight,gradient")),
            )
