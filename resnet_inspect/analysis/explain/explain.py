"""Explains a crash: recognizes the problem, finds where both sizes are set, suggests repairs."""

from __future__ import annotations

from types import ModuleType
from typing import cast

from resnet_inspect.analysis.explain.case import Case, Problem, Side
from resnet_inspect.analysis.explain.explanation import DisagreeingSize, Explanation, Line, SizeStep
from resnet_inspect.analysis.explain.layer_origins import SizeOrigin
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.analysis.explain.problems import (
    batches,
    data,
    inputs,
    keras_layers,
    losses,
    ops,
    others,
    python_data,
)
from resnet_inspect.analysis.explain.repairs.catalogue import suggested
from resnet_inspect.graph.crash import Crash

RULES = (inputs, data, python_data, losses, keras_layers, others, ops)


def explain(crash: Crash) -> Explanation:
    """Return the explanation of a crash."""
    case = Case(crash)
    problem = recognized(case)
    sides = [sized(case, side) for side in problem.sides]
    return Explanation(
        kind=problem.kind,
        verdict=problem.verdict,
        call=called_line(case, problem),
        function=problem.function,
        operands=tuple((operand.label, spelled(operand.shape)) for operand in problem.operands),
        sizes=tuple(size for size, _ in sides),
        earlier=problem.earlier,
        repairs=suggested(case, problem, sides),
        cause=crash.cause,
        unknown=problem.unknown,
    )


def recognized(case: Case) -> Problem:
    """Return the problem that the first matching rule recognizes."""
    for rule in RULES:
        problem = _recognized(case, rule)
        if problem is not None:
            return batches.refined(case, problem)
    return others.other(case)


def _recognized(case: Case, rule: ModuleType) -> Problem | None:
    """Return the problem that a rule recognizes; None if a message of another form confuses it."""
    try:
        return cast("Problem | None", rule.recognize(case))
    except (IndexError, KeyError, ValueError, TypeError):
        return None


def sized(case: Case, side: Side) -> tuple[DisagreeingSize, SizeOrigin]:
    """Return a side with the place where its size is set."""
    crash = case.crash
    origin = case.origins.of(side.operand, side.axis, side.size, rank=side.rank)
    shape = spelled(side.operand.shape) if side.operand.shape is not None else ""
    axis = f"axis {side.axis} of " if side.axis is not None else ""
    of = side.of or f"{axis}{side.operand.label} {shape}".strip()
    steps = origin.steps
    if side.axis == 0 and side.operand.argument in ("x", "y") and side.operand.frame >= 0:
        passed = case.sources.line(crash.frames[side.operand.frame].site)
        steps = (SizeStep(batches.rows(case, side.size), passed), *steps)
    size = DisagreeingSize(side.size, of, origin.line, origin.expression, origin.values, steps)
    return size, origin


def called_line(case: Case, problem: Problem) -> Line | None:
    """Return the user's line that failed: that of the op, if a training ran it."""
    crash = case.crash
    number = problem.facts.get("node", -1)
    made = isinstance(number, int) and number >= 0 and crash.nodes[number].type == "Reshape"
    if not made or "shape" in problem.facts:  # a loss fails behind a reshape that is at fault
        number = crash.op_node
    node = crash.nodes[number] if isinstance(number, int) and number >= 0 else None
    if node is not None and node.sites and (node.layer < 0 or crash.layers[node.layer].own):
        return case.sources.line(node.sites[0])
    return case.sources.line(crash.frames[-1].site) if crash.frames else None
