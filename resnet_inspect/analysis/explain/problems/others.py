"""Failures that are not about shapes: types, elements out of range, memory, other exceptions."""

from __future__ import annotations

import re

from resnet_inspect.analysis.explain.case import Case, Problem, Side, shapes_in
from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.graph.crash import Shape, ValueKind

TYPES = re.compile(
    r"Input '(\w+)' of '(\w+)' Op has type (\w+) that does not match type (\w+) of argument '(\w+)'"
)
EXPECTED = re.compile(
    r"cannot compute (\w+) as input #(\d+)\(zero-based\) was expected to be an? (\w+) "
    r"tensor but is an? (\w+) tensor"
)
REQUESTED = re.compile(r"Tensor conversion requested dtype (\w+) for Tensor with dtype (\w+)")
ALLOWED = re.compile(r"Value for attr '\w+' of (\w+) is not in the list of allowed values")
RANGE = re.compile(r"indices\[([\d,]*)\] = (-?\d+) is not in \[0, (\d+)\)")
LABEL = re.compile(
    r"Received a label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)"
)
CLASSES = re.compile(r"index (\d+) is out of bounds for axis \d+ with size (\d+)")
MEMORY = re.compile(r"OOM when allocating tensor with shape(\[.*?\]) and type (\w+)")
NUMPY_MEMORY = re.compile(r"Unable to allocate ([\d.]+ \w+) for an array with shape (\(.*?\))")
LOOP = re.compile(
    r"'([\w/:.]+)' enters the loop with shape (\(.*?\)), but has shape (\(.*?\)) after "
    r"one iteration"
)
SHAPES = re.compile(r"\b(?:shapes?|dimensions?|ranks?|broadcast\w*|square|sizes?|ndim)\b", re.I)
BYTES = {"float": 4, "float32": 4, "double": 8, "half": 2, "bfloat16": 2, "int32": 4, "int64": 8}


def recognize(case: Case) -> Problem | None:
    """Return the problem of a type, an index or memory, None for other failures."""
    return _type(case) or _range(case) or _memory(case) or _loop(case)


def other(case: Case) -> Problem:
    """Return the problem of an exception that no rule knows."""
    crash = case.crash
    place = case.sources.line(crash.frames[-1].site) if crash.frames else None
    where = f" at {place.file}:{place.line}" if place is not None else ""
    if SHAPES.search(crash.cause):
        return Problem(
            Kind.SHAPE,
            "other-shape",
            f"{crash.kind}{where}: {crash.cause}",
            unknown="the two sizes that disagree are not known",
        )
    return Problem(
        Kind.OTHER,
        "other",
        f"not a shape error: {crash.kind}{where}: {crash.cause}",
        unknown="the cause is not known: the message is the framework's own",
    )


def _type(case: Case) -> Problem | None:
    matched = TYPES.search(case.text)
    if matched:
        first, second = matched[4], matched[3]
        verdict = (
            f"not a shape error: {matched[2]} needs equal types, but '{matched[5]}' is {first} "
            f"and '{matched[1]}' is {second}"
        )
        return Problem(
            Kind.DTYPE,
            "types",
            verdict,
            _function(case, matched[2]),
            facts={
                "first": first,
                "second": second,
                "first_name": matched[5],
                "second_name": matched[1],
            },
        )
    expected = EXPECTED.search(case.text)
    if expected:
        verdict = (
            f"not a shape error: input {int(expected[2]) + 1} of {expected[1]} must be "
            f"{expected[3]}, but is {expected[4]}"
        )
        return Problem(
            Kind.DTYPE,
            "types",
            verdict,
            _function(case, expected[1]),
            facts={"first": expected[3], "second": expected[4]},
        )
    requested = REQUESTED.search(case.text)
    if requested:
        verdict = (
            f"not a shape error: a tensor of type {requested[2]} is used where {requested[1]} "
            "is needed"
        )
        return Problem(
            Kind.DTYPE,
            "types",
            verdict,
            _function(case, ""),
            facts={"first": requested[1], "second": requested[2]},
        )
    allowed = ALLOWED.search(case.text)
    if allowed:
        verdict = f"not a shape error: the operation does not support type {allowed[1]}"
        return Problem(
            Kind.DTYPE, "types", verdict, _function(case, ""), facts={"second": allowed[1]}
        )
    return None


def _function(case: Case, op: str) -> str:
    for call in reversed(case.crash.calls):
        if (
            call.frame == case.frame
            and "." not in call.function
            and not call.function.startswith("_")
        ):
            return call.function
    return op


def _range(case: Case) -> Problem | None:
    classes = CLASSES.search(case.text)
    if classes and case.crash.kind == "IndexError" and case.frame >= 0:
        line = case.sources.line(case.crash.frames[case.frame].site).text
        if "to_categorical" in line or ".eye(" in line:
            index, size = int(classes[1]), int(classes[2])
            verdict = f"the labels contain {index}, but there are {size} classes: 0 to {size - 1}"
            facts: dict[str, int | str | Shape | None] = {"index": index, "size": size}
            return Problem(Kind.INDEX, "class-range", verdict, facts=facts)
    matched = RANGE.search(case.text)
    if matched:
        index, size = int(matched[2]), int(matched[3])
        layer = next(
            (
                n.layer
                for n in case.crash.nodes
                if n.type.startswith(("Gather", "ResourceGather")) and n.layer >= 0
            ),
            -1,
        )
        label = case.operands.layer_name(layer) if layer >= 0 else "the lookup"
        data = list(case.operands.data())
        largest = _largest(case)
        most = max(largest, index)
        verdict = f"{label} has {size} rows, numbered 0 to {size - 1}, but the data contains {most}"
        table = Operand(f"rows of {label}", None, layer=layer, weight="embeddings")
        ids = data[0] if data else Operand("the ids", None)
        node = case.crash.nodes[case.crash.op_node] if case.crash.op_node >= 0 else None
        if layer < 0 and node is not None and len(node.inputs) > 1 and min(node.inputs[:2]) >= 0:
            table, ids = (case.operands.of_node(number) for number in node.inputs[:2])
            verdict = (
                f"{table.label} has {size} rows, numbered 0 to {size - 1}, but {ids.label} "
                f"contains {most}"
            )
        sides = (
            Side(ids, None, most, f"largest id in {ids.label}", rank=True),
            Side(table, None, size, f"rows of {label}"),
        )
        return Problem(
            Kind.INDEX,
            "id-range",
            verdict,
            label,
            layer,
            (ids,),
            sides,
            facts={"index": most, "size": size},
        )
    label_found = LABEL.search(case.text)
    if label_found:
        value, size = int(label_found[1]), int(label_found[2])
        data = list(case.operands.data())
        labels = data[1] if len(data) > 1 else Operand("labels", None)
        verdict = (
            f"the labels contain {value}, but the model has {size} classes, numbered 0 to "
            f"{size - 1}"
        )
        output = Operand("output", None, layer=_last_layer(case))
        return Problem(
            Kind.INDEX,
            "label-range",
            verdict,
            "the loss",
            operands=(labels,),
            sides=(
                Side(labels, None, value, f"label in {labels.label}", rank=True),
                Side(output, -1, size, "classes of the model"),
            ),
            facts={"index": value, "size": size},
            layer=output.layer,
        )
    return None


def _largest(case: Case) -> int:
    call = case.operands.trainer
    value = call.arguments.get("x") if call is not None else None
    return (
        value.high
        if value is not None and value.kind is ValueKind.ARRAY and value.high is not None
        else 0
    )


def _last_layer(case: Case) -> int:
    for layer in case.crash.layers:
        if layer.loss and layer.sublayers:
            return layer.sublayers[-1]
    return -1


def _memory(case: Case) -> Problem | None:
    matched, numpy = MEMORY.search(case.text), NUMPY_MEMORY.search(case.text)
    if matched:
        shape = shapes_in(matched[1])[0]
        size = BYTES.get(matched[2], 4)
        for axis in shape:
            size *= axis or 1
        verdict = (
            f"not a shape error: out of memory. A tensor {spelled(shape)} of {matched[2]} needs "
            f"{_bytes(size)}"
        )
        return Problem(Kind.MEMORY, "memory", verdict)
    if numpy:
        return Problem(
            Kind.MEMORY,
            "memory",
            f"not a shape error: out of memory. An array {numpy[2]} needs {numpy[1]}",
        )
    if case.crash.kind in ("ResourceExhaustedError", "MemoryError"):
        return Problem(Kind.MEMORY, "memory", "not a shape error: out of memory")
    return None


def _loop(case: Case) -> Problem | None:
    """Return the problem of a loop variable whose shape changes."""
    matched = LOOP.search(case.text)
    if not matched:
        return None
    before, after = shapes_in(matched[2])[0], shapes_in(matched[3])[0]
    name = matched[1].removesuffix(":0")
    names = [node.name for node in case.crash.nodes]
    node = next((at for at, other in enumerate(names) if name in (other, f"while/{other}")), -1)
    start = Operand("the loop variable at the start", before, node=node)
    end = Operand("the loop variable after one iteration", after)
    verdict = (
        f"a loop variable changes its shape: it is {spelled(before)} at the start and "
        f"{spelled(after)} after one iteration"
    )
    axis = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    sides: tuple[Side, ...] = ()
    if len(before) == len(after) and before:
        sides = Side(start, axis, before[axis] or 0), Side(end, axis, after[axis] or 0)
    return Problem(
        Kind.SHAPE, "loop-shape", verdict, "while_loop", operands=(start, end), sides=sides
    )


def _bytes(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}"
        count /= 1024
    return f"{count:,.0f} TiB"
