"""Finds the line that sets a size of a value in the user's frames, by their assignments."""

from __future__ import annotations

import ast

from resnet_inspect.analysis.explain.layer_origins import LayerOrigins, SizeOrigin, sizes_in
from resnet_inspect.analysis.explain.operands import MOST_LABEL, TRAINER, Operand, data_argument
from resnet_inspect.analysis.explain.sources import (
    SourceFile,
    argument,
    names_in,
)
from resnet_inspect.graph.crash import Crash, Site, Value, ValueKind

MOST_STEPS = 60


class FrameOrigins(LayerOrigins):
    """Finds origins of sizes of data and of expressions in the frames of a crash."""

    def _of_data(self, operand: Operand, size: int | None) -> SizeOrigin:
        """Return the origin of a size of the data that `fit` or a session received."""
        frame = self.crash.frames[operand.frame]
        file = self.sources[frame.site.file]
        for call in file.calls_at(frame.site):
            given = self._given_data(file, call, operand, frame.site.line)
            if given is not None:
                return self._of_syntax(
                    operand.frame, file, given, size, call.lineno, 0
                ) or SizeOrigin(
                    file.line(given.lineno),
                    file.segment(given),
                    file=file.name,
                    node=given,
                    call=call,
                )
        return SizeOrigin(self.sources.line(frame.site), file=file.name)

    def written_data(self, operand: Operand) -> str:
        """Return the source of the data that `fit` or a session received, "" if it is long."""
        if not operand.argument or operand.frame < 0:
            return ""
        frame = self.crash.frames[operand.frame]
        file = self.sources[frame.site.file]
        for call in file.calls_at(frame.site):
            given = self._given_data(file, call, operand, frame.site.line)
            if given is not None:
                text = file.segment(given)
                return text if len(text) <= MOST_LABEL else ""
        return ""

    def _given_data(
        self, file: SourceFile, call: ast.Call, operand: Operand, before: int
    ) -> ast.expr | None:
        name = operand.argument
        if not name.startswith("feed:"):
            function = ast.unparse(call.func).rpartition(".")[2]
            given = data_argument(call, name) if function in TRAINER else None
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

    def of_text(self, frame: int, text: str, size: int | None) -> SizeOrigin:
        """Return the origin of a size of the value of an expression in a frame."""
        record = self.crash.frames[frame]
        file = self.sources[record.site.file]
        located = [n for n in file.expressions_at(record.site) if file.segment(n) == text]
        try:
            node = located[0] if located else ast.parse(text, mode="eval").body
        except SyntaxError:
            return SizeOrigin(None)
        known = self._of_syntax(frame, file, node, size, record.site.line, 0)
        return known or SizeOrigin(self.sources.line(record.site), text, file=file.name)

    def _of_syntax(  # noqa: PLR0912 - one branch a kind of expression
        self,
        frame: int,
        file: SourceFile,
        node: ast.expr,
        size: int | None,
        before: int,
        depth: int,
    ) -> SizeOrigin | None:
        if depth > MOST_STEPS:
            return None
        record = self.crash.frames[frame]
        values = dict(record.site.values)
        if isinstance(node, ast.Name | ast.Attribute):
            return self._of_name(frame, file, ast.unparse(node), size, before, depth)
        if isinstance(node, ast.Call):
            called = record.values.get(ast.unparse(node.func))
            if called is not None and called.kind is ValueKind.LAYER and called.layer >= 0:
                origin = self._of_layer(called.layer, -1, size) or self._of_inner(
                    called.layer, size
                )
                if origin is not None:
                    return origin
            made = self._of_function(frame, file, node, size, depth)
            if made is not None:
                return made
            base = node.func.value if isinstance(node.func, ast.Attribute) else None
            if size is None and base is not None and _passes_on(node):
                return self._of_syntax(frame, file, base, size, node.lineno, depth + 1)
        for expression in sizes_in(node, size, values) if size is not None else ():
            if expression in file.parents:
                return self._assigned(
                    record_sites(self.crash, frame), file, expression, values, None, ()
                )
        for name in names_in(node):
            value = record.values.get(name)
            wanted = value is not None and (
                has_size(value, size) if size is not None else _tensor(value)
            )
            kept = not isinstance(node, ast.Subscript) or (
                size is not None and value is not None and size in (value.shape or ())[1:]
            )
            if wanted and kept:
                origin = self._of_name(
                    frame, file, name, size, getattr(node, "lineno", before), depth + 1
                )
                if origin is not None and origin.line is not None:
                    return origin
        if node in file.parents:
            call = node if isinstance(node, ast.Call) else None
            return SizeOrigin(
                file.line(node.lineno), file.segment(node), file=file.name, node=node, call=call
            )
        return None

    def _of_inner(self, number: int, size: int | None) -> SizeOrigin | None:
        """Return the origin of a size of the output of a model, from its last layers."""
        for inner in reversed(self.crash.layers[number].sublayers if size is not None else ()):
            layer = self.crash.layers[inner]
            if not layer.own and size in (layer.output or layer.weights.get("bias") or ())[-1:]:
                return self._of_layer(inner, -1, size)
        return None

    def _of_function(
        self, frame: int, file: SourceFile, call: ast.Call, size: int | None, depth: int
    ) -> SizeOrigin | None:
        """Return the origin of a size of what a function of the user returns or yields."""
        name = ast.unparse(call.func)
        for function in ast.walk(file.tree):
            if not isinstance(function, ast.FunctionDef) or function.name != name:
                continue
            made = [
                node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Return | ast.Yield) and node.value is not None
            ]
            if len(made) != 1:
                return None
            first = made[0].elts[0] if isinstance(made[0], ast.Tuple) and made[0].elts else made[0]
            yields = any(isinstance(node, ast.Yield) for node in ast.walk(function))
            if isinstance(first, ast.Name) and not yields:
                known = self._of_name(frame, file, first.id, size, first.lineno, depth + 1)
                if known is not None and known.line is not None:
                    return known
            return SizeOrigin(
                file.line(first.lineno), file.segment(first), file=file.name, node=first
            )
        return None

    def _of_loss(self) -> SizeOrigin:
        """Return the loss that a call of `compile` gets."""
        for name in self.crash.files:
            file = self.sources[name]
            for call in file.calls:
                if isinstance(call.func, ast.Attribute) and call.func.attr == "compile":
                    given = argument(call, "loss", 1)
                    if isinstance(given, ast.Name):
                        assigned = file.assignments(given.id, given.lineno)
                        given = next((value for _, value in assigned), given)
                    if given is not None:
                        text = file.segment(given)
                        line = file.line(given.lineno)
                        return SizeOrigin(line, text, file=name, node=given, call=call)
        return SizeOrigin(None)

    def _of_name(
        self, frame: int, file: SourceFile, name: str, size: int | None, before: int, depth: int
    ) -> SizeOrigin | None:
        for statement, value in file.assignments(name, before):
            if statement.lineno >= before and name in names_in(value):
                continue
            inner = None
            if size is not None or not isinstance(value, ast.Call) or _passes_on(value):
                inner = self._of_syntax(frame, file, value, size, statement.lineno, depth + 1)
            call = value if isinstance(value, ast.Call) else None
            return inner or SizeOrigin(
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


def has_size(value: Value, size: int) -> bool:
    if value.shape is not None and size in value.shape:
        return True
    if value.kind is ValueKind.NUMBER:
        return value.text == str(size)
    return any(has_size(item, size) for item in value.items.values())


def _passes_on(node: ast.expr) -> bool:
    """Return whether an expression has the shape of the dataset or array that it is made of."""
    method = (
        node.func.attr
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        else ""
    )
    return method in ("shuffle", "prefetch", "repeat", "cache", "astype", "copy")


def _tensor(value: Value) -> bool:
    return value.shape is not None or value.kind is ValueKind.DATASET
