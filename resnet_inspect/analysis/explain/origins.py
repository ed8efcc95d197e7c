"""Follows a size of a failed call back to the line that sets it, through ops and layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from math import prod

import msgspec

from resnet_inspect.analysis.explain.explanation import SizeStep
from resnet_inspect.analysis.explain.frame_origins import MOST_STEPS, FrameOrigins, has_size
from resnet_inspect.analysis.explain.layer_origins import SizeOrigin, sizes_in
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.sources import (
    names_in,
)
from resnet_inspect.graph.crash import Node, NodeKind, Shape, Site, Value, ValueKind

MOST_CHANGES = 16
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


class SizeOrigins(FrameOrigins):
    """Finds origins of sizes in one crash."""

    def of(
        self, operand: Operand, axis: int | None, size: int, *, rank: bool = False
    ) -> SizeOrigin:
        """Return where the size of an axis of an operand was set.

        With `rank`, the size is a number of axes or of elements, which no literal gives.
        """
        try:
            return self._of(operand, axis, None if rank else size, 0)
        except RecursionError:
            return SizeOrigin(None)

    def _of(self, operand: Operand, axis: int | None, size: int | None, depth: int) -> SizeOrigin:
        if depth > MOST_STEPS:
            return SizeOrigin(None)
        if operand.argument == "loss":
            return self._of_loss()
        if operand.argument.startswith("feed:") and operand.frame < 0:
            return self._of_traced_feed(operand.argument.removeprefix("feed:"))
        if operand.argument and operand.argument != "input":
            return self._of_data(operand, size)
        if operand.node >= 0:
            origin = self._of_node(operand.node, axis, size, depth)
            if origin is not None:
                return origin
        if operand.layer >= 0 and operand.argument == "input":
            return self.of_model_input(operand.layer, size, operand.shape)
        if operand.layer >= 0:
            origin = self._of_weight(operand, axis, size) if operand.weight else None
            origin = origin or self._of_layer(operand.layer, axis, size)
            return origin or self.at_layer(operand.layer)
        if operand.expression and operand.frame >= 0:
            return self.of_text(operand.frame, operand.expression, size)
        return SizeOrigin(None)

    def _of_node(
        self, number: int, axis: int | None, size: int | None, depth: int
    ) -> SizeOrigin | None:
        node = self.crash.nodes[number]
        if node.kind in (NodeKind.INPUT, NodeKind.PLACEHOLDER):
            return self._of_input(number, axis, size)
        layer, weight = self.operands.weight_of(number)
        if weight:
            operand = Operand("", None, layer=layer, weight=weight)
            origin = self._of_weight(operand, axis, size) or self._of_layer(layer, axis, size)
            if origin is not None:
                return origin
        variable = self.operands.variable_of(number)
        if variable >= 0:
            return self._of_variable(self.crash.nodes[variable], size)
        if node.layer >= 0 and not self.crash.layers[node.layer].own:
            origin = self._of_layer(node.layer, axis, size)
            if origin is not None:
                return origin
            return self._through_layer(number, axis, size, depth)
        if size is None:
            passed = self._same_rank(node)
            if passed >= 0:
                return self._of(self.operands.of_node(passed), axis, size, depth + 1)
            return self._derived(number)
        made = self._made_on_line(node, size)
        if made is not None and not self._passes(node, axis, size):
            return made
        for source, where in self.sources_of(number, axis, size):
            origin = self._of(self.operands.of_node(source), where, size, depth + 1)
            if origin.line is not None:
                return origin
        return made or self._derived(number)

    def _through_layer(
        self, number: int, axis: int | None, size: int | None, depth: int
    ) -> SizeOrigin | None:
        """Return the origin of a size that a layer passes on, or computes from its input."""
        node = self.crash.nodes[number]
        shape = self.shape(number)
        for source in self.inputs_of_layer(number):
            before = self.shape(source)
            if axis is None or size is None or before is None or shape is None:
                continue
            lookup = node.layer >= 0 and self.crash.layers[node.layer].type == "Embedding"
            kept = len(before) == len(shape) or (lookup and axis < len(before))
            if kept and before[axis] in (size, None):
                return self._of(self.operands.of_node(source), axis, size, depth + 1)
        here = self.at_layer(node.layer)
        return msgspec.structs.replace(here, steps=tuple(self._computed(number, axis, depth)))

    def inputs_of_layer(self, number: int) -> Iterator[int]:
        """Yield the nodes outside of a layer whose outputs it reads, without its variables."""
        layer = self.crash.nodes[number].layer
        waiting, seen = list(self.crash.nodes[number].inputs), {number}
        while waiting:
            current = waiting.pop(0)
            if current < 0 or current in seen:
                continue
            seen.add(current)
            node = self.crash.nodes[current]
            if node.layer == layer and node.kind is NodeKind.OP:
                waiting += node.inputs
            elif node.kind not in (NodeKind.VARIABLE, NodeKind.CONSTANT):
                yield current

    def _computed(self, number: int, axis: int | None, depth: int) -> Iterator[SizeStep]:
        """Yield how layers change the size of an axis, from a layer back to the input."""
        for _ in range(MOST_CHANGES):
            node, shape = self.crash.nodes[number], self.shape(number)
            source = next(self.inputs_of_layer(number), -1) if node.layer >= 0 else -1
            before = self.shape(source)
            if axis is None or shape is None or before is None or axis >= len(before):
                return
            if len(before) == len(shape) and before[axis] != shape[axis]:
                layer = self.operands.layer_name(node.layer)
                line = self.at_layer(node.layer).line
                yield SizeStep(f"{layer}: {before[axis]} → {shape[axis]}", line)
            number = source
            if self.crash.nodes[number].kind in (NodeKind.INPUT, NodeKind.PLACEHOLDER):
                end = self._of(self.operands.of_node(number), axis, before[axis], depth + 1)
                if end.line is not None:
                    yield SizeStep(f"{before[axis]} begins here", end.line)
                return

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
                    unknown = other is None and where == 0 and same
                    if (other == size or unknown) and same == aligned:
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

    def _derived(self, number: int) -> SizeOrigin | None:
        """Return the line of a node that computes the size from others."""
        node = self.crash.nodes[number]
        layer = self.crash.layers[node.layer] if node.layer >= 0 else None
        if layer is not None and layer.created and not (layer.own and node.sites):
            return self.at_layer(node.layer)
        if node.sites:
            line = self.sources.line(node.sites[0])
            call = self.call_of(node)
            text = self.sources[node.sites[0].file].segment(call) if call else ""
            return SizeOrigin(line, text, file=line.file, node=call, call=call)
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

    def _made_on_line(self, node: Node, size: int | None) -> SizeOrigin | None:
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
            for expression in sizes_in(within, size, values):
                return self._passed(sites, file, expression, values, call)
            named = self._of_named(within, size, sites[0]) if level == 0 else None
            if named is not None:
                return named
            if not isinstance(file.scope(sites[0].line), ast.FunctionDef):
                break
        return None

    def _of_named(self, within: ast.AST, size: int, site: Site) -> SizeOrigin | None:
        """Return the origin of a size in the shape of a value that an argument mentions.

        Such as `weights['wd1'].get_shape()[0]`, whose value is not known without running it.
        """
        for at, frame in enumerate(self.crash.frames):
            if (frame.site.file, frame.site.function) != (site.file, site.function):
                continue
            for name in names_in(within):
                value = frame.values.get(name)
                if value is not None and value.kind is ValueKind.VARIABLE and has_size(value, size):
                    origin = self.of_text(at, name, size)
                    return origin if origin.exact else None
        return None

    def _of_input(self, number: int, axis: int | None, size: int | None) -> SizeOrigin | None:
        node = self.crash.nodes[number]
        if node.kind is NodeKind.PLACEHOLDER:
            made = self._made_on_line(node, size)
            fed = self.operands.fed(node.name) if made is None and size is not None else None
            made_or_fed = made or (self._of(fed, axis, size, 0) if fed else self._derived(number))
            return made_or_fed or self._of_parameter(node)
        if node.layer >= 0 and self.crash.layers[node.layer].created:
            return self._of_layer(node.layer, axis, size) or self.at_layer(node.layer)
        fed = self.operands.fed(node.name)
        if fed is not None:
            return self._of(fed, axis, size, 0)
        return self._of_function_input(node, size) or self._of_layer_input(number, axis, size)

    def _of_layer_input(self, number: int, axis: int | None, size: int | None) -> SizeOrigin | None:
        """Return the origin of what a layer of the user receives while Keras computes its shape."""
        shape = self.shape(number)
        for call in reversed(self.crash.calls):
            if call.layer < 0:
                continue
            outside = [v for v in leaves(call.arguments) if v.node >= 0 and v.node != number]
            equal = {v.node for v in outside if v.shape == shape}
            if len(equal) == 1:
                return self._of(self.operands.of_node(equal.pop()), axis, size, 0)
        return None

    def _of_function_input(self, node: Node, size: int | None) -> SizeOrigin | None:
        """Return the origin of an argument of a traced function, which is called by the user."""
        for at in reversed(range(1, len(self.crash.frames))):
            frame = self.crash.frames[at]
            if node.name in frame.parameters:
                return self.of_text(at, node.name, size)
        return self._of_parameter(node)

    def _of_traced_feed(self, name: str) -> SizeOrigin:
        """Return the placeholder that a trace feeds itself, or the parameter that it replaces."""
        for number, node in enumerate(self.crash.nodes):
            if node.kind is NodeKind.PLACEHOLDER and node.name == name:
                return self._derived(number) or self._of_parameter(node) or SizeOrigin(None)
        return SizeOrigin(None)

    def _of_parameter(self, node: Node) -> SizeOrigin | None:
        """Return the parameter of the outermost function, whose argument a trace makes."""
        failed = self.crash.nodes[self.crash.op_node].sites[-1:] if self.crash.op_node >= 0 else ()
        for site in (*(frame.site for frame in self.crash.frames[:1]), *failed):
            file = self.sources[site.file]
            scope = file.scope(site.line)
            if isinstance(scope, ast.FunctionDef):
                every = (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)
                if node.name in [parameter.arg for parameter in every]:
                    return SizeOrigin(file.line(scope.lineno), node.name, file=file.name)
        return None

    def _of_variable(self, node: Node, size: int | None) -> SizeOrigin | None:
        made = self._made_on_line(node, size)
        if made is not None:
            return made
        if not node.sites:
            return None
        line = self.sources.line(node.sites[0])
        return SizeOrigin(line, file=line.file, call=self.call_of(node))


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


def _matches(function: str, op: str) -> bool:
    name = function.rpartition(".")[2].replace("_", "").lower()
    return name == op or op.endswith(name) or name.startswith(op)


def leaves(values: Mapping[str, Value]) -> Iterator[Value]:
    """Yield the tensors and other values in arguments, without their lists."""
    for value in values.values():
        if value.items:
            yield from leaves(value.items)
        else:
            yield value
