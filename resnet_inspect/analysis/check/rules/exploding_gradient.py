"""Gradients that grow without bound.

Source: published checkers: mean |g| over 1e6, or growing more than twofold over five records.
Threshold: the norm of the gradient of all weights was over 1e6 and is over 1e4 at the end; or it
was a hundred times its median, and the loss is no lower than at the beginning. A norm alone says
little: regression with large targets begins with thousands and falls.
Silent: where fewer than two norms were recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.computations import thirds
from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

HUGE, GROWN = 1e6, 100.0


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    norms = {step: one for step, one in sorted(seen.gradient_norms.items()) if math.isfinite(one)}
    if len(norms) < 2:
        return
    step = max(norms, key=lambda one: norms[one])
    first, last = thirds(seen.loss)
    usual = median(norms.values())
    end = list(norms.values())[-1]
    huge = norms[step] > HUGE and end > HUGE / GROWN
    grown = usual > 0 and norms[step] > GROWN * usual and last >= first
    if huge or grown:
        yield Finding(
            Severity.ERROR,
            f"the norm of the gradient reaches {norms[step]:.3g}, its median is {usual:.3g}",
            {"norm": norms[step], "median": usual, "loss_first": first, "loss_last": last},
            "one such step throws the weights far away from where they were",
            "clip gradients (clipnorm), lower the learning rate, begin with smaller weights,"
            " normalize",
            step=step,
            command=Command("browse", remark="pane Scalars"),
        )
