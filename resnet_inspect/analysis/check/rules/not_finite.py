"""A value is NaN or infinite.

Finds the first NaN or infinity of the run and, if it was recorded, its origin.
Threshold: one NaN in any recorded tensor or scalar, or one infinity in a weight, a gradient or a
scalar. Error.
Background: every training debugger has this check, for example TensorFlow's `check_numerics`.
Not reported: for infinite activations, which attention masks contain on purpose; for gradients
under loss scaling, where the optimizer skips such steps; for evaluation scalars (see
`train-eval-gap`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding, the first."""
    first = _first(evidence)
    if first is None:
        return
    step, name, measured = first
    yield Finding(
        Severity.ERROR,
        f"{name} is not finite from step {step} on",
        measured,
        "every value that depends on it is lost, and finally all weights",
        "inspect its inputs at that step; then lower the learning rate, clip gradients, or add an"
        " epsilon inside a logarithm, a root or a division",
        place=evidence.place(name),
        step=step,
        command=_shown_by(evidence, name),
    )


def _shown_by(evidence: Evidence, name: str) -> Command:
    if any(name in (tap.layer, tap.tensor) for tap in evidence.taps):
        return Command("hist", (name,))
    if name in evidence.graph.op_by_name or name in evidence.graph.layer_by_name:
        return Command("why", (name,))
    return Command("browse", remark="key 4: pane Scalars")


def _first(evidence: Evidence) -> tuple[int, str, dict[str, Measured]] | None:
    if evidence.origin is not None:
        return evidence.origin.step, evidence.origin.name, {"kind": evidence.origin.kind}
    steps: list[tuple[int, int, str, dict[str, Measured]]] = []
    for place, (tap, course) in enumerate(evidence.not_finite.items()):
        for step, count in course.items():
            infinite = count.posinf + count.neginf
            scaled = tap.kind == "gradient" and "lossscale" in evidence.training.optimizer
            if not scaled and (count.nan or (infinite and tap.kind != "activation")):
                name = tap.layer if tap.output else tap.tensor
                counts: dict[str, Measured] = {"nan": count.nan, "infinite": infinite}
                steps.append((step, place, name, counts | {"kind": tap.kind}))
                break
    for scalar, values in evidence.scalars.items():
        if scalar.startswith("eval_"):
            continue
        for step, value in values.items():
            if not math.isfinite(value):
                steps.append((step, len(evidence.not_finite), scalar, {"value": str(value)}))
                break
    if not steps:
        return None
    step, _, name, measured = min(steps, key=lambda entry: entry[:2])
    return step, name, measured
