"""What is meant, though it looks like a mistake: rules stay silent, or only tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from resnet_inspect.analysis.check import Evidence, check
from resnet_inspect.graph import Graph, Layer, Op, Phase, TensorRef, TensorSpec, Variable
from tests.analysis.check.made import evidence, op, perceptron

RANDOM = np.random.default_rng(5)
SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"
CATEGORICAL, SQUARES = "categorical_crossentropy", "mean_squared_error"
FALLING = np.linspace(1.1, 0.2, 30).tolist()
X = RANDOM.normal(size=(64, 4))


def told(seen: Evidence) -> dict[str, str]:
    return {one.rule: one.severity.value for one in reversed(check(seen))}


def classes(**more: Any) -> Evidence:
    graph = more.pop("graph", perceptron("Relu", "", loss=SPARSE, from_logits=True))
    return evidence(graph, **{"x": X, "y": np.arange(64) % 3, "loss": FALLING} | more)


def network(*ops: Op, variables: dict[str, tuple[int, ...]], layers: tuple[Layer, ...]) -> Graph:
    """A graph whose variables are read by the op of their name."""
    readers = {name: f"{name}/read" for name in variables}
    read = [op(readers[name], "ReadVariableOp", shape=size) for name, size in variables.items()]
    held = tuple(
        Variable(name, TensorSpec(size, "float32"), trainable=True, readers=(readers[name],))
        for name, size in variables.items()
    )
    return Graph((op("x", "Placeholder"), *read, *ops), held, layers, {"x": TensorRef("x")})


def dense(name: str, taken: str, *more: str) -> Layer:
    ops = (f"{name}/kernel/read", f"{name}/MatMul", *more)
    return Layer(name, "Dense", (), f"{name}/MatMul", ops, (TensorRef(taken),),
                 TensorRef(f"{name}/MatMul"), (f"{name}/kernel",))  # fmt: skip


def matmul(name: str, taken: str) -> Op:
    return op(f"{name}/MatMul", "MatMul", taken, f"{name}/kernel/read")


@pytest.mark.parametrize(
    ("taken", "found"),
    [("a/MatMul", True), ("joined", False), ("c/MatMul", False), ("x", False)],
    ids=["one feeds the other", "joined with another way", "another kernel between", "apart"],
)
def test_kernels_of_zeros_are_wrong_where_one_feeds_the_other(taken: str, found: bool) -> None:
    graph = network(
        matmul("a", "x"),
        matmul("c", "a/MatMul"),
        op("joined", "AddV2", "a/MatMul", "x"),
        matmul("b", taken),
        variables={"a/kernel": (4, 4), "b/kernel": (4, 4), "c/kernel": (4, 4)},
        layers=(dense("a", "x"), dense("c", "a/MatMul"), dense("b", taken)),
    )
    zeros = {"a/kernel": [np.zeros((4, 4))], "b/kernel": [np.zeros((4, 4))]}
    seen = evidence(graph, weights=zeros | {"c/kernel": [RANDOM.normal(size=(4, 4))]})
    assert ("symmetric-weights" in told(seen)) == found


def test_scales_and_tokens_are_no_kernels() -> None:
    graph = network(
        op("scaled", "Mul", "x", "a/kernel/read"),
        variables={"a/kernel": (4, 4)},
        layers=(msgspec.structs.replace(dense("a", "x"), ops=("a/kernel/read", "scaled"),
                                        main="scaled", output=TensorRef("scaled")),),
    )  # fmt: skip
    assert told(evidence(graph, weights={"a/kernel": [np.full((4, 4), 0.1)]})) == {}


@pytest.mark.parametrize(
    ("maker", "taken", "found"),
    [
        ("BiasAdd", (8, 1), True),
        ("StridedSlice", (8, 2), True),  # one column of two
        ("StridedSlice", (8,), False),
        ("ExpandDims", (8,), False),
        ("Sum", (8, 4), False),
    ],
)
def test_a_column_that_the_loss_made_is_meant(
    maker: str, taken: tuple[int, ...], found: bool
) -> None:
    ops = [
        op("x", "Placeholder", shape=taken),
        op("y", "Placeholder", shape=(8,)),
        op("column", maker, "x", shape=(8, 1)),
        msgspec.structs.replace(op("all", "Sub", "column", "y", shape=(8, 8)), phase=Phase.OTHER),
    ]
    graph = Graph(tuple(ops), inputs={"x": TensorRef("x")})
    assert ("broadcast" in told(evidence(graph))) == found


def test_pictures_against_masks_without_a_channel() -> None:
    ops = [
        op("x", "Placeholder", shape=(8, 6, 6, 1)),
        op("y", "Placeholder", shape=(8, 6, 6)),
        msgspec.structs.replace(op("all", "Mul", "x", "y", shape=(8, 6, 6, 6)), phase=Phase.OTHER),
    ]
    assert "broadcast" in told(evidence(Graph(tuple(ops), inputs={"x": TensorRef("x")})))


def test_one_of_several_inputs_may_always_be_the_same() -> None:
    same, seen = np.ones((64, 4)) * 0.5, classes()
    part = evidence(seen.graph, x=same).batches[0]["x"]
    both = replace(seen, batches={0: dict(seen.batches[0]) | {"x/1": part}})
    assert told(both) == {"input-constant": "info"}
    assert told(classes(x=same))["input-constant"] == "error"


def test_a_converged_loss_may_jump_once() -> None:
    converged = [0.007, *RANDOM.uniform(0.005, 0.01, 40)]
    assert "loss-diverging" not in told(classes(loss=[*converged, 1.0, *converged]))
    assert "loss-diverging" in told(classes(loss=[1.0, 90.0, *RANDOM.uniform(1.1, 1.3, 20)]))


def test_an_even_first_answer_to_uneven_labels_is_no_large_loss() -> None:
    rare = np.zeros(64, int)
    rare[:3] = 1, 2, 1
    assert told(classes(y=rare, loss=[np.log(3) * 1.5, *FALLING])).keys() <= {"imbalance"}
    assert "initial-scale" in told(classes(loss=[6.0, *FALLING]))


@pytest.mark.parametrize(("kernel", "found"), [("dense", True), ("dense_1", False)])
def test_only_a_last_layer_may_begin_small(kernel: str, found: bool) -> None:
    seen = classes(weights={f"{kernel}/kernel": [RANDOM.normal(0, 1e-4, (4, 3))]})
    assert ("initial-scale" in told(seen)) == found


def test_a_softmax_may_give_back_what_it_was_fed() -> None:
    items = (RANDOM.random((64, 6)) < 0.4).astype(np.float32)
    graph = perceptron("Relu", "Softmax", units=6, loss=CATEGORICAL, from_logits=False)
    assert told(evidence(graph, x=X, y=items)) == {"last-layer": "error"}
    assert "last-layer" not in told(evidence(graph, x=items, y=items))


def test_a_softmax_for_numbers_that_do_not_sum_to_1() -> None:
    graph = perceptron("Relu", "Softmax", units=3, loss=SQUARES)
    shares = RANDOM.dirichlet(np.ones(3), 64)
    assert told(evidence(graph, x=X, y=shares)) == {}
    assert told(evidence(graph, x=X, y=RANDOM.random((64, 3)))) == {"last-layer": "error"}


def test_metrics_of_ones_own_are_not_judged_by_their_names() -> None:
    def asked(metric: str) -> dict[str, str]:
        graph = perceptron("Relu", "", units=1, loss=SQUARES, metrics=(metric,))
        return told(evidence(graph, x=X, y=RANDOM.normal(size=64), loss=FALLING))

    assert asked("accuracy") == {"metric-task": "warning"}
    assert asked("directional_accuracy") == {}


def test_weights_that_change_between_recorded_steps() -> None:
    still = {f"{name}/kernel": [(2.0, 0.0)] * 4 for name in ("dense", "dense_1")}
    fixed = [RANDOM.normal(size=(4, 4))] * 4
    moving = [RANDOM.normal(size=(4, 4)) for _ in range(4)]
    for values, found in ((fixed, True), (moving, False)):
        weights = {"dense/kernel": values, "dense_1/kernel": values}
        seen = classes(changes=still, weights=weights)
        assert ("unchanged-weights" in told(seen)) == found


def test_a_model_that_is_only_asked_is_worth_knowing() -> None:
    values = [RANDOM.normal(0, 0.5, (4, 4))] * 4
    changes = {"dense/kernel": [(2.0, 0.0)] * 4, "dense_1/kernel": [(2.0, 0.01)] * 4}
    weights = dict.fromkeys(("dense/kernel", "dense_1/kernel"), values)
    graph = perceptron("Relu", "", loss=SPARSE, from_logits=True)
    assert graph.training is not None
    training = msgspec.structs.replace(graph.training, idle=("drop",))
    graph = msgspec.structs.replace(graph, training=training)
    every = {name: values for name in weights}
    asked = classes(graph=graph, changes=changes, weights=weights, gradients=every)
    assert told(asked) == {"unchanged-weights": "warning", "dropout-mode": "warning"}
    one = {"dense_1/kernel": values}
    teacher = classes(graph=graph, changes=changes, weights=weights, gradients=one)
    assert told(teacher) == {"unchanged-weights": "info", "dropout-mode": "info"}


def test_heads_beside_each_other_are_no_stack() -> None:
    def heads(second: str) -> Graph:
        return network(
            matmul("a", "x"),
            matmul("b", second),
            matmul("c", second if second == "x" else "b/MatMul"),
            variables={f"{name}/kernel": (4, 4) for name in "abc"},
            layers=(dense("a", "x"), dense("b", second), dense("c", second)),
        )

    assert "linear-stack" not in told(evidence(heads("x")))
    assert told(evidence(heads("a/MatMul")))["linear-stack"] == "warning"


def test_a_product_of_two_answers_is_not_linear() -> None:
    graph = network(
        matmul("a", "x"),
        matmul("b", "a/MatMul"),
        op("product", "MatMul", "a/MatMul", "b/MatMul"),
        variables={"a/kernel": (4, 4), "b/kernel": (4, 4)},
        layers=(dense("a", "x"), dense("b", "a/MatMul")),
    )
    assert "linear-stack" not in told(evidence(graph))


def test_examples_with_weights_have_no_known_chance() -> None:
    seen = classes(loss=1.1 + RANDOM.normal(0, 0.01, 30))
    assert told(seen) == {"loss-stuck": "warning"}
    part = seen.batches[0]["y"]
    weighted = replace(seen, batches={0: dict(seen.batches[0]) | {"sample_weight": part}})
    assert told(weighted) in ({}, {"loss-stuck": "info"})


def test_masks_that_are_all_empty() -> None:
    graph = perceptron("Relu", "Sigmoid", units=1, loss=BINARY, from_logits=False)
    for masks, found in ((np.zeros((64, 300)), True), (RANDOM.integers(0, 2, (64, 300)), False)):
        assert ("one-class" in told(evidence(graph, x=X, y=masks))) == found


def test_a_loss_of_unknown_chance_may_rise_a_little() -> None:
    graph = perceptron("Relu", "", units=4, loss="own")
    rising = [*[0.6] * 10, *[0.5] * 10, *[1.1] * 10]  # as another term is weighed more and more
    assert "loss-diverging" not in told(evidence(graph, x=X, y=X, loss=rising))
    assert "loss-diverging" in told(evidence(graph, x=X, y=X, loss=[*rising[:20], *[1.3] * 10]))


@pytest.mark.parametrize("ignored", [7, -1])
def test_a_label_that_the_loss_ignores(ignored: int) -> None:
    y = np.where(np.arange(64) % 4 == 0, ignored, np.arange(64) % 3)
    for told_of, found in ((ignored, set()), (None, {"labels-logits"})):
        graph = perceptron("Relu", "", loss=SPARSE, from_logits=True, ignore_class=told_of)
        assert {*told(classes(graph=graph, y=y))} & {"labels-logits", "label-range"} == found


def test_chance_is_weighed_as_the_loss_weighs_its_outputs() -> None:
    for weight in (1.0, 10.0):
        graph = perceptron("Relu", "", loss=SPARSE, from_logits=True, weight=weight)
        idle = classes(graph=graph).idle_loss
        assert idle == pytest.approx(weight * np.log(3), rel=1e-3)


@pytest.mark.parametrize(("steps", "found"), [(3, False), (5, False), (6, True)])
def test_the_first_steps_may_be_long(steps: int, found: bool) -> None:
    """As those of the tutorial's first convolution, which its recipe moves by half at first."""
    changes = {"dense/kernel": [(2.0, 0.9)] * steps, "dense_1/kernel": [(2.0, 0.004)] * steps}
    assert ("update-ratio" in told(classes(changes=changes))) == found
