"""One kernel moves far more, or far less, than the others.

Measures the relative update ‖Δw‖/‖w‖ of each kernel.
Threshold: a median over at least five recorded steps, without the first, above 0.3 (the kernel is
nearly replaced at each step). Or below 1e-7 while the median of all kernels is above 1e-5. Warning.
Background: the rule of thumb that ‖Δw‖/‖w‖ is about 1e-3; published checkers accept 1e-4…1e-1.
Not reported: if all kernels move too much (see `learning-rate`), and for kernels that are 0 or
start at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity, rounded
from resnet_inspect.commands import Command

HIGHEST, LOWEST, LEARNING, STEPS = 0.3, 1e-7, 1e-5, 5


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per kernel."""
    overall = evidence.median_update_ratio
    if overall is None or overall > HIGHEST:
        return
    for layer, variable in evidence.kernels:
        ratios = [ratio for ratio in evidence.update_ratios(variable.name)[1:] if ratio]
        if len(ratios) < STEPS:
            continue
        ratio = median(ratios)
        if ratio > HIGHEST or (ratio < LOWEST and overall > LEARNING):
            what = "is nearly replaced at each step" if ratio > HIGHEST else "hardly moves"
            yield Finding(
                Severity.WARNING,
                f"{variable.name} {what}: ‖Δw‖/‖w‖ is {rounded(ratio):g}, the median of all"
                f" {rounded(overall):g}",
                {"ratio": ratio, "median": overall},
                "about 0.001 is usual; far larger updates overwrite, far smaller ones do not learn",
                "check the scale of the layer's inputs and its initial weights",
                place=evidence.place(layer.name),
                command=Command("hist", (variable.name,)),
            )
