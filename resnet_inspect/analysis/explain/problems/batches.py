"""Refines a disagreement of batch sizes: a reshape that mixes examples, a batch written down."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import msgspec

from resnet_inspect.analysis.explain.case import Case, Problem, Side
from resnet_inspect.analysis.explain.explanation import SizeStep
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import SHAPING, elements, spelled
from resnet_inspect.graph.crash import Node, NodeKind

MOST_NODES = 80


def refined(case: Case, problem: Problem) -> Problem:
    """Return a problem with the cause of different sizes of axis 0, if it is known."""
    mixed = _source_of_other(case, problem)
    if mixed is not None:
        return mixed
    if (
        problem.rule == "loop-shape"
        or len(problem.sides) != 2
        or any(side.axis != 0 for side in problem.sides)
    ):
        return problem
    for side, other in (problem.sides, tuple(reversed(problem.sides))):
        for number in _upstream(case, side.operand.node):
            node = case.crash.nodes[number]
            changed = _changed(case, node)
            if changed is None or not _users(case, node):
                continue
            if _of_batch(case, node, other.size) and _explains(side, other, *changed):
                return _mixed(case, problem, number, *changed)
    for side, other in (problem.sides, reversed(problem.sides)):
        refined_problem = _written_down(case, problem, side, other)
        if refined_problem is not None:
            return refined_problem
    return problem


def _source_of_other(case: Case, problem: Problem) -> Problem | None:
    """Return the problem of a reshape whose examples had the other size before.

    Such as [-1, 6] of (?, 6, 8), where the matrix product needs 48.
    """
    if len(problem.sides) != 2:
        return None
    for side, other in (problem.sides, tuple(reversed(problem.sides))):
        for number in list(_upstream(case, side.operand.node))[:3]:
            changed = _changed(case, case.crash.nodes[number])
            users = changed is not None and _users(case, case.crash.nodes[number])
            if changed is not None and users and changed == (other.size, side.size):
                return _mixed(case, problem, number, *changed)
    return None


def _upstream(case: Case, number: int) -> Iterator[int]:
    """Yield a node and those before it, nearest first."""
    waiting: list[int] = [number]
    seen: set[int] = set()
    while waiting and len(seen) < MOST_NODES:
        current = waiting.pop(0)
        if current >= 0 and current not in seen:
            seen.add(current)
            yield current
            waiting += case.crash.nodes[current].inputs


def _users(case: Case, node: Node) -> bool:
    layer = case.crash.layers[node.layer] if node.layer >= 0 else None
    return layer is None or layer.own or layer.type == "Lambda"


def _changed(case: Case, node: Node) -> tuple[int, int] | None:
    """Return the elements of an example before and after a reshape that changes their number."""
    target = case.origins.constant(node, 1) if node.type == "Reshape" else None
    shape = case.origins.shape(node.inputs[0]) if node.inputs else None
    if target is None or not shape or len(target) < 2 or target[0] != -1:
        return None
    before, after = elements(shape[1:]), prod(target[1:])
    return (before, after) if before is not None and before != after else None


def _of_batch(case: Case, node: Node, batch: int) -> bool:
    """Return whether axis 0 of what a reshape receives can be the batch, not steps in front."""
    shape = case.origins.shape(node.inputs[0])
    return bool(shape) and (shape or (0,))[0] in (None, batch)


def _explains(side: Side, other: Side, before: int, after: int) -> bool:
    """Return whether a reshape turns the batch of one side into the size of the other."""
    return side.size * after == other.size * before


def _mixed(case: Case, problem: Problem, number: int, before: int, after: int) -> Problem:
    """Return the problem of a reshape with -1 that makes other rows than examples."""
    node = case.crash.nodes[number]
    operand = case.operands.of_node(node.inputs[0])
    sizes = [side.size for side in problem.sides]
    product = " × ".join(str(size) for size in (operand.shape or ())[1:])
    count = f"{product} = {before:,}" if "×" in product else f"{before:,}"
    verdict = (
        f"the reshape does not keep the batch: an example has {count} elements, its target has "
        f"{after:,}"
    )
    facts = {**problem.facts, "have": before, "want": after, "node": number}
    step = SizeStep(problem.verdict)
    if all(side.axis == 0 for side in problem.sides):
        return msgspec.structs.replace(
            problem,
            rule="reshape-batch",
            verdict=f"{verdict}, so the batch becomes {max(sizes)} instead of {min(sizes)}",
            sides=_rows_and_batch(case, problem, number),
            earlier=(*problem.earlier, step),
            facts={**facts, "shape": operand.shape},
        )
    return msgspec.structs.replace(
        problem,
        rule="reshape-batch",
        verdict=verdict,
        function="reshape",
        operands=(operand, *problem.operands),
        sides=(
            Side(operand, None, before, f"elements per example of {operand.label}", rank=True),
            Side(Operand("target", None, node=number), 1, after, "elements in the target shape"),
        ),
        earlier=(*problem.earlier, step),
        facts=facts,
    )


def _rows_and_batch(case: Case, problem: Problem, number: int) -> tuple[Side, ...]:
    """Return the sides of a problem; that with other rows than examples begins at the reshape."""
    return tuple(
        Side(
            Operand(side.operand.label, None, node=number),
            0,
            side.size,
            f"axis 0 of {side.operand.label} {spelled(side.operand.shape)}",
            rank=True,
        )
        if number in _upstream(case, side.operand.node)
        else side
        for side in problem.sides
    )


def _written_down(case: Case, problem: Problem, side: Side, other: Side) -> Problem | None:
    """Return the problem of a batch size in the source that does not fit a smaller batch."""
    if side.axis != 0:
        return None
    literal = next(
        (
            number
            for number in _upstream(case, side.operand.node)
            if case.crash.nodes[number].type in SHAPING
            and case.crash.nodes[number].kind in (NodeKind.OP, NodeKind.CONSTANT)
            and _users(case, case.crash.nodes[number])
            and (case.origins.shape(number) or (None,))[0] == side.size
        ),
        -1,
    )
    if literal < 0:
        return None
    origin = case.origins.of(case.operands.of_node(literal), 0, side.size)
    if not origin.exact or origin.line is None:
        return None
    text = rows(case, other.size)
    made = Operand(f"{case.operands.label(literal)}", case.origins.shape(literal), node=literal)
    verdict = f"the batch size {side.size} is hard-coded at line {origin.line.line}, but {text}"
    return msgspec.structs.replace(
        problem,
        rule="batch-hard-coded",
        verdict=verdict,
        sides=(Side(made, 0, side.size, f"axis 0 of {spelled(made.shape)}"), other),
        operands=(*problem.operands,),
        facts={**problem.facts, "node": literal},
    )


def rows(case: Case, size: int) -> str:
    """Return where a batch of this size comes from."""
    call = case.operands.trainer
    data = next(iter(case.operands.data()), None)
    batch = call.arguments.get("batch_size") if call is not None else None
    count = data.shape[0] if data is not None and data.shape else None
    if batch is not None and batch.text.isdigit() and count and count % int(batch.text) == size:
        return f"the last batch has {size} examples ({count} in batches of {batch.text})"
    return f"this batch has {size} examples"
