"""A number that is not finite, and where it came from first.

Source: every debugger of training has it, as TensorFlow's `check_numerics`.
Threshold: one NaN in anything recorded; an infinity in a weight, a gradient or a scalar. Infinite
*activations* alone stay silent: masks of attention are made of them on purpose; so do gradients of
a scaled loss, where the optimizer leaves such a step out, and what evaluation beside training came
to, which the rule on evaluation judges: by averages that have not arrived, numbers may overflow.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.commands import Command


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one, the first."""
    told = _first(seen)
    if told is None:
        return
    step, name, evidence = told
    yield Finding(
        Severity.ERROR,
        f"{name} is not finite from step {step} on",
        evidence,
        "from then on every number that depends on it is lost, at last all weights",
        "look at what the op takes at that step; a smaller learning rate, clipped gradients, or an"
        " epsilon inside of a logarithm, a root or a division are the usual ways out",
        place=seen.place(name),
        step=step,
        command=_shown_by(seen, name),
    )


def _shown_by(seen: Evidence, name: str) -> Command:
    if any(name in (tap.layer, tap.tensor) for tap in seen.taps):
        return Command("hist", (name,))
    if name in seen.graph.op_by_name or name in seen.graph.layer_by_name:
        return Command("why", (name,))
    return Command("browse", remark="pane Scalars")


def _first(seen: Evidence) -> tuple[int, str, dict[str, Measured]] | None:
    if seen.origin is not None:
        return seen.origin.step, seen.origin.name, {"kind": seen.origin.kind}
    steps: list[tuple[int, int, str, dict[str, Measured]]] = []
    for place, (tap, course) in enumerate(seen.not_finite.items()):
        for step, held in course.items():
            infinite = held.posinf + held.neginf
            scaled = tap.kind == "gradient" and "lossscale" in seen.training.optimizer
            if not scaled and (held.nan or (infinite and tap.kind != "activation")):
                name = tap.layer if tap.output else tap.tensor
                counts: dict[str, Measured] = {"nan": held.nan, "infinite": infinite}
                steps.append((step, place, name, counts | {"kind": tap.kind}))
                break
    for scalar, values in seen.scalars.items():
        if scalar.startswith("eval_"):
            continue
        for step, value in values.items():
            if not math.isfinite(value):
                steps.append((step, len(seen.not_finite), scalar, {"value": str(value)}))
                break
    if not steps:
        return None
    step, _, name, evidence = min(steps, key=lambda one: one[:2])
    return step, name, evidence
