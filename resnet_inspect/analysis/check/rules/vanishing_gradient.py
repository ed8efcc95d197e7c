"""First layers that get hardly any gradient, and hardly move.

Source: published checkers take mean |g| < 1e-7, or a first layer below 1e-3 of the last one.
Threshold: the root mean square of the gradient of the first kernel below 1e-3 of the largest among
the others, at the median of the recorded steps, *and* a median update below 1e-4 of the kernel's
length. Adam divides by the gradient's size, so with it small gradients alone do no harm; but a
chain of layers that saturate learns late with Adam, too: at the first recorded step the gradient
grows from each of at least five kernels to the next, in all by 200 and more.
Silent: with fewer than three kernels.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.commands import Command

SHARE, UPDATE = 1e-3, 1e-4
CHAIN, KERNELS = 5e-3, 5


def find(seen: Evidence) -> Iterator[Finding]:
    """At most one."""
    sizes: dict[str, list[float]] = {}
    layers: dict[str, str] = {}
    for layer, variable in seen.kernels:
        values = [
            (held.mean**2 + held.std**2) ** 0.5
            for _, held in sorted(seen.gradient(variable.name).items())
            if held.mean is not None and held.std is not None
        ]
        if values:
            sizes[variable.name], layers[variable.name] = values, layer.name
    if len(sizes) < 3:
        return
    first, layer_name = next(iter(layers.items()))
    begun = [values[0] for values in sizes.values()]
    size, *others = (median(values) for values in sizes.values())
    largest = max(others)
    moved = seen.ratios(first)
    ratio = median(moved) if moved else 0.0
    chain = len(begun) >= KERNELS and all(a < b for a, b in pairwise(begun))
    if chain and begun[0] < CHAIN * begun[-1]:
        size, largest = begun[0], begun[-1]
    elif not (largest > 0 and size < SHARE * largest and ratio < UPDATE):
        return
    yield Finding(
        Severity.WARNING,
        f"the gradient of {first} is {size / largest:.1g} of the largest one",
        {"rms": size, "largest": largest, "update_ratio": ratio},
        "the first layers stay as they were drawn, whatever the last ones learn",
        "ReLU instead of sigmoid or tanh, normalization, shortcuts, or He's initial scale",
        place=seen.place(layer_name),
        command=Command("hist", (first,), ("--kind", "gradient")),
    )
