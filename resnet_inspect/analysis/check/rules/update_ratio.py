"""A layer whose kernel moves far more, or far less, than the others.

Source: the rule of thumb that ‖Δw‖/‖w‖ be about 1e-3; published checkers take 1e-4…1e-1.
Threshold: a median over at least five recorded steps behind the first above 0.3 for one kernel (it
is nearly replaced at each step), or below 1e-7 while that of all kernels is above 1e-5: it stands
still among others that learn. What concerns all of them is `learning-rate`.
Silent: for kernels that are 0, such as those that begin at it, and for the first steps of a
training, which may be long.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

MOST, LEAST, MOVES, STEPS = 0.3, 1e-7, 1e-5, 5


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each kernel."""
    overall = seen.ratio
    if overall is None or overall > MOST:
        return
    for layer, variable in seen.kernels:
        ratios = [one for one in seen.ratios(variable.name)[1:] if one]
        if len(ratios) < STEPS:
            continue
        ratio = median(ratios)
        if ratio > MOST or (ratio < LEAST and overall > MOVES):
            what = "nearly replaced at each step" if ratio > MOST else "hardly moves"
            yield Finding(
                Severity.WARNING,
                f"{variable.name} {what}: ‖Δw‖/‖w‖ is {ratio:.1g}, of all kernels {overall:.1g}",
                {"ratio": ratio, "median": overall},
                "about a thousandth is usual; far more forgets, far less does not learn",
                "look at the scale of what the layer takes and at its initial weights",
                place=seen.place(layer.name),
                command=Command("hist", (variable.name,)),
            )
