"""Which part of a step each op of a TensorFlow 1 graph belongs to.

Of the ops that TensorFlow makes for gradients and optimizers it is noted when they are made. The
rest is read from the graph: what feeds the update of a variable alone is a part of it; the loss
begins at a cross entropy, or where only scalars follow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.python.ops import gradients_util
from tensorflow.python.training import optimizer

from resnet_inspect.graph import Phase
from resnet_inspect.tracers.tensorflow.capture.construction import Construction

CHANGES = ("Assign", "ResourceScatter", "ResourceApply", "ResourceSparseApply")
LOSSES = frozenset(
    (
        "SoftmaxCrossEntropyWithLogits",
        "SparseSoftmaxCrossEntropyWithLogits",
        "CTCLoss",
        "CTCLossV2",
        "ArgMax",
        "InTopK",
        "InTopKV2",
    )
)
GIVES = ("Placeholder", "PlaceholderWithDefault", "IteratorGetNext")


@contextmanager
def noted_training(made: Construction) -> Iterator[None]:
    """Ops that gradients and optimizers make in the body are noted as such in `made`."""
    gradients, apply = gradients_util._GradientsHelper, optimizer.Optimizer.apply_gradients

    def noted(function: Callable[..., Any], phase: Phase) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            with made.phase(phase):
                return function(*given, **named)

        return call

    gradients_util._GradientsHelper = noted(gradients, Phase.BACKWARD)
    optimizer.Optimizer.apply_gradients = noted(apply, Phase.OPTIMIZER)
    try:
        yield
    finally:
        gradients_util._GradientsHelper = gradients
        optimizer.Optimizer.apply_gradients = apply


def phases(ops: list[Any], noted: list[Phase], given: Collection[str]) -> list[Phase]:
    """The phase of each op. `noted` are those known beforehand, OTHER where nothing was noted;
    `given` the names of the ops that are the graph's inputs.
    """
    found = {op.name: phase for op, phase in zip(ops, noted, strict=True)}
    open_ops = [op for op in ops if found[op.name] is Phase.OTHER]
    _updates(open_ops, found)
    open_ops = [op for op in open_ops if found[op.name] is Phase.OTHER]
    inside = {op.name for op in open_ops}
    after = {
        op.name: [
            one.name for tensor in op.outputs for one in tensor.consumers() if one.name in inside
        ]
        for op in open_ops
    }
    fed = following(open_ops, given)
    loss = _loss(open_ops, after, fed)
    for op in reversed(open_ops):
        if op.name in given or op.name in loss:
            continue
        leads_on = any(found[one] is Phase.FORWARD for one in after[op.name])
        if op.name in fed or leads_on:
            found[op.name] = Phase.FORWARD
    return [found[op.name] for op in ops]


def following(ops: list[Any], given: Collection[str]) -> set[str]:
    """The names of the ops among `ops` that what is given reaches; without anything given those
    that do more than hold a constant or a variable.
    """
    if not given:
        plain = {op.name for op in ops if op.type in ("Const", "ReadVariableOp", *GIVES[:1])}
        return {op.name for op in ops} - plain
    found: set[str] = set()
    for op in ops:
        if op.name in given or any(tensor.op.name in found for tensor in op.inputs):
            found.add(op.name)
    return found


def changes_a_variable(op: Any) -> bool:
    """Whether running an op gives a variable another value."""
    return bool(op.type.startswith(CHANGES))


def _updates(ops: list[Any], found: dict[str, Phase]) -> None:
    """Mark what changes variables, and what is there for that alone."""
    for op in reversed(ops):
        consumers = [one for tensor in op.outputs for one in tensor.consumers()]
        only = bool(consumers) and all(
            found.get(one.name) is Phase.OPTIMIZER and one.type[:8] != "Resource"
            for one in consumers
        )
        if changes_a_variable(op) or only:
            found[op.name] = Phase.OPTIMIZER


def _loss(ops: list[Any], after: dict[str, list[str]], fed: set[str]) -> set[str]:
    """The loss and metrics: what follows a cross entropy, and scalars that only scalars follow."""
    found: set[str] = set()
    for op in ops:
        if op.type in LOSSES or any(tensor.op.name in found for tensor in op.inputs):
            found.add(op.name)
    for op in reversed(ops):
        scalar = bool(op.outputs) and op.outputs[0].shape.rank == 0
        told = scalar and (op.outputs[0].dtype.is_floating or op.type.endswith("Summary"))
        if op.name in fed and told and all(one in found for one in after[op.name]):
            found.add(op.name)
    return found
