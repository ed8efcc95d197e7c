"""Everything that one page tells of a run, apart from what its tensors held.

Drawn together from the graph, the lineage and the overview; spelled and laid out elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from resnet_inspect.analysis.browse.distributions import Series
from resnet_inspect.analysis.page.overview import Overview
from resnet_inspect.analysis.sizes.axes import Axes
from resnet_inspect.analysis.sizes.meanings import Meanings
from resnet_inspect.analysis.sizes.shapes import Depth, ShapeRow, ShapeTable, shapes_at_all_depths
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.graph import Graph, Layer, Note, Op, Source, TensorRef, Variable
from resnet_inspect.graph.lineage import Lineage


class Steps(msgspec.Struct, frozen=True):
    """The numbers of all steps, of those at which tensors were summarized, and scalars by step."""

    every: tuple[int, ...] = ()
    recorded: tuple[int, ...] = ()
    scalars: Mapping[str, Mapping[int, float]] = {}


class LayerReport(msgspec.Struct, frozen=True):
    """One layer: its row of the shape table, and why each axis of its output has its size.

    `before` and `after` are the layers it takes from and hands to; `source` are the lines that
    called it, innermost first. `normalized` is the layer that normalizes its output, or whose
    output it normalizes; empty without one.
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
    """One op, the layer it belongs to (empty without one), and for each output why its axes have
    their sizes and what they mean; no explanations where they are left out.
    """

    op: Op
    layer: str
    outputs: tuple[tuple[Explanation, ...] | None, ...]
    meanings: tuple[tuple[str, ...], ...]


class VariableReport(msgspec.Struct, frozen=True):
    """One variable and why its axes have their sizes.

    `layer` is the first that uses it, or whose variable it stands beside (a slot of an optimizer);
    empty without one.
    """

    variable: Variable
    layer: str
    axes: tuple[Explanation, ...]


class Report(msgspec.Struct, frozen=True):
    """A whole run. `inputs` are names of inputs and their ops; `missing` says what was
    not observed, beside the notes of the overview; `unexplained` counts the axes that are not
    explained here, but could be.
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
    found: Overview,
    steps: Steps,
    series: Sequence[Series] = (),
    meanings: Meanings | None = None,
) -> Report:
    """Draw a run together; `series` is what its tensors held, `meanings` of its axes are worked
    out if they are not given.
    """
    meanings = meanings or Meanings(graph, lineage)
    tables = shapes_at_all_depths(graph, meanings)
    rows = {row.name: row for table in tables if table.depth == Depth.LAYER for row in table.rows}
    makers = {str(layer.output): layer.name for layer in graph.layers}
    users: dict[str, list[str]] = {}
    for layer in graph.layers:
        for ref in layer.inputs:
            users.setdefault(str(ref), []).append(layer.name)
    pairs = _normalized(graph, makers)
    axes = Axes(graph, lineage)
    return Report(
        overview=found,
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
        ops=tuple(_op(graph, op, axes, meanings) for op in graph.ops),
        variables=tuple(_variables(graph, axes)),
        inputs=tuple((name, ref.op) for name, ref in graph.inputs.items()),
        steps=steps,
        missing=tuple(not_seen(graph, lineage, steps, series)),
        unexplained=axes.left_out,
    )


def _op(graph: Graph, op: Op, axes: Axes, meanings: Meanings) -> OpReport:
    layer = graph.layer_of_op.get(op.name)
    refs = [TensorRef(op.name, index) for index in range(len(op.outputs))]
    found = tuple(axes.of(ref) for ref in refs)
    return OpReport(
        op=op,
        layer=layer.name if layer is not None else "",
        outputs=found,
        meanings=tuple(
            meanings.axes(ref) if told else () for ref, told in zip(refs, found, strict=True)
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
    """Layers that normalize and what they normalize, by either name."""
    found: dict[str, str] = {}
    for layer in graph.layers:
        maker = makers.get(str(layer.inputs[0])) if layer.inputs else None
        if layer.normalizes and maker is not None:
            found[layer.name] = maker
            found.setdefault(maker, layer.name)
    return found


def not_seen(graph: Graph, lineage: Lineage, steps: Steps, series: Sequence[Series]) -> list[Note]:
    """What nobody looked at: silence must not read as completeness."""
    notes = []
    if not graph.ops:
        notes.append(Note("graph", "the run ended before there was one"))
    elif not lineage.links:
        notes.append(Note("lineage", "where sizes come from was not recorded"))
    elif not lineage.variations:
        notes.append(Note("proof", "nothing was traced again with a setting changed"))
    if not steps.every:
        notes.append(Note("steps", "no step was run"))
    elif len(steps.recorded) < len(steps.every):
        text = f"tensors were summarized at {len(steps.recorded)} of {len(steps.every)} steps"
        notes.append(Note("steps", text))
    if steps.recorded:
        notes += _not_tapped(graph, series)
    return notes


def _not_tapped(graph: Graph, series: Sequence[Series]) -> list[Note]:
    kinds = {one.tap.kind for one in series}
    there = {one.tap.layer for one in series if one.tap.kind == "activation" and one.tap.output}
    left_out = [layer.name for layer in graph.layers if layer.name not in there]
    notes = []
    if left_out:
        named = ", ".join(left_out[:3]) + (", …" if len(left_out) > 3 else "")
        text = f"outputs of {len(left_out)} of {len(graph.layers)} layers were not: {named}"
        notes.append(Note("distributions", text))
    if "gradient" not in kinds:
        notes.append(Note("gradients", "none was recorded"))
    sampled = [
        one for one in series
        if one.elements and one.course and max(s.count for s in one.course.values()) < one.elements
    ]  # fmt: skip
    if sampled:
        most = max(max(s.count for s in one.course.values()) for one in sampled)
        text = (
            f"of {len(sampled)} of {len(series)} tensors a sample of at most {most:,} elements was "
            "summarized; what is not finite was counted in all"
        )
        notes.append(Note("samples", text))
    return notes
