"""Determines the phase of each op of a TensorFlow 1 graph.

The ops of gradients and optimizers are recorded when TensorFlow creates them. The phases of other
ops are derived from the graph: an op that only feeds the update of a variable belongs to the
update. The loss begins at a cross entropy, or where only scalars follow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.python.ops import gradients_util
from tensorflow.python.training import optimizer

from resnet_inspect.graph import Phase
from resnet_inspect.tracers.tensorflow.capture.construction import Construction

UPDATE_OPS = ("Assign", "ResourceScatter", "ResourceApply", "ResourceSparseApply")
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
INPUT_OPS = ("Placeholder", "PlaceholderWithDefault", "IteratorGetNext")


@contextmanager
def training_phases(construction: Construction) -> Iterator[None]:
    """Record the phases of ops that gradients and optimizers create in the body."""
    gradients, apply = gradients_util._GradientsHelper, optimizer.Optimizer.apply_gradients

    def noted(function: Callable[..., Any], phase: Phase) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            with construction.phase(phase):
                return function(*args, **kwargs)

        return call

    gradients_util._GradientsHelper = noted(gradients, Phase.BACKWARD)
    optimizer.Optimizer.apply_gradients = noted(apply, Phase.OPTIMIZER)
    try:
        yield
    finally:
        gradients_util._GradientsHelper = gradients
        optimizer.Optimizer.apply_gradients = apply


def phases(ops: list[Any], noted: list[Phase], given: Collection[str]) -> list[Phase]:
    """Return the phase of each op.

    `noted` are the recorded phases, OTHER if none was recorded. `given` are the names of the ops
    that are the graph's inputs.
    """
    phase_of = {op.name: phase for op, phase in zip(ops, noted, strict=True)}
    open_ops = [op for op in ops if phase_of[op.name] is Phase.OTHER]
    _mark_updates(open_ops, phase_of)
    open_ops = [op for op in open_ops if phase_of[op.name] is Phase.OTHER]
    inside = {op.name for op in open_ops}
    after = {
        op.name: [
            reader.name
            for tensor in op.outputs
            for reader in tensor.consumers()
            if reader.name in inside
        ]
        for op in open_ops
    }
    fed = fed_ops(open_ops, given)
    loss = _loss(open_ops, after, fed)
    for op in reversed(open_ops):
        if op.name in given or op.name in loss:
            continue
        feeds_forward = any(phase_of[name] is Phase.FORWARD for name in after[op.name])
        if op.name in fed or feeds_forward:
            phase_of[op.name] = Phase.FORWARD
    return [phase_of[op.name] for op in ops]


def fed_ops(ops: list[Any], given: Collection[str]) -> set[str]:
    """Return the names of the ops that depend on the inputs `given`.

    Without inputs, these are all ops that are not constants, placeholders or variable reads.
    """
    if not given:
        plain = {op.name for op in ops if op.type in ("Const", "ReadVariableOp", *INPUT_OPS[:1])}
        return {op.name for op in ops} - plain
    reached: set[str] = set()
    for op in ops:
        if op.name in given or any(tensor.op.name in reached for tensor in op.inputs):
            reached.add(op.name)
    return reached


def changes_a_variable(op: Any) -> bool:
    """Return whether running an op changes the value of a variable."""
    return bool(op.type.startswith(UPDATE_OPS))


def _mark_updates(ops: list[Any], phase_of: dict[str, Phase]) -> None:
    """Mark ops that change variables, and ops that only feed these, as OPTIMIZER."""
    for op in reversed(ops):
        consumers = [reader for tensor in op.outputs for reader in tensor.consumers()]
        only = bool(consumers) and all(
            phase_of.get(reader.name) is Phase.OPTIMIZER and reader.type[:8] != "Resource"
            for reader in consumers
        )
        if changes_a_variable(op) or only:
            phase_of[op.name] = Phase.OPTIMIZER


def _loss(ops: list[Any], after: dict[str, list[str]], fed: set[str]) -> set[str]:
    """Return the ops of loss and metrics: those after a cross entropy, and final scalars."""
    loss: set[str] = set()
    for op in ops:
        if op.type in LOSSES or any(tensor.op.name in loss for tensor in op.inputs):
            loss.add(op.name)
    for op in reversed(ops):
        scalar = bool(op.outputs) and op.outputs[0].shape.rank == 0
        reported = scalar and (op.outputs[0].dtype.is_floating or op.type.endswith("Summary"))
        if op.name in fed and reported and all(name in loss for name in after[op.name]):
            loss.add(op.name)
    return loss
