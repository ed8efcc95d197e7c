"""A loss that grows.

Source: published checkers: twice its minimum. Threshold: the median of the last third is twice that
of the first; or of the lowest fifth, and above the first and above that of an answer without any
input, if that is known; or it was on the way fifty times the first and that of an answer without
any input (the median, where that is not known), and has not come back below either; over at least
ten steps. An error.
Silent: for losses that may be negative, whose ratio says nothing, and for a loss that jumps but
stays below that of an answer without any input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

STEPS, TIMES, PEAK, FELL = 10, 2.0, 50.0, 0.9


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    values = [one for one in seen.loss.values() if math.isfinite(one)]
    if len(seen.steps) < STEPS or len(values) < 5 or min(values) < 0:
        return
    first, last = thirds(seen.loss)
    began = next(one for _, one in sorted(seen.loss.items()) if math.isfinite(one))
    usual = max(began, seen.idle_loss or median(values), 1e-3)
    back = FELL * seen.idle_loss if seen.idle_loss else began
    if max(values) > PEAK * usual and last > back:
        step = max(seen.loss, key=lambda one: (math.isfinite(seen.loss[one]), seen.loss[one]))
        yield Finding(
            Severity.ERROR,
            f"the loss began at {began:.4g} and was {seen.loss[step]:.4g} at step {step}",
            {"first": began, "largest": seen.loss[step], "last": last},
            "one step too long threw the weights far away",
            "a learning rate ten times smaller, clipped gradients, normalized inputs",
            step=step,
            command=Command("browse", remark="pane Scalars"),
        )
        return
    lowest = median(sorted(values)[: max(1, len(values) // 5)])
    worse = seen.idle_loss is not None and last > max(first, seen.idle_loss)
    if last > TIMES * first or (worse and last > TIMES * max(lowest, 1e-12)):
        yield Finding(
            Severity.ERROR,
            f"the loss grows: {first:.4g} in the first third, {last:.4g} in the last",
            {"first": first, "last": last, "lowest": lowest},
            "each step makes it worse",
            "a learning rate ten times smaller, clipped gradients, normalized inputs",
            command=Command("browse", remark="pane Scalars"),
        )
