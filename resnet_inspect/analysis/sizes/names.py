"""Resolves a name from the user: a layer, group, op or variable, and optionally an axis."""

from __future__ import annotations

from difflib import get_close_matches

import msgspec

from resnet_inspect.commands import Command
from resnet_inspect.errors import UsageError
from resnet_inspect.graph import AxisRef, Graph, Phase, TensorRef
from resnet_inspect.graph.lineage import FromAxis, FromVariable, Origin


class Target(msgspec.Struct, frozen=True):
    """A tensor (by name, such as `Reshape:0`) or a variable, with its shape.

    `op` is the op that makes the tensor, empty for a variable.
    """

    name: str
    shape: tuple[int | None, ...]
    op: str
    index: int
    forward: bool

    @classmethod
    def of(cls, graph: Graph, ref: TensorRef) -> Target:
        """Return the target for a tensor of the graph."""
        op = graph.op_by_name[ref.op]
        shape = op.outputs[ref.index].shape or ()
        return cls(str(ref), shape, ref.op, ref.index, op.phase == Phase.FORWARD)

    def origin(self, axis: int) -> Origin:
        """Return an axis of the target as an origin of a size."""
        if not self.op:
            return FromVariable(self.name, axis)
        return FromAxis(AxisRef(TensorRef(self.op, self.index), axis))


def find(graph: Graph, text: str) -> tuple[Target, tuple[int, ...]]:
    """Return the target that `text` names, and the named axes. Without an axis, all are returned.

    `text` is NAME, NAME:AXIS or NAME:OUTPUT:AXIS. NAME:OUTPUT works where OUTPUT is not an axis.
    An axis may be negative. NAME is the name of a layer, group, op or variable, a unique beginning
    of one, or the last part of the name of a group, op or variable. Only layers and groups may
    differ in case.

    Raises:
        UsageError: no name or several names match. The error lists the nearest names.
    """
    name, numbers = _split(text)
    op, index, variable = _resolve(graph, name, text)
    if len(numbers) == 2:
        index = numbers[0]
    if variable:
        shape = graph.variable_by_name[variable].spec.shape or ()
        target = Target(variable, shape, "", 0, True)
    else:
        outputs = graph.op_by_name[op].outputs
        if not outputs:
            raise UsageError(
                f"'{op}' has no output",
                where=text,
                expected="a layer, group, op or variable with a shape",
                got=f"an op without outputs, of type {graph.op_by_name[op].type}",
                fix="name an input of this op: "
                + ", ".join(dict.fromkeys(str(ref) for ref in graph.op_by_name[op].inputs)),
            )
        if not 0 <= index < len(outputs):
            raise UsageError(
                f"'{op}' has no output {index}",
                where=text,
                expected=f"an output from 0 to {len(outputs) - 1}",
                got=str(index),
                fix="write NAME:AXIS, or NAME:OUTPUT:AXIS for an op with several outputs",
            )
        first = len(outputs[index].shape or ())
        if (
            len(numbers) == 1
            and not -first <= numbers[0] < first
            and numbers[0] in range(len(outputs))
        ):
            index, numbers = numbers[0], []  # TensorFlow's name of a tensor: split:2
        target = Target.of(graph, TensorRef(op, index))
    shape, full = target.shape, target.name
    if not numbers:
        return target, tuple(range(len(shape)))
    axis = numbers[-1]
    if not -len(shape) <= axis < len(shape):
        raise UsageError(
            f"'{full}' has no axis {axis}",
            where=text,
            expected=f"an axis from {-len(shape)} to {len(shape) - 1}" if shape else "no axis",
            got=str(axis),
            fix=f"its shape is {list(shape)}; count axes from 0. "
            "For an axis of another output write NAME:OUTPUT:AXIS",
        )
    return target, (axis % len(shape),)


def graph_with(graph: Graph, text: str) -> Graph:
    """Return the graph, with the ops of its nested functions if `text` names one of them.

    Such a name is that of an op inside of a loop, such as `lstm/while/body/lstm_cell/MatMul`.
    """
    name, _ = _split(text)
    inside = graph.functions and name not in graph.op_by_name and name in graph.whole.op_by_name
    return graph.whole if inside else graph


def _split(text: str) -> tuple[str, list[int]]:
    parts = text.split(":")
    numbers: list[int] = []
    while len(parts) > 1 and len(numbers) < 2 and parts[-1].removeprefix("-").isdecimal():
        numbers.insert(0, int(parts.pop()))
    return ":".join(parts), numbers


def _resolve(graph: Graph, name: str, text: str) -> tuple[str, int, str]:
    """Return the op, output and variable of a name. Either the op or the variable is empty."""
    if name in graph.layer_by_name:
        output = graph.layer_by_name[name].output
        return output.op, output.index, ""
    if name in graph.op_by_name:
        return name, 0, ""
    group = graph.group_by_path.get(tuple(name.split("/")))
    if group is not None:
        return group.output.op, group.output.index, ""
    if name in graph.variable_by_name:
        return "", 0, name
    layers = [layer for layer in graph.layer_by_name if layer.startswith(name)]
    groups = {group.name: group for group in graph.groups}
    inner = [path for path in groups if _begins(path, name) or path.endswith("/" + name)]
    if not layers and not inner:  # Reshape is the layer reshape of Keras
        small = name.casefold()
        layers = [layer for layer in graph.layer_by_name if layer.casefold().startswith(small)]
        same = [path for path in groups if path.casefold() == small]
        inner = same or [path for path in groups if _begins(path.casefold(), small)]
    if len(layers) == 1 and not inner:
        output = graph.layer_by_name[layers[0]].output
        return output.op, output.index, ""
    if len(inner) == 1 and not layers:
        output = groups[inner[0]].output
        return output.op, output.index, ""
    layers += inner
    variables = [
        variable
        for variable in graph.variable_by_name
        if variable.startswith(name) or variable.endswith("/" + name)
    ]
    if len(variables) == 1 and not layers:
        return "", 0, variables[0]
    ops = [op for op in graph.op_by_name if op.startswith(name) or op.endswith("/" + name)]
    if len(ops) == 1 and not layers and not variables:
        return ops[0], 0, ""
    several = layers or variables or ops
    known = [*graph.layer_by_name, *groups, *graph.variable_by_name, *graph.op_by_name]
    known = list(dict.fromkeys(known))
    near = several[:5] if name and several else get_close_matches(name, known, n=3)
    raise UsageError(
        f"'{name}' is ambiguous: {len(several)} names match"
        if name and several
        else f"there is no '{name}'",
        where=text,
        expected="a layer, group, op or variable of the run, then :AXIS",
        got=name,
        fix=f"did you mean {' or '.join(near)}?"
        if near
        else ("`", Command("shapes"), "` lists layers"),
    )


def _begins(path: str, name: str) -> bool:
    """Whether the path of a group begins with a name, and is not the path of an inner group."""
    return path.startswith(name) and "/" not in path[len(name) :]
