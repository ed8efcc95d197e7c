"""Finds the argument of a layer's creation that gives a size, such as `width * 4` in `Dense`."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
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
        formulas: list[Formula] = []
        inner: list[CreationFrame] = []
        for frame in creation:
            if frame.library:
                inner.append(frame)
            else:
                given = self._passed(inner, frame, size) if inner else self._in_frame(frame, size)
                formulas += given
                inner = []
        return tuple(formulas)

    def default(
        self, creation: Creation, kind: str, text: str, name: str, place: int
    ) -> Formula | None:
        """Return a default of a layer's argument if the user's call lacks this argument.

        `kind` is the class of the layer, `place` the number of arguments before this one, and
        `text` the argument as it would be given.
        """
        frame = next(iter(creation), None)
        if frame is None or frame.library:
            return None
        calls, lines = self._calls(frame.file)
        call = calls.get(frame.span)
        if call is None or ast.unparse(call.func).rpartition(".")[2] != kind:
            return None
        given = {keyword.arg for keyword in call.keywords}
        if len(call.args) > place or given & {name, None}:
            return None
        source = Source(self._named(frame.file), call.lineno, frame.function, _text(call, lines))
        return Formula(text, {}, source, default=True)

    def _in_frame(self, frame: CreationFrame, size: int) -> Iterator[Formula]:
        """Yield the arguments of a layer that are `size`, else those of a layer that it wraps."""
        calls, lines = self._calls(frame.file)
        call = calls.get(frame.span)
        for inner in (
            (node for node in ast.walk(call) if isinstance(node, ast.Call)) if call else ()
        ):
            gates = GATES.get(ast.unparse(inner.func).rpartition(".")[2], 1)
            values = {id(node): evaluated(node, frame.values) for node in _arguments(inner)}
            given = [node for node in _arguments(inner) if values[id(node)] in (size, size / gates)]
            for node in given:
                text = spell(node) if values[id(node)] == size else f"{gates} × {spell(node)}"
                yield self._formula(frame, inner, node, text, lines)
            if given:
                return

    def _passed(
        self, inner: Sequence[CreationFrame], frame: CreationFrame, size: int
    ) -> Iterator[Formula]:
        """Yield the argument that functions of a library pass on unchanged to a layer.

        Other arguments may be equal by chance.
        """
        call = self._calls(inner[0].file)[0].get(inner[0].span)
        names = {ast.unparse(node) for node in _arguments(call)} if call else set()
        names = {name for name in names if inner[0].values.get(name) == size}
        for called, caller in pairwise((*inner, frame)):
            calls, lines = self._calls(caller.file)
            call = calls.get(caller.span)
            given = {
                name: node
                for name, node in (_bound(call, called.parameters) if call else ())
                if name in names and evaluated(node, caller.values) == size
            }
            names = {ast.unparse(node) for node in given.values()}
            if caller is frame and call:
                for node in given.values():
                    yield self._formula(frame, call, node, spell(node), lines)

    def _formula(
        self, frame: CreationFrame, call: ast.Call, node: ast.expr, text: str, lines: list[str]
    ) -> Formula:
        names = {ast.unparse(inner) for inner in ast.walk(node) if isinstance(inner, NAMES)}
        values = {name: frame.values[name] for name in sorted(names & frame.values.keys())}
        file = self._named(frame.file)
        return Formula(text, values, Source(file, call.lineno, frame.function, _text(call, lines)))

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


def _bound(call: ast.Call, parameters: Sequence[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the arguments of a call with the names of the parameters that they are for."""
    yield from zip(parameters, call.args, strict=False)
    yield from ((keyword.arg, keyword.value) for keyword in call.keywords if keyword.arg)


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    """Yield the arguments of a call, and the elements of those that are tuples or lists."""
    for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
        if isinstance(argument, ast.Tuple | ast.List):
            yield from argument.elts
        else:
            yield argument
