"""The tensors of a failed call: what they are called, their shapes and what made them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import msgspec

from resnet_inspect.analysis.explain.sources import Sources, argument
from resnet_inspect.graph.crash import Call, Crash, NodeKind, Shape, Value, ValueKind

DATA = re.compile(r"^data(?:_(\d+))?$")  # the placeholders of Keras' training step
POSITIONS = {"x": 0, "y": 1}  # of the parameters of `fit`
MOST_LABEL = 30  # signs of an expression that serves as a name
ASSIGNMENT = re.compile(r"^\s*([A-Za-z_][\w.]*)\s*=[^=]")
TRAINER = ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch")


class Operand(msgspec.Struct, frozen=True):
    """A tensor of a failed call. At least one of the last fields says where it comes from.

    Attributes:
        label: what it is called in texts, such as `targets`, "output of Dense 'dense'".
        shape: its shape, with None for unknown sizes; None if the rank is unknown.
        node: the index of the node that made it, or -1.
        frame: the index of the user's frame in which `expression` is evaluated, or -1.
        expression: the source that gives it in that frame.
        layer: the index of the layer whose output it is, or -1.
        weight: the short name of a variable of that layer, if it is one.
        argument: for data, the parameter of `fit`, such as `x`, or `feed:` and a placeholder;
            `input` for the input shape of a layer or model.
    """

    label: str
    shape: Shape | None
    dtype: str = ""
    node: int = -1
    frame: int = -1
    expression: str = ""
    layer: int = -1
    weight: str = ""
    argument: str = ""


class Operands:
    """Makes operands from the values and nodes of a crash."""

    def __init__(self, crash: Crash, sources: Sources) -> None:
        self.crash = crash
        self._sources = sources
        trainers = [c for c in crash.calls if c.function.rpartition(".")[2] in TRAINER]
        self.trainer = trainers[-1] if trainers else None
        self._validates = len(trainers) > 1 and trainers[-1].function.endswith(".evaluate")

    def of_value(self, value: Value, label: str = "", frame: int = -1) -> Operand:
        """Return the operand for an argument of a call."""
        if value.node >= 0:
            operand = self.of_node(value.node, value.shape)
            return msgspec.structs.replace(operand, dtype=value.dtype or operand.dtype)
        name = value.text if value.kind is ValueKind.VARIABLE else label
        return Operand(name, value.shape, value.dtype, frame=frame, expression=label)

    def of_node(self, number: int, shape: Shape | None = None) -> Operand:
        """Return the operand for the first output of a node."""
        number = self._through(number)
        node = self.crash.nodes[number]
        shape = shape if shape is not None else (node.shapes[0] if node.shapes else None)
        if node.kind in (NodeKind.INPUT, NodeKind.PLACEHOLDER):
            fed = self._input(number)
            if fed is not None:
                return msgspec.structs.replace(fed, node=number, shape=shape)
        layer, weight = self.weight_of(number)
        return Operand(
            self.label(number), shape, node.dtype, node=number, layer=layer, weight=weight
        )

    def _through(self, number: int) -> int:
        """Return the node before casts and copies."""
        node = self.crash.nodes[number]
        while node.type in ("Cast", "Identity", "StopGradient") and node.inputs[:1] > (-1,):
            if not self.named(number):
                number = node.inputs[0]
                node = self.crash.nodes[number]
            else:
                break
        return number

    def _input(self, number: int) -> Operand | None:
        """Return the data of an input of a model or step."""
        node = self.crash.nodes[number]
        fed = self.fed(node.name)
        if fed is None and node.kind is NodeKind.INPUT and node.layer >= 0:
            created = self.crash.layers[node.layer].created
            fed = next(self.data(), None) if not created else None
        return fed

    def named(self, number: int) -> str:
        """Return the user's name for the output of a node, from the values of the frames."""
        for frame in reversed(self.crash.frames):
            for name, value in frame.values.items():
                if value.node == number and value.kind in (ValueKind.TENSOR, ValueKind.VARIABLE):
                    return name
        return ""

    def of_layer(self, layer: int) -> Operand:
        """Return the operand for the output of a layer."""
        record = self.crash.layers[layer]
        return Operand(f"output of {self.layer_name(layer)}", record.output, layer=layer)

    def label(self, number: int) -> str:
        """Return what a node is called in texts."""
        node = self.crash.nodes[number]
        layer, weight = self.weight_of(number)
        if weight:
            return f"{weight} of {self.layer_name(layer)}"
        named = self.named(number) or self._variable_name(number)
        if node.kind in (NodeKind.INPUT, NodeKind.PLACEHOLDER):
            fed = self.fed(node.name)
            return named or (fed.label if fed is not None else f"input '{node.name}'")
        if node.layer >= 0 and not self.crash.layers[node.layer].own:
            return f"output of {self.layer_name(node.layer)}"
        if named:
            return named
        assigned = self._assigned(number)
        if assigned:
            return assigned
        variable = self.variable_of(number)
        if variable >= 0:
            return f"variable '{self.crash.nodes[variable].name}'"
        return f"{node.type} '{node.name}'"

    def _assigned(self, number: int) -> str:
        """Return the name that the line of an op assigns, if the op is the last of that line."""
        node = self.crash.nodes[number]
        site = node.sites[0] if node.sites else None
        failing = self.crash.nodes[self.crash.op_node].sites[:1] if self.crash.op_node >= 0 else ()
        if site is None or node.sites[:1] == failing or not self._is_last(number):
            return ""
        text = self.crash.files.get(site.file, "").splitlines()
        line = text[site.line - 1] if 0 < site.line <= len(text) else ""
        matched = ASSIGNMENT.match(line)
        return matched[1] if matched else ""

    def _is_last(self, number: int) -> bool:
        site = self.crash.nodes[number].sites[0]
        return not any(
            number in other.inputs and other.sites[:1] == (site,) for other in self.crash.nodes
        )

    def variable_of(self, number: int) -> int:
        """Return the node of the variable that a node reads, -1 for other nodes."""
        node = self.crash.nodes[number]
        while node.type in ("ReadVariableOp", "Identity", "Cast") and node.inputs[:1] > (-1,):
            number = node.inputs[0]
            node = self.crash.nodes[number]
        return number if node.kind is NodeKind.VARIABLE else -1

    def _variable_name(self, number: int) -> str:
        """Return the user's name for the variable that a node reads, "" for other nodes."""
        variable = self.variable_of(number)
        if variable < 0:
            return ""
        for frame in reversed(self.crash.frames):
            for name, value in frame.values.items():
                known = value.kind is ValueKind.VARIABLE and value.node >= 0
                if known and self.variable_of(value.node) == variable:
                    return name
        return ""

    def weight_of(self, number: int) -> tuple[int, str]:
        """Return the layer and short name of the variable that a node reads, (-1, "") without."""
        variable = self.variable_of(number)
        node = self.crash.nodes[variable] if variable >= 0 else None
        if node is not None and node.layer >= 0:
            return node.layer, node.name.rpartition("/")[2]
        return -1, ""

    def layer_name(self, number: int) -> str:
        """Return the class and name of a layer, such as "Dense 'dense'"."""
        layer = self.crash.layers[number]
        return f"{layer.type} '{layer.name}'"

    def is_input(self, operand: Operand) -> bool:
        """Return whether an operand is data from outside: an argument, an `Input` or a feed."""
        if operand.node >= 0:
            return self.crash.nodes[operand.node].kind in (NodeKind.INPUT, NodeKind.PLACEHOLDER)
        return operand.layer < 0

    def fed(self, name: str) -> Operand | None:
        """Return the data of a placeholder of the training step."""
        matched = DATA.match(name)
        if self.trainer is not None and matched:
            data = list(self.data())
            at = int(matched[1] or 0)
            return data[at] if at < len(data) else None
        for call in reversed(self.crash.calls):
            feeds = call.arguments.get("feed_dict")
            if call.function == "BaseSession.run" and feeds is not None:
                for key, value in feeds.items.items():
                    if key.removesuffix(":0") == name:
                        return Operand(
                            f"the value for '{name}'",
                            value.shape,
                            value.dtype,
                            frame=call.frame,
                            argument=f"feed:{name}",
                        )
        return None

    def data(self) -> Iterator[Operand]:
        """Yield the arrays that `fit`, `evaluate` or `predict` received, in Keras' order."""
        call = self.trainer
        if call is None:
            return
        for name in ("x", "y", "sample_weight"):
            value = call.arguments.get(name)
            if value is not None and value.kind is not ValueKind.NONE:
                yield from self._leaves(value, name, call)

    def _leaves(self, value: Value, name: str, call: Call) -> Iterator[Operand]:
        nested = value.kind in (ValueKind.ITEMS, ValueKind.DATASET) and value.shape is None
        if nested:
            items = value.items
            keys = sorted(items) if value.type == "dict" else list(items)
            names = (
                {"0": "x", "1": "y", "2": "sample_weight"}
                if value.kind is ValueKind.DATASET
                else {}
            )
            for key in keys:
                inner = items[key]
                label = names.get(key, f"{name}[{key}]")
                if len(items) == 1 and value.kind is ValueKind.DATASET:
                    label = "x"
                for leaf in self._leaves(inner, label, call):
                    dataset = value.kind is ValueKind.DATASET
                    yield msgspec.structs.replace(leaf, argument=name) if dataset else leaf
        else:
            label = self._written(name, call)
            argument = f"validation:{name}" if self._validates and name in POSITIONS else name
            yield Operand(label, value.shape, value.dtype, frame=call.frame, argument=argument)

    def _written(self, name: str, call: Call) -> str:
        """Return the user's expression for an argument of `fit` if it is short, else its name."""
        if call.frame < 0 or name.partition("[")[0] not in POSITIONS:
            return name
        site = self.crash.frames[call.frame].site
        file = self._sources[site.file]
        for node in file.calls_at(site):
            if ast.unparse(node.func).rpartition(".")[2] in TRAINER:
                given = data_argument(node, f"validation:{name}" if self._validates else name)
                text = file.segment(given) if given is not None else ""
                return text if 0 < len(text) <= MOST_LABEL else name
        return name


def data_argument(call: ast.Call, name: str) -> ast.expr | None:
    """Return the argument of `fit` with data.

    Args:
        call: a call of `fit`.
        name: `x`, `y`, `validation:x` of the validation data, or an item such as `x[1]`.
    """
    whole, _, item = name.removeprefix("validation:").partition("[")
    if name.startswith("validation:"):
        pair = argument(call, "validation_data", 7)
        given = _item(pair, str(POSITIONS.get(whole, 0)))
    else:
        given = argument(call, whole, POSITIONS.get(whole))
    return _item(given, item.removesuffix("]")) if item else given


def _item(node: ast.expr | None, key: str) -> ast.expr | None:
    """Return an item of a list, tuple or dictionary in the source, else the whole expression."""
    if isinstance(node, ast.Tuple | ast.List) and key.isdigit() and int(key) < len(node.elts):
        return node.elts[int(key)]
    if isinstance(node, ast.Dict):
        for known, value in zip(node.keys, node.values, strict=True):
            if isinstance(known, ast.Constant) and str(known.value) == key:
                return value
    return node
