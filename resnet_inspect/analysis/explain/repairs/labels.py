"""Lets labels and loss agree: one-hot or class numbers, by the loss or by the labels."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.origins import spelled
from resnet_inspect.analysis.explain.repairs import arrays, idioms, places
from resnet_inspect.analysis.explain.repairs.arrays import Array
from resnet_inspect.analysis.explain.repairs.building import Sides, labels_and_output, repair
from resnet_inspect.analysis.explain.repairs.edits import primary, raw, replace
from resnet_inspect.analysis.explain.sources import SourceFile, argument
from resnet_inspect.graph.crash import Shape, ValueKind

# The names of losses and metrics for class numbers and for one-hot labels.
PAIRS = (
    ("SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
    ("sparse_categorical_crossentropy", "categorical_crossentropy"),
    ("SparseCategoricalAccuracy", "CategoricalAccuracy"),
    ("sparse_categorical_accuracy", "categorical_accuracy"),
    ("SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy"),
    ("sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy"),
    ("sparse_softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits"),
    ("sparse_softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits_v2"),
    ("sparse_softmax_cross_entropy", "softmax_cross_entropy"),
)
NAMES = tuple(name for pair in PAIRS for name in pair)
FUNCTIONS = ("softmax_cross_entropy_with_logits", "softmax_cross_entropy_with_logits_v2")


class Use(NamedTuple):
    """A place that names a loss or metric: the name's node and how it is written there."""

    file: SourceFile
    node: ast.expr
    name: str


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield changes of the loss or of the labels."""
    if problem.rule == "feed":
        yield from _fed(case, problem)
    compared = labels_and_output(problem)
    if compared is None:
        return
    labels, output = compared
    if labels.shape is None or output.shape is None or places.is_squeezed(case, output):
        return
    used = list(uses(case))
    sparse = any(use.name.lower().startswith("sparse") for use in used)
    one_hot = any(
        not use.name.lower().startswith("sparse") and "accuracy" not in use.name.lower()
        for use in used
    )
    trained = 1.0 if case.crash.during == "evaluate" else 0.0  # the loss has fit other labels
    if _same(labels.shape, output.shape) and sparse:
        yield from _exchanged(case, used, 1.0 + trained, to_sparse=False)
        yield from _class_numbers(case, labels, 1.6)
    if _numbers(labels.shape, output.shape) and one_hot and _whole(case, labels):
        yield from _exchanged(case, used, 0.9 + trained, to_sparse=True, labels=labels)
        yield from _one_hot(case, labels, output.shape[-1], 1.4)
    if _numbers(labels.shape, output.shape) and not sparse:
        yield from _one_hot(case, labels, output.shape[-1], 2.4)
    yield from _binary(case, labels, output.shape)
    yield from _flat(case, labels, output.shape, sparse=sparse)


def _same(labels: Shape, output: Shape) -> bool:
    return len(labels) == len(output) and labels[-1] == output[-1] and labels[-1] != 1


def _numbers(labels: Shape, output: Shape) -> bool:
    """Return whether labels have no axis of classes while the output has one."""
    flat = labels[:-1] if len(labels) == len(output) and labels[-1] == 1 else labels
    fits = all(
        a == b or a is None or b is None for a, b in zip(flat[1:], output[1:-1], strict=False)
    )
    return fits and len(flat) == len(output) - 1 and output[-1] not in (1, None)


def _whole(case: Case, labels: Operand) -> bool:
    """Return whether the labels are, or may be, class numbers."""
    data = places.datum(case, labels)
    if data is None or data.value is None:
        return True
    return data.value.kind is ValueKind.ARRAY


def uses(case: Case, names: tuple[str, ...] = NAMES) -> Iterator[Use]:
    """Yield the places in the user's files that name a loss or metric of classes."""
    for file_name in case.crash.files:
        file = case.sources[file_name]
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Constant) and node.value in names:
                yield Use(file, node, str(node.value))
            elif isinstance(node, ast.Attribute) and node.attr in names:
                yield Use(file, node, node.attr)
            elif isinstance(node, ast.Name) and node.id in names:
                yield Use(file, node, node.id)


def _exchanged(
    case: Case, used: list[Use], cost: float, *, to_sparse: bool, labels: Operand | None = None
) -> Iterator[Repair]:
    """Yield the exchange of all losses and metrics of one encoding for the other.

    TensorFlow's function for class numbers needs integers: `labels` of another type are cast.
    """
    edits: list[Edit] = []
    title = ""
    for use in used:
        new = _partner(use.name, to_sparse=to_sparse)
        if not new:
            continue
        edits += renamed(use, new)
        if labels is not None and labels.dtype.startswith(("float", "bfloat")):
            edits += _cast(use)
        if "accuracy" not in use.name.lower() or not title:
            title = f"{use.name} → {new}"
    if edits:
        wanted = "class numbers" if to_sparse else "one-hot labels"
        yield repair(case, "exchange-loss", title, edits, cost, f"this loss takes {wanted}")


def _partner(name: str, *, to_sparse: bool) -> str:
    for sparse, one_hot in PAIRS:
        if to_sparse and name == one_hot:
            return sparse
        if not to_sparse and name == sparse:
            return one_hot
    return ""


def renamed(use: Use, new: str) -> Iterator[Edit]:
    """Yield the edits that write another name of a loss or metric."""
    if isinstance(use.node, ast.Constant):
        quote = raw(use.file, use.node)[:1]
        yield replace(use.file, use.node, f"{quote}{new}{quote}")
    elif isinstance(use.node, ast.Attribute):
        yield replace(use.file, use.node, f"{raw(use.file, use.node.value)}.{new}")
    elif isinstance(use.node, ast.Name):
        spelling = idioms.imported(use.file, new, use.name)
        if spelling is not None:
            yield replace(use.file, use.node, spelling[0])
            yield from spelling[1]


def _cast(use: Use) -> Iterator[Edit]:
    """Yield the cast of the labels of a call of a cross entropy to integers."""
    call = use.file.parents.get(use.node)
    module = idioms.tensorflow(use.file)
    if isinstance(call, ast.Call) and call.func is use.node and use.name in FUNCTIONS and module:
        given = argument(call, "labels")
        if given is not None:
            text = f"{module}.cast({raw(use.file, given)}, {module}.int32)"
            yield replace(use.file, given, text)


def _class_numbers(case: Case, labels: Operand, cost: float) -> Iterator[Repair]:
    """Yield class numbers in place of one-hot labels: without `to_categorical`, or by argmax."""
    data = _labels(case, labels)
    if data is None:
        return
    made = places.resolved(data.file, data.node)
    if isinstance(made, ast.Call) and made.args and _name(made) in ("to_categorical", "one_hot"):
        inner = raw(data.file, made.args[0])
        title = f"{_name(made)}({inner}, …) → {inner}"
        edits = [replace(data.file, made, inner)]
        yield repair(case, "class-numbers", title, edits, cost)
        return
    array = Array(data.file, data.node, data.value)
    if array.symbolic and idioms.tensorflow(data.file):
        new = f"{idioms.tensorflow(data.file)}.argmax({raw(data.file, data.node)}, axis=-1)"
    else:
        new = f"{array.text}.argmax(axis=-1)"
    title = f"{ast.unparse(data.node)} → {new}"
    yield repair(case, "class-numbers", title, [arrays.edit(array, new)], cost)


def _one_hot(case: Case, labels: Operand, classes: int | None, cost: float) -> Iterator[Repair]:
    """Yield one-hot labels in place of class numbers."""
    data = _labels(case, labels)
    if data is None or classes is None:
        return
    if data.value is not None and data.value.high is not None and data.value.high >= classes:
        cost += 3
    function, imports = idioms.to_categorical(data.file)
    new = f"{function}({raw(data.file, data.node)}, {classes})"
    edits = (*imports, replace(data.file, data.node, new))
    yield repair(case, "one-hot", f"{ast.unparse(data.node)} → {new}", edits, cost)


def _flat(case: Case, labels: Operand, output: Shape, *, sparse: bool) -> Iterator[Repair]:
    """Yield class numbers of another shape as rows of one-hot labels, or as one row."""
    data = _labels(case, labels)
    got = data.value.shape if data is not None and data.value is not None else None
    if data is None or data.value is None or got is None or len(output) != 2 or not output[1]:
        return
    whole = data.value.dtype.startswith(("int", "uint"))
    if not whole or None in got or len(got) < 2 or 1 not in got or labels.shape == output[:1]:
        return
    numbers = f"{primary(data.file, data.node)}.ravel()"
    numpy = idioms.numpy(data.file) or "np"
    new = numbers if sparse else f"{numpy}.eye({output[1]})[{numbers}]"
    title = f"{ast.unparse(data.node)} → {new}"
    reason = f"the output has the shape {spelled(output)}"
    yield repair(case, "one-hot", title, [replace(data.file, data.node, new)], 1.2, reason)


def _fed(case: Case, problem: Problem) -> Iterator[Repair]:
    """Yield the encoding of labels that a placeholder needs."""
    data = places.fed_by_session(case, str(problem.facts.get("name", "")))
    if data is None or len(problem.operands) < 2:
        return
    got, want = (operand.shape for operand in problem.operands[:2])
    whole = data.value is None or data.value.dtype.startswith(("int", "uint"))
    array = Array(data.file, data.node, data.value)
    if got is None or want is None or len(want) == 0 or got == want[1:]:
        return
    numbers = len(got) == len(want) - 1 or (len(got) == len(want) and got[-1] == 1)
    if numbers and (want[-1] or 0) > 1 and (whole or "label" in ast.unparse(data.node)):
        numpy = idioms.numpy(data.file)
        index = raw(data.file, data.node)
        if len(got) == len(want):
            index = arrays.squeezed(array, len(got) - 1, len(got))
        if not whole or data.value is None:
            index = f"{primary(data.file, data.node)}.astype(int)"
        new = f"{numpy or 'np'}.eye({want[-1]})[{index}]"
        title = f"{ast.unparse(data.node)} → {new}"
        edits = [replace(data.file, data.node, new), *places.same_feeds(data, new)]
        yield repair(case, "one-hot", title, edits, 0.9, "the placeholder needs one-hot labels")
    if len(want) == 1 and len(got) == 2 and (got[-1] or 0) > 1:
        new = f"{array.text}.argmax(axis=-1)"
        title = f"{ast.unparse(data.node)} → {new}"
        edits = [replace(data.file, data.node, new)]
        yield repair(
            case, "class-numbers", title, edits, 1.1, "the placeholder needs class numbers"
        )


def _labels(case: Case, labels: Operand) -> places.Datum | None:
    data = places.datum(case, labels)
    if data is None or (data.value is not None and data.value.kind is ValueKind.DATASET):
        return None
    return data


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func).rpartition(".")[2]


def _binary(case: Case, operand: Operand, output: Shape) -> Iterator[Repair]:
    """Yield an axis for labels (N,) of an output (N, 1), and other ranks of labels."""
    data, labels = _labels(case, operand), operand.shape
    if data is None or labels is None:
        return
    array = Array(data.file, data.node, data.value)
    got = data.value.shape if data.value is not None and data.value.shape else labels
    new = ""
    if len(labels) == len(output) - 1 and output[-1] == 1:
        new = arrays.expanded(array, -1)
    elif len(labels) == len(output) + 1 and labels[-1] == 1:
        new = arrays.squeezed(array, len(got) - 1, len(got))
    elif len(labels) == len(output) + 1 and labels[1] == 1:
        new = arrays.squeezed(array, 1, len(got))
    if new:
        title = f"{ast.unparse(data.node)} → {new}"
        reason = f"the output has the shape {spelled(output)}"
        yield repair(case, "label-rank", title, [arrays.edit(array, new)], 1.0, reason)


def loss_argument(case: Case) -> tuple[SourceFile, ast.expr] | None:
    """Return the loss in the call of `compile`."""
    for name in case.crash.files:
        file = case.sources[name]
        for call in file.calls:
            if _name(call) == "compile":
                node = argument(call, "loss", 1)
                if node is not None:
                    return file, node
    return None
