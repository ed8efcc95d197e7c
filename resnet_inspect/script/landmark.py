"""Reports when a program has completed a certain statement."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from resnet_inspect.script.replacements import Transform

REACHED = "__resnet_inspect_reached__"
Place = tuple[int, int]  # line from 1, column in UTF-8 bytes, as `ast` counts them
Span = tuple[Place, Place]


def statement_at(source: bytes, line: int, column: int | None) -> Span | None:
    """The span of the statement that contains a place; None for the head of a compound statement.

    Without a column it is the last statement of the line.
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    around = [
        node for node in nodes if isinstance(node, ast.stmt) and _contains(node, line, column)
    ]
    if not around:
        return None
    innermost = max(around, key=_start)
    return (_start(innermost), _end(innermost)) if _is_simple(innermost) else None


def landmark(spans: Sequence[Span], report: Callable[[], None]) -> Transform:
    """A transform that calls `report` each time the last statement in a span has been completed."""

    def reached(value: Any = None) -> Any:
        report()
        return value

    def change(tree: ast.Module) -> None:
        setattr(builtins, REACHED, reached)
        for start, end in spans:
            _mark(tree, start, end)

    return change


def _mark(tree: ast.Module, start: Place, end: Place) -> None:
    inside = [
        (block, at)
        for block in _blocks(tree)
        for at, node in enumerate(block)
        if _is_simple(node) and start <= _start(node) and _end(node) <= end
    ]
    if not inside:
        return
    block, at = max(inside, key=lambda item: _end(item[0][item[1]]))
    node = block[at]
    call = ast.Call(ast.Name(REACHED, ast.Load()), [], [])
    if isinstance(node, ast.Return):
        call.args = [node.value or ast.Constant(None)]
        node.value = call
    else:
        block.insert(at + 1, ast.copy_location(ast.Expr(call), node))
    ast.copy_location(call, node)
    ast.fix_missing_locations(tree)


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """All lists of statements."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block


def _is_simple(node: ast.stmt) -> bool:
    return not hasattr(node, "body") and not isinstance(node, ast.Match)


def _contains(node: ast.stmt, line: int, column: int | None) -> bool:
    if column is None:
        return node.lineno <= line <= _end(node)[0]
    return _start(node) <= (line, column) < _end(node)


def _start(node: ast.stmt) -> Place:
    return node.lineno, node.col_offset


def _end(node: ast.stmt) -> Place:
    return node.end_lineno or node.lineno, node.end_col_offset or 0
