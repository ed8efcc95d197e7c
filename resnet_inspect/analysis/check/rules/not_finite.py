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
from resnet_inspect.stats import Tap


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding, the first."""
    first = _first(evidence)
    if first is None:
        return
    step, name, measured = first
    gradient = measured.get("kind") == "gradient"
    yield Finding(
        Severity.ERROR,
        f"{'the gradient of ' if gradient else ''}{name} is not finite from step {step} on",
        measured,
        "every value that depends on it is lost, and finally all weights",
        "inspect its inputs at that step; then lower the learning rate, clip gradients, or add an"
        " epsilon inside a logarithm, a root or a division",
        place=evidence.place(name),
        step=step,
        command=_shown_by(evidence, name, gradient=gradient),
    )


def _shown_by(evidence: Evidence, name: str, *, gradient: bool) -> Command:
    if any(name in (tap.layer, tap.tensor) for tap in evidence.taps):
        return Command("hist", (name,), ("--kind", "gradient") if gradient else ())
    if name in evidence.graph.op_by_name or name in evidence.graph.layer_by_name:
        return Command("why", (name,))
    return Command("browse", remark="key 4: pane Scalars")


def _first(evidence: Evidence) -> tuple[int, str, dict[str, Measured]] | None:
    if evidence.origin is not None:
        return evidence.origin.step, evidence.origin.name, {"kind": evidence.origin.kind}
    steps: list[tuple[int, tuple[int, int], str, dict[str, Measured]]] = []
    for place, (tap, course) in enumerate(evidence.not_finite.items()):
        for step, count in course.items():
            infinite = count.posinf + count.neginf
            scaled = tap.kind == "gradient" and "lossscale" in evidence.training.optimizer
            if not scaled and (count.nan or (infinite and tap.kind != "activation")):
                name = tap.layer if tap.output else tap.tensor
                counts: dict[str, Measured] = {"nan": count.nan, "infinite": infinite}
                steps.append((step, _order(tap, place), name, counts | {"kind": tap.kind}))
                break
    for scalar, values in evidence.scalars.items():
        if scalar.startswith("eval_"):
            continue
        for step, value in values.items():
            if not math.isfinite(value):
                steps.append((step, (3, 0), scalar, {"value": str(value)}))
                break
    if not steps:
        return None
    step, _, name, measured = min(steps, key=lambda entry: entry[:2])
    return step, name, measured


def _order(tap: Tap, place: int) -> tuple[int, int]:
    """Return the order in which values of a step are computed: gradients flow backwards."""
    if tap.kind != "gradient":
        return 0, place
    return (1 if tap.output else 2), -place
