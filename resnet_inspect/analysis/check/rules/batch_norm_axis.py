"""Batch normalization keeps an axis other than the channels.

Checks which axis each batch normalization keeps.
Threshold: the kept axis is height, width or time, according to the traced sizes. Or a Keras layer
keeps an axis that is not the last one while convolutions use channels last. Error.
Background: code written for the other image layout (NCHW); no published checker covers this.
Not reported: in models with channels first.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Measured, Severity
from resnet_inspect.analysis.sizes.dangers import DangerKind
from resnet_inspect.commands import Command


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding for all affected layers, placed at the first."""
    wrong = dict(_wrong_axes(evidence))
    if not wrong:
        return
    layer, (text, measured) = next(iter(wrong.items()))
    others = len(wrong) - 1
    more = f" (and {others} more layer{'s' * (others != 1)})" if others else ""
    yield Finding(
        Severity.ERROR,
        f"{layer}: {text}{more}",
        {"layers": ", ".join(wrong), **measured},
        "each row or column of an image is normalized separately, channels are not; the learned"
        " scales belong to positions",
        "set axis=-1 if the channels are the last axis (NHWC)",
        place=evidence.place(layer),
        command=Command("why", (layer,)),
    )


def _wrong_axes(evidence: Evidence) -> Iterator[tuple[str, tuple[str, dict[str, Measured]]]]:
    for danger in evidence.dangers:
        if danger.kind is DangerKind.NORMALIZED:
            yield danger.layer, (danger.text, {})
    last = any(
        op.attrs.get("data_format") == "NHWC" for op in evidence.forward_ops if "Conv" in op.type
    )
    for layer in evidence.graph.layers:
        axis = layer.settings.get("axis")
        shape = evidence.graph.spec(layer.output).shape or ()
        if not (layer.normalizes and last and isinstance(axis, int)) or len(shape) < 3:
            continue
        if axis % len(shape) != len(shape) - 1:
            yield (
                layer.name,
                (
                    f"batch normalization has axis={axis}, but channels are axis {len(shape) - 1}",
                    {"axis": axis},
                ),
            )
