"""A mean over channels and one spatial axis, with the other left.

Source: `reduce_mean(x, [2, 3])`, left over from NCHW; no published checker has it.
Threshold: a reduction removes the channel and one of height, width, and keeps the other one.
Silent: for normalizations, and for means over channels alone, as in attention to places.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity

SPATIAL = ("height", "width")


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each layer."""
    for danger in seen.dangers:
        removed = danger.text.partition(" runs over ")[2]
        if danger.kind == "reduced" and any(one in removed for one in SPATIAL):
            if all(one in removed for one in SPATIAL) or "Norm" in danger.layer:
                continue
            yield Finding(
                Severity.ERROR,
                f"{danger.layer}: {danger.text}",
                {"source": str(danger.source or "")},
                "what is left has an entry for each row of the picture instead of each channel",
                "with channels last the mean of a picture is over axes 1 and 2",
                layer=danger.layer,
                command=f"resnet-inspect why '{danger.layer}'",
            )
