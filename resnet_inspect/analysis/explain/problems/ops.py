"""Ops that reject the shapes of their inputs, while a graph is built or when they run."""

from __future__ import annotations

import ast
import itertools
import re
from math import prod

import msgspec

from resnet_inspect.analysis.explain.case import Case, Problem, Side, counted, shapes_in
from resnet_inspect.analysis.explain.explanation import Kind
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.analysis.explain.problems import losses
from resnet_inspect.graph.crash import Call, Node, Shape, ValueKind

STATIC = re.compile(
    r"'?\{\{node (?P<name>[^}]*)\}\} = (?P<type>\w+)\[.*?\]\((?P<inputs>[^)]*)\)'? "
    r"with input shapes: (?P<shapes>.*?)(?: and with (?:input tensors|computed)|\.?$|\. )"
)
EAGER = re.compile(r"\[Op:(\w+)\]")
WRAPPED = re.compile(r"\{\{function_node __wrapped__([A-Za-z0-9]+?)_device_")
SIGNS = {
    "+": "AddV2",
    "-": "Sub",
    "*": "Mul",
    "/": "RealDiv",
    "@": "MatMul",
    "==": "Equal",
    "matmul": "MatMul",
    "reshape": "Reshape",
    "concat": "ConcatV2",
    "stack": "Pack",
    "tensordot": "MatMul",
    "conv2d": "Conv2D",
    "add": "AddV2",
    "multiply": "Mul",
    "subtract": "Sub",
    "where": "SelectV2",
    "squeeze": "Squeeze",
}
MATMUL = (
    "MatMul",
    "BatchMatMul",
    "BatchMatMulV2",
    "BatchMatMulV3",
    "_MklMatMul",
    "SparseTensorDenseMatMul",
)
REQUESTED = re.compile(
    r"(\d+) (?:elements|values)[^\d\[]*(?:\[[-\d,]+\] \()?(?:requires a multiple of )?(\d+)"
)
CONCAT = ("ConcatV2", "Concat", "Pack")
CONVOLUTIONS = ("Conv2D", "Conv3D", "DepthwiseConv2dNative", "_MklConv2D", "_FusedConv2D")
LOSSES = ("SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits")


class FailedOp(msgspec.Struct, frozen=True):
    """An op with the shapes that it rejected. `target` is the target shape of a reshape."""

    type: str
    operands: tuple[Operand, ...]
    node: Node | None = None
    function: str = ""
    target: Operand | None = None


def recognize(case: Case) -> Problem | None:
    """Return the problem of an op that rejects shapes, None for other failures."""
    failed = failed_op(case)
    if failed is None:
        return None
    shapes = [operand.shape for operand in failed.operands]
    if failed.type in MATMUL and len(shapes) > 1:
        return _matmul(case, failed)
    if failed.type == "Reshape":
        return _reshape(case, failed)
    if failed.type in CONCAT:
        return _concat(case, failed)
    if failed.type in CONVOLUTIONS and len(shapes) > 1:
        return _convolution(case, failed)
    if failed.type in LOSSES and len(shapes) > 1:
        return _loss(case, failed)
    if failed.type in ("Squeeze", "ExpandDims") and failed.operands:
        return _problem(case, failed, f"{failed.type.lower()}-axis", ())
    if failed.type == "Transpose" and failed.operands:
        return _problem(case, failed, "transpose-axes", ())
    if failed.type == "Conv2DBackpropInput" and len(shapes) > 2:
        return _transposed_convolution(case, failed)
    return _broadcast(case, failed)


def failed_op(case: Case) -> FailedOp | None:
    """Return the op that failed with its operands, from the message, the graph or the call."""
    static = STATIC.search(case.text)
    if static:
        return _static(case, static)
    if case.crash.op_node >= 0:
        node = case.crash.nodes[case.crash.op_node]
        operands = [case.operands.of_node(number) for number in node.inputs if number >= 0]
        function = _function(case, node, node.type)
        return FailedOp(node.type, _with_shapes(case, operands), node, function)
    eager = EAGER.search(case.text) or WRAPPED.search(case.text)
    public = next(
        (c for c in reversed(case.crash.calls) if c.function in SIGNS or _tensors_in(c) > 1), None
    )
    if public is None:
        return None
    if not eager and public.function not in SIGNS:
        return None
    kind = eager[1] if eager else SIGNS[public.function]
    operands = [o for o in case.inputs_of(public) if o.shape is not None]
    named = [expressed(case, o, public.frame, at) for at, o in enumerate(operands)]
    function = _function(case, None, kind)
    return FailedOp(kind, _with_shapes(case, named), None, function)


def _static(case: Case, matched: re.Match[str]) -> FailedOp:
    names = [part.strip() for part in matched["inputs"].split(",") if part.strip()]
    shapes = shapes_in(matched["shapes"].replace("[", " [").replace("?", "None"))
    by_name = {node.name: at for at, node in enumerate(case.crash.nodes)}
    operands = []
    for at, name in enumerate(names):
        shape = shapes[at] if at < len(shapes) else None
        number = by_name.get(re.sub(r":\d+$", "", name), -1)
        if number >= 0:
            operands.append(case.operands.of_node(number, shape))
        else:
            operands.append(Operand(f"'{name}'", shape))
    function = _function(case, None, matched["type"])
    return FailedOp(matched["type"], tuple(operands), None, function)


def _function(case: Case, node: Node | None, kind: str) -> str:
    """Return what failed as the user knows it: a layer, or the function in the user's line."""
    call = case.layer_call()
    inside = call is not None and not case.crash.layers[call.layer].own
    public = next((c for c in reversed(case.crash.calls) if c.function in SIGNS), None)
    if public is not None and not inside:
        return (
            f"operator {public.function}" if not public.function.isidentifier() else public.function
        )
    if call is not None and inside:
        return case.operands.layer_name(call.layer)
    if node is not None and node.layer >= 0 and not case.crash.layers[node.layer].own:
        return case.operands.layer_name(node.layer)
    if node is not None:
        matched = case.origins.call_of(node)
        if matched is not None:
            return ast.unparse(matched.func).rpartition(".")[2]
    return kind


def _tensors_in(call: object) -> int:
    arguments = getattr(call, "arguments", {})
    return sum(
        1
        for v in arguments.values()
        if v.kind in (ValueKind.TENSOR, ValueKind.ARRAY, ValueKind.VARIABLE)
    )


def expressed(case: Case, operand: Operand, frame: int, at: int) -> Operand:
    """Return an operand of a call in the user's line with the user's expression for it."""
    if frame < 0 or operand.node >= 0:
        return operand
    record = case.crash.frames[frame]
    file = case.sources[record.site.file]
    for node in file.expressions_at(record.site):
        parts: list[ast.expr] = []
        if isinstance(node, ast.BinOp):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call):
            if any(isinstance(item, ast.Starred) for item in node.args):
                return operand
            parts = [*node.args, *(keyword.value for keyword in node.keywords)]
            if len(parts) == 1 and isinstance(parts[0], ast.List | ast.Tuple):
                parts = list(parts[0].elts)
        if len(parts) == 1 and at > 0 and isinstance(parts[0], ast.Name):
            text = f"{parts[0].id}[{at}]"
            return msgspec.structs.replace(operand, label=text, expression=text, frame=frame)
        if at < len(parts):
            text = file.segment(parts[at])
            return msgspec.structs.replace(operand, label=text, expression=text, frame=frame)
    return operand


def _with_shapes(case: Case, operands: list[Operand]) -> tuple[Operand, ...]:
    """Return operands with the shapes of the message, which are those that ran."""
    shapes = [shape for shape in shapes_in(case.crash.cause) if shape]
    result = list(operands)
    used: set[int] = set()
    for at, operand in enumerate(operands):
        for number, shape in enumerate(shapes):
            if number not in used and _agrees(operand.shape, shape):
                result[at] = msgspec.structs.replace(operand, shape=shape)
                used.add(number)
                break
    return tuple(result)


def _agrees(static: Shape | None, actual: Shape) -> bool:
    if static is None:
        return True
    pairs = zip(static, actual, strict=False)
    return len(static) == len(actual) and all(s in (None, a) for s, a in pairs)


def _problem(
    case: Case,
    failed: FailedOp,
    rule: str,
    sides: tuple[Side, ...],
    verdict: str = "",
    **facts: object,
) -> Problem:
    shapes = " and ".join(f"{o.label} {spelled(o.shape)}" for o in failed.operands[:3])
    function = failed.function or failed.type
    return Problem(
        Kind.SHAPE,
        rule,
        verdict or f"{function} rejects the shapes of {shapes}",
        function,
        operands=failed.operands,
        sides=sides,
        facts=facts,  # type: ignore[arg-type]
        layer=_layer(case),
    )


def _layer(case: Case) -> int:
    call = case.layer_call()
    return call.layer if call is not None else -1


def _matmul(case: Case, failed: FailedOp) -> Problem:
    left, right = failed.operands[:2]
    a, b = left.shape, right.shape
    sides: tuple[Side, ...] = ()
    verdict = ""
    if a is not None and b is not None and len(a) >= 2 and len(b) >= 2:
        settings = failed.node.settings if failed.node is not None else {}
        transposed = [bool(settings.get(k)) for k in ("transpose_a", "transpose_b")]
        at = len(a) - (2 if transposed[0] else 1)
        to = len(b) - (1 if transposed[1] else 2)
        if a[at] is not None and b[to] is not None and a[at] != b[to]:
            sides = Side(left, at, a[at]), Side(right, to, b[to])  # type: ignore[arg-type]
            built = _built_for(case, failed, sides)
            if built is not None:
                return built
            verdict = (
                f"the matrix product needs equal inner sizes: {left.label} {spelled(a)} has "
                f"{a[at]}, {right.label} {spelled(b)} has {b[to]}"
            )
    if not sides and a is not None and b is not None and len(a) != len(b):
        verdict = (
            f"the matrix product needs tensors of equal rank: {left.label} {spelled(a)} has "
            f"{counted(len(a))}, {right.label} {spelled(b)} has {len(b)}"
        )
        sides = (
            Side(left, None, len(a), f"axes of {left.label} {spelled(a)}", rank=True),
            Side(right, None, len(b), f"axes of {right.label} {spelled(b)}", rank=True),
        )
        return _problem(case, failed, "matmul-rank", sides, verdict)
    return _problem(case, failed, "matmul", sides, verdict)


def _built_for(case: Case, failed: FailedOp, sides: tuple[Side, Side]) -> Problem | None:
    """Return the problem of a Keras layer whose kernel was made for another input."""
    kernel = sides[1].operand
    inner = [
        call.layer
        for call in case.crash.calls
        if call.layer >= 0
        and not case.crash.layers[call.layer].own
        and not case.crash.layers[call.layer].sublayers
    ]
    if kernel.weight not in ("kernel", "recurrent_kernel") or not inner:
        return None
    if kernel.weight == "recurrent_kernel":
        return _state(case, failed, sides, inner[0])
    label = case.operands.layer_name(inner[0])
    data = next((o for o in case.inputs_of(_call_of(case, inner[0])) if o.shape), None)
    received = data or sides[0].operand
    axis = len(received.shape or ()) - 1
    verdict = (
        f"{label} was built for {sides[1].size} features, but receives {spelled(received.shape)}"
    )
    failed = msgspec.structs.replace(failed, function=label)
    return _problem(
        case,
        failed,
        "input-axis",
        (
            Side(received, axis, sides[0].size),
            Side(kernel, sides[1].axis, sides[1].size, f"features that {label} was built for"),
        ),
        verdict,
        axis=axis,
        want=sides[1].size,
    )


def _state(case: Case, failed: FailedOp, sides: tuple[Side, Side], layer: int) -> Problem:
    """Return the problem of a recurrent layer whose initial state has another size."""
    label = case.operands.layer_name(layer)
    state, kernel = sides
    verdict = f"{label} has {kernel.size} units, but its initial state has {state.size}"
    failed = msgspec.structs.replace(failed, function=label)
    units = Side(Operand(label, None, layer=layer), -1, kernel.size, f"units of {label}")
    return _problem(case, failed, "state", (state, units), verdict)


def _call_of(case: Case, layer: int) -> Call:
    return next(call for call in case.crash.calls if call.layer == layer)


def _reshape(case: Case, failed: FailedOp) -> Problem:
    operand = failed.operands[0]
    target = _target(case, failed)
    wanted = Operand("target shape", None if target is None else tuple(target))
    failed = msgspec.structs.replace(failed, operands=(operand, wanted), target=_target_of(failed))
    shape = operand.shape or ()
    sizes = [size for size in shape[1:] if size is not None]
    whole = len(sizes) == len(shape) - 1
    if target and whole and target[0] in (-1, None, *shape[:1]) and -1 not in target[1:]:
        kept = [size for size in target[1:] if size is not None]
        if len(kept) == len(target) - 1 and prod(kept) != prod(sizes):
            return _per_example(case, failed, operand, sizes, kept)
    counts = REQUESTED.search(case.crash.cause)
    row = prod(kept) if (kept := [s for s in (target or [])[1:] if s is not None]) else 0
    if target and counts and target[0] not in (-1, None) and whole and row == prod(sizes) > 0:
        batch = int(counts[1]) // row
        made = Side(_target_of(failed), 0, target[0], "batch size in the target shape")
        verdict = (
            f"the batch size {target[0]} is hard-coded in the target shape, but this batch "
            f"has {batch} examples"
        )
        sides = made, Side(operand, 0, batch)
        return _problem(case, failed, "batch-hard-coded", sides, verdict)
    have, want = (int(counts[1]), int(counts[2])) if counts else (0, 0)
    pairs = list(zip(shape, target or [], strict=False))
    unequal = next((at for at, (a, b) in enumerate(pairs) if a != b), None)
    if counts and target and unequal is not None and None not in (*shape, *target):
        made = Side(_target_of(failed), unequal, target[unequal] or 0, "size in the target shape")
        sides = Side(operand, unequal, shape[unequal] or 0), made
        verdict = (
            f"{operand.label} {spelled(shape)} has {have:,} elements, the target shape "
            f"{spelled(tuple(target))} has {want:,}"
        )
        return _problem(case, failed, "reshape-total", sides, verdict, have=have, want=want)
    verdict = ""
    totals: tuple[Side, ...] = ()
    if counts:
        verb = "which is no multiple of" if "multiple" in counts[0] else "the target shape needs"
        verdict = f"{operand.label} {spelled(operand.shape)} has {have:,} elements, {verb} {want:,}"
        totals = (
            Side(operand, None, have, f"elements of {operand.label}", rank=True),
            Side(_target_of(failed), None, want, "elements of the target shape", rank=True),
        )
    return _problem(case, failed, "reshape-total", totals, verdict, have=have, want=want)


def _per_example(
    case: Case, failed: FailedOp, operand: Operand, sizes: list[int], kept: list[int]
) -> Problem:
    """Return the problem of a reshape whose target has another number of elements per example."""
    have, want = prod(sizes), prod(kept)
    product = " × ".join(map(str, sizes))
    computed = f"{product} = {have:,}" if len(sizes) > 1 else f"{have:,}"
    verdict = f"{operand.label} has {computed} elements per example, the target shape has {want:,}"
    target = _target_of(failed)
    for at, size in enumerate(kept):
        fitting = have * size // want if have * size % want == 0 else 0
        if fitting in sizes and fitting != size:
            axis = sizes.index(fitting) + 1 if sizes.count(fitting) == 1 else len(sizes)
            sides = (
                Side(operand, axis, fitting),
                Side(target, at + 1, size, "size in the target shape"),
            )
            return _problem(
                case, failed, "reshape-total", sides, verdict, have=have, want=want, element=at + 1
            )
    sides = (
        Side(operand, None, have, f"elements per example of {operand.label}", rank=True),
        Side(target, 1, kept[0] if len(kept) == 1 else want, "elements in the target shape"),
    )
    return _problem(case, failed, "reshape-total", sides, verdict, have=have, want=want)


def _target(case: Case, failed: FailedOp) -> list[int | None] | None:
    """Return the target shape of a reshape; -1 for the computed size, None for unknown sizes."""
    listed = re.search(r"to shape \[([-\d,?]+)\]", case.crash.cause) or re.search(
        r"(?:partial shapes|input\[1\]) ?[:=] ?(?:input\[1\] = )?\[([-\d,?]+)\]", case.text
    )
    node = failed.node
    constant = case.origins.constant(node, 1) if node is not None else None
    if constant is not None:
        return list(constant)
    if len(failed.operands) > 1 and failed.operands[1].node >= 0:
        text = case.crash.nodes[failed.operands[1].node].value
        if text.startswith("["):
            return [int(part) for part in text.strip("[]").split(",") if part.strip()]
    if listed:
        return [int(part) if part.lstrip("-").isdigit() else None for part in listed[1].split(",")]
    return None


def _target_of(failed: FailedOp) -> Operand:
    if failed.target is not None:
        return failed.target
    number = failed.operands[1].node if len(failed.operands) > 1 else -1
    return Operand("target shape", None, node=number)


def _concat(case: Case, failed: FailedOp) -> Problem:
    known = [o for o in failed.operands if o.shape is not None and len(o.shape) > 0]
    for first in known:
        for second in known:
            a, b = first.shape or (), second.shape or ()
            if first is second or len(a) != len(b):
                continue
            axes = [at for at in range(len(a)) if at != _joined(case, failed)]
            for axis in axes:
                x, y = a[axis], b[axis]
                if x is not None and y is not None and x != y:
                    verdict = (
                        f"tensors to concatenate need equal sizes on axis {axis}: {first.label} "
                        f"{spelled(a)} has {x}, {second.label} {spelled(b)} has {y}"
                    )
                    return _problem(
                        case,
                        failed,
                        "concat",
                        (Side(first, axis, x), Side(second, axis, y)),
                        verdict,
                        axis=axis,
                    )
    return _problem(case, failed, "concat", ())


def _joined(case: Case, failed: FailedOp) -> int | None:
    """Return the axis along which tensors are joined, None if unknown."""
    number = failed.operands[-1].node if failed.operands else -1
    text = case.crash.nodes[number].value if number >= 0 else ""
    if text.lstrip("-").isdigit():
        rank = len(failed.operands[0].shape or ())
        return int(text) % rank if rank else None
    call = case.called("concat", "ConcatV2")
    axis = call.arguments.get("axis") if call is not None else None
    if axis is not None and axis.text.lstrip("-").isdigit():
        return int(axis.text) % max(len(failed.operands[0].shape or ()), 1)
    return None


def _convolution(case: Case, failed: FailedOp) -> Problem:
    images, kernel = failed.operands[:2]
    a, b = images.shape, kernel.shape
    if a is not None and b is not None and len(a) == len(b) and len(b) >= 3:
        channels, depth = a[-1], b[-2]
        if channels is not None and depth is not None and channels != depth:
            verdict = (
                f"the convolution's kernel {spelled(b)} was made for {depth} channels, "
                f"{images.label} {spelled(a)} has {channels}"
            )
            sides = Side(images, len(a) - 1, channels), Side(kernel, len(b) - 2, depth)
            return _problem(case, failed, "conv-channels", sides, verdict)
    return _problem(case, failed, "conv-rank" if a is not None and len(a) != 4 else "conv", ())


def _transposed_convolution(case: Case, failed: FailedOp) -> Problem:
    kernel, images = failed.operands[1:3]
    a, b = images.shape, kernel.shape
    if a is not None and b is not None and len(a) == len(b) and a[-1] and b[-1] and a[-1] != b[-1]:
        verdict = (
            f"the transposed convolution's kernel {spelled(b)} was made for {b[-1]} channels, "
            f"{images.label} {spelled(a)} has {a[-1]}"
        )
        sides = Side(images, len(a) - 1, a[-1]), Side(kernel, len(b) - 1, b[-1])
        return _problem(case, failed, "conv-channels", sides, verdict)
    return _problem(case, failed, "conv", ())


def _loss(case: Case, failed: FailedOp) -> Problem:
    failed = msgspec.structs.replace(failed, function=_loss_function(case) or failed.function)
    logits, labels = failed.operands[:2]
    if failed.type.startswith("Sparse"):
        return _compared(case, failed, logits, labels, "sparse-labels")
    # TensorFlow flattens both to rows first: the user's tensors are those before.
    logits, labels = (
        losses.before_reshape(case, operand.node) if operand.node >= 0 else operand
        for operand in (logits, labels)
    )
    a, b = logits.shape, labels.shape
    if a is None or b is None or len(a) == len(b):
        return _compared(case, failed, logits, labels, "loss-shape")
    verdict = f"the loss compares logits {spelled(a)} with labels {spelled(b)}: "
    verdict += f"{counted(len(a))} against {len(b)}"
    sides = (
        Side(logits, None, len(a), f"axes of {logits.label} {spelled(a)}", rank=True),
        Side(labels, None, len(b), f"axes of {labels.label} {spelled(b)}", rank=True),
    )
    failed = msgspec.structs.replace(failed, operands=(labels, logits))
    return _problem(case, failed, "loss-rank", sides, verdict)


def _loss_function(case: Case) -> str:
    """Return the cross entropy that the user's innermost line calls, empty without."""
    for frame in case.crash.frames[-1:]:
        for call in case.sources[frame.site.file].calls_at(frame.site):
            name = ast.unparse(call.func).rpartition(".")[2]
            if "cross_entropy" in name:
                return name
    return ""


def _compared(case: Case, failed: FailedOp, logits: Operand, labels: Operand, rule: str) -> Problem:
    """Return the problem of the first axis on which logits and labels differ."""
    a, b = logits.shape, labels.shape
    sides: tuple[Side, ...] = ()
    verdict = f"the loss compares logits {spelled(a)} with labels {spelled(b)}"
    for axis, (x, y) in enumerate(zip(a or (), b or (), strict=False)):
        if x is not None and y is not None and x != y:
            sides = Side(logits, axis, x), Side(labels, axis, y)
            verdict += f": axis {axis} has {x} and {y}"
            break
    failed = msgspec.structs.replace(failed, operands=(labels, logits))
    return _problem(case, failed, rule, sides, verdict)


def _broadcast(case: Case, failed: FailedOp) -> Problem | None:
    known = [o for o in failed.operands if o.shape is not None]
    for first, second in itertools.pairwise(known):
        a, b = first.shape or (), second.shape or ()
        if len(a) != len(b) and min(len(a), len(b)) > 1 and _clash(a, b):
            verdict = (
                f"{first.label} {spelled(a)} and {second.label} {spelled(b)} cannot be combined "
                f"elementwise: {counted(len(a))} against {len(b)}"
            )
            sides = (
                Side(first, None, len(a), f"axes of {first.label} {spelled(a)}", rank=True),
                Side(second, None, len(b), f"axes of {second.label} {spelled(b)}", rank=True),
            )
            return _problem(case, failed, "broadcast-rank", sides, verdict)
        for back in range(1, min(len(a), len(b)) + 1):
            x, y = a[-back], b[-back]
            if x is not None and y is not None and x != y and 1 not in (x, y):
                at, to = len(a) - back, len(b) - back
                verdict = (
                    f"{first.label} {spelled(a)} and {second.label} {spelled(b)} cannot be "
                    f"combined elementwise: axis {at} has {x}, axis {to} has {y}"
                )
                sides = Side(first, at, x), Side(second, to, y)
                return _problem(case, failed, "broadcast", sides, verdict)
    words = ("shape", "dimension", "rank", "size")
    if any(word in case.text.lower() for word in words):
        return _problem(case, failed, "op", (), unknown="")
    return None


def _clash(first: Shape, second: Shape) -> bool:
    """Return whether two shapes cannot be broadcast."""
    pairs = zip(reversed(first), reversed(second), strict=False)
    return any(a is not None and b is not None and a != b and 1 not in (a, b) for a, b in pairs)
