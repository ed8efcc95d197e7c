"""Removes an axis of positions, such as words, from an output that labels have no axis for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs import idioms
from resnet_inspect.analysis.explain.repairs.building import Sides, labels_and_output, repair
from resnet_inspect.analysis.explain.repairs.edits import line_after, raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile, argument

LAYERS = ("dense", "Dense")  # functions whose arguments are a tensor and its units


class Making(NamedTuple):
    """The statement that makes a tensor, and the call of a layer in it."""

    file: SourceFile
    statement: ast.Assign
    call: ast.Call
    name: str


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield the mean over the axis that the output has in addition."""
    compared = labels_and_output(problem) if problem.rule == "loss-rank" else None
    if compared is None:
        return
    labels, output = compared
    a, b = labels.shape, output.shape
    if a is None or b is None or len(a) < 2 or len(b) != len(a) + 1 or a[0] not in (b[0], None):
        return
    made = _making(case, output)
    tensorflow = idioms.tensorflow(made.file) if made is not None else ""
    if made is None or not tensorflow:
        return
    positions = "?" if b[1] is None else b[1]
    reason = f"the output has an axis of {positions} positions, the labels have none"
    mean = f"{tensorflow}.reduce_mean({{}}, axis=1)"
    given, units = argument(made.call, "inputs", 0), argument(made.call, "units", 1)
    if a[-1] != b[-1] and given is not None and isinstance(units, ast.Constant):
        edits = (
            replace(made.file, given, mean.format(raw(made.file, given))),
            replace(made.file, units, str(a[-1])),
        )
        before = raw(made.file, units)
        title = f"{raw(made.file, given)} → {edits[0].new}, and {before} → {a[-1]} units"
        yield repair(case, "mean-of-positions", title, edits, 0.9, reason)
    line = f"{made.name} = {mean.format(made.name)}"
    edit = line_after(made.file, made.statement, line)
    yield repair(case, "mean-of-positions", f"insert {line}", (edit,), 1.1, reason)


def _making(case: Case, output: Operand) -> Making | None:
    """Return the statement `name = dense(...)` that makes a tensor, None for other code."""
    node = case.crash.nodes[output.node] if output.node >= 0 else None
    if node is None or not node.sites:
        return None
    file = case.sources[node.sites[0].file]
    statement = file.statement(node.sites[0].line)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, call = statement.targets[0], statement.value
    if not isinstance(target, ast.Name) or not isinstance(call, ast.Call):
        return None
    layer = ast.unparse(call.func).rpartition(".")[2] in LAYERS
    return Making(file, statement, call, target.id) if layer else None
