"""A mean over channels and one spatial axis, with the other left; or over features alone.

Source: `reduce_mean(x, [2, 3])`, left over from NCHW; no published checker has it.
Threshold: a reduction removes the channel and one of height, width, and keeps the other one; or
learned features, the last axis, are reduced away, all that leads to an output comes through there,
and a dense layer takes the places that are left.
Silent: for normalizations, and for means over channels beside which other ways lead on, as in
attention to places.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import PASSING, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.sizes.dangers import DangerKind, reduced_axes
from resnet_inspect.commands import Command
from resnet_inspect.graph import Op, Phase, TensorRef

SPATIAL = ("height", "width")


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each layer; the first mean over features alone."""
    yield from _of_channels(seen)
    yield from _of_features(seen)


def _of_channels(seen: Evidence) -> Iterator[Finding]:
    for danger in seen.dangers:
        spatial = [one for one in SPATIAL if one in danger.axes]
        if danger.kind is DangerKind.REDUCED and len(spatial) == 1 and "Norm" not in danger.layer:
            yield Finding(
                Severity.ERROR,
                f"{danger.layer}: {danger.text}",
                {"source": str(danger.source or "")},
                "what is left has an entry for each row of the picture instead of each channel",
                "with channels last the mean of a picture is over axes 1 and 2",
                place=seen.place(danger.layer),
                command=Command("why", (danger.layer,)),
            )


def _of_features(seen: Evidence) -> Iterator[Finding]:
    trained = {name for one in seen.graph.variables if one.trainable for name in one.readers}
    for op in seen.forward:
        gone = reduced_axes(op, seen.lineage, seen.graph)
        rank = len(seen.graph.spec(op.inputs[0]).shape or ()) if gone else 0
        if rank < 3 or gone != [rank - 1] or not _taken_by_dense(seen, op):
            continue
        if seen.graph.op_by_name[op.inputs[0].op].type == "Reshape":
            continue  # groups of features, as maxout makes them
        if not trained & seen.before([op.name]):
            continue
        around = seen.before(seen.outputs, op.__eq__)
        if op.name in around and not around & seen.sources:
            layer = seen.graph.layer_of_op.get(op.name)
            name = layer.name if layer is not None else op.name
            taken = seen.meanings.spell(op.inputs[0])
            yield Finding(
                Severity.WARNING,
                f"{name}: {op.type} over axis {rank - 1} of {taken} leaves one number for each"
                " place, and a dense layer takes the places for features",
                {"source": str(op.source[0]) if op.source else ""},
                "what layers before it learned to tell apart is added up",
                f"the mean over places: axis 1{' and 2' * (rank == 4)}, with features last",
                place=seen.place(name),
                command=Command("why", (name,)),
            )
            return


def _taken_by_dense(seen: Evidence, op: Op) -> bool:
    """Whether a MatMul takes what an op made, perhaps flattened."""
    waiting = [TensorRef(op.name)]
    while waiting:
        for name in seen.graph.consumers.get(waiting.pop(), ()):
            user = seen.graph.op_by_name[name]
            if user.type == "MatMul" and user.phase is Phase.FORWARD:
                return True
            if user.type in PASSING:
                waiting.append(TensorRef(name))
    return False
