"""Trainable weights never change.

Measures the change of each trainable variable at the recorded steps.
Threshold: a change of exactly 0 at every recorded step, of at least two. Warning. Error if no
weight changes, or if an optimizer is used and no weight is trainable. Info if no gradient of the
layer was recorded, as for a teacher model.
Background: published checkers compare weights with rtol 1e-5 and atol 1e-8; here the change itself
is recorded.
Not reported: for variables without a gradient (see `no-gradient`), and for those that change
between recorded steps, as with gradient accumulation.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

FIX = (
    "check that the optimizer updates these variables, that the learning rate is not 0, and that no"
    " stop_gradient, argmax or rounding separates them from the loss"
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for the whole run, or one per layer."""
    graph = evidence.graph
    owned = {name for layer in graph.layers for name in layer.variables}
    trained = [
        variable for variable in graph.variables if variable.trainable and variable.name in owned
    ]
    if owned and not trained and evidence.training.optimizer:
        yield Finding(
            Severity.ERROR,
            "no weight is trainable: the optimizer has nothing to update",
            {"variables": len(owned)},
            "the loss changes only with the data",
            "set trainable=True for the layers that must learn, before compile",
        )
        return
    if len(evidence.updates) < 2:
        return
    recorded = {name for by in evidence.updates.values() for name in by}
    names = {variable.name for variable in trained if variable.name in recorded}
    still = {
        name
        for name in names - set(evidence.training.no_gradient)
        if all(by[name].change == 0 for by in evidence.updates.values() if name in by)
        and len({(weight.mean, weight.std) for weight in evidence.weight(name).values()}) < 2
    }
    if not still:
        return
    steps = len(evidence.updates)
    if still >= names:
        yield Finding(
            Severity.ERROR,
            f"none of {len(still)} trainable variables changes in {steps} recorded steps",
            {"variables": len(still), "steps": steps},
            "nothing is learned",
            FIX,
        )
        return
    owners = {name: layer for layer in reversed(graph.layers) for name in layer.variables}
    for layer in graph.layers:
        kernels = [name for name in layer.variables if name in still and owners[name] is layer]
        if kernels and kernels == [name for name in layer.variables if name in recorded]:
            yield Finding(
                Severity.INFO
                if evidence.without_gradients.issuperset(kernels)
                else Severity.WARNING,
                f"the weights of {layer.name} do not change in {steps} recorded steps",
                {"variables": len(kernels), "steps": steps},
                "the layer is trainable but does not learn",
                FIX,
                place=evidence.place(layer.name),
                command=Command("hist", (kernels[0],), ("--kind", "weight,gradient")),
            )
