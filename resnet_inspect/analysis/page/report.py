"""Content of the report of a run, without the distributions of its tensors.

It is computed from the graph, the lineage and the overview. `render` formats it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.page.overview import Overview
from resnet_inspect.analysis.receptive.receptive_field import ReceptiveFields
from resnet_inspect.analysis.sizes.axes import Axes
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, ShapeTable, shapes_at_all_depths
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.graph import Graph, Layer, Note, Op, Source, TensorRef, Variable
from resnet_inspect.graph.lineage import Lineage


class Steps(msgspec.Struct, frozen=True):
    """Steps of a run: all that ran, those with recorded tensors, and scalars by step."""

    every: tuple[int, ...] = ()
    recorded: tuple[int, ...] = ()
    scalars: Mapping[str, Mapping[int, float]] = {}


class LayerReport(msgspec.Struct, frozen=True):
    """Facts about one layer.

    Attributes:
        row: its row of the shape table.
        axes: explanations of the sizes of its output.
        before: layers (or tensors) that are its inputs.
        after: layers that use its output.
        source: lines of the user's code that called it, innermost first.
        normalized: the layer that normalizes its output, or whose output it normalizes. Empty
            without one.
    """

    layer: Layer
    row: ShapeRow
    axes: tuple[Explanation, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    variables: tuple[Variable, ...]
    source: tuple[Source, ...]
    normalized: str


class OpReport(msgspec.Struct, frozen=True):
    """Facts about one op.

    Attributes:
        layer: the layer that contains it, empty without one.
        outputs: for each output explanations of its sizes, None where they are left out.
        meanings: for each output the meanings of its axes.
    """

    op: Op
    layer: str
    outputs: tuple[tuple[Explanation, ...] | None, ...]
    meanings: tuple[tuple[str, ...], ...]


class VariableReport(msgspec.Struct, frozen=True):
    """One variable and explanations of the sizes of its axes.

    `layer` is the first layer that uses it. For a slot of an optimizer it is the layer of the
    slot's variable. It is empty without one.
    """

    variable: Variable
    layer: str
    axes: tuple[Explanation, ...]


class Report(msgspec.Struct, frozen=True):
    """Everything in the report of a run.

    Attributes:
        tables: shape tables, coarsest first.
        inputs: names of the network's inputs, and their ops.
        missing: notes on what was not recorded, in addition to the notes of the overview.
        unexplained: how many axes have no explanation here because there are too many.
    """

    overview: Overview
    tables: tuple[ShapeTable, ...]
    layers: tuple[LayerReport, ...]
    ops: tuple[OpReport, ...]
    variables: tuple[VariableReport, ...]
    inputs: tuple[tuple[str, str], ...]
    steps: Steps
    missing: tuple[Note, ...]
    unexplained: int


def gather(
    graph: Graph,
    lineage: Lineage,
    overview: Overview,
    steps: Steps,
    series: Sequence[Series] = (),
    meanings: Meanings | None = None,
    shown: Graph | None = None,
) -> Report:
    """Return the content of a report.

    `series` are the recorded distributions. `meanings` of axes are computed if they are not passed.
    `shown` is the graph with measured sizes.
    """
    shown = shown or graph
    meanings = meanings or Meanings(graph, lineage)
    tables = shapes_at_all_depths(shown, meanings, ReceptiveFields(shown))
    rows = {row.name: row for table in tables if table.depth == Depth.LAYER for row in table.rows}
    makers = {str(layer.output): layer.name for layer in graph.layers}
    users: dict[str, list[str]] = {}
    for layer in graph.layers:
        for ref in layer.inputs:
            users.setdefault(str(ref), []).append(layer.name)
    pairs = _normalized(graph, makers)
    axes = Axes(graph, lineage, shown)
    return Report(
        overview=overview,
        tables=tables,
        layers=tuple(
            LayerReport(
                layer=layer,
                row=rows[layer.name],
                axes=axes.of_any(layer.output),
                before=tuple(makers.get(str(ref), str(ref)) for ref in layer.inputs),
                after=tuple(dict.fromkeys(users.get(str(layer.output), ()))),
                variables=tuple(graph.variable_by_name[name] for name in layer.variables),
                source=graph.op_by_name[layer.main].source,
                normalized=pairs.get(layer.name, ""),
            )
            for layer in graph.layers
        ),
        ops=tuple(_op(graph, op, axes, meanings) for op in shown.ops),
        variables=tuple(_variables(graph, axes)),
        inputs=tuple((name, ref.op) for name, ref in graph.inputs.items()),
        steps=steps,
        missing=tuple(unrecorded_notes(graph, lineage, steps, series)),
        unexplained=axes.left_out,
    )


def _op(graph: Graph, op: Op, axes: Axes, meanings: Meanings) -> OpReport:
    layer = graph.layer_of_op.get(op.name)
    refs = [TensorRef(op.name, index) for index in range(len(op.outputs))]
    outputs = tuple(axes.of(ref) for ref in refs)
    return OpReport(
        op=op,
        layer=layer.name if layer is not None else "",
        outputs=outputs,
        meanings=tuple(
            meanings.axes(ref) if explained else ()
            for ref, explained in zip(refs, outputs, strict=True)
        ),
    )


def _variables(graph: Graph, axes: Axes) -> Iterator[VariableReport]:
    owners: dict[str, str] = {}
    for layer in graph.layers:
        for name in layer.variables:
            owners.setdefault(name, layer.name)
    for variable in graph.variables:
        beside = owners.get(variable.name.rpartition("/")[0], "")
        layer_name = owners.get(variable.name, beside)
        yield VariableReport(variable, layer_name, axes.of_variable(variable.name))


def _normalized(graph: Graph, makers: Mapping[str, str]) -> dict[str, str]:
    """Return for each normalizing layer the layer it normalizes, and the reverse."""
    pairs: dict[str, str] = {}
    for layer in graph.layers:
        maker = makers.get(str(layer.inputs[0])) if layer.inputs else None
        if layer.normalizes and maker is not None:
            pairs[layer.name] = maker
            pairs.setdefault(maker, layer.name)
    return pairs


def unrecorded_notes(
    graph: Graph, lineage: Lineage, steps: Steps, series: Sequence[Series]
) -> list[Note]:
    """Return notes on what was not recorded, so that a missing result is not read as a good one."""
    notes = []
    if not graph.ops:
        notes.append(Note("graph", "not recorded: the run ended before the graph was built"))
    elif not lineage.links:
        notes.append(Note("lineage", "size origins were not recorded"))
    elif not lineage.variations:
        notes.append(Note("proof", "the network was not re-traced with changed settings"))
    if not steps.every:
        notes.append(Note("steps", "no step ran"))
    elif len(steps.recorded) < len(steps.every):
        text = f"tensors were recorded at {len(steps.recorded)} of {len(steps.every)} steps"
        notes.append(Note("steps", text))
    if steps.recorded:
        notes += _not_tapped(graph, series)
    return notes


def _not_tapped(graph: Graph, series: Sequence[Series]) -> list[Note]:
    taps = [recorded.tap for recorded in series]
    layers = {tap.layer for tap in taps if tap.kind == "activation" and tap.output}
    left_out = [layer.name for layer in graph.layers if layer.name not in layers]
    notes = []
    if left_out:
        named = ", ".join(left_out[:3]) + (", …" if len(left_out) > 3 else "")
        text = f"{len(left_out)} of {len(graph.layers)} layer outputs were not recorded: {named}"
        notes.append(Note("distributions", text))
    if all(tap.kind != "gradient" for tap in taps):
        notes.append(Note("gradients", "not recorded"))
    counts = [
        (max(summary.count for summary in recorded.course.values()), recorded.elements)
        for recorded in series
        if recorded.elements and recorded.course
    ]
    samples = [count for count, elements in counts if count < elements]
    if samples:
        text = (
            f"{len(samples)} of {len(series)} tensors were summarized from a sample of at most "
            f"{max(samples):,} elements; NaN and inf were counted in all elements"
        )
        notes.append(Note("samples", text))
    return notes
