"""Follows a size of a failed call back to the line that sets it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from math import prod

import msgspec

from resnet_inspect.analysis.explain.environments import Environments
from resnet_inspect.analysis.explain.explanation import Line, SizeStep
from resnet_inspect.analysis.explain.operands import TRAINER, Operand, Operands
from resnet_inspect.analysis.explain.sources import (
    SourceFile,
    Sources,
    argument,
    evaluated,
    giving,
    known_values,
    names_in,
)
from resnet_inspect.graph.crash import (
    Crash,
    Node,
    NodeKind,
    Shape,
    Site,
    Value,
    ValueKind,
)

MOST_STEPS = 60
# Ops whose output shape is an argument.
SHAPING = (
    "Reshape",
    "Fill",
    "RandomStandardNormal",
    "RandomUniform",
    "TruncatedNormal",
    "BroadcastTo",
    "Tile",
    "Const",
    "Pack",
    "OneHot",
    "Range",
    "Placeholder",
)
READS = ("ReadVariableOp", "Identity", "Cast", "VarHandleOp")
# Functions whose first arguments are values and not sizes.
NOT_SIZES = {"randint": 2, "integers": 2, "choice": 1, "uniform": 0, "to_categorical": 1, "full": 1}


class Birth(msgspec.Struct, frozen=True):
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
    uses: tuple[tuple[str, ast.expr], ...] = ()


class Births:
    """Finds births of sizes in one crash."""

    def __init__(self, crash: Crash, sources: Sources, operands: Operands) -> None:
        self.crash = crash
        self.sources = sources
        self.operands = operands
        self.environments = Environments(crash, sources)

    def of(self, operand: Operand, axis: int | None, size: int, *, rank: bool = False) -> Birth:
        """Return where the size of an axis of an operand was set.

        With `rank`, the size is a number of axes or of elements, which no literal gives.
        """
        try:
            return self._of(operand, axis, None if rank else size, 0)
        except RecursionError:
            return Birth(None)

    def _of(self, operand: Operand, axis: int | None, size: int | None, depth: int) -> Birth:
        if depth > MOST_STEPS:
            return Birth(None)
        if operand.argument:
            return self._of_data(operand, axis, size)
        if operand.node >= 0:
            birth = self._of_node(operand.node, axis, size, depth)
            if birth is not None:
                return birth
        if operand.layer >= 0:
            birth = self._of_weight(operand, axis, size) if operand.weight else None
            birth = birth or self._of_layer(operand.layer, axis, size)
            return birth or self.at_layer(operand.layer)
        if operand.expression and operand.frame >= 0:
            return self.of_text(operand.frame, operand.expression, size, axis)
        return Birth(None)

    # Nodes

    def _of_node(self, number: int, axis: int | None, size: int | None, depth: int) -> Birth | None:
        node = self.crash.nodes[number]
        if node.kind in (NodeKind.INPUT, NodeKind.PLACEHOLDER):
            return self._of_input(number, axis, size)
        layer, weight = self.operands.weight_of(number)
        if weight:
            operand = Operand("", None, layer=layer, weight=weight)
            birth = self._of_weight(operand, axis, size) or self._of_layer(layer, axis, size)
            if birth is not None:
                return birth
        variable = self.operands.variable_of(number)
        if variable >= 0:
            return self._of_variable(self.crash.nodes[variable], size)
        if node.layer >= 0 and not self.crash.layers[node.layer].own:
            birth = self._of_layer(node.layer, axis, size)
            if birth is not None:
                return birth
        if size is None:
            passed = self._same_rank(node)
            if passed >= 0:
                return self._of(self.operands.of_node(passed), axis, size, depth + 1)
            return self._derived(number)
        made = self._made_on_line(node, size)
        if made is not None and not self._passes(node, axis, size):
            return made
        for source, where in self.sources_of(number, axis, size):
            birth = self._of(self.operands.of_node(source), where, size, depth + 1)
            if birth.line is not None:
                return birth
        return made or self._derived(number)

    def _same_rank(self, node: Node) -> int:
        """Return the input of an op that only passes its shape on, -1 without."""
        simple = node.type in (*READS, "Relu", "BiasAdd", "Tanh", "Sigmoid", "Softmax")
        return node.inputs[0] if simple and node.inputs else -1

    def _passes(self, node: Node, axis: int | None, size: int) -> bool:
        """Return whether an input has the same size at the same axis."""
        return node.type not in SHAPING and any(True for _ in self._aligned(node, axis, size))

    def _aligned(self, node: Node, axis: int | None, size: int) -> Iterator[tuple[int, int]]:
        """Yield inputs and axes that have the size, those at the same place first."""
        rank = len(node.shapes[0] or ()) if node.shapes else 0
        for aligned in (True, False):
            for source in node.inputs:
                shape = self.shape(source)
                for where, other in enumerate(shape or ()):
                    place = where - len(shape or ())
                    same = axis is not None and place == axis % max(rank, 1) - rank
                    if other == size and same == aligned:
                        yield source, where

    def sources_of(self, number: int, axis: int | None, size: int) -> Iterator[tuple[int, int]]:
        """Yield the inputs of a node and their axes from which it has a size."""
        node = self.crash.nodes[number]
        if node.type == "MatMul" and len(node.inputs) >= 2 and axis is not None:
            rank = len(node.shapes[0] or ()) or 2
            last = axis % rank == rank - 1
            source = node.inputs[1 if last else 0]
            shape = self.shape(source) or ()
            transposed = bool(node.settings.get("transpose_b" if last else "transpose_a"))
            if source >= 0 and len(shape) >= 2:
                yield source, len(shape) - (1 if last != transposed else 2)
                return
        if node.type == "Transpose" and axis is not None:
            order = self.constant(node, 1)
            if order is not None and axis < len(order):
                yield node.inputs[0], order[axis]
                return
        yield from self._aligned(node, axis, size)

    def constant(self, node: Node, at: int) -> list[int] | None:
        """Return an input of a node that is a constant list of integers, else None."""
        if at < len(node.inputs) and node.inputs[at] >= 0:
            text = self.crash.nodes[node.inputs[at]].value
            if text.startswith("["):
                return [int(part) for part in text.strip("[]").split(",") if part.strip()]
        return None

    def shape(self, number: int) -> Shape | None:
        """Return the static shape of the first output of a node, None if unknown."""
        shapes = self.crash.nodes[number].shapes if number >= 0 else ()
        return shapes[0] if shapes else None

    def _derived(self, number: int) -> Birth | None:
        """Return the line of a node that computes the size from others."""
        node = self.crash.nodes[number]
        if node.layer >= 0 and self.crash.layers[node.layer].created:
            return self.at_layer(node.layer)
        if node.sites:
            line = self.sources.line(node.sites[0])
            call = self.call_of(node)
            text = self.sources[node.sites[0].file].segment(call) if call else ""
            return Birth(line, text, file=line.file, node=call, call=call)
        return None

    def call_of(self, node: Node) -> ast.Call | None:
        """Return the call in the user's line that made an op, None without."""
        for site in node.sites[:1]:
            calls = self.sources[site.file].calls_at(site)
            stem = node.type.lower().removesuffix("v2")
            for call in calls:
                if _matches(ast.unparse(call.func), stem):
                    return call
            return calls[0] if calls else None
        return None

    def _made_on_line(self, node: Node, size: int | None) -> Birth | None:
        """Return the expression on the line of an op that gives the size."""
        if size is None or not node.sites:
            return None
        for level in range(min(len(node.sites), 2)):
            sites = node.sites[level:]
            file = self.sources[sites[0].file]
            values = self.environments.at(sites)
            call = self.call_of(node) if level == 0 else None
            within: ast.AST | None = call or file.statement(sites[0].line)
            if within is None or isinstance(within, ast.FunctionDef | ast.ClassDef):
                continue
            for expression in _sizes(within, size, values):
                return self._passed(sites, file, expression, values, call)
            named = self._of_named(within, size, sites[0]) if level == 0 else None
            if named is not None:
                return named
            if not isinstance(file.scope(sites[0].line), ast.FunctionDef):
                break
        return None

    def _of_named(self, within: ast.AST, size: int, site: Site) -> Birth | None:
        """Return the birth of a size in the shape of a value that an argument mentions.

        Such as `weights['wd1'].get_shape()[0]`, whose value is not known without running it.
        """
        for at, frame in enumerate(self.crash.frames):
            if (frame.site.file, frame.site.function) != (site.file, site.function):
                continue
            for name in names_in(within):
                value = frame.values.get(name)
                if value is not None and value.kind is ValueKind.VARIABLE and _has(value, size):
                    birth = self.of_text(at, name, size)
                    return birth if birth.exact else None
        return None

    def _of_input(self, number: int, axis: int | None, size: int | None) -> Birth | None:
        node = self.crash.nodes[number]
        if node.kind is NodeKind.PLACEHOLDER:
            made = self._made_on_line(node, size)
            return made or self._derived(number)
        if node.layer >= 0 and self.crash.layers[node.layer].created:
            return self._of_layer(node.layer, axis, size) or self.at_layer(node.layer)
        fed = self.operands.fed(node.name)
        if fed is not None:
            return self._of(fed, axis, size, 0)
        return self._of_function_input(node, axis, size)

    def _of_function_input(self, node: Node, axis: int | None, size: int | None) -> Birth | None:
        """Return the birth of an argument of a traced function, which is called by the user."""
        for at in reversed(range(1, len(self.crash.frames))):
            frame = self.crash.frames[at]
            if node.name in frame.parameters:
                return self.of_text(at, node.name, size, axis)
        return None

    def _of_variable(self, node: Node, size: int | None) -> Birth | None:
        made = self._made_on_line(node, size)
        if made is not None:
            return made
        if not node.sites:
            return None
        line = self.sources.line(node.sites[0])
        return Birth(line, file=line.file, call=self.call_of(node))

    # Layers

    def _of_weight(self, operand: Operand, axis: int | None, size: int | None) -> Birth | None:
        """Return what gave a layer the size of its input, for an axis of its kernel."""
        layer = self.crash.layers[operand.layer]
        shape = layer.weights.get(operand.weight)
        is_input = (
            axis is not None
            and operand.weight == "kernel"
            and (shape is None or axis % len(shape) == len(shape) - 2 or axis == 0)
        )
        if not is_input or size is None:
            return None
        for at, site in enumerate(layer.created):
            file = self.sources[site.file]
            for call in file.calls_at(site):
                for name in ("input_dim", "input_shape", "batch_input_shape", "shape"):
                    given = argument(call, name)
                    for expression in giving(given, size, site.values) if given else ():
                        birth = self._passed(
                            layer.created[at:], file, expression, site.values, call
                        )
                        return msgspec.structs.replace(birth, layer=operand.layer)
        return self._of_model_input(operand.layer, size)

    def _of_model_input(self, number: int, size: int) -> Birth | None:
        """Return the birth of the features that enter a layer of a model, from the layer before."""
        for model in self.crash.layers:
            if number in model.sublayers:
                before = model.sublayers[: model.sublayers.index(number)]
                for other in reversed(before):
                    birth = self._of_layer(other, -1, size)
                    if birth is not None:
                        return birth
        for number_of_input, layer in enumerate(self.crash.layers):
            if layer.type == "InputLayer" and layer.output is not None and size in layer.output:
                return self._of_layer(number_of_input, -1, size)
        return None

    def _of_layer(self, number: int, axis: int | None, size: int | None) -> Birth | None:
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
                for expression in giving(call, size, site.values):
                    birth = self._passed(layer.created[at:], file, expression, site.values, call)
                    return msgspec.structs.replace(birth, layer=number)
        return None

    def at_layer(self, number: int) -> Birth:
        """Return the line that creates a layer."""
        layer = self.crash.layers[number]
        if not layer.created:
            return Birth(None, layer=number)
        site = layer.created[0]
        file = self.sources[site.file]
        call = next(iter(file.calls_at(site)), None)
        text = file.segment(call) if call is not None else ""
        line = self.sources.line(site)
        return Birth(line, text, file=file.name, node=call, layer=number, call=call)

    def _passed(
        self,
        sites: Sequence[Site],
        file: SourceFile,
        expression: ast.expr,
        values: dict[str, int],
        call: ast.Call | None,
        steps: tuple[SizeStep, ...] = (),
        uses: tuple[tuple[str, ast.expr], ...] = (),
    ) -> Birth:
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
                return self._passed(
                    outer_sites,
                    outer,
                    passed,
                    outer_values,
                    call,
                    (*steps, step),
                    (*uses, (file.name, expression)),
                )
        return self._assigned(sites, file, expression, values, call, steps, uses)

    def _assigned(
        self,
        sites: Sequence[Site],
        file: SourceFile,
        expression: ast.expr,
        values: dict[str, int],
        call: ast.Call | None,
        steps: tuple[SizeStep, ...],
        uses: tuple[tuple[str, ast.expr], ...] = (),
    ) -> Birth:
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
        return Birth(
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
        uses: tuple[tuple[str, ast.expr], ...],
    ) -> Birth | None:
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

    # Data and expressions of the user's frames

    def _of_data(self, operand: Operand, axis: int | None, size: int | None) -> Birth:
        """Return the birth of a size of the data that `fit` or a session received."""
        frame = self.crash.frames[operand.frame]
        file = self.sources[frame.site.file]
        for call in file.calls_at(frame.site):
            given = self._given_data(file, call, operand, frame.site.line)
            if given is not None:
                return self._of_syntax(operand.frame, file, given, size, call.lineno, 0) or Birth(
                    file.line(given.lineno),
                    file.segment(given),
                    file=file.name,
                    node=given,
                    call=call,
                )
        return Birth(self.sources.line(frame.site), file=file.name)

    def _given_data(
        self, file: SourceFile, call: ast.Call, operand: Operand, before: int
    ) -> ast.expr | None:
        name = operand.argument
        if not name.startswith("feed:"):
            function = ast.unparse(call.func).rpartition(".")[2]
            given = (
                argument(call, name, {"x": 0, "y": 1}.get(name)) if function in TRAINER else None
            )
            if given is None and function in TRAINER and name == "y":
                return argument(call, "x", 0)
            return given
        feeds = argument(call, "feed_dict", 1 if "run" in ast.unparse(call.func) else 0)
        if isinstance(feeds, ast.Name):
            feeds = next((value for _, value in file.assignments(feeds.id, before)), None)
        if not isinstance(feeds, ast.Dict):
            return None
        frame = self.crash.frames[operand.frame]
        for key, value in zip(feeds.keys, feeds.values, strict=True):
            record = frame.values.get(ast.unparse(key)) if key is not None else None
            node = (
                self.crash.nodes[record.node] if record is not None and record.node >= 0 else None
            )
            if node is not None and node.name == name.removeprefix("feed:"):
                return value
        return None

    def of_text(self, frame: int, text: str, size: int | None, axis: int | None = None) -> Birth:
        """Return the birth of a size of the value of an expression in a frame."""
        record = self.crash.frames[frame]
        file = self.sources[record.site.file]
        located = [n for n in file.expressions_at(record.site) if file.segment(n) == text]
        try:
            node = located[0] if located else ast.parse(text, mode="eval").body
        except SyntaxError:
            return Birth(None)
        del axis
        found = self._of_syntax(frame, file, node, size, record.site.line, 0)
        return found or Birth(self.sources.line(record.site), text, file=file.name)

    def _of_syntax(
        self,
        frame: int,
        file: SourceFile,
        node: ast.expr,
        size: int | None,
        before: int,
        depth: int,
    ) -> Birth | None:
        if depth > MOST_STEPS:
            return None
        record = self.crash.frames[frame]
        values = dict(record.site.values)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._of_name(frame, file, ast.unparse(node), size, before, depth)
        if isinstance(node, ast.Call):
            called = record.values.get(ast.unparse(node.func))
            if called is not None and called.kind is ValueKind.LAYER and called.layer >= 0:
                birth = self._of_layer(called.layer, -1, size)
                if birth is not None:
                    return birth
        for expression in _sizes(node, size, values) if size is not None else ():
            if expression in file.parents:
                return self._assigned(
                    record_sites(self.crash, frame), file, expression, values, None, ()
                )
        for name in names_in(node):
            value = record.values.get(name)
            wanted = value is not None and (
                _has(value, size) if size is not None else _tensor(value)
            )
            if wanted and not isinstance(node, ast.Subscript):
                birth = self._of_name(
                    frame, file, name, size, getattr(node, "lineno", before), depth + 1
                )
                if birth is not None and birth.line is not None:
                    return birth
        if node in file.parents:
            call = node if isinstance(node, ast.Call) else None
            return Birth(
                file.line(node.lineno), file.segment(node), file=file.name, node=node, call=call
            )
        return None

    def _of_name(
        self, frame: int, file: SourceFile, name: str, size: int | None, before: int, depth: int
    ) -> Birth | None:
        for statement, value in file.assignments(name, before):
            if statement.lineno >= before and name in names_in(value):
                continue
            inner = None
            if size is not None or not isinstance(value, ast.Call):
                inner = self._of_syntax(frame, file, value, size, statement.lineno, depth + 1)
            call = value if isinstance(value, ast.Call) else None
            return inner or Birth(
                file.line(statement.lineno),
                file.segment(value),
                file=file.name,
                node=value,
                call=call,
            )
        record = self.crash.frames[frame]
        if name not in record.parameters or frame == 0:
            return None
        outer = self.crash.frames[frame - 1]
        outer_file = self.sources[outer.site.file]
        position = record.parameters.index(name) - (record.parameters[:1] == ("self",))
        for call in outer_file.calls_at(outer.site):
            given = argument(call, name, position)
            if given is not None:
                return self._of_syntax(frame - 1, outer_file, given, size, call.lineno, depth + 1)
        return None


def record_sites(crash: Crash, frame: int) -> tuple[Site, ...]:
    """Return the sites of a frame and of the frames that called it."""
    return tuple(record.site for record in reversed(crash.frames[: frame + 1]))


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


def _sizes(node: ast.AST, size: int, values: dict[str, int]) -> Iterator[ast.expr]:
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


def _has(value: Value, size: int) -> bool:
    if value.shape is not None and size in value.shape:
        return True
    if value.kind is ValueKind.NUMBER:
        return value.text == str(size)
    return any(_has(item, size) for item in value.items.values())


def _tensor(value: Value) -> bool:
    return value.shape is not None or value.kind is ValueKind.DATASET


def _matches(function: str, op: str) -> bool:
    name = function.rpartition(".")[2].replace("_", "").lower()
    return name == op or op.endswith(name) or name.startswith(op)


def _enclosing_call(file: SourceFile, expression: ast.expr) -> ast.Call | None:
    node: ast.AST | None = expression
    while node is not None and not isinstance(node, ast.stmt):
        if isinstance(node, ast.Call):
            return node
        node = file.parents.get(node)
    return None
