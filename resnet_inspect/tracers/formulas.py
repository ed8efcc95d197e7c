"""Finds the expression in the user's source that gives a size.

The input is the frames that led to an op, and the settings of the network. The statements at those
frames are searched for an expression whose value is the size: a literal, a setting, or arithmetic
on them. Local names and loop values are resolved. No user code is run.

Indices, negative numbers and positions of axes are not sizes. A caller's literal is a size only if
it is an argument of the call that leads to the inner frame.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from resnet_inspect.graph.lineage import Formula
from resnet_inspect.graph.nodes import Source

Values = dict[str, int]
MOST_COMBINATIONS = 1000
OPERATORS: dict[type[ast.operator], tuple[Callable[[int, int], int], str]] = {
    ast.Add: (operator.add, " + "),
    ast.Sub: (operator.sub, " − "),
    ast.Mult: (operator.mul, " × "),
    ast.FloorDiv: (operator.floordiv, " // "),
    ast.Pow: (operator.pow, "^"),
}
# Arguments that are positions of axes.
POSITIONS = frozenset(("axis", "axes", "dim", "dims", "perm", "batch_dims"))
# Methods that the call of a class or of its instance leads to.
OF_CLASSES = frozenset(("__init__", "__call__", "__new__", "build", "call"))
SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class FormulaFinder:
    """Reads source files once; call it with the frames of an op, innermost first.

    `files` maps the file of a frame to its path on this machine.
    """

    def __init__(self, settings: Mapping[str, int], files: Callable[[str], Path]) -> None:
        self._settings = settings
        self._files = files
        self._trees: dict[str, tuple[ast.Module, list[str]] | None] = {}

    def __call__(self, frames: Sequence[Source], size: int) -> tuple[Formula, ...]:
        """The expressions whose value is `size`; those with names come before bare literals."""
        formulas: list[Formula] = []
        called = None
        for frame in frames:
            # Only the outermost function receives the settings. In other functions a parameter
            # of the same name may have any value.
            settings = self._settings if frame is frames[-1] else {}
            for formula in self._in_frame(frame, called, size, settings):
                if formula not in formulas:
                    formulas.append(formula)
            called = frame.function
        return tuple(sorted(formulas, key=lambda formula: not formula.values))

    def _in_frame(
        self, frame: Source, called: str | None, size: int, settings: Mapping[str, int]
    ) -> Iterator[Formula]:
        """Yield the expressions at a frame; `called` is the function of the frame inside it."""
        read = self._read(frame.file)
        if read is None:
            return
        tree, lines = read
        function = _function_at(tree, frame.line)
        if function is None:
            return
        scope = _Scope(function, settings)
        nodes = list(_expressions_at(function, frame.line))
        passed = {id(node) for node in _passed(nodes, called)}
        for node in nodes:
            for line, text, values in scope.readings(node, size):
                if values or called is None or id(node) in passed:
                    source = Source(frame.file, line, frame.function, lines[line - 1].strip())
                    yield Formula(text, values, source)

    def _read(self, file: str) -> tuple[ast.Module, list[str]] | None:
        if file not in self._trees:
            try:
                text = self._files(file).read_text(encoding="utf-8")
                self._trees[file] = ast.parse(text), text.splitlines()
            except (OSError, SyntaxError, ValueError):
                self._trees[file] = None
        return self._trees[file]


class _Scope:
    """The values of names in one function: settings, loop variables, local assignments."""

    def __init__(self, function: ast.FunctionDef, settings: Mapping[str, int]) -> None:
        arguments = function.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        self._settings = {a.arg: settings[a.arg] for a in named if a.arg in settings}
        self._loops: dict[str, ast.expr] = {}
        self._assigned: dict[str, ast.Assign] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
                self._loops[node.target.id] = node.iter
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._assigned[node.targets[0].id] = node

    def readings(self, node: ast.expr, size: int) -> Iterator[tuple[int, str, Values]]:
        """Line, text and values of names for `node`, or its assigned value, if it equals `size`."""
        if isinstance(node, ast.Name) and node.id in self._assigned:
            assigned = self._assigned[node.id]
            if not isinstance(assigned.value, ast.Name):
                yield from self.readings(assigned.value, size)
            return
        if not isinstance(node, ast.BinOp | ast.Name | ast.Constant):
            return
        names = sorted({inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)})
        for values in self._combinations(names):
            if evaluate(node, values) == size:
                yield node.lineno, spell(node), values
                return

    def _combinations(self, names: list[str]) -> Iterator[Values]:
        choices: list[Sequence[int]] = []
        for name in names:
            if name in self._settings:
                choices.append([self._settings[name]])
            elif name in self._loops:
                choices.append(self._range(self._loops[name]))
            else:
                return
        for number, values in enumerate(product(*choices)):
            if number < MOST_COMBINATIONS:
                yield dict(zip(names, values, strict=True))

    def _range(self, node: ast.expr) -> Sequence[int]:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            ends = [evaluate(argument, self._settings) for argument in node.args]
            known = [end for end in ends if end is not None]
            complete = len(known) == len(ends) in (1, 2, 3) and 0 not in known[2:]
            if node.func.id == "range" and complete:
                return range(*known)
        return []


def evaluate(node: ast.expr, values: Mapping[str, int]) -> int | None:
    """The integer value of an expression of names and numbers; None for other expressions."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    if isinstance(node, ast.Name):
        return values.get(node.id)
    if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        left, right = evaluate(node.left, values), evaluate(node.right, values)
        if left is None or right is None or (isinstance(node.op, ast.Pow) and not 0 <= right < 64):
            return None
        if isinstance(node.op, ast.FloorDiv) and right == 0:
            return None
        return OPERATORS[type(node.op)][0](left, right)
    return None


def spell(node: ast.expr) -> str:
    """An expression in mathematical notation: filters × 2²."""
    if isinstance(node, ast.BinOp):
        left, right = spell(node.left), spell(node.right)
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            return left + right.translate(SUPERSCRIPT)
        brackets = isinstance(node.op, ast.Mult | ast.FloorDiv | ast.Pow)
        parts = (
            f"({text})" if brackets and _is_sum(side) else text
            for text, side in ((left, node.left), (right, node.right))
        )
        return OPERATORS[type(node.op)][1].join(parts)
    return ast.unparse(node)


def _is_sum(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub)


def _function_at(tree: ast.Module, line: int) -> ast.FunctionDef | None:
    """The innermost function that contains a line."""
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and _covers(n, line)]
    return max(functions, key=lambda function: function.lineno, default=None)


def _covers(node: ast.AST, line: int) -> bool:
    start, end = getattr(node, "lineno", None), getattr(node, "end_lineno", None)
    return start is not None and end is not None and start <= line <= end


def _expressions_at(function: ast.FunctionDef, line: int) -> Iterator[ast.expr]:
    """Expressions of the innermost statement at a line that may be sizes, outermost first."""
    statements = [n for n in ast.walk(function) if isinstance(n, ast.stmt) and _covers(n, line)]
    if statements:
        innermost = max(statements, key=lambda inner: (inner.lineno, inner.col_offset))
        yield from _expressions_in(innermost)


def _expressions_in(root: ast.AST) -> Iterator[ast.expr]:
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.expr):
            yield node
        waiting.extend(n for n in _parts(node) if not isinstance(n, ast.stmt))


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node that may be sizes: no text, index, negative number or position of an axis."""
    if isinstance(node, ast.JoinedStr | ast.UnaryOp):
        return
    if isinstance(node, ast.keyword) and node.arg in POSITIONS:
        return
    if isinstance(node, ast.comprehension):
        yield from (node.iter for _ in range(not _counts(node.iter)))
        return
    if isinstance(node, ast.Subscript):
        index = node.slice
        yield node.value
        yield from (
            part
            for part in (index.elts if isinstance(index, ast.Tuple) else [index])
            if not isinstance(part, ast.Constant)
        )
        return
    yield from ast.iter_child_nodes(node)


def _counts(node: ast.expr) -> bool:
    """Whether an expression is a call of `range`, whose numbers are no sizes."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "range"


def _passed(nodes: Sequence[ast.expr], called: str | None) -> Iterator[ast.expr]:
    """Expressions in the arguments of the calls that lead to the function `called`."""
    for node in nodes:
        if isinstance(node, ast.Call) and called is not None:
            name = ast.unparse(node.func).rpartition(".")[2]
            if name == called or (called in OF_CLASSES and name[:1].isupper()):
                for argument in (*node.args, *node.keywords):
                    inner = list(_expressions_in(argument))
                    # The arguments of an inner call lead to another function.
                    calls = (n for n in inner if isinstance(n, ast.Call) and not _is_number(n))
                    others = {id(n) for call in calls for n in ast.walk(call)}
                    yield from (n for n in inner if id(n) not in others)


def _is_number(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in ("int", "max", "min", "round")
