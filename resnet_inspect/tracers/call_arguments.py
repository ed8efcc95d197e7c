"""Finds the argument of a layer's creation that gives a size, such as `width * 4` in `Dense`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from resnet_inspect.graph import Source
from resnet_inspect.graph.lineage import Formula
from resnet_inspect.tracers.formulas import evaluate, spell
from resnet_inspect.tracers.layer_creations import Creation, CreationFrame, Span

# A recurrent layer multiplies its units by the number of its gates.
GATES = {"LSTM": 4, "LSTMCell": 4, "ConvLSTM2D": 4, "GRU": 3, "GRUCell": 3}


class ArgumentFinder:
    """Reads source files once; call it with the creation of a layer.

    `files` maps the file of a frame to its path on this machine, `named` to its name in a run.
    """

    def __init__(self, files: Callable[[str], Path], named: Callable[[str], str]) -> None:
        self._files, self._named = files, named
        self._read: dict[str, tuple[dict[Span, ast.Call], list[str]]] = {}

    def __call__(self, creation: Creation, size: int) -> tuple[Formula, ...]:
        """Return the arguments that are `size`, those of the innermost frame first."""
        return tuple(formula for frame in creation for formula in self._in_frame(frame, size))

    def _in_frame(self, frame: CreationFrame, size: int) -> Iterator[Formula]:
        calls, lines = self._calls(frame.file)
        call = calls.get(frame.span)
        if call is None:
            return
        gates = GATES.get(ast.unparse(call.func).rpartition(".")[2], 1)
        for argument in _arguments(call):
            value = evaluated(argument, frame.values)
            if value not in (size, size / gates):
                continue
            names = {ast.unparse(node) for node in ast.walk(argument) if isinstance(node, NAMES)}
            values = {name: frame.values[name] for name in sorted(names & frame.values.keys())}
            text = spell(argument) if value == size else f"{gates} × {spell(argument)}"
            source = Source(
                self._named(frame.file), call.lineno, frame.function, _text(call, lines)
            )
            yield Formula(text, values, source)

    def _calls(self, file: str) -> tuple[dict[Span, ast.Call], list[str]]:
        """Return the calls in a file by their lines and columns, and its lines."""
        if file not in self._read:
            try:
                text = self._files(file).read_text(encoding="utf-8")
                nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
            except (OSError, SyntaxError, ValueError):
                text, nodes = "", []
            spans: dict[Span, ast.Call] = {
                (n.lineno, n.end_lineno, n.col_offset, n.end_col_offset): n for n in nodes
            }
            self._read[file] = spans, text.splitlines()
        return self._read[file]


NAMES = ast.Name | ast.Attribute | ast.Subscript


def evaluated(node: ast.expr, values: Mapping[str, int]) -> int | None:
    """Return the integer value of an expression of known names, attributes and elements."""
    copy = ast.parse(ast.unparse(node), mode="eval").body
    known = _Known(values).visit(copy)
    return evaluate(known, {}) if isinstance(known, ast.expr) else None


class _Known(ast.NodeTransformer):
    """Replaces known names by their values."""

    def __init__(self, values: Mapping[str, int]) -> None:
        self._values = values

    def visit(self, node: ast.AST) -> ast.AST:
        """Return the value of a known name as a constant."""
        value = self._values.get(ast.unparse(node)) if isinstance(node, NAMES) else None
        return self.generic_visit(node) if value is None else ast.Constant(value)


def _text(call: ast.Call, lines: list[str]) -> str:
    """Return the line of a call, or the call in one line if it has several."""
    if call.end_lineno == call.lineno:
        return lines[call.lineno - 1].strip()
    return ast.unparse(call)


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the arguments of a call, and the elements of those that are tuples or lists."""
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, ast.Tuple | ast.List):
            yield from argument.elts
        else:
            yield argument
