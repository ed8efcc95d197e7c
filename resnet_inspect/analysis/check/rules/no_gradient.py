"""The loss does not depend on some trainable variables.

Checks for which variables the gradient tape returned None, and which ones only a stop_gradient
connects to the outputs.
Threshold: the gradient is None (warning; error if it is None for all variables). Or a stop_gradient
is on every path to the outputs, from the variable and from the inputs. Then only an added loss can
train the variable (info; warning if the outputs reconstruct the inputs).
Background: Keras warns of this once on the console, where it is easily missed.
Not reported: for gradients of 0, if nothing about the training is recorded, and for a stop_gradient
that inputs bypass, as in straight-through estimators.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

NAMES_SHOWN = 3
STOPS = ("StopGradient", "PreventGradient")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for all affected variables."""
    names = list(evidence.training.no_gradient)
    if not names:
        yield from _behind_stop_gradient(evidence)
        return
    listed = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    owners = {name: layer.name for layer in evidence.graph.layers for name in layer.variables}
    every = sum(1 for variable in evidence.graph.variables if variable.trainable)
    yield Finding(
        Severity.ERROR if len(names) >= every else Severity.WARNING,
        f"{len(names)} trainable variable{'s get' if len(names) > 1 else ' gets'} no gradient:"
        f" {listed}",
        {"variables": len(names), "trainable": every},
        "the loss does not depend on them, so they keep their initial values",
        "use them in the loss; look for stop_gradient, argmax, integer casts or unused outputs on"
        " the path",
        place=evidence.place(owners.get(names[0], names[0])),
        command=Command("why", (names[0],)),
    )


def _behind_stop_gradient(evidence: Evidence) -> Iterator[Finding]:
    """Yield a finding for variables that no gradient from an output reaches."""
    every = evidence.upstream(evidence.output_ops)
    open_paths = evidence.upstream(evidence.output_ops, lambda op: op.type in STOPS)
    if not every & evidence.input_ops or open_paths & evidence.input_ops:
        return
    blocked = [
        variable
        for variable in evidence.graph.variables
        if variable.trainable
        and every & {*variable.readers}
        and not open_paths & {*variable.readers}
    ]
    if not blocked:
        return
    stop = next(op.name for op in evidence.graph.ops if op.name in open_paths and op.type in STOPS)
    names = [variable.name for variable in blocked]
    listed = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
    reconstruction = any(map(evidence.is_reconstruction, evidence.objectives))
    yield Finding(
        Severity.WARNING if reconstruction else Severity.INFO,
        f"the loss of the output does not train {len(names)} trainable variables: {listed}",
        {"variables": len(names), "stopped_at": stop},
        "a stop_gradient blocks every path to them: only a loss added elsewhere trains them",
        "keep a path for gradients, as in z + stop_gradient(rounded − z), or freeze these"
        " variables",
        place=evidence.place(
            next((layer.name for layer in evidence.graph.layers if stop in layer.ops), stop)
        ),
        command=Command("why", (stop,)),
    )
