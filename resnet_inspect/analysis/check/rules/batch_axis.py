"""The batch axis is lost or mixed with other axes before the output.

Checks the first axis of each output and every Reshape on the path to it.
Threshold: an op merges the batch with another axis, and the first axis of the output is not the
batch alone. Or a Reshape on the path splits the batch axis. Or the number of output rows differs
from the number of examples. Error.
Background: a Reshape whose -1 absorbs a wrong size; no published checker covers this.
Not reported: if the axes are merged and split again before the output, as in TimeDistributed, if
the output has one row per label, and if it does not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.sizes.dangers import DangerKind
from resnet_inspect.analysis.sizes.meanings import BATCH
from resnet_inspect.commands import Command
from resnet_inspect.graph import AxisRef, Objective

WHY = "the predictions for one example are compared with the labels of another"
FIX = (
    "write every size except the batch in each Reshape, and use -1 for the batch only; the written"
    " sizes must multiply to the size of one example"
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output, or one for a network that failed to build."""
    mixed = [danger for danger in evidence.dangers if danger.kind is DangerKind.MIXED]
    if evidence.failure is not None and mixed:
        yield Finding(
            Severity.ERROR,
            f"{mixed[0].layer}: {mixed[0].text}",
            {"source": str(mixed[0].source or "")},
            WHY,
            FIX,
            place=evidence.place(mixed[0].layer),
            command=Command("why", (mixed[0].layer,)),
        )
        return
    for objective in evidence.objectives:
        text = (
            _row_mismatch(evidence, objective)
            or (mixed and _mixed_batch(evidence, objective))
            or ""
        )
        on_path = evidence.upstream(evidence.output_ops)
        cut = [danger for danger in evidence.dangers if danger.op in on_path and danger.cut]
        if not text and cut:
            mixed, text = cut, cut[0].cut
        if text:
            layer = mixed[0].layer if mixed else evidence.name_of(objective.output)
            yield Finding(
                Severity.ERROR,
                f"{layer}: {text}",
                {},
                WHY,
                FIX,
                place=evidence.place(layer),
                command=Command("why", (layer,)),
            )


def _mixed_batch(evidence: Evidence, objective: Objective) -> str:
    if objective.output is None or not evidence.graph.spec(objective.output).shape:
        return ""
    meaning = evidence.meanings.of(AxisRef(objective.output, 0))
    if BATCH in meaning.names and len(set(meaning.names)) > 1:
        return f"axis 0 of the output is {meaning}; expected the batch alone"
    return ""


def _row_mismatch(evidence: Evidence, objective: Objective) -> str:
    """Describe an output whose number of rows differs from the examples of the batch."""
    if objective.output is None or objective.output.op not in evidence.graph.op_by_name:
        return ""
    given = {ref.op for ref in evidence.graph.inputs.values()}
    if given and given.isdisjoint(evidence.upstream([objective.output.op])):
        return ""  # rows of tensors from outside of the step, such as the nodes of a graph
    shape = evidence.graph.spec(objective.output).shape or ()
    tap = evidence.tap_of.get((str(objective.output), "activation"))
    counts = [part.examples for parts in evidence.inputs.values() for part in parts[-1:]]
    if (
        tap is None
        or tap not in evidence.sizes
        or len(shape) < 2
        or None in shape[1:]
        or not counts
    ):
        return ""
    each = 1
    for size in shape[1:]:
        each *= size or 1
    rows = evidence.sizes[tap] // max(each, 1)
    labels = evidence.parts(objective.labels)
    if labels and rows == labels[-1].examples * labels[-1].features:
        return ""  # one prediction per position: the loss flattens both
    if (
        rows != counts[0]
        and len(set(counts)) == 1
        and len(evidence.batches) == len(evidence.recorded)
    ):
        first = {part.examples for parts in evidence.inputs.values() for part in parts}
        if rows not in first:
            return f"the output has {rows} rows for {counts[0]} examples"
    return ""
