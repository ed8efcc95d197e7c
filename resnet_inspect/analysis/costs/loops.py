"""How often a loop runs, where its graph fixes that."""

from __future__ import annotations

import math

from resnet_inspect.analysis.costs.constants import Constants, Element
from resnet_inspect.analysis.costs.dimensions import Dimensions, loop_invariants, without_copies
from resnet_inspect.graph import Graph, Op, TensorRef

JOINS = ("Identity", "LogicalAnd")


def repetitions(op: Op, outside: Dimensions) -> int | None:
    """Return how often the body of a `While` runs; None if the graph does not fix it.

    The condition of the loop must compare counters with limits. A counter begins at a known
    number and grows by a known number. `outside` are the sizes of the graph that has the loop.
    """
    functions = outside.functions
    body, condition = (functions.get(str(op.attrs.get(name))) for name in ("body", "cond"))
    if body is None or condition is None or not body.outputs or not condition.outputs:
        return None
    counts = [
        _until(comparison, op, condition, outside)
        for comparison in _comparisons(condition, condition.outputs[0])
    ]
    known = [count for count in counts if count is not None]
    return min(known) if known and len(known) == len(counts) else None


def _comparisons(condition: Graph, ref: TensorRef) -> list[Op]:
    """Return the ops that must all be true for the loop to go on."""
    op = condition.op_by_name[ref.op]
    if op.type not in JOINS:
        return [op]
    return [comparison for before in op.inputs for comparison in _comparisons(condition, before)]


def _until(comparison: Op, op: Op, condition: Graph, outside: Dimensions) -> int | None:
    """Return how often the body runs until a comparison `counter < limit` fails."""
    if comparison.type != "Less":
        return None
    counter = without_copies(condition, comparison.inputs[0])
    places = {ref: place for place, ref in enumerate(condition.inputs.values())}
    if counter not in places:
        return None
    place, constants = places[counter], outside.constants
    inside = outside.inside(op, str(op.attrs["body"]))
    kept = loop_invariants(inside.graph)
    given = {ref: constants.of(op.inputs[at]) if at in kept else None for ref, at in places.items()}
    limit = Constants(condition, given).scalar(comparison.inputs[1])
    start = constants.scalar(op.inputs[place])
    step = _step(inside, place)
    if not isinstance(limit, int | float) or not isinstance(start, int | float):
        return None
    if not isinstance(step, int | float) or step <= 0:
        return None
    return max(math.ceil((limit - start) / step), 0)


def _step(inside: Dimensions, place: int) -> Element:
    """Return the number that the body of a loop adds to a counter."""
    body = inside.graph
    counter = list(body.inputs.values())[place]
    added = body.op_by_name[without_copies(body, body.outputs[place]).op]
    if added.type not in ("Add", "AddV2"):
        return None
    terms = [without_copies(body, ref) for ref in added.inputs]
    steps = [inside.constants.scalar(ref) for ref in terms if ref != counter]
    return steps[0] if len(steps) == 1 else None
