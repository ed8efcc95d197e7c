"""What a run amounts to: the content of the answer page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import groupby
from statistics import median
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from resnet_inspect.analysis.sizes.dangers import Danger, dangers, unjudged
from resnet_inspect.analysis.sizes.disagreement import Postmortem, postmortem
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.analysis.sizes.shapes import Depth, Totals, loose_variables, shapes
from resnet_inspect.analysis.sizes.sharing import Shared, shared_variables
from resnet_inspect.analysis.sizes.why import Explanation, reshapes
from resnet_inspect.graph import Graph, Note, Phase
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.graph.tensors import Shape
from resnet_inspect.stats import relative_updates

if TYPE_CHECKING:
    from resnet_inspect.analysis.check import Finding
    from resnet_inspect.stats import ChannelActivity, Origin, TensorSummary, Update


class FlowStep(msgspec.Struct, frozen=True):
    """Layers in a row whose outputs have one shape: from layer `first` to layer `last`."""

    first: str
    last: str
    layers: int
    shape: Shape


class BlockOutput(msgspec.Struct, frozen=True):
    """What the output of a block held: `layer` is the block's last layer.

    `relu_zeros` is the share of zeros among all outputs of the block's ReLUs, None without one.
    """

    block: str
    layer: str
    summary: TensorSummary
    relu_zeros: float | None


class BlockLearning(msgspec.Struct, frozen=True):
    """How a block learned: the gradient of its output, the updates of its weights, dead channels.

    `ratio` is the median of ‖Δw‖/‖w‖ over its kernels (variables of more than one axis), None
    without one; `dead` of the `channels` of its ReLUs were never above 0 at any recorded step.
    """

    block: str
    layer: str
    gradient: TensorSummary | None
    ratio: float | None
    dead: int
    channels: int


class Held(NamedTuple):
    """What a run recorded of its tensors: of layers by name, of variables by name.

    `activations` and `gradients` at `step`, the last that was recorded, `updates` too;
    `activity` over all recorded steps.
    """

    step: int | None = None
    activations: Mapping[str, TensorSummary] = MappingProxyType({})
    gradients: Mapping[str, TensorSummary] = MappingProxyType({})
    updates: Mapping[str, Update] = MappingProxyType({})
    activity: Mapping[str, ChannelActivity] = MappingProxyType({})
    origin: Origin | None = None


class ScalarCourse(msgspec.Struct, frozen=True):
    """A scalar's values over the steps, in order."""

    name: str
    values: tuple[float, ...]


class Overview(msgspec.Struct, frozen=True):
    """The facts of one run. `ops` counts ops by phase, `step` is the step `blocks` are from;
    `findings` are what `check` found, worst first; `dangers` are of kinds that no rule judges.
    """

    layers: int
    ops: dict[Phase, int]
    totals: Totals
    flow: tuple[FlowStep, ...]
    origins: tuple[Explanation, ...]
    dangers: tuple[Danger, ...]
    postmortem: Postmortem | None
    notes: tuple[Note, ...]
    step: int | None
    blocks: tuple[BlockOutput, ...]
    learning: tuple[BlockLearning, ...]
    origin: Origin | None
    scalars: tuple[ScalarCourse, ...]
    shared: tuple[Shared, ...]
    findings: tuple[Finding, ...] = ()


def overview(
    graph: Graph,
    lineage: Lineage,
    held: Held,
    scalars: Mapping[str, Mapping[int, float]],
    meanings: Meanings | None = None,
    findings: tuple[Finding, ...] = (),
) -> Overview:
    """Draw a run together; `meanings` of its axes are worked out if they are not given, `findings`
    are taken as they are.
    """
    return Overview(
        layers=len(graph.layers),
        ops=dict(Counter(op.phase for op in graph.ops)),
        totals=shapes(graph, Depth.LAYER).totals,
        flow=shape_flow(graph),
        origins=reshapes(graph, lineage),
        dangers=unjudged(graph, dangers(graph, lineage, meanings or Meanings(graph, lineage))),
        postmortem=postmortem(graph, lineage),
        notes=(*graph.notes, *_loose(graph), *_opaque(lineage)),
        step=held.step,
        blocks=_block_outputs(graph, held.activations),
        learning=_block_learning(graph, held),
        origin=held.origin,
        scalars=tuple(
            ScalarCourse(name, tuple(values.values())) for name, values in scalars.items()
        ),
        shared=shared_variables(graph),
        findings=findings,
    )


def _opaque(lineage: Lineage) -> tuple[Note, ...]:
    """Ops whose shape function told nothing: chains end there."""
    if not lineage.opaque:
        return ()
    named = ", ".join(lineage.opaque[:3]) + (", …" if len(lineage.opaque) > 3 else "")
    text = f"sizes could not be followed through {len(lineage.opaque)} ops: {named}"
    return (Note("lineage", text),)


def _loose(graph: Graph) -> tuple[Note, ...]:
    """Parameters that the totals hold and no row does."""
    loose = loose_variables(graph)
    if not loose:
        return ()
    count = sum(variable.spec.elements or 0 for variable in loose)
    names = ", ".join(variable.name for variable in loose[:3]) + ", …" * (len(loose) > 3)
    return (Note("parameters", f"{count:,} lie in no layer that was called: {names}"),)


def shape_flow(graph: Graph) -> tuple[FlowStep, ...]:
    """How the shape changes from the network's input to its output; the input comes first."""
    if not graph.layers or not graph.layers[0].inputs:
        return ()
    entry = graph.layers[0].inputs[0]
    flow = [FlowStep(entry.op, entry.op, 0, graph.spec(entry).shape)]
    for shape, run in groupby(graph.layers, key=lambda layer: graph.spec(layer.output).shape):
        members = list(run)
        flow.append(FlowStep(members[0].name, members[-1].name, len(members), shape))
    return tuple(flow)


def told_layers(graph: Graph) -> list[str]:
    """The layers of which an overview tells what they held: ReLUs, and the last of each block."""
    found = []
    for _, run in groupby(graph.layers, key=lambda layer: layer.group(2)):
        members = list(run)
        found += [one.name for one in members if one.rectifies or one is members[-1]]
    return found


def _block_outputs(graph: Graph, summaries: Mapping[str, TensorSummary]) -> tuple[BlockOutput, ...]:
    found = []
    for path, run in groupby(graph.layers, key=lambda layer: layer.group(2)):
        members = list(run)
        last = members[-1].name
        if last in summaries:
            relus = [summaries[m.name] for m in members if m.rectifies and m.name in summaries]
            count = sum(summary.count for summary in relus)
            share = sum(summary.zeros for summary in relus) / count if count else None
            found.append(BlockOutput(path[-1], last, summaries[last], share))
    return tuple(found)


def _block_learning(graph: Graph, held: Held) -> tuple[BlockLearning, ...]:
    found = []
    for path, run in groupby(graph.layers, key=lambda layer: layer.group(2)):
        members = list(run)
        kernels = [
            name
            for layer in members
            for name in layer.variables
            if len(graph.variable_by_name[name].spec.shape or ()) > 1
        ]
        known = relative_updates(held.updates[name] for name in kernels if name in held.updates)
        seen = [held.activity[layer.name] for layer in members if layer.name in held.activity]
        gradient = held.gradients.get(members[-1].name)
        if gradient is not None or known or seen:
            found.append(
                BlockLearning(
                    block=path[-1],
                    layer=members[-1].name,
                    gradient=gradient,
                    ratio=median(known) if known else None,
                    dead=sum(int(one.dead.sum()) for one in seen),
                    channels=sum(len(one.dead) for one in seen),
                )
            )
    return tuple(found)
