"""Builds edits of a file from its syntax nodes."""

from __future__ import annotations

import ast

from resnet_inspect.analysis.explain.explanation import Edit
from resnet_inspect.analysis.explain.sources import SourceFile

PRIMARY = (
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Call,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.ListComp,
)
OPERATORS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Attribute, ast.Subscript)


def raw(file: SourceFile, node: ast.AST) -> str:
    """Return the exact text of a node, with line breaks."""
    return ast.get_source_segment(file.text, node) or ""


def primary(file: SourceFile, node: ast.expr) -> str:
    """Return the text of an expression that may be followed by `[…]` or `.name`."""
    text = raw(file, node)
    return text if isinstance(node, PRIMARY) or text.startswith("(") else f"({text})"


def replace(file: SourceFile, node: ast.expr | ast.keyword | ast.alias, new: str) -> Edit:
    """Return the edit that replaces a node, in parentheses where operators around it need them."""
    if isinstance(node, ast.expr) and isinstance(file.parents.get(node), OPERATORS):
        parsed = ast.parse(new, mode="eval").body
        if isinstance(parsed, ast.BinOp | ast.UnaryOp):
            new = f"({new})"
    return Edit(
        file.name,
        node.lineno,
        node.col_offset,
        node.end_lineno or node.lineno,
        node.end_col_offset or node.col_offset,
        new,
    )


def insert_before(file: SourceFile, node: ast.expr | ast.stmt, new: str) -> Edit:
    """Return the edit that inserts a text in front of a node."""
    return Edit(file.name, node.lineno, node.col_offset, node.lineno, node.col_offset, new)


def insert_after(file: SourceFile, node: ast.expr | ast.keyword | ast.alias, new: str) -> Edit:
    """Return the edit that inserts a text behind a node."""
    line, column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return Edit(file.name, line, column, line, column, new)


def wrap(file: SourceFile, node: ast.expr, before: str, after: str) -> tuple[Edit, ...]:
    """Return the edits that put texts around an expression."""
    if not before and not isinstance(node, PRIMARY):
        before, after = "(", f"){after}"
    first = (insert_before(file, node, before),) if before else ()
    return (*first, insert_after(file, node, after))


def line_before(file: SourceFile, statement: ast.stmt, new: str) -> Edit:
    """Return the edit that inserts a statement in front of another one, on a line of its own."""
    prefix = _bytes_before(file, statement.lineno, statement.col_offset)
    ending = f"\n{prefix}" if not prefix.strip() else "; "
    return insert_before(file, statement, f"{new}{ending}")


def line_after(file: SourceFile, statement: ast.stmt, new: str) -> Edit:
    """Return the edit that inserts a statement behind another one."""
    prefix = _bytes_before(file, statement.lineno, statement.col_offset)
    line, column = statement.end_lineno or statement.lineno, statement.end_col_offset or 0
    begin = f"\n{prefix}" if not prefix.strip() else "; "
    return Edit(file.name, line, column, line, column, f"{begin}{new}")


def add_argument(file: SourceFile, call: ast.Call, text: str) -> Edit:
    """Return the edit that adds an argument at the end of a call."""
    items: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
    if items:
        last = max(items, key=lambda item: (item.end_lineno or 0, item.end_col_offset or 0))
        closed = _closing(file, last)
        return Edit(file.name, *closed, *closed, f", {text}")
    line, column = call.end_lineno or call.lineno, (call.end_col_offset or 1) - 1
    return Edit(file.name, line, column, line, column, text)


def set_argument(file: SourceFile, call: ast.Call, name: str, value: str) -> Edit:
    """Return the edit that sets a keyword argument of a call, whether it is there or not."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return replace(file, keyword.value, value)
    return add_argument(file, call, f"{name}={value}")


def _closing(file: SourceFile, last: ast.expr | ast.keyword) -> tuple[int, int]:
    """Return the place behind an argument, with the parentheses that surround it."""
    line, column = last.end_lineno or last.lineno, last.end_col_offset or 0
    inner = last.value if isinstance(last, ast.keyword) else last
    opened = _bytes_before(file, inner.lineno, inner.col_offset)
    if opened.rstrip().endswith("(") and isinstance(
        inner, ast.BinOp | ast.GeneratorExp | ast.IfExp
    ):
        rest = file.lines[line - 1].encode()[column:].decode()
        if rest.lstrip().startswith(")") and opened.count("(") > opened.count(")") + 1:
            column += len(rest) - len(rest.lstrip()) + 1
    return line, column


def _bytes_before(file: SourceFile, line: int, column: int) -> str:
    return file.lines[line - 1].encode()[:column].decode(errors="ignore")
