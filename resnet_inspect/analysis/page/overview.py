"""The facts of one run, as the answer page shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from resnet_inspect.analysis.costs.macs import uncounted_notes
from resnet_inspect.analysis.page.failure import FailureFacts
from resnet_inspect.analysis.sizes.dangers import Danger, dangers, unjudged
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.analysis.sizes.shapes import Depth, Totals, loose_variables, shapes
from resnet_inspect.analysis.sizes.sharing import SharedVariable, shared_variables
from resnet_inspect.analysis.sizes.why import Explanation, reshapes
from resnet_inspect.graph import Graph, Note, Phase
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.graph.tensors import Shape
from resnet_inspect.stats import relative_updates

if TYPE_CHECKING:
    from resnet_inspect.analysis.check import Finding
    from resnet_inspect.stats import ChannelActivity, Origin, TensorSummary, Update


class FlowStep(msgspec.Struct, frozen=True):
    """Consecutive layers with the same output shape, from layer `first` to layer `last`."""

    first: str
    last: str
    layers: int
    shape: Shape


class BlockOutput(msgspec.Struct, frozen=True):
    """Distribution of a block's output.

    It is the output of its last layer `layer`, or with `own` another output of the block itself.
    `relu_zeros` is the share of zeros in all ReLU outputs of the block, None without a ReLU.
    """

    block: str
    layer: str
    summary: TensorSummary
    relu_zeros: float | None
    own: bool = False


class BlockLearning(msgspec.Struct, frozen=True):
    """Gradient of a block's output, updates of its weights, dead channels.

    Attributes:
        layer: the last layer of the block.
        own: whether the gradient is that of another output of the block itself.
        ratio: median relative update ‖Δw‖/‖w‖ of the block's kernels, which are variables with
            more than one axis. None without a kernel.
        dead: how many channels of the block's ReLUs were never above 0 at recorded steps.
        channels: how many channels these ReLUs have.
    """

    block: str
    layer: str
    gradient: TensorSummary | None
    ratio: float | None
    dead: int
    channels: int
    own: bool = False


class RecordedTensors(NamedTuple):
    """Recorded summaries of tensors, by name of the layer or variable.

    `activations`, `gradients` and `updates` are those of `step`, the last recorded step.
    `activity` covers all recorded steps.
    """

    step: int | None = None
    activations: Mapping[str, TensorSummary] = MappingProxyType({})
    gradients: Mapping[str, TensorSummary] = MappingProxyType({})
    updates: Mapping[str, Update] = MappingProxyType({})
    activity: Mapping[str, ChannelActivity] = MappingProxyType({})
    origin: Origin | None = None


class ScalarCourse(msgspec.Struct, frozen=True):
    """Values of a scalar, in order of steps."""

    name: str
    values: tuple[float, ...]


class Overview(msgspec.Struct, frozen=True):
    """The facts of one run.

    Attributes:
        ops: number of ops by phase.
        flow: shapes from the input to the output.
        origins: explanations of sizes that Reshape layers set.
        dangers: probable mistakes with axes that no rule judges.
        failure: the error that ended the run and its explanation; None without one.
        step: the step of `blocks` and `learning`.
        origin: where values first became not finite.
        findings: the findings of `check`, worst first.
    """

    layers: int
    ops: dict[Phase, int]
    totals: Totals
    flow: tuple[FlowStep, ...]
    origins: tuple[Explanation, ...]
    dangers: tuple[Danger, ...]
    failure: FailureFacts | None
    notes: tuple[Note, ...]
    step: int | None
    blocks: tuple[BlockOutput, ...]
    learning: tuple[BlockLearning, ...]
    origin: Origin | None
    scalars: tuple[ScalarCourse, ...]
    shared: tuple[SharedVariable, ...]
    findings: tuple[Finding, ...] = ()


def overview(
    graph: Graph,
    lineage: Lineage,
    recorded: RecordedTensors,
    scalars: Mapping[str, Mapping[int, float]],
    meanings: Meanings | None = None,
    findings: tuple[Finding, ...] = (),
    shown: Graph | None = None,
    failure: FailureFacts | None = None,
) -> Overview:
    """Return the facts of a run.

    `meanings` of its axes are computed if they are not passed. `shown` is the graph with measured
    sizes, `failure` the error that ended the run.
    """
    shown = shown or graph
    totals = shapes(shown, Depth.LAYER).totals
    return Overview(
        layers=len(graph.layers),
        ops=dict(Counter(op.phase for op in graph.ops)),
        totals=totals,
        flow=shape_flow(shown),
        origins=reshapes(graph, lineage),
        dangers=unjudged(graph, dangers(graph, lineage, meanings or Meanings(graph, lineage))),
        failure=failure,
        notes=(
            *graph.notes,
            *_loose(graph),
            *uncounted_notes(totals.uncounted),
            *_untraced(graph, lineage),
        ),
        step=recorded.step,
        blocks=_block_outputs(graph, recorded.activations),
        learning=_block_learning(graph, recorded),
        origin=recorded.origin,
        scalars=tuple(
            ScalarCourse(name, tuple(values.values())) for name, values in scalars.items()
        ),
        shared=shared_variables(graph),
        findings=findings,
    )


def _untraced(graph: Graph, lineage: Lineage) -> tuple[Note, ...]:
    """Return a note on forward ops whose sizes were not traced. Paths to origins end there."""
    ops = graph.op_by_name
    names = dict.fromkeys(key.partition(":")[0] for key in lineage.untraced)
    forward = [name for name in names if name in ops and ops[name].phase is Phase.FORWARD]
    if not forward:
        return ()
    named = ", ".join(forward[:3]) + (", …" if len(forward) > 3 else "")
    text = f"size origins not traced through {len(forward)} ops: {named}"
    return (Note("lineage", text),)


def _loose(graph: Graph) -> tuple[Note, ...]:
    """Return a note on parameters that only the totals include."""
    loose = loose_variables(graph)
    if not loose:
        return ()
    count = sum(variable.spec.elements or 0 for variable in loose)
    names = ", ".join(variable.name for variable in loose[:3]) + ", …" * (len(loose) > 3)
    return (Note("parameters", f"{count:,} are outside all called layers: {names}"),)


def shape_flow(graph: Graph) -> tuple[FlowStep, ...]:
    """Return the shapes from the network's input to its output. The input is the first step."""
    if not graph.layers or not graph.layers[0].inputs:
        return ()
    entry = graph.layers[0].inputs[0]
    name = {ref: name for name, ref in graph.entries.items()}.get(entry, entry.op)
    flow = [FlowStep(name, name, 0, graph.spec(entry).shape)]
    for shape, run in groupby(graph.layers, key=lambda layer: graph.spec(layer.output).shape):
        members = list(run)
        flow.append(FlowStep(members[0].name, members[-1].name, len(members), shape))
    return tuple(flow)


def shown_layers(graph: Graph) -> list[str]:
    """Return the names whose summaries an overview needs: ReLUs, last layers of blocks, groups."""
    names = [group.name for group in graph.groups]
    for _, run in groupby(graph.layers, key=lambda layer: layer.group(2)):
        members = list(run)
        names += [layer.name for layer in members if layer.rectifies or layer is members[-1]]
    return names


def _block_outputs(graph: Graph, summaries: Mapping[str, TensorSummary]) -> tuple[BlockOutput, ...]:
    rows = []
    for path, run in groupby(graph.layers, key=lambda layer: layer.group(2)):
        members = list(run)
        last, group = members[-1].name, "/".join(path)
        own = group in summaries and path in graph.group_by_path
        if own or last in summaries:
            relus = [summaries[m.name] for m in members if m.rectifies and m.name in summaries]
            count = sum(summary.count for summary in relus)
            share = sum(summary.zeros for summary in relus) / count if count else None
            summary = summaries[group if own else last]
            rows.append(BlockOutput(path[-1], last, summary, share, own))
    return tuple(rows)


def _block_learning(graph: Graph, recorded: RecordedTensors) -> tuple[BlockLearning, ...]:
    updates, activity = recorded.updates, recorded.activity
    rows = []
    for path, run in groupby(graph.layers, key=lambda layer: layer.group(2)):
        members = list(run)
        kernels = [
            name
            for layer in members
            for name in layer.variables
            if len(graph.variable_by_name[name].spec.shape or ()) > 1
        ]
        ratios = relative_updates(updates[name] for name in kernels if name in updates)
        relus = [activity[layer.name] for layer in members if layer.name in activity]
        group = "/".join(path)
        own = group in recorded.gradients and path in graph.group_by_path
        gradient = recorded.gradients.get(group if own else members[-1].name)
        if gradient is not None or ratios or relus:
            rows.append(
                BlockLearning(
                    block=path[-1],
                    layer=members[-1].name,
                    gradient=gradient,
                    ratio=median(ratios) if ratios else None,
                    dead=sum(int(relu.dead.sum()) for relu in relus),
                    channels=sum(len(relu.dead) for relu in relus),
                    own=own,
                )
            )
    return tuple(rows)
