"""Layers and models that reject the shape of their input before they compute."""

from __future__ import annotations

import re

import msgspec

from resnet_inspect.analysis.explain.case import Case, Problem, Side, counted, shapes_in
from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.analysis.explain.problems.ops import expressed
from resnet_inspect.graph.crash import Shape, ValueKind

LAYER = re.compile(r"of layer \"?'?([\w./-]+)\"?'? is incompatible with the layer: (.*)")
AXIS = re.compile(
    r"expected axis (-?\d+) of input shape to have value (\d+), but received input with "
    r"shape (\(.*?\)|\[.*?\])"
)
RANK = re.compile(r"expected (min_|max_|)ndim=(\d+), found ndim=(\d+)")
MODEL = re.compile(
    r"Invalid input shape for input .*? with name '(.*?)'.*? Expected shape (\(.*?\)), "
    r"but input has incompatible shape (\(.*?\))"
)
MODEL_2 = re.compile(r"expected shape=(\(.*?\)), found shape=(\(.*?\))")
COUNT = re.compile(
    r"[Ll]ayer '?\"?([\w./-]+)'?\"? expects (\d+) (?:named )?input\(s\)(?: with keys \[.*?\])?, "
    r"but it received (\d+) input tensors"
)


def recognize(case: Case) -> Problem | None:
    """Return the problem of a rejected input, None for other failures."""
    matched = LAYER.search(case.text)
    if matched:
        return _layer(case, matched[1], matched[2])
    model = MODEL.search(case.text)
    if model:
        return _model(case, shapes_in(model[2])[0], shapes_in(model[3])[0], -1)
    count = COUNT.search(case.text)
    if count:
        layer = case.layer_named(count[1])
        name = case.operands.layer_name(layer) if layer >= 0 else count[1]
        verdict = f"{name} has {count[2]} inputs, but received {count[3]}"
        return Problem(Kind.STRUCTURE, "input-count", verdict, name, layer)
    return None


def _layer(case: Case, name: str, rest: str) -> Problem | None:
    layer = case.layer_named(name)
    label = case.operands.layer_name(layer) if layer >= 0 else f"layer '{name}'"
    received = _received(case, layer)
    axis, rank, model = AXIS.search(rest), RANK.search(rest), MODEL_2.search(rest)
    if axis:
        shape = shapes_in(axis[3])[0]
        operand = _with(received, shape)
        at = int(axis[1]) % len(shape) if shape else 0
        got, want = shape[at] if shape else None, int(axis[2])
        verdict = f"{label} was built for {want} features, but receives {spelled(shape)}"
        expected = Operand(f"kernel of {label}", None, layer=layer, weight="kernel")
        sides = (
            (
                Side(operand, at, got),
                Side(expected, None, want, f"features that {label} was built for"),
            )
            if got is not None
            else ()
        )
        return Problem(
            Kind.SHAPE,
            "input-axis",
            verdict,
            label,
            layer,
            (operand,),
            sides,
            facts={"axis": at, "want": want},
        )
    if rank:
        listed = shapes_in(rest.partition("received: ")[2] or "()")
        operand = _with(received, listed[0] if listed else received.shape)
        want, got = int(rank[2]), int(rank[3])
        if want == got + 1 and received.argument == "x" and operand.shape:
            return _without_batch(
                case, problem_layer=layer, label=label, received=operand, want=(None,) * want
            )
        least = {"min_": "at least ", "max_": "at most "}.get(rank[1], "")
        verdict = (
            f"{label} needs an input with {least}{want} axes, but receives {got}: "
            f"{spelled(operand.shape)}"
        )
        expected = Operand(f"input of {label}", None, layer=layer)
        sides = (
            Side(
                operand, None, got, f"axes of {operand.label} {spelled(operand.shape)}", rank=True
            ),
            Side(expected, None, want, f"axes that {label} needs", rank=True),
        )
        return Problem(
            Kind.SHAPE,
            "input-rank",
            verdict,
            label,
            layer,
            (operand,),
            sides,
            facts={"want": want, "got": got},
        )
    if model:
        needed, shape = shapes_in(model[1])[0], shapes_in(model[2])[0]
        actual = received.shape  # Keras' message leaves out axes of size 1
        if actual is not None and len(actual) == len(needed) and received.argument == "":
            shape = actual
        return _model(case, needed, shape, layer)
    return None


def _model(case: Case, want: Shape, got: Shape, layer: int) -> Problem:
    call = case.layer_call()
    layer = layer if layer >= 0 or call is None else call.layer
    label = case.operands.layer_name(layer) if layer >= 0 else "the model"
    received = _with(_received(case, layer), got)
    if received.node < 0 and not received.argument and call is not None:
        received = expressed(case, received, call.frame, 0)
    expected = Operand(f"input of {label}", want, layer=layer, argument="input")
    if len(want) == len(got) + 1 and received.argument in ("x", "y"):
        return _without_batch(case, problem_layer=layer, label=label, received=received, want=want)
    if len(want) != len(got):
        verdict = (
            f"{label} needs an input {spelled((None, *want[1:]))}, but receives "
            f"{spelled(got)}: {counted(len(got))} instead of {len(want)}"
        )
        sides = (
            Side(received, None, len(got), f"axes of {received.label} {spelled(got)}", rank=True),
            Side(expected, None, len(want), f"axes that {label} needs", rank=True),
        )
        return Problem(
            Kind.SHAPE,
            "input-rank",
            verdict,
            label,
            layer,
            (received,),
            sides,
            facts={"want": len(want), "got": len(got), "shape": want},
        )
    for axis, (w, g) in enumerate(zip(want, got, strict=True)):
        if axis > 0 and w is not None and g is not None and w != g:
            verdict = (
                f"{label} needs an input {spelled((None, *want[1:]))}, but receives "
                f"{spelled(got)}: axis {axis} has {g} instead of {w}"
            )
            sides = Side(received, axis, g), Side(expected, axis, w)
            return Problem(
                Kind.SHAPE,
                "input-axis",
                verdict,
                label,
                layer,
                (received,),
                sides,
                facts={"axis": axis, "want": w},
            )
    return Problem(
        Kind.SHAPE,
        "input-shape",
        f"{label} needs an input {spelled(want)}, but receives {spelled(got)}",
        label,
        layer,
        (received,),
    )


def _without_batch(
    case: Case, *, problem_layer: int, label: str, received: Operand, want: Shape
) -> Problem:
    """Return the problem of data without a batch axis, or without another axis."""
    shape = received.shape or ()
    expected = Operand(f"input of {label}", want, layer=problem_layer, argument="input")
    sides = (
        Side(received, None, len(shape), f"axes of {received.label} {spelled(shape)}", rank=True),
        Side(expected, None, len(want), f"axes that {label} needs", rank=True),
    )
    call = case.operands.trainer
    value = call.arguments.get("x") if call is not None else None
    dataset = value is not None and value.kind is ValueKind.DATASET
    single = shape[1:] == want[2:] and None not in shape and call is not None
    facts: dict[str, int | str | Shape | None] = {"want": len(want), "got": len(shape)}
    if any(size is not None for size in want):
        facts["shape"] = want
    name = case.crash.during or "fit"
    if dataset and shape and shape[0] is not None:
        verdict = f"the dataset yields single examples {spelled(shape)}, without a batch axis"
        rule = "dataset-not-batched"
    elif single and want[1:] == shape and name != "fit":
        verdict = f"{name} receives one example {spelled(shape)}, without a batch axis in front"
        rule = "single-example"
    else:
        verdict = (
            f"{label} needs an input with {len(want)} axes, but receives {len(shape)}: "
            f"{spelled(shape)}"
        )
        rule = "input-rank"
    return Problem(Kind.SHAPE, rule, verdict, label, problem_layer, (received,), sides, facts=facts)


def _received(case: Case, layer: int) -> Operand:
    """Return the tensor that a layer received: from its call, else the data of `fit`."""
    for call in reversed(case.crash.calls):
        if call.layer == layer and layer >= 0:
            inputs = case.inputs_of(call)
            if inputs:
                first = inputs[0]
                return first if first.node >= 0 else _previous(case, layer, first)
    innermost = case.layer_call()
    inputs = case.inputs_of(innermost) if innermost is not None else []
    if inputs and case.operands.trainer is None:
        return inputs[0]
    data = list(case.operands.data())
    return data[0] if data else Operand("the input", None)


def _previous(case: Case, layer: int, operand: Operand) -> Operand:
    """Return the output of the layer before, for a layer of a model that is called eagerly."""
    for model in case.crash.layers:
        if layer in model.sublayers and model.sublayers.index(layer) > 0:
            before = model.sublayers[model.sublayers.index(layer) - 1]
            label = f"output of {case.operands.layer_name(before)}"
            return Operand(label, operand.shape, operand.dtype, layer=before)
    return operand


def _with(operand: Operand, shape: Shape | None) -> Operand:
    label = operand.label if operand.label not in ("args", "inputs") else "the input"
    shape = shape if shape is not None else operand.shape
    return msgspec.structs.replace(operand, label=label, shape=shape)
