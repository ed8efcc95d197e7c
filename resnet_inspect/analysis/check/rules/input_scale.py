"""Inputs are not normalized.

Measures mean, standard deviation and range of each input, over all features and for each.
Threshold: a standard deviation or an absolute mean above 10; a standard deviation below 1e-3
with all values below 0.01; or features whose standard deviations differ more than 1,000 times.
Warning.
Background: published checkers require inputs in -1…1, which rejects most standardized data.
Not reported: for integer inputs, and if the network scales the input before its first weights, by a
Rescaling or normalization layer or by arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from resnet_inspect.analysis.check.evidence import KERNEL_OPS, PASS_THROUGH_OPS, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.graph import TensorRef
from resnet_inspect.stats import BatchPart

MOVING_OPS = {"Pad", "PadV2", "Transpose", "ConcatV2", "TensorListFromTensor", "ReverseV2"}
LARGE, SMALL, SPREAD = 10.0, 1e-3, 1e3


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per input."""
    for name, parts in evidence.inputs.items():
        text = _scale_problem(parts)
        if text and _reaches_weights(evidence, name):
            std, mean = median(part.std for part in parts), median(part.mean for part in parts)
            yield Finding(
                Severity.WARNING,
                f"input {name} {text}",
                {"mean": mean, "std": std, "lowest": min(part.low for part in parts),
                 "highest": max(part.high for part in parts)},
                "initial weights and learning rates assume inputs of scale 1; otherwise the first"
                " layers saturate, diverge or stop learning",
                "subtract the mean and divide by the standard deviation of each feature; divide"
                " images by 255",
                place=evidence.place(name),
            )  # fmt: skip


def _scale_problem(parts: list[BatchPart]) -> str:
    std, mean = median(part.std for part in parts), median(part.mean for part in parts)
    low, high = min(part.low for part in parts), max(part.high for part in parts)
    if std > LARGE or abs(mean) > LARGE:
        return f"is not normalized: {low:.3g} … {high:.3g}, mean {mean:.3g}, std {std:.3g}"
    if 0 < std < SMALL and max(abs(low), abs(high)) < SMALL * LARGE:
        return f"is nearly 0: {low:.3g} … {high:.3g}, std {std:.3g}"
    least, most = median(p.least_std for p in parts), median(p.most_std for p in parts)
    if least and most > 1 and most / least > SPREAD and parts[0].examples > 8:
        return f"has features of very different scales: std {least:.2g} … {most:.2g}"
    return ""


def _reaches_weights(evidence: Evidence, name: str) -> bool:
    """Whether an input reaches an op with weights unscaled."""
    graph = evidence.graph
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
            if op.type in PASS_THROUGH_OPS | MOVING_OPS:
                waiting += [r for r in (TensorRef(op.name),) if r not in known]
    return False
