"""Layers with weights that are not trained, on purpose.

Source: fine-tuning. Threshold: any. Only a hint: what is frozen is nothing wrong, but what one
thinks is frozen may not be.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them."""
    frozen = [one.name for one in seen.graph.layers if one.settings.get("trainable") is False
              and one.variables]  # fmt: skip
    if not frozen:
        return
    among = sum(1 for one in seen.graph.layers if one.variables)
    yield Finding(
        Severity.INFO,
        f"{len(frozen)} of {among} layers with weights are frozen: {frozen[0]} … {frozen[-1]}",
        {"frozen": len(frozen), "layers": among},
        "they keep what they were given",
        "set trainable to True for those that are to learn",
        place=seen.place(frozen[0]),
    )
