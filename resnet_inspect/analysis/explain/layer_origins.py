"""Finds the line that sets a size of a layer: the argument of its creation."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import msgspec

from resnet_inspect.analysis.explain.environments import Environments
from resnet_inspect.analysis.explain.explanation import Line, SizeStep
from resnet_inspect.analysis.explain.operands import Operand, Operands
from resnet_inspect.analysis.explain.sources import (
    SourceFile,
    Sources,
    argument,
    evaluated,
    giving,
    known_values,
)
from resnet_inspect.graph.crash import Crash, Shape, Site

INPUT_ARGUMENTS = ("input_shape", "input_dim", "batch_input_shape", "batch_shape", "shape")
NOT_SIZES = {"randint": 2, "integers": 2, "choice": 1, "uniform": 0, "to_categorical": 1, "full": 1}


Uses = tuple[tuple[str, ast.expr], ...]


class SizeOrigin(msgspec.Struct, frozen=True):
    """The line that sets a size, with the expression, the steps to it and the syntax node.

    Attributes:
        line: the line; None if unknown.
        expression: the source that gives the size, in one line.
        values: the values of its names.
        steps: how the size changes between the failed call and the line.
        file: the name of the file.
        node: the expression in the syntax tree of the file; None if only the line is known.
        layer: the index of the layer that the line creates, -1 without.
        call: the call that contains the expression, such as that of a layer's class.
        exact: whether the expression evaluates to the size.
        uses: the names that pass the size on, with their files, the nearest to the failure first.
    """

    line: Line | None
    expression: str = ""
    values: dict[str, int] = {}
    steps: tuple[SizeStep, ...] = ()
    file: str = ""
    node: ast.expr | None = None
    layer: int = -1
    call: ast.Call | None = None
    exact: bool = False
    uses: Uses = ()


class LayerOrigins:
    """Finds origins of sizes that layers of a crash have."""

    def __init__(self, crash: Crash, sources: Sources, operands: Operands) -> None:
        self.crash = crash
        self.sources = sources
        self.operands = operands
        self.environments = Environments(crash, sources)

    def _passed(
        self,
        sites: Sequence[Site],
        file: SourceFile,
        expression: ast.expr,
        values: dict[str, int],
        call: ast.Call | None,
        steps: tuple[SizeStep, ...] = (),
        uses: Uses = (),
    ) -> SizeOrigin:
        """Return where an expression gets its value: an assignment, or the caller's argument."""
        text = file.segment(expression)
        if isinstance(expression, ast.Name) and len(steps) < 8:
            step = SizeStep(f"{text} = {values.get(text)}", file.line(expression.lineno))
            given = self.environments.given(sites, expression.id)
            scope = file.scope(expression.lineno)
            assigned = list(file.assignments(expression.id, expression.lineno))
            if given is not None and (not assigned or not isinstance(scope, ast.FunctionDef)):
                outer, passed, levels = given
                outer_sites = sites[levels:]
                outer_values = self.environments.at(outer_sites) if levels else {}
                used = (*uses, (file.name, expression))
                steps = (*steps, step)
                return self._passed(outer_sites, outer, passed, outer_values, call, steps, used)
        return self._assigned(sites, file, expression, values, call, steps, uses)

    def _assigned(
        self,
        sites: Sequence[Site],
        file: SourceFile,
        expression: ast.expr,
        values: dict[str, int],
        call: ast.Call | None,
        steps: tuple[SizeStep, ...],
        uses: Uses = (),
    ) -> SizeOrigin:
        """Return the assignment of a name or attribute, else the expression itself."""
        if isinstance(expression, ast.Name | ast.Attribute) and len(steps) < 8:
            name = ast.unparse(expression)
            size = values.get(name)
            step = SizeStep(f"{name} = {size}", file.line(expression.lineno))
            for statement, value in file.assignments(name, expression.lineno):
                if size in (evaluated(value, values), evaluated(value, {})):
                    used = (*uses, (file.name, expression))
                    return self._assigned(sites, file, value, values, call, (*steps, step), used)
                attribute = self._of_attribute(file, statement, value, size, steps, uses)
                if attribute is not None:
                    return attribute
        return SizeOrigin(
            file.line(expression.lineno),
            file.segment(expression),
            known_values(expression, values),
            steps,
            file.name,
            expression,
            call=_enclosing_call(file, expression) or call,
            exact=True,
            uses=uses,
        )

    def _of_attribute(
        self,
        file: SourceFile,
        statement: ast.stmt,
        value: ast.expr,
        size: int | None,
        steps: tuple[SizeStep, ...],
        uses: Uses,
    ) -> SizeOrigin | None:
        """Return the argument that a layer of the user received, for `self.size = size`."""
        scope = file.scope(statement.lineno)
        owner = file.parents.get(scope)
        if not isinstance(value, ast.Name) or not isinstance(owner, ast.ClassDef):
            return None
        for layer in self.crash.layers:
            if layer.type == owner.name and layer.created and size in layer.settings.values():
                inner = Site(file.name, statement.lineno, "__init__", values={value.id: size or 0})
                sites = (inner, *layer.created)
                step = SizeStep(f"{value.id} = {size}", file.line(statement.lineno))
                return self._passed(sites, file, value, inner.values, None, (*steps, step), uses)
        return None

    def _of_weight(self, operand: Operand, axis: int | None, size: int | None) -> SizeOrigin | None:
        """Return what gave a layer the size of its input, for an axis of its kernel."""
        layer = self.crash.layers[operand.layer]
        shape = layer.weights.get(operand.weight)
        is_input = operand.weight == "kernel" and (
            axis is None or shape is None or axis % len(shape) == len(shape) - 2 or axis == 0
        )
        if not is_input or size is None:
            return None
        for at, site in enumerate(layer.created):
            file = self.sources[site.file]
            for call in file.calls_at(site):
                for name in INPUT_ARGUMENTS:
                    given = argument(call, name)
                    for expression in giving(given, size, site.values) if given else ():
                        origin = self._passed(
                            layer.created[at:], file, expression, site.values, call
                        )
                        return msgspec.structs.replace(origin, layer=operand.layer)
        return self._of_model_input(operand.layer, size)

    def _of_model_input(self, number: int, size: int) -> SizeOrigin | None:
        """Return the origin of the features that enter a layer, from the layer before it."""
        for model in self.crash.layers:
            if number in model.sublayers:
                before = model.sublayers[: model.sublayers.index(number)]
                for other in reversed(before):
                    if self.crash.layers[other].type == "InputLayer":
                        return self._of_layer(other, -1, size) or self.of_model_input(other, size)
                    origin = self._of_layer(other, -1, size)
                    if origin is not None:
                        return origin
        for number_of_input, layer in enumerate(self.crash.layers):
            if layer.type == "InputLayer" and layer.output is not None and size in layer.output:
                return self._of_layer(number_of_input, -1, size)
        return None

    def _of_layer(self, number: int, axis: int | None, size: int | None) -> SizeOrigin | None:
        """Return the argument of a layer's creation that gives a size, None without."""
        del axis
        layer = self.crash.layers[number]
        if size is None:
            return self.at_layer(number) if layer.created else None
        given = [
            name
            for name, value in layer.settings.items()
            if (type(value) is int and value == size)
            or (isinstance(value, tuple) and size in value)
        ]
        if not given and not layer.own and layer.type != "InputLayer":
            return None
        for at, site in enumerate(layer.created):
            file = self.sources[site.file]
            for call in file.calls_at(site):
                for expression in sizes_in(call, size, site.values):
                    origin = self._passed(layer.created[at:], file, expression, site.values, call)
                    return msgspec.structs.replace(origin, layer=number)
        return None

    def of_model_input(
        self, number: int, size: int | None = None, shape: Shape | None = None
    ) -> SizeOrigin:
        """Return the argument that gives the input shape of a model, else its first layer."""
        model = self.crash.layers[number]
        inner = [number, *model.sublayers]
        inputs = [n for n in inner if self.crash.layers[n].type == "InputLayer"]
        fitting = [n for n in inputs if shape and self.crash.layers[n].output == shape]
        for candidate in (*fitting, *inputs, *inner[:3]):
            origin = self._input_argument(candidate, size)
            if origin is not None:
                return origin
        layers = [n for n in model.sublayers if self.crash.layers[n].type != "InputLayer"]
        return self.at_layer(layers[0] if layers else number)

    def _input_argument(self, number: int, size: int | None) -> SizeOrigin | None:
        layer = self.crash.layers[number]
        for level, site in enumerate(layer.created[:1]):
            file = self.sources[site.file]
            for call in file.calls_at(site):
                function = ast.unparse(call.func).rpartition(".")[2]
                for name in INPUT_ARGUMENTS:
                    is_input = name == "shape" and function in ("Input", "InputLayer")
                    given = argument(call, name, 0 if is_input else None)
                    if given is None:
                        continue
                    for expression in giving(given, size, site.values) if size else ():
                        sites = layer.created[level:]
                        origin = self._passed(sites, file, expression, site.values, call)
                        return msgspec.structs.replace(origin, layer=number)
                    text = file.segment(given)
                    return SizeOrigin(
                        file.line(given.lineno),
                        text,
                        file=file.name,
                        node=given,
                        layer=number,
                        call=call,
                    )
        return None

    def at_layer(self, number: int) -> SizeOrigin:
        """Return the line that creates a layer."""
        layer = self.crash.layers[number]
        if not layer.created:
            return SizeOrigin(None, layer=number)
        site = layer.created[0]
        file = self.sources[site.file]
        call = next(iter(file.calls_at(site)), None)
        text = file.segment(call) if call is not None else ""
        line = self.sources.line(site)
        return SizeOrigin(line, text, file=file.name, node=call, layer=number, call=call)


def sizes_in(node: ast.AST, size: int, values: dict[str, int]) -> Iterator[ast.expr]:
    """Yield the expressions inside a node that give a size, without arguments that are values."""
    for expression in giving(node, size, values):
        if not _is_value(node, expression):
            yield expression


def _is_value(within: ast.AST, expression: ast.expr) -> bool:
    for call in ast.walk(within):
        if isinstance(call, ast.Call):
            name = ast.unparse(call.func).rpartition(".")[2]
            first = call.args[: NOT_SIZES.get(name, 0)]
            if any(expression is inner for item in first for inner in ast.walk(item)):
                return True
    return False


def _enclosing_call(file: SourceFile, expression: ast.expr) -> ast.Call | None:
    node: ast.AST | None = expression
    while node is not None and not isinstance(node, ast.stmt):
        if isinstance(node, ast.Call):
            return node
        node = file.parents.get(node)
    return None
