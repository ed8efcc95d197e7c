"""Creates the diagram of a graph at a readable level, with notes on what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from resnet_inspect.analysis.diagram.boxes import boxes
from resnet_inspect.analysis.diagram.diagram import (
    READABLE,
    Box,
    Diagram,
    Level,
    Options,
    coarser,
)
from resnet_inspect.analysis.diagram.marks import Marks, rejected_call
from resnet_inspect.analysis.diagram.outline import outline
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
    network, scope = outline(graph), frozenset[str]()
    if options.scope:
        scope = in_scope(graph, options.scope, network)
        network = outline(graph, scope)

    requested = options.level or _usual(options, graph)

    def planned(level: Level) -> Plan:
        return plan(graph, lineage, network, level, options, scope, explanations, failure)

    level, chosen, counts = _readable(planned, requested, options)
    notes = [*_notes(graph, chosen, options, requested, level, counts), *_failure(failure)]
    marks = Marks.of(explanations, lambda step: chosen.unit(_place(step, chosen)), chosen.tensor)
    _, _, remarks = rejected_call(graph, lineage.mismatch, failure, chosen.parts.owner)
    failing = failure.op if failure is not None and failure.op in graph.op_by_name else ""
    if failing:
        where = chosen.unit(chosen.parts.owner.get(failing))
        if where is not None:
            marks.remarks.setdefault(where, []).extend(remarks)
    nodes, edges, clusters = boxes(
        graph,
        chosen.parts,
        chosen.runs,
        marks,
        outside=chosen.outside,
        rejected=chosen.unit(chosen.parts.owner.get(failing)) or "",
        remarks=tuple(remarks),
    )
    follows = tuple(f"{size.tensor} axis {size.axis}" for size in explanations)
    return Diagram(level, nodes, edges, clusters, tuple(notes), follows)


def _usual(options: Options, graph: Graph) -> Level:
    """Return the level of layers, or of ops if the scope is a single layer."""
    return Level.OP if options.scope in graph.layer_by_name else Level.LAYER


def _readable(
    planned: Callable[[Level], Plan], requested: Level, options: Options
) -> tuple[Level, Plan, list[int]]:
    """Return the finest level with few enough boxes, its plan, and the boxes of finer levels.

    An overview has at most READABLE boxes, if there is such a level. The ops of one layer are no
    overview. Without a level of at most `options.limit` boxes, neighbours are merged.
    """
    overview = options.overview and requested != Level.OP
    few = min(options.limit, READABLE) if overview else options.limit
    plans: list[tuple[Level, Plan]] = []
    level: Level | None = requested
    while level is not None:
        plans.append((level, planned(level)))
        if len(plans[-1][1].parts.units) <= few:
            break
        level = coarser(level)
    sizes = [len(made.parts.units) for _, made in plans]
    at = len(sizes) - 1
    if sizes[at] > few:
        at = sizes.index(min(sizes))
    level, chosen = plans[at]
    if sizes[at] > options.limit:
        chosen = merged_neighbours(chosen, options.limit)
    return level, chosen, sizes[: at + (sizes[at] > options.limit)]


def _place(step: ChainStep, chosen: Plan) -> str | None:
    if step.variable:
        return f"variable:{step.variable}"
    return chosen.parts.owner.get(step.op)


def _notes(
    graph: Graph, chosen: Plan, options: Options, requested: Level, level: Level, counts: list[int]
) -> list[str]:
    notes = []
    levels = [Level.OP, Level.LAYER, Level.BLOCK, Level.STAGE]
    finer = levels[levels.index(requested) :]
    possible = [pair for pair in zip(finer, counts, strict=False) if pair[1] <= options.limit]
    if possible and options.overview:
        more, count = possible[0]
        notes.append(
            f"shown as {level.value}s ({len(chosen.parts.units)} boxes) for an overview;"
            f" use --level {more.value} to show {count} {more.value}s, or --scope NAME for a part"
        )
    elif counts:
        notes.append(
            f"shown as {level.value}s, because {requested.value}s need {counts[0]} boxes and the"
            f" limit is {options.limit}; use --scope NAME for a part, or --limit N"
        )
        if any(unit.box == Box.REST for unit in chosen.parts.units.values()):
            notes.append("neighbouring boxes are merged")
    if chosen.runs:
        notes.append("equal blocks are collapsed (×N); use --expand to show each block")
    if level == Level.OP and not options.variables and graph.variables:
        notes.append("variables are not shown; use --variables to show them")
    notes += chosen.left_out
    notes += _missing(graph, chosen, options)
    notes += _recorded(graph)
    return notes


def _recorded(graph: Graph) -> Iterator[str]:
    """Yield the notes of a graph. Equal notes on several subjects are one note."""
    subjects: dict[str, list[str]] = {}
    for note in dict.fromkeys(graph.notes):
        subjects.setdefault(note.text, []).append(note.subject)
    for text, names in subjects.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{names[0]}{more}: {text}"


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
