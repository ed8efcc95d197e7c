"""Finds the places of a crash in the source: layer creations, data of `fit`, failing calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit
from resnet_inspect.analysis.explain.operands import TRAINER, Operand
from resnet_inspect.analysis.explain.repairs.edits import replace
from resnet_inspect.analysis.explain.sources import SourceFile, argument
from resnet_inspect.graph.crash import Call, CrashLayer, NodeKind, Value, ValueKind

# Layers whose output has the rank of their input.
PASSING = (
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Activation",
    "ReLU",
    "LeakyReLU",
    "PReLU",
    "ELU",
    "Softmax",
    "BatchNormalization",
    "LayerNormalization",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
    "Masking",
    "Rescaling",
    "ActivityRegularization",
)
# Functions whose arguments are sizes of an array or image.
SHAPED = ("zeros", "ones", "normal", "uniform", "random", "reshape", "resize", "full", "empty")
RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM2D", "ConvLSTM1D")


class Creation(NamedTuple):
    """The call that creates a layer."""

    file: SourceFile
    call: ast.Call
    layer: int


class Position(StrEnum):
    """How a layer is connected: in a list, by `add`, called at once, or kept under a name."""

    LIST = "list"
    ADD = "add"
    CALLED = "called"
    NAMED = "named"
    OTHER = "other"


class Datum(NamedTuple):
    """An expression in the source for data that a call receives.

    Attributes:
        node: the expression, in the syntax tree of `file`.
        frame: the index of the user's frame that evaluates it.
        value: its recorded value; None if it was not recorded.
    """

    file: SourceFile
    node: ast.expr
    frame: int
    value: Value | None


def creation(case: Case, layer: int) -> Creation | None:
    """Return the call that creates a layer, None if it is not known exactly."""
    if layer < 0:
        return None
    record = case.crash.layers[layer]
    for site in record.created:
        if site.file not in case.crash.files:
            continue
        file = case.sources[site.file]
        for call in file.calls_at(site):
            if _class_name(call) == record.type:
                return Creation(file, call, layer)
        exact = [call for call in file.calls_at(site) if site.end_line]
        if exact and record.own:
            return Creation(file, exact[0], layer)
    return None


def _class_name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def position(made: Creation) -> Position:
    """Return how a layer is connected."""
    parent = made.file.parents.get(made.call)
    if isinstance(parent, ast.List | ast.Tuple):
        return Position.LIST
    if isinstance(parent, ast.Call):
        if parent.func is made.call:
            return Position.CALLED
        if isinstance(parent.func, ast.Attribute) and parent.func.attr == "add":
            return Position.ADD
    if isinstance(parent, ast.Assign):
        return Position.NAMED
    return Position.OTHER


def applications(made: Creation) -> Iterator[ast.Call]:
    """Yield the calls of a layer on a tensor in the file that creates it."""
    parent = made.file.parents.get(made.call)
    if isinstance(parent, ast.Call) and parent.func is made.call:
        yield parent
    if isinstance(parent, ast.Assign):
        names = {ast.unparse(target) for target in parent.targets}
        for call in made.file.calls:
            if ast.unparse(call.func) in names and call.args:
                yield call


def chain(case: Case, operand: Operand) -> list[int]:
    """Return the layers behind an operand, the nearest first, along the first inputs."""
    layers: list[int] = []
    number, seen = operand.node, set[int]()
    while number >= 0 and number not in seen:
        seen.add(number)
        node = case.crash.nodes[number]
        own = node.layer >= 0 and case.crash.layers[node.layer].own
        if node.layer >= 0 and not own and (not layers or layers[-1] != node.layer):
            layers.append(node.layer)
            called = _called(case, node.layer)
            number = called if called >= 0 else number
            node = case.crash.nodes[number]
        number = next((source for source in node.inputs if _carries(case, source)), -1)
    if not layers and operand.node < 0 and operand.layer < 0:
        return _of_model(case, operand)
    if operand.layer >= 0 and not layers:
        layers.append(operand.layer)
    first = next((layer for layer in layers if earlier_in_model(case, layer)), -1)
    if first >= 0:
        layers = layers[: layers.index(first) + 1]
    for before in earlier_in_model(case, first):
        if before not in layers:
            layers.append(before)
    return layers


def rank_of_output(case: Case, layers: list[int], rank: int) -> int:
    """Return the rank of the output of the last layer of a chain, `rank` if it is unknown."""
    output = case.crash.layers[layers[0]].output if layers else None
    return len(output) if output is not None else rank


def is_squeezed(case: Case, output: Operand) -> bool:
    """Return whether a loss has removed an axis of an output before it compares it."""
    rank = len(output.shape or ())
    return rank_of_output(case, chain(case, output), rank) > rank


def _of_model(case: Case, operand: Operand) -> list[int]:
    """Return the layers of a model whose output an eager tensor is, the last one first."""
    for frame in reversed(case.crash.frames):
        file = case.sources[frame.site.file]
        for name, value in frame.values.items():
            if value.shape != operand.shape or not name.isidentifier():
                continue
            made = next((value for _, value in file.assignments(name, frame.site.line)), None)
            if isinstance(made, ast.Call):
                model = frame.values.get(ast.unparse(made.func))
                if model is not None and model.layer >= 0:
                    return _layers_inside(case, model.layer)
    return []


def _layers_inside(case: Case, model: int) -> list[int]:
    """Return the layers of a model and of those inside it, the last one first."""
    inner: list[int] = []
    for number in reversed(case.crash.layers[model].sublayers):
        inside = _layers_inside(case, number)
        inner += inside or [number]
    return inner


def _called(case: Case, layer: int) -> int:
    """Return the node of the call of a layer in a functional model, -1 without."""
    for number, node in enumerate(case.crash.nodes):
        if node.kind is NodeKind.LAYER and node.layer == layer:
            return number
    return -1


def _carries(case: Case, number: int) -> bool:
    """Return whether a node carries data rather than a weight or a constant."""
    if number < 0:
        return False
    node = case.crash.nodes[number]
    if node.kind in ("variable", "constant") or node.dtype in ("int32", "resource", "bool"):
        return False
    return not (
        node.type in ("ReadVariableOp", "Identity") and not case.operands.weight_of(number)[0] < 0
    )


def earlier_in_model(case: Case, layer: int) -> list[int]:
    """Return the layers of a Sequential model in front of a layer, the nearest first."""
    for model in case.crash.layers:
        if model.type == "Sequential" and layer in model.sublayers:
            at = model.sublayers.index(layer)
            return list(reversed(model.sublayers[:at]))
    return []


def is_weight(case: Case, operand: Operand) -> bool:
    """Return whether an operand is a variable."""
    return operand.node >= 0 and case.operands.variable_of(operand.node) >= 0


def models_of(case: Case, layer: int) -> list[int]:
    """Return the models that contain a layer, and the layer itself if it is one."""
    models = [at for at, model in enumerate(case.crash.layers) if layer in model.sublayers]
    return models + ([layer] if layer >= 0 and case.crash.layers[layer].sublayers else [])


def record_of(case: Case, layer: int) -> CrashLayer:
    """Return the record of a layer."""
    return case.crash.layers[layer]


# Data


def received(problem: Problem) -> Operand:
    """Return the data or tensor that a layer rejects."""
    side = problem.sides[0].operand if problem.sides else None
    return side if side is not None and side.argument else problem.operands[0]


def trainer_call(case: Case) -> tuple[Call, SourceFile, ast.Call] | None:
    """Return the record and the syntax of the call of `fit`, `predict` and the like."""
    record = case.operands.trainer
    if record is None or record.frame < 0:
        return None
    frame = case.crash.frames[record.frame]
    file = case.sources[frame.site.file]
    for call in file.calls_at(frame.site):
        if _class_name(call) in (*TRAINER, record.function.rpartition(".")[2]):
            return record, file, call
    return None


def data(case: Case, name: str) -> Datum | None:
    """Return the argument `x` or `y` of `fit` and the like, None if it is not given."""
    matched = trainer_call(case)
    if matched is None:
        return None
    record, file, call = matched
    node = argument(call, name, {"x": 0, "y": 1}.get(name))
    if node is None:
        return None
    return Datum(file, node, record.frame, record.arguments.get(name))


def datum(case: Case, operand: Operand) -> Datum | None:
    """Return the expression of the data that an operand is, None for computed tensors."""
    fed = operand
    if operand.node >= 0 and not operand.argument:
        matched = case.operands.fed(case.crash.nodes[operand.node].name)
        fed = matched if matched is not None else operand
        if matched is None and case.crash.nodes[operand.node].kind is NodeKind.PLACEHOLDER:
            return fed_by_session(case, case.crash.nodes[operand.node].name)
    name = fed.argument
    if name.startswith("feed:"):
        return fed_by_session(case, name.removeprefix("feed:"))
    if name in ("x", "y") and case.operands.trainer is not None:
        return _item(data(case, name), fed.label.partition("[")[2].rstrip("]"))
    return None


def fed_by_session(case: Case, placeholder: str) -> Datum | None:
    """Return the value that `Session.run`, `eval` or `run` feeds a placeholder."""
    record = next((c for c in reversed(case.crash.calls) if "feed_dict" in c.arguments), None)
    if record is None or record.frame < 0:
        return None
    frame = case.crash.frames[record.frame]
    file = case.sources[frame.site.file]
    for call in file.calls_at(frame.site):
        for given in (argument(call, "feed_dict", 1), argument(call, "feed_dict", 0)):
            feeds = resolved(file, given) if given is not None else None
            if isinstance(feeds, ast.Dict):
                for key, node in zip(feeds.keys, feeds.values, strict=True):
                    if key is not None and _is_placeholder(case, record.frame, key, placeholder):
                        value = value_of(case, record.frame, node)
                        return Datum(
                            file, node, record.frame, value or _fed_value(record, placeholder)
                        )
    return None


def same_feeds(data: Datum, new: str) -> Iterator[Edit]:
    """Yield the same change of the same value in the other feeds of a file."""
    feeds = data.file.parents.get(data.node)
    if not isinstance(feeds, ast.Dict) or data.node not in feeds.values:
        return
    key = feeds.keys[feeds.values.index(data.node)]
    if key is None or not isinstance(data.node, ast.Name | ast.Attribute):
        return
    texts = ast.unparse(key), ast.unparse(data.node)
    for other in ast.walk(data.file.tree):
        if isinstance(other, ast.Dict) and other is not feeds:
            for name, value in zip(other.keys, other.values, strict=True):
                if name is not None and (ast.unparse(name), ast.unparse(value)) == texts:
                    yield replace(data.file, value, new)


def _is_placeholder(case: Case, frame: int, key: ast.expr, name: str) -> bool:
    value = value_of(case, frame, key)
    if value is not None and value.node >= 0:
        return case.crash.nodes[value.node].name == name
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value.partition(":")[0] == name
    return False


def _fed_value(record: Call, name: str) -> Value | None:
    for key, value in record.arguments["feed_dict"].items.items():
        if f'"{name}:0"' in key or key.partition(":")[0] == name:
            return value
    return None


def _item(whole: Datum | None, key: str) -> Datum | None:
    """Return an item of data, if the source writes it as a tuple, list or dictionary."""
    if whole is None or not key:
        return whole
    node = resolved(whole.file, whole.node)
    value = whole.value.items.get(key) if whole.value is not None else None
    if isinstance(node, ast.Tuple | ast.List) and key.isdigit() and int(key) < len(node.elts):
        return Datum(whole.file, node.elts[int(key)], whole.frame, value)
    if isinstance(node, ast.Dict):
        for name, item in zip(node.keys, node.values, strict=True):
            if isinstance(name, ast.Constant) and str(name.value) == key:
                return Datum(whole.file, item, whole.frame, value)
    return None


def resolved(file: SourceFile, node: ast.expr) -> ast.expr:
    """Return the expression that a name was last set to, or the expression itself."""
    if isinstance(node, ast.Name):
        for _, value in file.assignments(node.id, node.lineno):
            return value
    return node


def value_of(case: Case, frame: int, node: ast.expr) -> Value | None:
    """Return the recorded value of an expression in a frame."""
    if frame < 0:
        return None
    return case.crash.frames[frame].values.get(ast.unparse(node))


# The failing call


class FailingCall(NamedTuple):
    """The expression of the user's that fails, and what it receives."""

    file: SourceFile
    node: ast.Call | ast.BinOp
    frame: int


def failing_call(case: Case, problem: Problem) -> FailingCall | None:
    """Return the call or operation in the user's code that failed, or that made the mistake."""
    crash = case.crash
    number = problem.facts.get("node", crash.op_node)
    if isinstance(number, int) and number >= 0:
        node = crash.nodes[number]
        for site in node.sites[:1]:
            file = case.sources[site.file]
            call = case.origins.call_of(node)
            return (
                FailingCall(file, call, _frame_at(case, site.file, site.function)) if call else None
            )
        return None
    if not crash.frames:
        return None
    site = crash.frames[-1].site
    file = case.sources[site.file]
    for expression in file.expressions_at(site) if site.end_line else ():
        if isinstance(expression, ast.Call | ast.BinOp):
            return FailingCall(file, expression, len(crash.frames) - 1)
    if site.end_line:
        return None
    # AutoGraph leaves only the line: the call of the function that failed.
    name = problem.function.rpartition(".")[2]
    for call in file.calls_at(site):
        if ast.unparse(call.func).rpartition(".")[2] == name:
            return FailingCall(file, call, len(crash.frames) - 1)
    return None


def _frame_at(case: Case, file: str, function: str) -> int:
    for at, frame in enumerate(case.crash.frames):
        if (frame.site.file, frame.site.function) == (file, function):
            return at
    return -1


def argument_nodes(failing: FailingCall) -> list[ast.expr]:
    """Return the operands of a call or operation in the source."""
    node = failing.node
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    return [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg)]


def argument_of(case: Case, failing: FailingCall, problem: Problem, at: int) -> ast.expr | None:
    """Return the expression of operand `at` of a problem in the failing call."""
    operand = problem.operands[at] if at < len(problem.operands) else None
    if operand is None:
        return None
    node = failing.node
    if isinstance(node, ast.BinOp):
        return (node.left, node.right)[at] if at < 2 else None
    owner = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    for item in [*argument_nodes(failing), *owner]:
        value = value_of(case, failing.frame, item)
        if value is not None and value.node >= 0 and value.node == operand.node:
            return item
    name = ast.unparse(node.func).rpartition(".")[2]
    for call in reversed(case.crash.calls):
        if call.function.rpartition(".")[2] == name and call.frame == failing.frame:
            for place, (parameter, value) in enumerate(call.arguments.items()):
                same = value.node == operand.node if operand.node >= 0 else False
                if same or (
                    value.kind in (ValueKind.TENSOR, ValueKind.ARRAY, ValueKind.VARIABLE)
                    and value.shape == operand.shape
                ):
                    given = argument(node, parameter, place)
                    if given is not None:
                        return given
    tensors = [
        item for item in argument_nodes(failing) if not isinstance(item, ast.Constant | ast.List)
    ]
    return tensors[at] if at < len(tensors) else None
