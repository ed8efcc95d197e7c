"""Keras layers that reject shapes with checks of their own."""

from __future__ import annotations

import itertools
import re

import msgspec

from resnet_inspect.analysis.explain.case import Case, Problem, Side, shapes_in
from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import elements, spelled
from resnet_inspect.graph.crash import Shape

TOTAL = re.compile(
    r"total size of the tensor must be unchanged.*? Received: input_shape=(\(.*?\)), "
    r"target_shape=(\(.*?\))"
)
NEGATIVE = re.compile(
    r"(?:[Cc]omputed output size would be (?:negative|<= ?0|zero or negative)|dimensions? "
    r"in the output (?:is|are) <= 0|Negative dimension size caused by subtracting (\d+) "
    r"from (\d+))"
)
GROUPS = re.compile(
    (
        r"number of input channels must be evenly divisible by (?:the number of )?(?:kernel's "
        r"in-channels|groups)"
    ),
    re.I,
)
UNKNOWN = re.compile(
    r"last dimension of the inputs to a? ?`?Dense`? ?(?:layer)? ?should be defined\. Found None",
    re.I,
)


DOT = re.compile(
    r"Incompatible input shapes: axis values (\d+) \(at axis (\d+)\) != (\d+) \(at axis (\d+)\)"
)
KERNEL = re.compile(
    r"Kernel shape must have the same length as input, but received kernel of shape (\(.*?\)) "
    r"and input of shape (\(.*?\))"
)


def recognize(case: Case) -> Problem | None:
    """Return the problem of a Keras layer, None for other failures."""
    call = case.layer_call()
    layer = call.layer if call is not None else _self(case)
    label = case.operands.layer_name(layer) if layer >= 0 else "the layer"
    inputs = case.inputs_of(call) if call is not None else []
    total = TOTAL.search(case.text)
    if total:
        have, want = shapes_in(total[1])[0], shapes_in(total[2])[0]
        a, b = (
            elements(tuple(s for s in have if s is not None)),
            elements(tuple(s for s in want if s not in (None, -1))),
        )
        operand = _with(inputs, have)
        verdict = (
            f"{label} needs {b:,} elements per example, but {operand.label} has {a:,}: "
            f"{spelled(have)}"
        )
        sides = (
            Side(operand, 1, a or 0)
            if len(have) == 1
            else Side(operand, None, a or 0, f"elements per example of {operand.label}", rank=True),
            Side(
                Operand(f"target of {label}", want, layer=layer),
                None,
                b or 0,
                f"elements of the target of {label}",
            ),
        )
        return Problem(
            Kind.SHAPE,
            "reshape-layer",
            verdict,
            label,
            layer,
            (operand,),
            sides,
            facts={"have": a, "want": b},
        )
    if "requires inputs with matching shapes" in case.text or (
        "Inputs have incompatible shapes" in case.text
    ):
        return _merge(case, label, layer, inputs)
    dot = DOT.search(case.text)
    if dot and len(inputs) > 1:
        first, second = inputs[:2]
        (x, at), (y, to) = ((int(dot[1]), int(dot[2])), (int(dot[3]), int(dot[4])))
        verdict = (
            f"{label} needs equal sizes on its axes: {first.label} {spelled(first.shape)} has {x}, "
            f"{second.label} {spelled(second.shape)} has {y}"
        )
        sides = Side(first, at, x), Side(second, to, y)
        return Problem(Kind.SHAPE, "broadcast", verdict, label, layer, (first, second), sides)
    negative = NEGATIVE.search(case.text)
    if negative:
        operand = _with(inputs, None)
        settings = case.crash.layers[layer].settings if layer >= 0 else {}
        kernel = settings.get("kernel_size") or settings.get("pool_size") or ()
        windows = kernel if isinstance(kernel, tuple) else (kernel,)
        spatial = _spatial(operand.shape, len(windows))
        pairs = [(size, at) for size, at in spatial if size is not None]
        for (size, at), window in zip(pairs, windows, strict=False):
            if isinstance(window, int) and size < window:
                verdict = (
                    f"{label} has a window of {window}, but axis {at} of {operand.label} "
                    f"{spelled(operand.shape)} has only {size}"
                )
                expected = Operand(f"window of {label}", None, layer=layer)
                return Problem(
                    Kind.SHAPE,
                    "window-size",
                    verdict,
                    label,
                    layer,
                    (operand,),
                    (Side(operand, at, size), Side(expected, None, window, f"window of {label}")),
                    facts={"axis": at, "window": window},
                )
        return Problem(
            Kind.SHAPE,
            "window-size",
            f"the output of {label} would have no elements: input {spelled(operand.shape)}",
            label,
            layer,
            (operand,),
        )
    kernel_found = KERNEL.search(case.text)
    if kernel_found:
        kernel_shape, shape = (shapes_in(text)[0] for text in kernel_found.groups())
        operand = _with(inputs, shape)
        axes = len(kernel_shape)
        verdict = (
            f"{label} needs an input with {axes} axes, but receives {len(shape)}: {spelled(shape)}"
        )
        expected = Operand(f"input of {label}", None, layer=layer)
        sides = (
            Side(operand, None, len(shape), f"axes of {operand.label} {spelled(shape)}", rank=True),
            Side(expected, None, axes, f"axes that {label} needs", rank=True),
        )
        facts = {"want": axes, "got": len(shape)}
        return Problem(
            Kind.SHAPE, "input-rank", verdict, label, layer, (operand,), sides, facts=facts
        )
    if GROUPS.search(case.text) and inputs:
        operand = inputs[0]
        return Problem(
            Kind.SHAPE,
            "conv-channels",
            f"{label} cannot use the channels of {operand.label} {spelled(operand.shape)}",
            label,
            layer,
            (operand,),
        )
    if UNKNOWN.search(case.text):
        operand = _with(inputs, None)
        verdict = (
            f"{label} needs a known last axis, but {operand.label} is {spelled(operand.shape)}"
        )
        return Problem(Kind.SHAPE, "unknown-axis", verdict, label, layer, (operand,))
    return None


def _self(case: Case) -> int:
    """Return the layer whose method raised the exception, -1 without."""
    for call in reversed(case.crash.calls):
        value = call.arguments.get("self")
        if value is not None and value.layer >= 0:
            return value.layer
    return -1


def _merge(case: Case, label: str, layer: int, inputs: list[Operand]) -> Problem:
    axis = case.crash.layers[layer].settings.get("axis") if layer >= 0 else None
    concatenates = layer >= 0 and case.crash.layers[layer].type == "Concatenate"
    for first, second in itertools.pairwise(inputs):
        a, b = first.shape or (), second.shape or ()
        if len(a) != len(b):
            verdict = (
                f"{label} needs inputs of equal rank: {first.label} {spelled(a)}, "
                f"{second.label} {spelled(b)}"
            )
            return Problem(
                Kind.SHAPE,
                "merge-rank",
                verdict,
                label,
                layer,
                (first, second),
                (
                    Side(first, None, len(a), f"axes of {first.label} {spelled(a)}", rank=True),
                    Side(second, None, len(b), f"axes of {second.label} {spelled(b)}", rank=True),
                ),
            )
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            skipped = concatenates and isinstance(axis, int) and at == axis % len(a)
            if (
                not skipped
                and x is not None
                and y is not None
                and x != y
                and (concatenates or 1 not in (x, y))
            ):
                verdict = (
                    f"{label} needs equal sizes on axis {at}: {first.label} {spelled(a)} has "
                    f"{x}, {second.label} {spelled(b)} has {y}"
                )
                return Problem(
                    Kind.SHAPE,
                    "concat" if concatenates else "broadcast",
                    verdict,
                    label,
                    layer,
                    (first, second),
                    (Side(first, at, x), Side(second, at, y)),
                    facts={"axis": at},
                )
    return Problem(Kind.SHAPE, "merge", f"{label} rejects its inputs", label, layer, tuple(inputs))


def _spatial(shape: Shape | None, count: int) -> list[tuple[int | None, int]]:
    if shape is None or len(shape) < count + 2:
        return []
    return [(shape[at], at) for at in range(1, count + 1)]


def _with(inputs: list[Operand], shape: Shape | None) -> Operand:
    first = inputs[0] if inputs else Operand("the input", None)
    return msgspec.structs.replace(first, shape=shape if shape is not None else first.shape)
