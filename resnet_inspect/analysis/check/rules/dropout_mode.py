"""Dropout that is never active, removes nearly everything, or stands at the output.

Source: `training` not handed on, or a rate taken for the share that is kept.
Threshold: a Dropout of the model makes no op in a training step; a rate of 0.8 or more; or an
output comes out of a Dropout. Where some model is only asked, as a teacher is, an idle one is
no more than worth knowing.
Silent: for frozen layers, rates of 0, and steps that were refused on the way.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

MOST = 0.8


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each layer."""
    idle = seen.training.idle
    if idle and seen.failure is None:
        yield Finding(
            Severity.INFO if seen.not_asked else Severity.WARNING,
            f"{len(idle)} Dropout layer{'s do' if len(idle) > 1 else ' does'} nothing in training:"
            f" {', '.join(idle[:3])}",
            {"layers": len(idle)},
            "the network trains without what was to keep it from learning by heart",
            "call the layer with training=True in training, as Keras does unless it is told"
            " otherwise",
            place=seen.place(idle[0]),
        )
    outputs = {seen.name_of(one.output) for one in seen.objectives}
    for layer in seen.graph.layers:
        rate = layer.settings.get("rate")
        if "Dropout" not in layer.type or isinstance(rate, bool | str) or rate is None:
            continue
        if layer.name in outputs:
            yield Finding(
                Severity.ERROR,
                f"{layer.name} drops parts of the network's output",
                {"rate": rate},
                "answers are set to 0 by chance, and judged",
                "put Dropout before the last layer",
                place=seen.place(layer.name),
            )
        elif rate >= MOST:
            yield Finding(
                Severity.WARNING,
                f"{layer.name} drops {rate:.0%} of what it takes",
                {"rate": rate},
                "hardly anything is handed on, so hardly anything is learned",
                "the rate is the share that is dropped: 0.1 to 0.5 is usual",
                place=seen.place(layer.name),
            )
