"""Creates the diagram of a graph at a readable level, with notes on what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.analysis.diagram.boxes import boxes
from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Level, Options, coarser
from resnet_inspect.analysis.diagram.marks import Marks, rejected_call
from resnet_inspect.analysis.diagram.plan import Plan, merged_neighbours, plan
from resnet_inspect.analysis.diagram.scope import in_scope
from resnet_inspect.analysis.sizes.paths import ChainStep
from resnet_inspect.analysis.sizes.why import Explanation
from resnet_inspect.graph import Failure, Graph, Phase
from resnet_inspect.graph.lineage import Lineage


def draw(
    graph: Graph,
    lineage: Lineage,
    options: Options | None = None,
    *,
    explanations: Sequence[Explanation] = (),
    failure: Failure | None = None,
) -> Diagram:
    """Return the diagram of a graph.

    The paths of sizes in `explanations` are marked. See `why`.

    Raises:
        UsageError: the scope or an end of the path does not exist.
    """
    options = options or Options()
    scope = in_scope(graph, options.scope) if options.scope else frozenset()
    level = options.level or _usual(graph, options)
    requested, counts = level, []
    while True:
        chosen = plan(graph, lineage, level, options, scope, explanations, failure)
        if len(chosen.parts.units) <= options.limit:
            break
        counts.append(len(chosen.parts.units))
        following = coarser(level) if graph.layers or level == Level.OP else None
        following = following or (coarser(level) if _scoped(graph) else None)
        if following is None:
            chosen = merged_neighbours(chosen, options.limit)
            break
        level = following
    notes = [*_notes(graph, chosen, options, requested, level, counts), *_failure(failure)]
    marks = Marks.of(explanations, lambda step: chosen.unit(_place(step, chosen)))
    _, _, remarks = rejected_call(graph, lineage.mismatch, failure, chosen.parts.owner)
    failing = failure.op if failure is not None and failure.op in graph.op_by_name else ""
    if failing:
        where = chosen.unit(chosen.parts.owner.get(failing))
        if where is not None:
            marks.remarks.setdefault(where, []).extend(remarks)
    nodes, edges, clusters = boxes(
        graph,
        level,
        chosen.parts,
        chosen.runs,
        marks,
        outside=chosen.outside,
        rejected=chosen.unit(chosen.parts.owner.get(failing)) or "",
        remarks=tuple(remarks),
    )
    follows = tuple(f"{size.tensor} axis {size.axis}" for size in explanations)
    return Diagram(level, nodes, edges, clusters, tuple(notes), follows)


def _usual(graph: Graph, options: Options) -> Level:
    """Return the level of layers, or of ops if the scope is a single layer."""
    return Level.OP if options.scope in graph.layer_by_name else Level.LAYER


def _scoped(graph: Graph) -> bool:
    return any(op.scope for op in graph.ops)


def _place(step: ChainStep, chosen: Plan) -> str | None:
    if step.variable:
        return f"variable:{step.variable}"
    return chosen.parts.owner.get(step.op)


def _notes(
    graph: Graph, chosen: Plan, options: Options, requested: Level, level: Level, counts: list[int]
) -> list[str]:
    notes = []
    if counts:
        notes.append(
            f"shown as {level.value}s, because {requested.value}s need {counts[0]} boxes and the"
            f" limit is {options.limit}; use --scope NAME for a part, or --limit N"
        )
        if len(chosen.parts.units) <= options.limit < counts[-1] and level == Level.STAGE:
            notes.append("neighbouring boxes are merged")
    drawn = {unit.path for unit in chosen.parts.units.values()}
    drawn |= {(*unit.path, unit.name) for unit in chosen.parts.units.values()}
    if any(run[0][0].path == path[:2] for run in chosen.runs for path in drawn):
        notes.append("equal blocks are collapsed (×N); use --expand to show each block")
    if level == Level.OP and not options.variables and graph.variables:
        notes.append("variables are not shown; use --variables to show them")
    notes += chosen.left_out
    notes += _missing(graph, chosen, options)
    notes += [f"{note.subject}: {note.text}" for note in graph.notes]
    return notes


def _missing(graph: Graph, chosen: Plan, options: Options) -> Iterator[str]:
    """Yield notes on what a reader may expect in the diagram but the run does not have."""
    kinds = {unit.box for unit in chosen.parts.units.values()}
    if not graph.ops:
        yield "the diagram is empty: the run ended before the graph was built"
    elif kinds <= {Box.INPUT}:
        yield "no ops are shown: the graph contains only inputs and constants"
    elif options.backward and Box.GRADIENT not in kinds:
        later = any(op.phase == Phase.BACKWARD for op in graph.ops)
        yield "no gradients are shown: " + (
            "this part has none" if later else "the run has no backward pass"
        )


def _failure(failure: Failure | None) -> list[str]:
    if failure is None:
        return []
    lines = failure.message.splitlines() or [""]
    return [f"{failure.kind} while {failure.during}: {lines[0]}"]
