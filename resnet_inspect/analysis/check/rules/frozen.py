"""Layers are frozen.

Counts the layers with weights and `trainable=False`.
Threshold: one such layer. Info: freezing is legitimate, but the wrong layers may be frozen.
Background: fine-tuning.
Not reported: for layers without weights.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for all frozen layers."""
    with_weights = [layer for layer in evidence.graph.layers if layer.variables]
    frozen = [layer.name for layer in with_weights if layer.settings.get("trainable") is False]
    if not frozen:
        return
    among = len(with_weights)
    yield Finding(
        Severity.INFO,
        f"{len(frozen)} of {among} layers with weights are frozen: {frozen[0]} … {frozen[-1]}",
        {"frozen": len(frozen), "layers": among},
        "frozen weights keep their initial or loaded values",
        "set trainable=True for the layers that must learn",
        place=evidence.place(frozen[0]),
    )
