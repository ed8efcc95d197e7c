"""Follows a size of a failed call back to the line that sets it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from math import prod

import msgspec

from resnet_inspect.analysis.explain.explanation import DisagreeingSize, Line, SizeStep
from resnet_inspect.analysis.explain.operands import Operand, Operands
from resnet_inspect.analysis.explain.sources import (
    SourceFile,
    Sources,
    argument,
    evaluated,
    giving,
    known_values,
    names_in,
)
from resnet_inspect.graph.crash import Crash, Node, NodeKind, Shape, Site, Value, ValueKind

MOST_STEPS = 60
# Layers and ops whose output has the sizes of their input, axis by axis.
FEATURE_SETTINGS = ("units", "filters", "output_dim", "_key_dim", "dims", "target_shape", "n")


class Birth(msgspec.Struct, frozen=True):
    """The line that sets a size, with the expression, the steps to it and the syntax node.

    `node` is the expression in the syntax tree of `file`; None if the line is known alone. `use` is
    the name in `use_file` whose assignment `node` is; None if the size is not set by a name.
    """

    line: Line | None
    expression: str = ""
    values: dict[str, int] = {}
    steps: tuple[SizeStep, ...] = ()
    file: str = ""
    node: ast.expr | None = None
    layer: int = -1
    call: ast.Call | None = None
    use: ast.expr | None = None
    use_file: str = ""


class Births:
    """Finds births of sizes in one crash."""

    def __init__(self, crash: Crash, sources: Sources, operands: Operands) -> None:
        self.crash = crash
        self.sources = sources
        self.operands = operands

    def of(self, operand: Operand, axis: int | None, size: int) -> Birth:
        """Return where the size of an axis of an operand was set."""
        try:
            return self._of(operand, axis, size, 0)
        except RecursionError:
            return Birth(None)

    def side(self, operand: Operand, axis: int | None, size: int) -> tuple[DisagreeingSize, Birth]:
        """Return the size with its birth as part of an explanation."""
        birth = self.of(operand, axis, size)
        shape = spelled(operand.shape)
        of = (
            f"axis {axis} of {operand.label} {shape}"
            if axis is not None
            else f"{operand.label} {shape}"
        )
        return (
            DisagreeingSize(
                size=size,
                of=of,
                line=birth.line,
                expression=birth.expression,
                values=birth.values,
                steps=birth.steps,
            ),
            birth,
        )

    def _of(self, operand: Operand, axis: int | None, size: int, depth: int) -> Birth:
        if depth > MOST_STEPS:
            return Birth(None)
        if operand.node >= 0:
            node = self.crash.nodes[operand.node]
            if node.kind not in (NodeKind.INPUT, NodeKind.PLACEHOLDER) or operand.frame < 0:
                birth = self._of_node(operand.node, axis, size, depth, operand)
                if birth is not None:
                    return birth
        if operand.layer >= 0:
            birth = self._of_layer(operand.layer, axis, size)
            if birth is not None:
                return birth
        if operand.expression and operand.frame >= 0:
            return self.of_expression(operand.frame, operand.expression, size, axis)
        return Birth(None)

    # Nodes

    def _of_node(
        self, number: int, axis: int | None, size: int, depth: int, operand: Operand | None = None
    ) -> Birth | None:
        node = self.crash.nodes[number]
        if node.kind in (NodeKind.INPUT, NodeKind.PLACEHOLDER):
            return self._of_input(number, axis, size)
        if node.kind is NodeKind.VARIABLE:
            return self._of_variable(node, axis, size)
        if node.type in ("ReadVariableOp", "Identity", "Cast", "VarHandleOp") and node.inputs:
            weight = self.operands.weight_of(number)
            if weight[1]:
                birth = self._of_layer(weight[0], axis, size)
                if birth is not None:
                    return birth
        if node.layer >= 0 and not self.crash.layers[node.layer].own:
            birth = self._of_layer(node.layer, axis, size)
            if birth is not None:
                return birth
        made = self._made_on_line(node, size)
        if made is not None and not self._passes(node, axis, size):
            return made
        for source, where in self._sources_of(number, axis, size):
            birth = self._of(self.operands.of_node(source), where, size, depth + 1)
            if birth.line is not None:
                return birth
        if made is not None:
            return made
        return self._derived(number, axis, size, depth)

    def _passes(self, node: Node, axis: int | None, size: int) -> bool:
        """Return whether an input has the same size at the same axis."""
        return node.type not in SHAPING and any(True for _ in self._aligned(node, axis, size))

    def _aligned(self, node: Node, axis: int | None, size: int) -> Iterator[tuple[int, int]]:
        """Yield inputs and axes that have the size, those at the same place first."""
        rank = len(node.shapes[0] or ()) if node.shapes else 0
        for aligned in (True, False):
            for source in node.inputs:
                shape = self._shape(source)
                if shape is None:
                    continue
                for where, other in enumerate(shape):
                    same = axis is not None and where - len(shape) == axis % max(rank, 1) - rank
                    if other == size and same == aligned:
                        yield source, where

    def _sources_of(self, number: int, axis: int | None, size: int) -> Iterator[tuple[int, int]]:
        node = self.crash.nodes[number]
        if node.type == "MatMul" and len(node.inputs) >= 2 and axis is not None:
            rank = len(node.shapes[0] or ()) or 2
            last = axis % rank == rank - 1
            source = node.inputs[1 if last else 0]
            shape = self._shape(source) or ()
            transposed = bool(node.settings.get("transpose_b" if last else "transpose_a"))
            if source >= 0 and len(shape) >= 2:
                yield source, len(shape) - (1 if last != transposed else 2)
                return
        if node.type == "Transpose" and axis is not None:
            perm = self._constant(node, 1)
            if perm is not None and axis < len(perm):
                yield node.inputs[0], perm[axis]
                return
        yield from self._aligned(node, axis, size)

    def _constant(self, node: Node, at: int) -> list[int] | None:
        if at < len(node.inputs) and node.inputs[at] >= 0:
            text = self.crash.nodes[node.inputs[at]].value
            if text.startswith("["):
                return [int(part) for part in text.strip("[]").split(",") if part.strip()]
        return None

    def _shape(self, number: int) -> Shape | None:
        if number < 0:
            return None
        shapes = self.crash.nodes[number].shapes
        return shapes[0] if shapes else None

    def _derived(self, number: int, axis: int | None, size: int, depth: int) -> Birth | None:
        """Return the line of a node that computes the size from others."""
        node = self.crash.nodes[number]
        if node.layer >= 0:
            layer = self.crash.layers[node.layer]
            if layer.created:
                return self._at_layer(node.layer, size, axis)
        if node.sites:
            line = self.sources.line(node.sites[0])
            call = self._call_of(node)
            text = self.sources[node.sites[0].file].segment(call) if call else ""
            return Birth(line, text, file=line.file, node=call, call=call)
        return None

    def _call_of(self, node: Node) -> ast.Call | None:
        for site in node.sites[:1]:
            calls = self.sources[site.file].calls_at(site)
            stem = node.type.lower().removesuffix("v2")
            named = [c for c in calls if _matches(ast.unparse(c.func), stem)]
            return (named or calls or [None])[0]
        return None

    def _made_on_line(self, node: Node, size: int) -> Birth | None:
        """Return the expression on the line of an op that gives the size."""
        for site in node.sites[:1]:
            file = self.sources[site.file]
            values = self._values_at(site)
            call = self._call_of(node)
            within: ast.AST | None = call or file.statement(site.line)
            if within is None or isinstance(within, ast.FunctionDef):
                continue
            for expression in giving(within, size, values):
                return self._deepest(file, expression, values, site.line)
        return None

    def _values_at(self, site: Site) -> Mapping[str, int]:
        for frame in self.crash.frames:
            same = frame.site.file == site.file and frame.site.function == site.function
            if same:
                return frame.site.values | site.values
        return self._globals(site.file) | site.values

    def _globals(self, file: str) -> dict[str, int]:
        """Return the integers of the module of a file, read from its assignments."""
        values: dict[str, int] = {}
        for frame in self.crash.frames:
            if frame.site.file == file and frame.site.function == "<module>":
                values |= frame.site.values
        for node in self.sources[file].tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = evaluated(node.value, values)
                if value is not None:
                    values.setdefault(node.targets[0].id, value)
        return values

    def _of_input(self, number: int, axis: int | None, size: int) -> Birth | None:
        node = self.crash.nodes[number]
        if node.layer >= 0 and self.crash.layers[node.layer].created:
            return self._of_layer(node.layer, axis, size) or self._at_layer(node.layer, size, axis)
        fed = self.operands.fed(node.name)
        if fed is not None and fed.frame >= 0 and node.kind is NodeKind.INPUT:
            return self.of_fed(fed, size, axis)
        made = self._made_on_line(node, size) if node.kind is NodeKind.PLACEHOLDER else None
        if made is None and node.sites:
            return Birth(self.sources.line(node.sites[0]), file=node.sites[0].file)
        return made

    def of_fed(self, fed: Operand, size: int, axis: int | None = None) -> Birth:
        """Return the birth of a size of the data that a call of `fit` received."""
        frame = self.crash.frames[fed.frame]
        file = self.sources[frame.site.file]
        for call in file.calls_at(frame.site):
            positions = {"x": 0, "y": 1}
            name = fed.expression.partition("[")[0]
            given = argument(call, name, positions.get(name))
            if given is not None and ast.unparse(call.func).rpartition(".")[2] in (
                "fit",
                "evaluate",
                "predict",
                "train_on_batch",
                "test_on_batch",
                "predict_on_batch",
            ):
                return self.of_syntax(fed.frame, given, size, axis)
        return Birth(self.sources.line(frame.site), file=file.name)

    def _of_variable(self, node: Node, axis: int | None, size: int) -> Birth | None:
        if node.layer >= 0:
            birth = self._of_layer(node.layer, axis, size)
            if birth is not None:
                return birth
        made = self._made_on_line(node, size)
        if made is not None:
            return made
        return (
            Birth(self.sources.line(node.sites[0]), file=node.sites[0].file) if node.sites else None
        )

    # Layers

    def _of_layer(self, number: int, axis: int | None, size: int) -> Birth | None:
        """Return the argument of a layer's creation that gives a size, None without."""
        layer = self.crash.layers[number]
        given = [
            name
            for name, value in layer.settings.items()
            if (value == size and type(value) is int)
            or (isinstance(value, tuple) and size in value)
        ]
        if not given and not layer.own:
            return None
        for at, site in enumerate(layer.created):
            file = self.sources[site.file]
            for call in file.calls_at(site):
                for expression in giving(call, size, site.values):
                    birth = self._deepest(file, expression, site.values, site.line)
                    outer = self._passed_from(layer.created[at + 1 :], site, expression, size)
                    birth = outer or birth
                    return msgspec.structs.replace(birth, layer=number, call=birth.call or call)
        return None

    def _passed_from(
        self, outer: tuple[Site, ...], inner: Site, expression: ast.expr, size: int
    ) -> Birth | None:
        """Return the argument of the calling line, if the expression is a parameter."""
        if not isinstance(expression, ast.Name):
            return None
        scope = self.sources[inner.file].scope(inner.line)
        if not isinstance(scope, ast.FunctionDef):
            return None
        names = [item.arg for item in (*scope.args.posonlyargs, *scope.args.args)]
        if expression.id not in names:
            return None
        for site in outer:
            file = self.sources[site.file]
            for call in file.calls_at(site):
                method = names[:1] == ["self"]
                given = argument(call, expression.id, names.index(expression.id) - method)
                if given is not None and evaluated(given, site.values) == size:
                    return self._deepest(file, given, site.values, site.line)
        default = _default(scope, expression.id)
        if default is not None and evaluated(default, {}) == size:
            return self._deepest(self.sources[inner.file], default, {}, default.lineno)
        return None

    def _at_layer(self, number: int, size: int, axis: int | None) -> Birth:
        """Return the line that creates a layer which computes the size."""
        layer = self.crash.layers[number]
        site = layer.created[0]
        file = self.sources[site.file]
        call = next(iter(file.calls_at(site)), None)
        text = file.segment(call) if call is not None else ""
        return Birth(
            self.sources.line(site), text, file=file.name, node=call, layer=number, call=call
        )

    # Syntax

    def of_expression(self, frame: int, text: str, size: int, axis: int | None = None) -> Birth:
        """Return the birth of a size of the value of an expression in a frame."""
        try:
            node = ast.parse(text, mode="eval").body
        except SyntaxError:
            return Birth(None)
        return self.of_syntax(frame, node, size, axis)

    def of_syntax(
        self, frame: int, node: ast.expr, size: int, axis: int | None = None, depth: int = 0
    ) -> Birth:
        """Return the birth of a size of the value of a syntax node in a frame."""
        record = self.crash.frames[frame]
        file = self.sources[record.site.file]
        before = record.site.line
        return self._of_syntax(frame, file, node, size, before, axis, depth) or Birth(
            self.sources.line(record.site), file=file.name
        )

    def _of_syntax(
        self,
        frame: int,
        file: SourceFile,
        node: ast.expr,
        size: int,
        before: int,
        axis: int | None,
        depth: int,
    ) -> Birth | None:
        record = self.crash.frames[frame]
        values = record.site.values
        if depth > MOST_STEPS:
            return None
        if isinstance(node, ast.Name | ast.Attribute):
            name = ast.unparse(node)
            for statement, value in file.assignments(name, before):
                if statement.lineno == before and name in names_in(value):
                    continue
                inner = self._of_syntax(frame, file, value, size, statement.lineno, axis, depth + 1)
                return inner or Birth(
                    file.line(statement.lineno), file.segment(value), file=file.name, node=value
                )
            return self._of_parameter(frame, name, size, axis, depth)
        for expression in giving(node, size, values):
            if expression in file.parents or hasattr(expression, "lineno"):
                return self._deepest(file, expression, values, expression.lineno)
        for name in names_in(node):
            value = record.values.get(name)
            if value is not None and _has(value, size):
                inner_node = ast.parse(name, mode="eval").body
                birth = self._of_syntax(frame, file, inner_node, size, node.lineno, axis, depth + 1)
                if birth is not None and birth.line is not None:
                    return birth
        if getattr(node, "lineno", 0) and node in file.parents:
            return Birth(file.line(node.lineno), file.segment(node), file=file.name, node=node)
        return None

    def _of_parameter(
        self, frame: int, name: str, size: int, axis: int | None, depth: int
    ) -> Birth | None:
        """Follow a parameter to the argument in the frame that called the function."""
        record = self.crash.frames[frame]
        if name not in record.parameters or frame == 0:
            return None
        outer = self.crash.frames[frame - 1]
        file = self.sources[outer.site.file]
        method = record.parameters[:1] == ("self",)
        at = record.parameters.index(name) - method
        for call in file.calls_at(outer.site):
            given = argument(call, name, at)
            if given is not None:
                return self.of_syntax(frame - 1, given, size, axis, depth + 1)
        return None

    def _deepest(
        self, file: SourceFile, expression: ast.expr, values: Mapping[str, int], before: int
    ) -> Birth:
        """Return the assignment of a name if it is a number, else the expression itself."""
        if isinstance(expression, ast.Name | ast.Attribute):
            name = ast.unparse(expression)
            size = values.get(name)
            for statement, value in file.assignments(name, before):
                if evaluated(value, values) == size or evaluated(value, {}) == size:
                    step = SizeStep(f"{name} is used", file.line(expression.lineno))
                    return Birth(
                        file.line(statement.lineno),
                        file.segment(value),
                        known_values(value, values),
                        (step,),
                        file.name,
                        value,
                        use=expression,
                        use_file=file.name,
                    )
        return Birth(
            file.line(expression.lineno),
            file.segment(expression),
            known_values(expression, values),
            file=file.name,
            node=expression,
        )


# Ops whose output shape is given by an argument.
SHAPING = (
    "Reshape",
    "Fill",
    "RandomStandardNormal",
    "RandomUniform",
    "BroadcastTo",
    "Tile",
    "Const",
    "Pack",
    "OneHot",
    "Range",
    "TruncatedNormal",
    "Placeholder",
)


def spelled(shape: Shape | None) -> str:
    """Return a shape as a text, such as "(?, 28, 28)"."""
    if shape is None:
        return "of unknown rank"
    sizes = ["?" if size is None else str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def elements(shape: Shape) -> int | None:
    """Return the number of elements, None if a size is unknown."""
    known = [size for size in shape if size is not None]
    return prod(known) if len(known) == len(shape) else None


def _has(value: Value, size: int) -> bool:
    if value.shape is not None and size in value.shape:
        return True
    if value.kind is ValueKind.NUMBER:
        return value.text == str(size)
    return any(_has(item, size) for item in value.items.values())


def _matches(function: str, op: str) -> bool:
    name = function.rpartition(".")[2].replace("_", "").lower()
    return name == op or op.endswith(name) or name.startswith(op)


def _default(scope: ast.FunctionDef, name: str) -> ast.expr | None:
    arguments = scope.args
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = zip(reversed(positional), reversed(arguments.defaults), strict=False)
    return next((default for item, default in pairs if item.arg == name), None)
