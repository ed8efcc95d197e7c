"""Finds the operands of an op in the text of the user's line.

A recorded line has no columns. If a line makes several ops of one type, they are matched in order.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from math import prod

import msgspec

from resnet_inspect.graph import Graph, Op

OPERATORS: dict[str, tuple[type[ast.operator], ...]] = {
    "Sub": (ast.Sub,),
    "AddV2": (ast.Add,),
    "Add": (ast.Add,),
    "Mul": (ast.Mult,),
    "RealDiv": (ast.Div,),
}
COMPARISONS: dict[str, type[ast.cmpop]] = {"Equal": ast.Eq, "NotEqual": ast.NotEq}
FUNCTIONS = {
    "Sub": ("subtract",),
    "AddV2": ("add",),
    "Add": ("add",),
    "Mul": ("multiply",),
    "RealDiv": ("divide",),
    "SquaredDifference": ("squared_difference",),
    "Maximum": ("maximum",),
    "Minimum": ("minimum",),
    "Equal": ("equal",),
    "NotEqual": ("not_equal",),
    "LogicalAnd": ("logical_and",),
    "LogicalOr": ("logical_or",),
}
SIMPLE = (ast.Name, ast.Attribute, ast.Subscript)


class Operand(msgspec.Struct, frozen=True):
    """The text of an operand, and whether it is a name, an attribute or an item."""

    text: str
    simple: bool

    def indexed(self, index: str) -> str:
        """The operand with an index, such as `y[:, None]`."""
        return f"{self.text}[{index}]" if self.simple else f"({self.text})[{index}]"


class Expression(msgspec.Struct, frozen=True):
    """The text of an operation in the user's line, such as `y - p`, and its operands in order."""

    text: str
    operands: tuple[Operand, Operand]


def expression(graph: Graph, op: Op) -> Expression | None:
    """Return the expression that made an op of two operands, None if it is not found."""
    if not op.source:
        return None
    text = _line(op.source[0].text)
    tree = _parsed(text)
    made = list(_operations(tree, op.type)) if tree is not None else []
    at = _number(graph, op, len(made))
    if at is None:
        return None
    whole, *parts = (_operand(text, node) for node in made[at])
    left, right = parts
    return Expression(whole.text, (left, right)) if whole and left and right else None


def replaced_size(text: str, size: int, sizes: tuple[int, ...]) -> tuple[str, str] | None:
    """Return the product or number of a line that gives `size`, and one that gives `sizes`.

    None if the line has no such number, or several.
    """
    line = _line(text)
    tree = _parsed(line)
    giving = list(_giving(tree, size)) if tree is not None else []
    if len(giving) != 1:
        return None
    old = ast.get_source_segment(line, giving[0])
    factors = " * ".join(map(str, sizes)) if isinstance(giving[0], ast.BinOp) else str(prod(sizes))
    return (old, factors) if old else None


def _line(text: str) -> str:
    """The text of a line without indentation; `elif` is read as `if`."""
    text = text.strip()
    return text[2:] if text.startswith("elif ") else text


def _parsed(line: str) -> ast.Module | None:
    """Return the syntax tree of one line of code, None if the line is only part of a statement."""
    for whole in (line, f"{line}\n    pass"):
        try:
            return ast.parse(whole)
        except (SyntaxError, ValueError, RecursionError):
            continue
    return None


def _operations(tree: ast.AST, kind: str) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Yield the expressions that make an op of this type with their operands, inner ones first."""
    for child in ast.iter_child_nodes(tree):
        yield from _operations(child, kind)
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, OPERATORS.get(kind, ())):
        yield tree, tree.left, tree.right
    elif isinstance(tree, ast.Compare) and len(tree.ops) == 1 and kind in COMPARISONS:
        if isinstance(tree.ops[0], COMPARISONS[kind]):
            yield tree, tree.left, tree.comparators[0]
    elif isinstance(tree, ast.Call):
        name = ast.unparse(tree.func).rpartition(".")[2]
        given = [*tree.args, *(k.value for k in tree.keywords if k.arg in ("x", "y"))]
        if name in FUNCTIONS.get(kind, ()) and len(given) >= 2:
            yield tree, given[0], given[1]


def _number(graph: Graph, op: Op, count: int) -> int | None:
    """Return which of `count` expressions of its line made an op.

    A function that is called several times makes all ops of the line each time.
    """
    if not count:
        return None
    place = op.source[0]
    made = [
        other.name
        for other in graph.ops
        if other.type == op.type and other.phase == op.phase and other.source[:1] == (place,)
    ]
    return made.index(op.name) % count if len(made) % count == 0 else None


def _operand(text: str, node: ast.expr) -> Operand | None:
    written = ast.get_source_segment(text, node)
    return Operand(written, isinstance(node, SIMPLE)) if written else None


def _giving(node: ast.AST, size: int) -> Iterator[ast.expr]:
    """Yield the outermost numbers and products of numbers that are `size`."""
    if isinstance(node, ast.expr) and _value(node) == size:
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _giving(child, size)


def _value(node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        left, right = _value(node.left), _value(node.right)
        return None if left is None or right is None else left * right
    return None
