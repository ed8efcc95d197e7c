"""Intended designs that look like mistakes: rules stay silent or report an info."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from resnet_inspect.analysis.check import Evidence, check
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, TensorSpec, Variable
from tests.analysis.check.synthetic import evidence, op, perceptron

RANDOM = np.random.default_rng(5)
SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"
CATEGORICAL, SQUARES = "categorical_crossentropy", "mean_squared_error"
FALLING = np.linspace(1.1, 0.2, 30).tolist()
X = RANDOM.normal(size=(64, 4))


def severities(data: Evidence) -> dict[str, str]:
    return {finding.rule: finding.severity.value for finding in reversed(check(data))}


def classes(**more: Any) -> Evidence:
    graph = more.pop("graph", perceptron("Relu", "", loss=SPARSE, from_logits=True))
    return evidence(graph, **{"x": X, "y": np.arange(64) % 3, "loss": FALLING} | more)


def network(*ops: Op, variables: dict[str, tuple[int, ...]], layers: tuple[Layer, ...]) -> Graph:
    """Build a graph in which the op NAME/read reads each variable NAME."""
    readers = {name: f"{name}/read" for name in variables}
    read = [op(readers[name], "ReadVariableOp", shape=size) for name, size in variables.items()]
    trained = tuple(
        Variable(name, TensorSpec(size, "float32"), trainable=True, readers=(readers[name],))
        for name, size in variables.items()
    )
    return Graph((op("x", "Placeholder"), *read, *ops), trained, layers, {"x": TensorRef("x")})


def dense(name: str, source: str, *more: str) -> Layer:
    ops = (f"{name}/kernel/read", f"{name}/MatMul", *more)
    return Layer(name, "Dense", (), f"{name}/MatMul", ops, (TensorRef(source),),
                 TensorRef(f"{name}/MatMul"), (f"{name}/kernel",))  # fmt: skip


def matmul(name: str, source: str) -> Op:
    return op(f"{name}/MatMul", "MatMul", source, f"{name}/kernel/read")


@pytest.mark.parametrize(
    ("source", "expected"),
    [("a/MatMul", True), ("joined", False), ("c/MatMul", False), ("x", False)],
    ids=[
        "one feeds the other",
        "merged with another path",
        "another kernel between",
        "in parallel",
    ],
)
def test_kernels_of_zeros_are_wrong_where_one_feeds_the_other(source: str, expected: bool) -> None:
    graph = network(
        matmul("a", "x"),
        matmul("c", "a/MatMul"),
        op("joined", "AddV2", "a/MatMul", "x"),
        matmul("b", source),
        variables={"a/kernel": (4, 4), "b/kernel": (4, 4), "c/kernel": (4, 4)},
        layers=(dense("a", "x"), dense("c", "a/MatMul"), dense("b", source)),
    )
    zeros = {"a/kernel": [np.zeros((4, 4))], "b/kernel": [np.zeros((4, 4))]}
    data = evidence(graph, weights=zeros | {"c/kernel": [RANDOM.normal(size=(4, 4))]})
    assert ("symmetric-weights" in severities(data)) == expected


def test_scales_and_tokens_are_no_kernels() -> None:
    graph = network(
        op("scaled", "Mul", "x", "a/kernel/read"),
        variables={"a/kernel": (4, 4)},
        layers=(msgspec.structs.replace(dense("a", "x"), ops=("a/kernel/read", "scaled"),
                                        main="scaled", output=TensorRef("scaled")),),
    )  # fmt: skip
    assert severities(evidence(graph, weights={"a/kernel": [np.full((4, 4), 0.1)]})) == {}


@pytest.mark.parametrize(
    ("maker", "source", "expected"),
    [
        ("BiasAdd", (8, 1), True),
        ("StridedSlice", (8, 2), True),  # one column of two
        ("StridedSlice", (8,), False),
        ("ExpandDims", (8,), False),
        ("Sum", (8, 4), False),
    ],
)
def test_a_column_that_the_loss_adds_is_intended(
    maker: str, source: tuple[int, ...], expected: bool
) -> None:
    ops = [
        op("x", "Placeholder", shape=source),
        op("y", "Placeholder", shape=(8,)),
        op("column", maker, "x", shape=(8, 1)),
        msgspec.structs.replace(op("all", "Sub", "column", "y", shape=(8, 8)), phase=Phase.OTHER),
    ]
    graph = Graph(tuple(ops), inputs={"x": TensorRef("x")})
    assert ("broadcast" in severities(evidence(graph))) == expected


def test_pictures_against_masks_without_a_channel() -> None:
    ops = [
        op("x", "Placeholder", shape=(8, 6, 6, 1)),
        op("y", "Placeholder", shape=(8, 6, 6)),
        msgspec.structs.replace(op("all", "Mul", "x", "y", shape=(8, 6, 6, 6)), phase=Phase.OTHER),
    ]
    assert "broadcast" in severities(evidence(Graph(tuple(ops), inputs={"x": TensorRef("x")})))


def test_one_of_several_inputs_may_always_be_the_same() -> None:
    same, data = np.ones((64, 4)) * 0.5, classes()
    part = evidence(data.graph, x=same).batches[0]["x"]
    both = replace(data, batches={0: dict(data.batches[0]) | {"x/1": part}})
    assert severities(both) == {"input-constant": "info"}
    assert severities(classes(x=same))["input-constant"] == "error"


def test_a_converged_loss_may_jump_once() -> None:
    converged = [0.007, *RANDOM.uniform(0.005, 0.01, 40)]
    assert "loss-diverging" not in severities(classes(loss=[*converged, 1.0, *converged]))
    assert "loss-diverging" in severities(classes(loss=[1.0, 90.0, *RANDOM.uniform(1.1, 1.3, 20)]))


def test_uniform_predictions_on_imbalanced_labels_are_no_large_loss() -> None:
    rare = np.zeros(64, int)
    rare[:3] = 1, 2, 1
    assert severities(classes(y=rare, loss=[np.log(3) * 1.5, *FALLING])).keys() <= {"imbalance"}
    assert "initial-scale" in severities(classes(loss=[6.0, *FALLING]))


@pytest.mark.parametrize(("kernel", "expected"), [("dense", True), ("dense_1", False)])
def test_only_a_last_layer_may_start_small(kernel: str, expected: bool) -> None:
    data = classes(weights={f"{kernel}/kernel": [RANDOM.normal(0, 1e-4, (4, 3))]})
    assert ("initial-scale" in severities(data)) == expected


def test_a_softmax_may_reconstruct_its_input() -> None:
    items = (RANDOM.random((64, 6)) < 0.4).astype(np.float32)
    graph = perceptron("Relu", "Softmax", units=6, loss=CATEGORICAL, from_logits=False)
    assert severities(evidence(graph, x=X, y=items)) == {"last-layer": "error"}
    assert "last-layer" not in severities(evidence(graph, x=items, y=items))


def test_a_softmax_for_numbers_that_do_not_sum_to_1() -> None:
    graph = perceptron("Relu", "Softmax", units=3, loss=SQUARES)
    shares = RANDOM.dirichlet(np.ones(3), 64)
    assert severities(evidence(graph, x=X, y=shares)) == {}
    assert severities(evidence(graph, x=X, y=RANDOM.random((64, 3)))) == {"last-layer": "error"}


def test_custom_metrics_are_not_judged_by_their_names() -> None:
    def severities_of(metric: str) -> dict[str, str]:
        graph = perceptron("Relu", "", units=1, loss=SQUARES, metrics=(metric,))
        return severities(evidence(graph, x=X, y=RANDOM.normal(size=64), loss=FALLING))

    assert severities_of("accuracy") == {"metric-task": "warning"}
    assert severities_of("directional_accuracy") == {}


def test_weights_that_change_between_recorded_steps() -> None:
    still = {f"{name}/kernel": [(2.0, 0.0)] * 4 for name in ("dense", "dense_1")}
    fixed = [RANDOM.normal(size=(4, 4))] * 4
    moving = [RANDOM.normal(size=(4, 4)) for _ in range(4)]
    for values, expected in ((fixed, True), (moving, False)):
        weights = {"dense/kernel": values, "dense_1/kernel": values}
        data = classes(changes=still, weights=weights)
        assert ("unchanged-weights" in severities(data)) == expected


def test_a_teacher_model_is_only_an_info() -> None:
    values = [RANDOM.normal(0, 0.5, (4, 4))] * 4
    changes = {"dense/kernel": [(2.0, 0.0)] * 4, "dense_1/kernel": [(2.0, 0.01)] * 4}
    weights = dict.fromkeys(("dense/kernel", "dense_1/kernel"), values)
    graph = perceptron("Relu", "", loss=SPARSE, from_logits=True)
    assert graph.training is not None
    training = msgspec.structs.replace(graph.training, idle=("drop",))
    graph = msgspec.structs.replace(graph, training=training)
    every = {name: values for name in weights}
    student = classes(graph=graph, changes=changes, weights=weights, gradients=every)
    assert severities(student) == {"unchanged-weights": "warning", "dropout-mode": "warning"}
    last = {"dense_1/kernel": values}
    teacher = classes(graph=graph, changes=changes, weights=weights, gradients=last)
    assert severities(teacher) == {"unchanged-weights": "info", "dropout-mode": "info"}


def test_parallel_heads_are_no_stack() -> None:
    def heads(second: str) -> Graph:
        return network(
            matmul("a", "x"),
            matmul("b", second),
            matmul("c", second if second == "x" else "b/MatMul"),
            variables={f"{name}/kernel": (4, 4) for name in "abc"},
            layers=(dense("a", "x"), dense("b", second), dense("c", second)),
        )

    assert "linear-stack" not in severities(evidence(heads("x")))
    assert severities(evidence(heads("a/MatMul")))["linear-stack"] == "warning"


def test_a_product_of_two_activations_is_not_linear() -> None:
    graph = network(
        matmul("a", "x"),
        matmul("b", "a/MatMul"),
        op("product", "MatMul", "a/MatMul", "b/MatMul"),
        variables={"a/kernel": (4, 4), "b/kernel": (4, 4)},
        layers=(dense("a", "x"), dense("b", "a/MatMul")),
    )
    assert "linear-stack" not in severities(evidence(graph))


def test_examples_with_weights_have_no_known_chance() -> None:
    data = classes(loss=1.1 + RANDOM.normal(0, 0.01, 30))
    assert severities(data) == {"loss-stuck": "warning"}
    part = data.batches[0]["y"]
    weighted = replace(data, batches={0: dict(data.batches[0]) | {"sample_weight": part}})
    assert severities(weighted) in ({}, {"loss-stuck": "info"})


def test_masks_that_are_all_empty() -> None:
    graph = perceptron("Relu", "Sigmoid", units=1, loss=BINARY, from_logits=False)
    for masks, expected in ((np.zeros((64, 300)), True), (RANDOM.integers(0, 2, (64, 300)), False)):
        assert ("one-class" in severities(evidence(graph, x=X, y=masks))) == expected


def test_a_loss_of_unknown_chance_may_rise_a_little() -> None:
    graph = perceptron("Relu", "", units=4, loss="own")
    rising = [*[0.6] * 10, *[0.5] * 10, *[1.1] * 10]  # as if the weight of another term grows
    assert "loss-diverging" not in severities(evidence(graph, x=X, y=X, loss=rising))
    assert "loss-diverging" in severities(
        evidence(graph, x=X, y=X, loss=[*rising[:20], *[1.3] * 10])
    )


@pytest.mark.parametrize("ignored", [7, -1])
def test_a_label_that_the_loss_ignores(ignored: int) -> None:
    y = np.where(np.arange(64) % 4 == 0, ignored, np.arange(64) % 3)
    for ignore_class, expected in ((ignored, set()), (None, {"labels-logits"})):
        graph = perceptron("Relu", "", loss=SPARSE, from_logits=True, ignore_class=ignore_class)
        assert {*severities(classes(graph=graph, y=y))} & {
            "labels-logits",
            "label-range",
        } == expected


def test_chance_level_uses_the_weights_of_the_outputs() -> None:
    for weight in (1.0, 10.0):
        graph = perceptron("Relu", "", loss=SPARSE, from_logits=True, weight=weight)
        chance = classes(graph=graph).chance_loss
        assert chance == pytest.approx(weight * np.log(3), rel=1e-3)


@pytest.mark.parametrize(("steps", "expected"), [(3, False), (5, False), (6, True)])
def test_the_first_steps_may_be_long(steps: int, expected: bool) -> None:
    """As those of the tutorial's first convolution, which its recipe moves by half at first."""
    changes = {"dense/kernel": [(2.0, 0.9)] * steps, "dense_1/kernel": [(2.0, 0.004)] * steps}
    assert ("update-ratio" in severities(classes(changes=changes))) == expected
