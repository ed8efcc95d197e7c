"""The batch axis is lost or mixed with other axes before the output.

Checks the first axis of each output and every Reshape on the path to it.
Threshold: an op merges the batch with another axis, and the first axis of the output is not the
batch alone. Or a Reshape on the path splits the batch axis, or is used where a transpose of batch
and time is meant. Or the number of output rows differs from the number of examples. Error.
Background: a Reshape whose -1 absorbs a wrong size; no published checker covers this.
Not reported: if the axes are merged and split again before the output, as in TimeDistributed. If
the output has one row per label. If the step chooses rows of the output, as in networks on one
graph, or the output does not depend on the batch.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.sizes.dangers import Danger, DangerKind
from resnet_inspect.analysis.sizes.meanings import BATCH
from resnet_inspect.commands import Command
from resnet_inspect.graph import AxisRef, Objective, TensorRef

WHY = "the predictions for one example are compared with the labels of another"
CHOOSING_ROWS = frozenset(("GatherV2", "GatherNd", "ResourceGather", "StridedSlice", "Slice",
                           "Split", "SplitV", "Unpack", "DynamicPartition", "Where",
                           "UnsortedSegmentSum", "SegmentSum", "SegmentMean"))  # fmt: skip
FIX = (
    "write every size except the batch in each Reshape, and use -1 for the batch only; the written"
    " sizes must multiply to the size of one example"
)


def find(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per output, or one for a network that failed to build."""
    mixed = [danger for danger in evidence.dangers if danger.kind is DangerKind.MIXED]
    if evidence.failure is not None and mixed:
        yield _of_danger(evidence, mixed[0], mixed[0].text)
        return
    if not evidence.objectives:
        yield from _exchanged(evidence)
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
        if text and mixed:
            yield _of_danger(evidence, mixed[0], text)
        elif text:
            name = evidence.name_of(objective.output)
            place, command = evidence.place(name), Command("why", (name,))
            yield Finding(
                Severity.ERROR, f"{name}: {text}", {}, WHY, FIX, place=place, command=command
            )


def _exchanged(evidence: Evidence) -> Iterator[Finding]:
    """Yield one finding per line whose Reshape takes the place of a transpose.

    Other Reshapes are judged with the rows of a known output.
    """
    lines: set[str] = set()
    for danger in evidence.dangers:
        line = str(danger.source or danger.op)
        if danger.order and line not in lines:
            lines.add(line)
            yield _of_danger(evidence, danger, danger.text)


def _of_danger(evidence: Evidence, danger: Danger, text: str) -> Finding:
    return Finding(
        Severity.ERROR,
        f"{danger.layer}: {text}",
        {"source": str(danger.source)} if danger.source is not None else {},
        WHY,
        _fix(danger),
        place=evidence.place(danger.layer),
        command=Command("why", (danger.layer,)),
    )


def _fix(danger: Danger) -> str:
    if not danger.order:
        return FIX
    line = f", {danger.source}" if danger.source is not None else ""
    return f"use a transpose with the order {list(danger.order)} instead of the Reshape{line}"


def _chosen(evidence: Evidence, output: TensorRef) -> bool:
    """Whether rows of an output are chosen later, or the output does not depend on the batch."""
    names = {ref.op for name, ref in evidence.graph.inputs.items() if name in evidence.inputs}
    if names.isdisjoint(evidence.upstream([output.op])):
        return True
    rows = (evidence.graph.spec(output).shape or (None,))[0]
    waiting, reached = [output], {output}
    while waiting:
        for name in evidence.graph.consumers.get(waiting.pop(), ()):
            user = evidence.graph.op_by_name[name]
            after = user.outputs[0].shape if user.outputs else None
            kept = bool(after) and (after or (None,))[0] == rows
            if user.type in CHOOSING_ROWS and (not kept or rows is None):
                return True
            if kept and TensorRef(name) not in reached:
                reached.add(TensorRef(name))
                waiting.append(TensorRef(name))
    return False


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
        if rows not in first and not _chosen(evidence, objective.output):
            return f"the output has {rows} rows for {counts[0]} examples"
    return ""
