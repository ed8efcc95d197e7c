"""What all kinds of repairs share: the sides of a problem, and how a change is titled."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from resnet_inspect.analysis.explain.case import WITHOUT_BATCH, Case, Problem, Side
from resnet_inspect.analysis.explain.explanation import DisagreeingSize, Edit, Repair
from resnet_inspect.analysis.explain.layer_origins import SizeOrigin
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile

# Problems of a layer or model that rejects what it receives.
INPUTS = (*WITHOUT_BATCH, "input-axis", "input-rank", "input-shape")
MOST_TITLE = 44  # signs of an expression in a title


class Sized(NamedTuple):
    """One of the sizes that disagree, with the place where it is set."""

    side: Side
    size: DisagreeingSize
    origin: SizeOrigin


Sides = tuple[Sized, ...]
LOSSES = ("loss-rank", "loss-shape", "sparse-labels", "one-hot-labels")


def labels_and_output(problem: Problem) -> tuple[Operand, Operand] | None:
    """Return the labels and the output that a loss compares, None for other problems."""
    if len(problem.operands) < 2:
        return None
    first, second = problem.operands[:2]
    if problem.rule in LOSSES:
        return first, second
    if problem.rule in ("broadcast", "broadcast-rank"):
        if first.argument == "y":
            return first, second
        if second.argument == "y":
            return second, first
    return None


def repair(
    case: Case,
    rule: str,
    title: str,
    edits: Iterable[Edit],
    cost: float,
    reason: str = "",
    *,
    keeps_batch: bool = True,
) -> Repair:
    """Return a repair; its line is that of the first edit which is not an import."""
    changes = tuple(edits)
    main = next(
        (edit for edit in changes if not _is_import(case.sources[edit.file], edit)), changes[0]
    )
    line = case.sources[main.file].line(main.line)
    return Repair(rule, title, line, changes, keeps_batch, reason, cost)


def _is_import(file: SourceFile, edit: Edit) -> bool:
    return isinstance(file.statement(edit.line), ast.Import | ast.ImportFrom)


def changed(file: SourceFile, node: ast.expr, new: str) -> str:
    """Return the title of replacing an expression: "Dense(4) → Dense(3)"."""
    outer = _described(file, node)
    before = raw(file, outer) if not isinstance(outer, ast.Assign) else _assignment(file, outer)
    named = _set_by_tuple(file, node)
    if named:
        return f"{named} = {raw(file, node)} → {named} = {new}"
    if isinstance(outer, ast.Call) and outer is not node and len(raw(file, outer)) > MOST_TITLE:
        before, after = _abridged(file, outer, node, replace(file, node, new).new)
    elif isinstance(outer, ast.expr | ast.keyword) and outer is not node:
        edit = replace(file, node, new)
        after = _spliced(file, outer, node, edit.new)
    elif isinstance(outer, ast.Assign):
        after = f"{ast.unparse(outer.targets[0])} = {new}"
    else:
        after = new
    return f"{_short(before)} → {_short(after)}"


def _described(file: SourceFile, node: ast.expr) -> ast.AST:
    """Return the part of the source around a node that shows what it is."""
    current: ast.AST = node
    parent = file.parents.get(current)
    while isinstance(parent, ast.Tuple | ast.List | ast.BinOp | ast.UnaryOp | ast.Starred):
        if isinstance(parent, ast.List) and any(isinstance(e, ast.Call) for e in parent.elts):
            break
        current, parent = parent, file.parents.get(parent)
    if isinstance(parent, ast.keyword):
        return parent
    if isinstance(parent, ast.Assign) and isinstance(parent.targets[0], ast.Name | ast.Attribute):
        return parent
    if isinstance(parent, ast.Call) and current in parent.args:
        return parent
    return current


def _set_by_tuple(file: SourceFile, node: ast.expr) -> str:
    """Return the name of `a, b = 1, 2` that an expression sets, empty for others."""
    values = file.parents.get(node)
    statement = file.parents.get(values) if values is not None else None
    if isinstance(values, ast.Tuple) and isinstance(statement, ast.Assign):
        names = statement.targets[0]
        if isinstance(names, ast.Tuple) and len(names.elts) == len(values.elts):
            return ast.unparse(names.elts[values.elts.index(node)])
    return ""


def _abridged(file: SourceFile, call: ast.Call, node: ast.expr, new: str) -> tuple[str, str]:
    """Return a long call before and after a change, with the changed argument alone."""
    name = ast.unparse(call.func).rpartition(".")[2]
    given = next(item for item in call.args if _contains(item, node))
    after = _spliced(file, given, node, new) if given is not node else new
    first = "" if call.args[0] is given else "…, "
    last = ", …" if (call.args[-1] is not given or call.keywords) else ""
    return f"{name}({first}{raw(file, given)}{last})", f"{name}({first}{after}{last})"


def _contains(outer: ast.expr, node: ast.expr) -> bool:
    return any(inner is node for inner in ast.walk(outer))


def _spliced(file: SourceFile, outer: ast.AST, node: ast.expr, new: str) -> str:
    """Return the text of a call or keyword, in which a node is replaced."""
    text, inner = raw(file, outer), raw(file, node)
    lines = text.encode().splitlines(keepends=True)
    row = node.lineno - outer.lineno  # type: ignore[attr-defined]
    before = sum(len(line) for line in lines[:row])
    column = node.col_offset - (outer.col_offset if row == 0 else 0)  # type: ignore[attr-defined]
    start = before + column
    content = text.encode()
    return (content[:start] + new.encode() + content[start + len(inner.encode()) :]).decode()


def _assignment(file: SourceFile, node: ast.Assign) -> str:
    return f"{ast.unparse(node.targets[0])} = {raw(file, node.value)}"


def _short(text: str) -> str:
    """Return a text in one line, a call with its class alone and not too long."""
    line = " ".join(text.split())
    name, opened, rest = line.partition("(")
    if opened and "=" not in name and "[" not in name:
        line = f"{name.rpartition('.')[2]}({rest}"
    if len(line) <= MOST_TITLE:
        return line
    ending = ")" if line.endswith(")") else ""
    return f"{line[: MOST_TITLE - 2]}…{ending}"
