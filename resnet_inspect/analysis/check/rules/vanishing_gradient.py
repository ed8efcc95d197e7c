"""The first layers get almost no gradient and hardly move.

Measures the root mean square (RMS) of each kernel's gradient, from the first layer to the last.
Threshold: the median RMS of the first kernel is below 1e-3 of the largest of the others, and its
median relative update is below 1e-4. Small gradients alone are harmless with Adam, which divides by
their size. Or at least five kernels are recorded, and at the first recorded step the RMS grows from
each kernel to the next, by 200 times in total. Such layers learn late with Adam, too. Warning.
Background: published checkers use a mean |g| < 1e-7, or a first layer below 1e-3 of the last one.
Not reported: with fewer than three kernels.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity, rounded
from resnet_inspect.commands import Command

SHARE, UPDATE = 1e-3, 1e-4
CHAIN, KERNELS = 5e-3, 5


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield at most one finding."""
    sizes: dict[str, list[float]] = {}
    layers: dict[str, str] = {}
    for layer, variable in evidence.kernels:
        values = [
            (summary.mean**2 + summary.std**2) ** 0.5
            for _, summary in sorted(evidence.gradient(variable.name).items())
            if summary.mean is not None and summary.std is not None
        ]
        if values:
            sizes[variable.name], layers[variable.name] = values, layer.name
    if len(sizes) < 3:
        return
    first, layer_name = next(iter(layers.items()))
    begun = [values[0] for values in sizes.values()]
    size, *others = (median(values) for values in sizes.values())
    largest = max(others)
    moved = evidence.update_ratios(first)
    ratio = median(moved) if moved else 0.0
    chain = len(begun) >= KERNELS and all(a < b for a, b in pairwise(begun))
    if chain and begun[0] < CHAIN * begun[-1]:
        size, largest = begun[0], begun[-1]
    elif not (largest > 0 and size < SHARE * largest and ratio < UPDATE):
        return
    yield Finding(
        Severity.WARNING,
        f"the gradient of {first} vanishes: its RMS is {rounded(size / largest):g} of the largest",
        {"rms": size, "largest": largest, "update_ratio": ratio},
        "the first layers stay at initialization, whatever the last ones learn",
        "use ReLU instead of sigmoid or tanh, add normalization or shortcuts, or use he_normal",
        place=evidence.place(layer_name),
        command=Command("hist", (first,), ("--kind", "gradient")),
    )
