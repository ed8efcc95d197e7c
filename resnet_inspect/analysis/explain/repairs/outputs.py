"""Changes the last layer together with its activation and the loss: one class or several."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from resnet_inspect.analysis.explain.case import Case, Problem
from resnet_inspect.analysis.explain.explanation import Edit, Repair
from resnet_inspect.analysis.explain.operands import Operand
from resnet_inspect.analysis.explain.repairs import labels as encodings
from resnet_inspect.analysis.explain.repairs import places
from resnet_inspect.analysis.explain.repairs.building import (
    Sides,
    changed,
    labels_and_output,
    repair,
)
from resnet_inspect.analysis.explain.repairs.edits import raw, replace
from resnet_inspect.analysis.explain.sources import argument
from resnet_inspect.graph.crash import Shape

# Losses of one class by those of several, for one-hot labels and for class numbers.
BINARY = {
    "binary_crossentropy": ("categorical_crossentropy", "sparse_categorical_crossentropy"),
    "BinaryCrossentropy": ("CategoricalCrossentropy", "SparseCategoricalCrossentropy"),
}


def suggest(case: Case, problem: Problem, sides: Sides) -> Iterator[Repair]:
    """Yield a last layer that has as many classes as the labels, and a loss that fits it."""
    compared = labels_and_output(problem)
    if compared is None:
        return
    labels, output = compared
    if labels.shape is None or not output.shape or places.is_squeezed(case, output):
        return
    losses = list(encodings.uses(case, tuple(BINARY)))
    several = _classes(labels.shape, output.shape)
    if several:
        yield from _more_classes(case, output, several, losses)
    elif _numbers(labels.shape, output.shape) and losses:
        yield from _exchanged(case, losses, at=1, cost=0.95)
        yield from _single(case, labels, output)


def _classes(labels: Shape, output: Shape) -> int:
    """Return the number of classes of one-hot labels for an output of one column, else 0."""
    equal = len(labels) == len(output) and len(output) > 1
    return (labels[-1] or 0) if equal and output[-1] == 1 and labels[-1] != 1 else 0


def _numbers(labels: Shape, output: Shape) -> bool:
    """Return whether labels are class numbers for an output of several columns."""
    flat = labels[:-1] if len(labels) == len(output) and labels[-1] == 1 else labels
    return len(flat) == len(output) - 1 and output[-1] not in (1, None)


def _more_classes(
    case: Case, output: Operand, classes: int, losses: list[encodings.Use]
) -> Iterator[Repair]:
    """Yield the number of classes with softmax, and the categorical loss."""
    edits, title = _last_layer(case, output, str(classes), "softmax")
    categorical = any("categorical" in use.name.lower() for use in encodings.uses(case))
    if len(edits) > 1 and categorical:
        yield repair(case, "classes", title, edits, 0.95, f"the labels have {classes} classes")
    if edits and losses and not categorical:
        both = [*edits, *_loss_edits(losses, 0)]
        title += f", {losses[0].name} → {BINARY[losses[0].name][0]}"
        yield repair(case, "classes", title, both, 1.3, f"the labels have {classes} classes")


def _single(case: Case, labels: Operand, output: Operand) -> Iterator[Repair]:
    """Yield one column with a sigmoid for labels 0 and 1."""
    data = places.datum(case, labels)
    high = data.value.high if data is not None and data.value is not None else None
    edits, title = _last_layer(case, output, "1", "sigmoid")
    if edits:
        cost = 0.9 if high is not None and high <= 1 else 1.2
        yield repair(case, "classes", title, edits, cost, "the labels are 0 or 1")


def _last_layer(case: Case, output: Operand, units: str, activation: str) -> tuple[list[Edit], str]:
    """Return the edits of the units and the activation of the layer that makes an output."""
    layers = [
        layer
        for layer in places.chain(case, output)
        if case.crash.layers[layer].type not in places.PASSING
    ]
    made = places.creation(case, layers[0]) if layers else None
    node = argument(made.call, "units", 0) if made is not None else None
    if made is None or node is None or case.crash.layers[layers[0]].type != "Dense":
        return [], ""
    edits = [replace(made.file, node, units)]
    title = changed(made.file, node, units)
    given = argument(made.call, "activation", 1)
    others = {"sigmoid", "softmax", "tanh", "relu"} - {activation}
    if isinstance(given, ast.Constant) and given.value in others:
        quote = raw(made.file, given)[:1]
        edits.append(replace(made.file, given, f"{quote}{activation}{quote}"))
        before, _, after = title.partition(" → ")
        written = after.replace(raw(made.file, given), f"{quote}{activation}{quote}")
        title = f"{before} → {written}"
    return edits, title


def _exchanged(
    case: Case, losses: list[encodings.Use], *, at: int, cost: float
) -> Iterator[Repair]:
    """Yield the loss of several classes."""
    edits = list(_loss_edits(losses, at))
    if edits:
        title = f"{losses[0].name} → {BINARY[losses[0].name][at]}"
        yield repair(case, "exchange-loss", title, edits, cost, "this loss takes class numbers")


def _loss_edits(losses: list[encodings.Use], at: int) -> Iterator[Edit]:
    for use in losses:
        yield from encodings.renamed(use, BINARY[use.name][at])
