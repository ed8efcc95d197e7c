"""Variables that are to be trained and on which the loss does not depend.

Source: Keras warns of it once, on the console, where it is easily missed.
Threshold: the tape gave None for the variable, an error where it did so for all of them; or every
way from a variable to the outputs leads through a stop_gradient, and no other one leads there from
the inputs, so that only an added loss trains it; worth knowing, and a warning where the output is
to give back the inputs.
Silent: for gradients that are 0, where nothing of a training is known, and for a stop_gradient
beside which inputs reach the output, as straight-through estimators have it.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

SHOWN = 3
STOPS = ("StopGradient", "PreventGradient")


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them."""
    names = list(seen.training.no_gradient)
    if not names:
        yield from _stopped(seen)
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
        place=seen.place(owners.get(names[0], names[0])),
        command=Command("why", (names[0],)),
    )


def _stopped(seen: Evidence) -> Iterator[Finding]:
    """Variables that no loss of an output reaches."""
    every = seen.before(seen.outputs)
    open_ways = seen.before(seen.outputs, lambda op: op.type in STOPS)
    if not every & seen.sources or open_ways & seen.sources:
        return
    cut = [
        one
        for one in seen.graph.variables
        if one.trainable and every & {*one.readers} and not open_ways & {*one.readers}
    ]
    if not cut:
        return
    stop = next(op.name for op in seen.graph.ops if op.name in open_ways and op.type in STOPS)
    names = [one.name for one in cut]
    listed = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    back = any(map(seen.gives_back, seen.objectives))
    yield Finding(
        Severity.WARNING if back else Severity.INFO,
        f"the loss of the output does not reach {len(names)} trainable variables: {listed}",
        {"variables": len(names), "stop": stop},
        "every way to them is cut: only what is added to the loss beside the output trains them",
        "leave a way for gradients, as z + stop_gradient(rounded − z) does; or freeze what is not"
        " to be trained",
        place=seen.place(next((one.name for one in seen.graph.layers if stop in one.ops), stop)),
        command=Command("why", (stop,)),
    )
