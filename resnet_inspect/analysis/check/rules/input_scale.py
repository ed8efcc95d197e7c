"""Inputs that are not normalized.

Source: published checkers want inputs within -1…1, which condemns most standardized data.
Threshold: what is far beyond: a standard deviation or a mean above 10, a standard deviation below
1e-3, or features whose standard deviations differ a thousandfold.
Silent: for whole numbers of an integer type that are looked up, and where the network itself scales
before its first weights: a Rescaling or normalizing layer, or arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.evidence import KERNEL_OPS, PASSING, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.graph import TensorRef
from resnet_inspect.stats import BatchPart

BESIDE = {"Pad", "PadV2", "Transpose", "ConcatV2", "TensorListFromTensor", "ReverseV2"}
LARGE, SMALL, APART = 10.0, 1e-3, 1e3


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each input."""
    for name, parts in seen.inputs.items():
        text = _odd(parts)
        if text and _reaches_weights(seen, name):
            std, mean = median(one.std for one in parts), median(one.mean for one in parts)
            yield Finding(
                Severity.WARNING,
                f"the input {name} {text}",
                {"mean": mean, "std": std, "low": min(one.low for one in parts),
                 "high": max(one.high for one in parts)},
                "initial weights and learning rates are made for numbers of about one; far from it"
                " the first layers saturate, diverge or stand still",
                "subtract the mean and divide by the standard deviation, of each feature; divide"
                " pictures by 255",
                place=seen.place(name),
            )  # fmt: skip


def _odd(parts: list[BatchPart]) -> str:
    std, mean = median(one.std for one in parts), median(one.mean for one in parts)
    low, high = min(one.low for one in parts), max(one.high for one in parts)
    if std > LARGE or abs(mean) > LARGE:
        return f"is not normalized: {low:.3g} … {high:.3g}, mean {mean:.3g}, std {std:.3g}"
    if 0 < std < SMALL and max(abs(low), abs(high)) < SMALL * LARGE:
        return f"is nearly 0: {low:.3g} … {high:.3g}, std {std:.3g}"
    least, most = median(p.least_std for p in parts), median(p.most_std for p in parts)
    if least and most > 1 and most / least > APART and parts[0].examples > 8:
        return f"has features of very different scales: their std is {least:.2g} … {most:.2g}"
    return ""


def _reaches_weights(seen: Evidence, name: str) -> bool:
    """Whether an input comes to a weighted op as it is."""
    graph = seen.graph
    start = graph.inputs.get(name)
    if start is None or "int" in graph.spec(start).dtype:
        return False
    waiting, known = [start], set[TensorRef]()
    while waiting:
        ref = waiting.pop()
        known.add(ref)
        for user in graph.consumers.get(ref, ()):
            op = graph.op_by_name[user]
            if op.type in KERNEL_OPS or op.type.endswith("While") or "Partitioned" in op.type:
                return op.phase == "forward"
            if op.type in PASSING | BESIDE:
                waiting += [r for r in (TensorRef(op.name),) if r not in known]
    return False
