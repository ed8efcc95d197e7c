"""A reduction removes channels and one spatial axis, or features alone.

Checks which axes each mean, sum, maximum, minimum or product removes.
Threshold: a reduction removes the channels and one of height and width, and keeps the other one
(error). Or it removes learned features, the last axis, on every path to an output. A dense layer
then takes the remaining positions as features (warning).
Background: `reduce_mean(x, [2, 3])`, left over from NCHW; no published checker covers this.
Not reported: in normalizations, and for means over channels that other paths bypass, as in spatial
attention.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import PASS_THROUGH_OPS, Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.sizes.dangers import DangerKind, reduced_axes
from resnet_inspect.commands import Command
from resnet_inspect.graph import Op, Phase, TensorRef

SPATIAL = ("height", "width")


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per layer, and one for the first mean over features alone."""
    yield from _of_channels(evidence)
    yield from _of_features(evidence)


def _of_channels(evidence: Evidence) -> Iterator[Finding]:
    for danger in evidence.dangers:
        spatial = [axis for axis in SPATIAL if axis in danger.axes]
        if danger.kind is DangerKind.REDUCED and len(spatial) == 1 and "Norm" not in danger.layer:
            yield Finding(
                Severity.ERROR,
                f"{danger.layer}: {danger.text}",
                {"source": str(danger.source or "")},
                "the result has one value per image row or column instead of one per channel",
                "use axes 1 and 2 for the mean of a channels-last image",
                place=evidence.place(danger.layer),
                command=Command("why", (danger.layer,)),
            )


def _of_features(evidence: Evidence) -> Iterator[Finding]:
    trained = {
        name
        for variable in evidence.graph.variables
        if variable.trainable
        for name in variable.readers
    }
    for op in evidence.forward_ops:
        removed = reduced_axes(op, evidence.lineage, evidence.graph)
        rank = len(evidence.graph.spec(op.inputs[0]).shape or ()) if removed else 0
        if rank < 3 or removed != [rank - 1] or not _taken_by_dense(evidence, op):
            continue
        if evidence.graph.op_by_name[op.inputs[0].op].type == "Reshape":
            continue  # groups of features, as in maxout
        if not trained & evidence.upstream([op.name]):
            continue
        without = evidence.upstream(evidence.output_ops, op.__eq__)
        if op.name in without and not without & evidence.input_ops:
            layer = evidence.graph.layer_of_op.get(op.name)
            name = layer.name if layer is not None else op.name
            taken = evidence.meanings.spell(op.inputs[0])
            yield Finding(
                Severity.WARNING,
                f"{name}: {op.type} over axis {rank - 1} of {taken} leaves one value per position,"
                " which a dense layer takes as a feature",
                {"source": str(op.source[0]) if op.source else ""},
                "features that earlier layers learned are merged into one value",
                f"reduce over positions: axis 1{' and 2' * (rank == 4)}, with features last",
                place=evidence.place(name),
                command=Command("why", (name,)),
            )
            return


def _taken_by_dense(evidence: Evidence, op: Op) -> bool:
    """Whether a MatMul takes the output of an op, flattened or not."""
    waiting = [TensorRef(op.name)]
    while waiting:
        for name in evidence.graph.consumers.get(waiting.pop(), ()):
            user = evidence.graph.op_by_name[name]
            if user.type == "MatMul" and user.phase is Phase.FORWARD:
                return True
            if user.type in PASS_THROUGH_OPS:
                waiting.append(TensorRef(name))
    return False
