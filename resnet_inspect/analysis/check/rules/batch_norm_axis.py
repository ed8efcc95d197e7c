"""Batch normalization over an axis that is not that of the channels.

Source: code for the other layout of pictures; no published checker has it.
Threshold: the axis that the normalization keeps means height, width or time where sizes were
followed; for a Keras layer, an axis that is not the last one while convolutions beside it keep
channels last. Silent: where channels come first.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.analysis.sizes.dangers import DangerKind
from resnet_inspect.commands import Command


def find(seen: Evidence) -> Iterator[Finding]:
    """One for all of them, at the first."""
    wrong = dict(_wrong(seen))
    if not wrong:
        return
    layer, (text, evidence) = next(iter(wrong.items()))
    yield Finding(
        Severity.ERROR,
        f"{layer}: {text}" + (f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""),
        {"layers": ", ".join(wrong), **evidence},
        "rows or columns of a picture are normalized apart, channels are not; the scales it learns"
        " belong to places",
        "axis=-1 where channels come last (NHWC)",
        place=seen.place(layer),
        command=Command("why", (layer,)),
    )


def _wrong(seen: Evidence) -> Iterator[tuple[str, tuple[str, dict[str, Measured]]]]:
    for danger in seen.dangers:
        if danger.kind is DangerKind.NORMALIZED:
            yield danger.layer, (danger.text, {})
    last = any(op.attrs.get("data_format") == "NHWC" for op in seen.forward if "Conv" in op.type)
    for layer in seen.graph.layers:
        axis = layer.settings.get("axis")
        shape = seen.graph.spec(layer.output).shape or ()
        if not (layer.normalizes and last and isinstance(axis, int)) or len(shape) < 3:
            continue
        if axis % len(shape) != len(shape) - 1:
            yield layer.name, (f"it keeps axis {axis} of {len(shape)}", {"axis": axis})
