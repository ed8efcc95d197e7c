"""Made-up evidence for rules: a small network, and numbers as a test wants them."""

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
    """An op of the forward pass with one output."""
    refs = tuple(TensorRef(one) for one in inputs)
    spec = TensorSpec(tuple(shape), "float32")
    return Op(name, kind, Phase.FORWARD, inputs=refs, outputs=(spec,))


def perceptron(*activations: str, units: int = 3, loss: str = "", **objective: Any) -> Graph:
    """Dense layers `dense`, `dense_1`, … on an input `x`, each with the activation of its place."""
    ops, layers, variables, before = [op("x", "Placeholder")], [], [], "x"
    for number, activation in enumerate(activations):
        name = f"dense_{number}" if number else "dense"
        size = units if number == len(activations) - 1 else 4
        made = [op(f"{name}/MatMul", "MatMul", before, shape=(None, size))]
        made.append(op(f"{name}/BiasAdd", "BiasAdd", made[-1].name, shape=(None, size)))
        if activation:
            made.append(op(f"{name}/{activation}", activation, made[-1].name, shape=(None, size)))
        kernel = Variable(f"{name}/kernel", TensorSpec((4, size), "float32"), trainable=True)
        variables.append(kernel)
        layers.append(
            Layer(name, "Dense", (), made[0].name, tuple(one.name for one in made),
                  (TensorRef(before),), TensorRef(made[-1].name), (kernel.name,))
        )  # fmt: skip
        ops += made
        before = made[-1].name
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
    """What rules see: numbers of layers and of variables, a list a step; a loss for each step.

    `changes` are ‖w‖ and ‖Δw‖ by variable.
    """
    held: dict[Tap, dict[int, TensorSummary]] = {}
    for name, values in outputs.items():
        tap = Tap(name, "activation", str(graph.layer_by_name[name].output))
        held[tap] = {0: TensorSummary.of(np.asarray(values, np.float32))}
    of_variables = [("weight", *one) for one in weights.items()]
    of_variables += [("gradient", *one) for one in gradients.items()]
    for kind, name, every in of_variables:
        tap = Tap(name.partition("/")[0], kind, name, output=False)
        held[tap] = {
            step: TensorSummary.of(np.asarray(one, np.float32)) for step, one in enumerate(every)
        }
    fed = {name: np.asarray(one) for name, one in (("x", x), ("y", y)) if one is not None}
    parts = {name: BatchPart.of(one) for name, one in fed.items()}
    values = np.asarray(loss, np.float64).tolist()
    steps = max([len(values), *(len(one) for one in changes.values()), 1])
    updates: dict[int, dict[str, Update]] = {}
    for name, pairs in changes.items():
        for step, (norm, change) in enumerate(pairs):
            updates.setdefault(step, {})[name] = Update(norm, change)
    return Evidence(
        graph,
        steps=range(steps),
        recorded=range(steps),
        scalars={"loss": dict(enumerate(values))} if values else {},
        taps=list(held),
        course=lambda tap: held.get(tap, {}),
        batches={0: parts} if parts else {},
        updates=updates,
        **more,
    )
