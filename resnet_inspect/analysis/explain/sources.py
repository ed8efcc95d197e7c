"""Reads the user's files of a crash: lines, calls at a place, assignments and integer values."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from resnet_inspect.analysis.explain.explanation import Line
from resnet_inspect.graph.crash import Crash, Site

Scope = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef | ast.Module
OPERATORS: dict[type[ast.operator], Callable[[int, int], int | None]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b if b else None,
    ast.Div: lambda a, b: a // b if b and a % b == 0 else None,
    ast.Mod: lambda a, b: a % b if b else None,
    ast.Pow: lambda a, b: a**b if 0 <= b < 64 and abs(a) < 1 << 32 else None,
}


class SourceFile:
    """A file of the user: its text, lines and syntax tree."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.lines = text.splitlines()
        try:
            self.tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            self.tree = ast.Module(body=[], type_ignores=[])

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        """The parent of each node."""
        nodes = ast.walk(self.tree)
        return {child: node for node in nodes for child in ast.iter_child_nodes(node)}

    @cached_property
    def calls(self) -> list[ast.Call]:
        """All calls, outer ones before those inside them."""
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]

    def segment(self, node: ast.AST) -> str:
        """Return the text of a node in one line."""
        text = ast.get_source_segment(self.text, node) or ""
        return " ".join(text.split())

    def line(self, number: int, function: str = "") -> Line:
        """Return a line by its number, from 1."""
        text = self.lines[number - 1].strip() if 0 < number <= len(self.lines) else ""
        return Line(self.name, number, function or self.scope_name(number), text)

    def scope(self, number: int) -> Scope:
        """Return the innermost function that contains a line, or the module."""
        inner: Scope = self.tree
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                within = node.lineno <= number <= (node.end_lineno or node.lineno)
                if within and node.lineno >= getattr(inner, "lineno", 0):
                    inner = node
        return inner

    def scope_name(self, number: int) -> str:
        """Return the name of the function that contains a line, "<module>" without."""
        return str(getattr(self.scope(number), "name", "<module>"))

    def statement(self, number: int) -> ast.stmt | None:
        """Return the smallest statement that contains a line."""
        best: ast.stmt | None = None
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt) and node.lineno <= number <= (node.end_lineno or 0):
                extent = (node.end_lineno or 0) - node.lineno
                if best is None or extent <= (best.end_lineno or 0) - best.lineno:
                    best = node
        return best

    def enclosing_statement(self, node: ast.AST) -> ast.stmt | None:
        """Return the statement that contains a node."""
        current: ast.AST | None = node
        while current is not None and not isinstance(current, ast.stmt):
            current = self.parents.get(current)
        return current

    def calls_at(self, site: Site) -> list[ast.Call]:
        """Return the calls at a place, outer ones first: with its span, else on its line."""
        if site.end_line:
            span = (site.line, site.column, site.end_line, site.end_column)
            exact = [call for call in self.calls if span_of(call) == span]
            if exact:
                return exact
        return [c for c in self.calls if c.lineno <= site.line <= (c.end_lineno or c.lineno)]

    def expressions_at(self, site: Site) -> list[ast.expr]:
        """Return the expressions with a span, or those on its line if the span is unknown."""
        span = (site.line, site.column, site.end_line, site.end_column)
        every = [node for node in ast.walk(self.tree) if isinstance(node, ast.expr)]
        exact = [node for node in every if span_of(node) == span] if site.end_line else []
        return exact or [
            node for node in every if node.lineno <= site.line <= (node.end_lineno or 0)
        ]

    def inside(self, node: ast.AST) -> list[ast.expr]:
        """Return the expressions in a node, outer ones first."""
        return [inner for inner in ast.walk(node) if isinstance(inner, ast.expr)]

    def assignments(self, name: str, before: int) -> Iterator[tuple[ast.stmt, ast.expr]]:
        """Yield the statements that set a name or `self.attribute`, and the values, latest first.

        Only statements of the function that contains line `before` count for a name, and all of
        the file for an attribute.
        """
        attribute = name.startswith("self.")
        scope = self.tree if attribute else self.scope(before)
        values: list[tuple[ast.stmt, ast.expr]] = []
        for node in ast.walk(scope):
            if not isinstance(node, ast.stmt):
                continue
            if not attribute and self.scope(node.lineno) is not scope:
                continue
            value = _value_for(node, name)
            if value is not None and (attribute or node.lineno <= before):
                values.append((node, value))
        values.sort(key=lambda pair: pair[0].lineno, reverse=True)
        yield from values


class Sources:
    """The user's files of a crash by name."""

    def __init__(self, crash: Crash) -> None:
        self._files = {name: SourceFile(name, text) for name, text in crash.files.items()}

    def __getitem__(self, name: str) -> SourceFile:
        """Return a file; an empty one if its text is unknown."""
        if name not in self._files:
            self._files[name] = SourceFile(name, "")
        return self._files[name]

    def line(self, site: Site) -> Line:
        """Return the line of a place."""
        return self[site.file].line(site.line, site.function)


def span_of(node: ast.expr) -> tuple[int, int, int, int]:
    """Return line, column, last line and end column of an expression."""
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def evaluated(node: ast.AST, values: Mapping[str, int]) -> int | None:
    """Return the integer value of an expression of numbers and known names, None for others."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        return values.get(ast.unparse(node))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = evaluated(node.operand, values)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = evaluated(node.left, values), evaluated(node.right, values)
        if left is not None and right is not None:
            return OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "int" and len(node.args) == 1:
        return evaluated(node.args[0], values)
    return None


def names_in(node: ast.AST) -> list[str]:
    """Return the names and attributes that an expression reads, in order."""
    names: list[str] = []
    for inner in ast.walk(node):
        keyed = isinstance(inner, ast.Subscript) and isinstance(inner.slice, ast.Constant)
        if keyed or isinstance(inner, ast.Name | ast.Attribute):
            names.append(ast.unparse(inner))
    return list(dict.fromkeys(names))


def known_values(node: ast.AST, values: Mapping[str, int]) -> dict[str, int]:
    """Return the values of the names in an expression."""
    nodes = (n for n in ast.walk(node) if isinstance(n, ast.Name | ast.Attribute | ast.Subscript))
    texts = sorted({ast.unparse(inner) for inner in nodes})
    return {text: values[text] for text in texts if text in values}


def giving(node: ast.AST, size: int, values: Mapping[str, int]) -> Iterator[ast.expr]:
    """Yield the outermost expressions inside a node that evaluate to a size."""
    if isinstance(node, ast.expr) and evaluated(node, values) == size:
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from giving(child, size, values)


def argument(call: ast.Call, name: str, position: int | None = None) -> ast.expr | None:
    """Return an argument of a call by keyword, or by position."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    starred = any(isinstance(item, ast.Starred) for item in call.args)
    if position is not None and position < len(call.args) and not starred:
        return call.args[position]
    return None


def _value_for(node: ast.stmt, name: str) -> ast.expr | None:
    """Return the value that a statement gives a name, None if it sets another one."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            value = _matched(target, node.value, name)
            if value is not None:
                return value
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        if ast.unparse(node.target) == name:
            return node.value
    elif isinstance(node, ast.For | ast.AsyncFor):
        return _matched(node.target, node.iter, name, same=False)
    elif isinstance(node, ast.With):
        for item in node.items:
            if item.optional_vars is not None and ast.unparse(item.optional_vars) == name:
                return item.context_expr
    return None


def _matched(target: ast.expr, value: ast.expr, name: str, *, same: bool = True) -> ast.expr | None:
    if isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) and same else None
        for at, inner in enumerate(target.elts):
            part = parts[at] if parts is not None and len(parts) == len(target.elts) else value
            matched = _matched(inner, part, name, same=part is not value)
            if matched is not None:
                return matched
        return None
    inner = target.value if isinstance(target, ast.Starred) else target
    if ast.unparse(inner) == name:
        return value
    if isinstance(value, ast.Dict) and name.startswith(f"{ast.unparse(inner)}["):
        for key, item in zip(value.keys, value.values, strict=True):
            if key is not None and name == f"{ast.unparse(inner)}[{ast.unparse(key)}]":
                return item
    return None
