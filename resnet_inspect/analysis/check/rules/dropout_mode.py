"""Dropout is inactive, drops nearly everything, or drops the output.

Checks whether each Dropout layer acts in the training step, its rate and its position.
Threshold: a Dropout layer of the model adds no op to the training step (warning). Or its rate is
0.8 or more (warning). Or it makes an output (error). Inactive Dropout is an info if some trainable
variables have no recorded gradient, as those of a teacher model.
Background: a `training` argument that is not passed on, or a rate meant as the share to keep.
Not reported: for frozen layers, for rates of 0, and for steps that failed.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

HIGH_RATE = 0.8


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for inactive layers and one per wrong rate or position."""
    idle = evidence.training.idle
    if idle and evidence.failure is None:
        yield Finding(
            Severity.INFO if evidence.without_gradients else Severity.WARNING,
            f"{len(idle)} Dropout layer{'s are' if len(idle) > 1 else ' is'} inactive during"
            f" training: {', '.join(idle[:3])}",
            {"layers": len(idle)},
            "the network trains without this regularization and may overfit",
            "call the layer with training=True during training; Keras does so by default",
            place=evidence.place(idle[0]),
        )
    outputs = {evidence.name_of(objective.output) for objective in evidence.objectives}
    for layer in evidence.graph.layers:
        rate = layer.settings.get("rate")
        if "Dropout" not in layer.type or isinstance(rate, bool | str) or rate is None:
            continue
        if layer.name in outputs:
            yield Finding(
                Severity.ERROR,
                f"{layer.name} drops values of the network's output",
                {"rate": rate},
                "predictions are set to 0 at random before the loss sees them",
                "move Dropout before the last layer",
                place=evidence.place(layer.name),
            )
        elif rate >= HIGH_RATE:
            yield Finding(
                Severity.WARNING,
                f"{layer.name} drops {rate:.0%} of its inputs",
                {"rate": rate},
                "too little signal passes the layer to learn from",
                "lower the rate to 0.1 to 0.5; the rate is the share of values that is dropped",
                place=evidence.place(layer.name),
            )
