"""Synthetic evidence for rules: a small network with values chosen by a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from resnet_inspect.analysis.check import Evidence
from resnet_inspect.graph import (
    Graph,
    Layer,
    Objective,
    Op,
    Phase,
    TensorRef,
    TensorSpec,
    Training,
    Variable,
)
from resnet_inspect.stats import BatchPart, Tap, TensorSummary, Update


def op(name: str, kind: str, *inputs: str, shape: Sequence[int | None] = (None, 4)) -> Op:
    """Return an op of the forward pass with one output."""
    refs = tuple(TensorRef(name) for name in inputs)
    spec = TensorSpec(tuple(shape), "float32")
    return Op(name, kind, Phase.FORWARD, inputs=refs, outputs=(spec,))


def perceptron(*activations: str, units: int = 3, loss: str = "", **objective: Any) -> Graph:
    """Return a graph of dense layers `dense`, `dense_1`, … on input `x`, one per activation."""
    ops, layers, variables, before = [op("x", "Placeholder")], [], [], "x"
    for number, activation in enumerate(activations):
        name = f"dense_{number}" if number else "dense"
        size = units if number == len(activations) - 1 else 4
        own = [op(f"{name}/MatMul", "MatMul", before, shape=(None, size))]
        own.append(op(f"{name}/BiasAdd", "BiasAdd", own[-1].name, shape=(None, size)))
        if activation:
            own.append(op(f"{name}/{activation}", activation, own[-1].name, shape=(None, size)))
        kernel = Variable(f"{name}/kernel", TensorSpec((4, size), "float32"), trainable=True)
        variables.append(kernel)
        layers.append(
            Layer(name, "Dense", (), own[0].name, tuple(op.name for op in own),
                  (TensorRef(before),), TensorRef(own[-1].name), (kernel.name,))
        )  # fmt: skip
        ops += own
        before = own[-1].name
    goal = Objective(loss, output=TensorRef(before), labels="y", **objective)
    return Graph(
        tuple(ops), tuple(variables), tuple(layers), {"x": TensorRef("x")},
        training=Training((goal,) if loss else (), "sgd", 0.1),
    )  # fmt: skip


def evidence(
    graph: Graph,
    *,
    x: ArrayLike | None = None,
    y: ArrayLike | None = None,
    loss: ArrayLike = (),
    outputs: Mapping[str, ArrayLike] = {},
    weights: Mapping[str, Sequence[ArrayLike]] = {},
    gradients: Mapping[str, Sequence[ArrayLike]] = {},
    changes: Mapping[str, Sequence[tuple[float, float]]] = {},
    **more: Any,
) -> Evidence:
    """Return evidence with the given values of layers and variables and a loss for each step.

    Values of variables are lists with an entry per step. `changes` are pairs ‖w‖, ‖Δw‖.
    """
    summaries: dict[Tap, dict[int, TensorSummary]] = {}
    for name, values in outputs.items():
        tap = Tap(name, "activation", str(graph.layer_by_name[name].output))
        summaries[tap] = {0: TensorSummary.of(np.asarray(values, np.float32))}
    of_variables = [("weight", name, values) for name, values in weights.items()]
    of_variables += [("gradient", name, values) for name, values in gradients.items()]
    for kind, name, every in of_variables:
        tap = Tap(name.partition("/")[0], kind, name, output=False)
        summaries[tap] = {
            step: TensorSummary.of(np.asarray(value, np.float32))
            for step, value in enumerate(every)
        }
    arrays = {"x": x, "y": y}
    parts = {
        name: BatchPart.of(np.asarray(array)) for name, array in arrays.items() if array is not None
    }
    values = np.asarray(loss, np.float64).tolist()
    steps = max([len(values), *(len(pairs) for pairs in changes.values()), 1])
    updates: dict[int, dict[str, Update]] = {}
    for name, pairs in changes.items():
        for step, (norm, change) in enumerate(pairs):
            updates.setdefault(step, {})[name] = Update(norm, change)
    return Evidence(
        graph,
        steps=range(steps),
        recorded=range(steps),
        scalars={"loss": dict(enumerate(values))} if values else {},
        taps=list(summaries),
        course=lambda tap: summaries.get(tap, {}),
        batches={0: parts} if parts else {},
        updates=updates,
        **more,
    )
