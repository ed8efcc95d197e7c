"""One label per example is compared with every position of an output.

Compares the values per example of each output and of its labels.
Threshold: the labels have one value per example, the output has several positions, as (16, 14, 1),
and the loss compares element by element. Warning.
Background: a recurrent layer with return_sequences=True, or a Dense layer without a Flatten before
it. Keras removes the last axis of the output, and broadcasts labels (16, 1) to (16, 14).
Not reported: for outputs of rank 2, as several quantiles, and for losses that are not Keras' own.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from resnet_inspect.analysis.check.evidence import BINARY_LOSSES, REGRESSION_LOSSES, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command
from resnet_inspect.graph import Layer, Objective


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output."""
    for objective in evidence.objectives:
        shape = _shape(evidence, objective)
        parts = evidence.parts(objective.labels)
        known = objective.loss in REGRESSION_LOSSES | BINARY_LOSSES
        if not known or len(shape) < 3 or None in shape[1:] or not parts:
            continue
        values = prod(size or 0 for size in shape[1:])
        if values < 2 or any(part.features != 1 for part in parts):
            continue
        name = evidence.name_of(objective.output)
        spelled = ", ".join("?" if size is None else str(size) for size in shape)
        layer = _returning_steps(evidence, objective)
        yield Finding(
            Severity.WARNING,
            f"{name}: {objective.loss} compares each label with all {values} values of an example:"
            f" the output has shape ({spelled}), an example has one label",
            {"values": values, "labels": 1},
            "the output is trained to repeat one label at every position",
            f"use return_sequences=False in {layer.name}"
            if layer is not None
            else f"reduce axis 1 before {name}, as by Flatten or a global pooling",
            place=evidence.place(name),
            command=Command("shapes"),
        )


def _shape(evidence: Evidence, objective: Objective) -> tuple[int | None, ...]:
    if objective.output is None or objective.output.op not in evidence.graph.op_by_name:
        return ()
    return evidence.graph.spec(objective.output).shape or ()


def _returning_steps(evidence: Evidence, objective: Objective) -> Layer | None:
    """Return the last recurrent layer before an output that returns all of its steps."""
    if objective.output is None:
        return None
    before = evidence.upstream([objective.output.op])
    layers = [
        layer
        for layer in evidence.graph.layers
        if layer.settings.get("return_sequences") is True and layer.output.op in before
    ]
    return layers[-1] if layers else None
