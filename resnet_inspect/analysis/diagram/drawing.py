"""Makes the diagram of a graph: at a level at which it is readable, saying what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnet_inspect.analysis.diagram.boxes import boxes
from resnet_inspect.analysis.diagram.diagram import Box, Diagram, Level, Options, coarser
from resnet_inspect.analysis.diagram.marks import Marks, refusal
from resnet_inspect.analysis.diagram.plan import Plan, crowded, plan
from resnet_inspect.analysis.diagram.scope import in_scope
from resnet_inspect.analysis.sizes.why import ChainStep, Explanation
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
    """The diagram of a graph; `explanations` are sizes whose way is marked (see `why`).

    Raises UsageError for a scope, or ends of a path, that are not there.
    """
    options = options or Options()
    scope = in_scope(graph, options.scope) if options.scope else frozenset()
    level = options.level or _usual(graph, options)
    asked, counts = level, []
    while True:
        chosen = plan(graph, lineage, level, options, scope, explanations, failure)
        if len(chosen.parts.units) <= options.limit:
            break
        counts.append(len(chosen.parts.units))
        following = coarser(level) if graph.layers or level == Level.OP else None
        following = following or (coarser(level) if _scoped(graph) else None)
        if following is None:
            chosen = crowded(chosen, options.limit)
            break
        level = following
    notes = [*_notes(graph, chosen, options, asked, level, counts), *_failure(failure)]
    marks = Marks.of(explanations, lambda step: chosen.unit(_place(step, chosen)))
    _, _, remarks = refusal(graph, lineage.mismatch, failure, chosen.parts.owner)
    refused = failure.op if failure is not None and failure.op in graph.op_by_name else ""
    if refused:
        where = chosen.unit(chosen.parts.owner.get(refused))
        if where is not None:
            marks.remarks.setdefault(where, []).extend(remarks)
    nodes, edges, clusters = boxes(
        graph,
        level,
        chosen.parts,
        chosen.runs,
        marks,
        outside=chosen.outside,
        refused=chosen.unit(chosen.parts.owner.get(refused)) or "",
        remarks=tuple(remarks),
    )
    follows = tuple(f"{one.tensor} axis {one.axis}" for one in explanations)
    return Diagram(level, nodes, edges, clusters, tuple(notes), follows)


def _usual(graph: Graph, options: Options) -> Level:
    """Layers; of a scope that is one layer its ops."""
    return Level.OP if options.scope in graph.layer_by_name else Level.LAYER


def _scoped(graph: Graph) -> bool:
    return any(op.scope for op in graph.ops)


def _place(step: ChainStep, chosen: Plan) -> str | None:
    if step.variable:
        return f"variable:{step.variable}"
    return chosen.parts.owner.get(step.op)


def _notes(
    graph: Graph, chosen: Plan, options: Options, asked: Level, level: Level, counts: list[int]
) -> list[str]:
    found = []
    if counts:
        found.append(
            f"drawn as {level.value}s: as {asked.value}s there would be {counts[0]} boxes, more"
            f" than {options.limit}; --scope NAME draws a part, --limit N more"
        )
        if len(chosen.parts.units) <= options.limit < counts[-1] and level == Level.STAGE:
            found.append("boxes in a row are joined")
    drawn = {unit.path for unit in chosen.parts.units.values()}
    drawn |= {(*unit.path, unit.name) for unit in chosen.parts.units.values()}
    if any(run[0][0].path == path[:2] for run in chosen.runs for path in drawn):
        found.append("blocks that are alike are drawn once, with ×k; --expand draws each")
    if level == Level.OP and not options.variables and graph.variables:
        found.append("variables are not drawn; --variables draws them")
    found += chosen.left_out
    found += _missing(graph, chosen, options)
    found += [f"{note.subject}: {note.text}" for note in graph.notes]
    return found


def _missing(graph: Graph, chosen: Plan, options: Options) -> Iterator[str]:
    """What a reader would look for in vain."""
    kinds = {unit.box for unit in chosen.parts.units.values()}
    if not graph.ops:
        yield "nothing is drawn: the run holds no op, it ended before there was a graph"
    elif kinds <= {Box.INPUT}:
        yield "no op is drawn: the graph has none that computes, only inputs and constants"
    elif options.backward and Box.GRADIENT not in kinds:
        later = any(op.phase == Phase.BACKWARD for op in graph.ops)
        yield "no gradients are drawn: " + (
            "none belongs to this part" if later else "the run has no backward pass"
        )


def _failure(failure: Failure | None) -> list[str]:
    if failure is None:
        return []
    lines = failure.message.splitlines() or [""]
    return [f"{failure.kind} while {failure.during}: {lines[0]}"]
