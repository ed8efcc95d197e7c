"""A batch that is lost, or mixed with other axes, on the way to the output.

Source: a Reshape whose size absorbs a mistake; no published checker has it.
Threshold: the first axis of an output does not mean the batch alone, after an op that mixed it; a
Reshape on the way there cuts through the batch; or an output has another number of rows than there
were examples.
Silent: where axes are merged and parted again before the output, as TimeDistributed does, and where
there is a row for each single label.
"""

from __future__ import annotations

from collections.abc import Iterator

from resnet_inspect.analysis.check.evidence import Evidence
from resnet_inspect.analysis.check.finding import Finding, Severity
from resnet_inspect.analysis.sizes.dangers import DangerKind
from resnet_inspect.analysis.sizes.meanings import BATCH
from resnet_inspect.commands import Command
from resnet_inspect.graph import AxisRef, Objective

WHY = "answers of one example are judged by the labels of another"
FIX = (
    "name every size but the batch in a Reshape, and see that they multiply to what one example"
    " has; the batch is what -1 stands for"
)


def find(seen: Evidence) -> Iterator[Finding]:
    """One for each output, and one for a network that could not be built because of it."""
    mixed = [one for one in seen.dangers if one.kind is DangerKind.MIXED]
    if seen.failure is not None and mixed:
        yield Finding(
            Severity.ERROR,
            f"{mixed[0].layer}: {mixed[0].text}",
            {"source": str(mixed[0].source or "")},
            WHY,
            FIX,
            place=seen.place(mixed[0].layer),
            command=Command("why", (mixed[0].layer,)),
        )
        return
    for objective in seen.objectives:
        text = _lost(seen, objective) or (mixed and _mixed(seen, objective)) or ""
        way = seen.before(seen.outputs)
        cut = [one for one in seen.dangers if one.op in way and one.cut]
        if not text and cut:
            mixed, text = cut, cut[0].cut
        if text:
            layer = mixed[0].layer if mixed else seen.name_of(objective.output)
            yield Finding(Severity.ERROR, f"{layer}: {text}", {}, WHY, FIX, place=seen.place(layer),
                          command=Command("why", (layer,)))  # fmt: skip


def _mixed(seen: Evidence, objective: Objective) -> str:
    if objective.output is None or not seen.graph.spec(objective.output).shape:
        return ""
    meaning = seen.meanings.of(AxisRef(objective.output, 0))
    if BATCH in meaning.names and len(set(meaning.names)) > 1:
        return f"the first axis of the output is {meaning}, not the batch alone"
    return ""


def _lost(seen: Evidence, objective: Objective) -> str:
    """Rows of the output against examples of the batch."""
    if objective.output is None or objective.output.op not in seen.graph.op_by_name:
        return ""
    shape = seen.graph.spec(objective.output).shape or ()
    tap = seen.tap_of.get((str(objective.output), "activation"))
    counts = [part.examples for parts in seen.inputs.values() for part in parts[-1:]]
    if tap is None or tap not in seen.sizes or len(shape) < 2 or None in shape[1:] or not counts:
        return ""
    each = 1
    for size in shape[1:]:
        each *= size or 1
    rows = seen.sizes[tap] // max(each, 1)
    labels = seen.parts(objective.labels)
    if labels and rows == labels[-1].examples * labels[-1].features:
        return ""  # an answer for each place: the loss flattens both
    if rows != counts[0] and len(set(counts)) == 1 and len(seen.batches) == len(seen.recorded):
        first = {part.examples for parts in seen.inputs.values() for part in parts}
        if rows not in first:
            return f"the output has {rows} rows, the batch {counts[0]} examples"
    return ""
