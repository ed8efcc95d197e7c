"""Kernels whose weights all begin with the same value.

Source: constant initialization; all units of such a layer stay equal.
Threshold: the first recorded values of a kernel are all equal: to something other than 0, or to 0
in two kernels or more. Silent: for a single kernel of zeros, with which a branch, or the last
layer, begins on purpose; for one unit; and where nothing of the first two steps was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them."""
    constant: dict[str, tuple[str, float]] = {}
    for layer, variable in seen.kernels:
        held = seen.weight(variable.name)
        shape = variable.spec.shape or (1,)
        first = held.get(seen.recorded[0]) if seen.recorded and seen.recorded[0] < 2 else None
        if first is None or first.min is None or shape[-1] == 1:
            continue
        if first.min == first.max:
            constant[variable.name] = layer.name, first.min
    same = {name: one for name, one in constant.items() if one[1] != 0}
    if not same and len(constant) < 2:
        return
    name, (layer_name, value) = next(iter((same or constant).items()))
    yield Finding(
        Severity.ERROR,
        f"all weights of {name} begin at {value:g}"
        + (f", and so do those of {len(constant) - 1} more" if len(constant) > 1 else ""),
        {"kernels": len(constant), "value": value},
        "units that begin equal get equal gradients and stay equal: a layer of them is one unit",
        "random initial weights: glorot_uniform, he_normal",
        layer=layer_name,
        step=seen.recorded[0],
        command=f"resnet-inspect hist '{name}'",
    )
