"""Rules on both sides of their thresholds, and cases in which they stay silent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from resnet_inspect.analysis.check import Evidence, Severity, check, rules
from resnet_inspect.graph import Failure, TensorRef, Training
from resnet_inspect.stats import ChannelActivity, NotFinite, Tap
from tests.analysis.check.synthetic import evidence, op, perceptron

SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"
SQUARES = "mean_squared_error"
RANDOM = np.random.default_rng(0)
FALLING = np.linspace(1.1, 0.2, 30).tolist()


def severities(data: Evidence) -> dict[str, Severity]:
    """Return the rules that detect a problem, each with its worst severity."""
    return {finding.rule: finding.severity for finding in reversed(check(data))}


def classified(**more: Any) -> Evidence:
    """Return the evidence of a healthy classifier of three classes."""
    defaults: dict[str, Any] = {
        "x": RANDOM.normal(size=(64, 4)),
        "y": np.arange(64) % 3,
        "loss": FALLING,
        "outputs": {"dense_1": RANDOM.normal(size=(64, 3))},
        "weights": {"dense/kernel": [RANDOM.normal(0, 0.5, (4, 4))] * 2},
        "changes": {"dense/kernel": [(2.0, 0.002)] * 5, "dense_1/kernel": [(2.0, 0.004)] * 5},
    }
    graph = more.pop("graph", perceptron("Relu", "", loss=SPARSE, from_logits=True))
    return evidence(graph, **defaults | more)


def test_a_healthy_training_has_no_findings() -> None:
    assert check(classified()) == ()


def test_ignored_rules_have_no_findings() -> None:
    data = classified(y=np.zeros(64))
    assert set(severities(data)) == {"one-class"}
    assert check(data, ["one-class"]) == ()


def test_errors_come_first() -> None:
    data = classified(y=np.zeros(64), x=RANDOM.normal(size=(64, 4)) * 100)
    assert [finding.severity for finding in check(data)] == [Severity.ERROR, Severity.WARNING]


@pytest.mark.parametrize(
    ("more", "rule", "severity"),
    [
        ({"y": np.arange(64) % 3 + 1}, "label-range", "error"),
        ({"y": np.arange(64) % 5}, "labels-logits", "error"),
        ({"y": np.arange(64) % 3 - 1}, "labels-logits", "error"),
        ({"y": np.zeros(64)}, "one-class", "error"),
        ({"x": RANDOM.normal(size=(64, 4)) * 60 + 120}, "input-scale", "warning"),
        ({"x": RANDOM.normal(size=(64, 4)) * 1e-4}, "input-scale", "warning"),
        ({"x": np.ones((64, 4)) * 0.5}, "input-constant", "error"),
        ({"loss": np.full(30, 0.7)}, "loss-constant", "error"),
        ({"loss": 1.1 + RANDOM.normal(0, 0.01, 30)}, "loss-stuck", "warning"),
        ({"loss": np.linspace(1, 9, 30)}, "loss-diverging", "error"),
        ({"loss": [1.0, 90.0, *[1.3, 1.2] * 9]}, "loss-diverging", "error"),
        ({"loss": [6.0, *FALLING]}, "initial-scale", "warning"),
        ({"loss": np.tile([0.4, 1.6], 15)}, "loss-oscillating", "warning"),
        ({"loss": [1.0, float("nan")]}, "not-finite", "error"),
        (
            {"changes": {"dense/kernel": [(2.0, 0.0)] * 5, "dense_1/kernel": [(2.0, 0.0)] * 5}},
            "unchanged-weights",
            "error",
        ),
        (
            {"changes": {"dense/kernel": [(2.0, 0.0)] * 5, "dense_1/kernel": [(2.0, 0.01)] * 5}},
            "unchanged-weights",
            "warning",
        ),
        (
            {"changes": {f"{name}/kernel": [(2.0, 0.1), (6.0, 0.1), (16.0, 0.1)]
                         for name in ("dense", "dense_1")}},
            "growing-weights",
            "warning",
        ),
        ({"weights": {"dense/kernel": [np.full((4, 4), 0.1)]}}, "symmetric-weights", "error"),
        ({"weights": {"dense/kernel": [RANDOM.normal(0, 9, (4, 4))]}}, "initial-scale", "warning"),
        (
            {"weights": {"dense/kernel": [RANDOM.normal(0, 1e-4, (4, 4))]}},
            "initial-scale",
            "warning",
        ),
        ({"graph": perceptron("", "", "", loss=SPARSE, from_logits=True)}, "linear-stack",
         "warning"),
        ({"graph": perceptron("Relu", "Softmax", loss=SPARSE, from_logits=True)}, "from-logits",
         "warning"),
        ({"graph": perceptron("Relu", "", loss=SPARSE, from_logits=False)}, "from-logits",
         "error"),
        ({"graph": perceptron("Relu", "Relu", loss=SPARSE, from_logits=True)}, "output-relu",
         "error"),
        ({"graph": perceptron("Relu", "Sigmoid", loss=SPARSE, from_logits=False)}, "last-layer",
         "error"),
    ],
)  # fmt: skip
def test_one_change_is_detected(more: dict[str, Any], rule: str, severity: str) -> None:
    assert severities(classified(**more)).get(rule) == severity


def test_labels_that_tensorflow_rejected() -> None:
    text = "Received a label value of {} which is outside the valid range of [0, 3).  Label values"
    for label, rule in ((3, "label-range"), (7, "labels-logits"), (-1, "labels-logits")):
        failure = Failure("InvalidArgumentError", text.format(label), "running step 0")
        assert set(severities(classified(failure=failure))) == {rule, "run-failed"}


def test_only_errors_about_sizes_mention_sizes_that_disagree() -> None:
    for text, sizes in (
        ("Dimensions must be equal, but are 16 and 32", True),
        ("no such loss", False),
    ):
        failure = Failure("ValueError", text, "tracing the step of fit")
        findings = check(classified(failure=failure))
        (error,) = [finding for finding in findings if finding.rule == "run-failed"]
        assert ("sizes that disagree" in error.fix) == sizes


def test_labels_that_keras_rejected() -> None:
    text = "Arguments ... the same shape. Received: target.shape=(None, 4), output.shape=(None, 3)"
    failure = Failure("ValueError", text, "tracing the step of fit")
    first = check(classified(failure=failure))[0]
    assert first.rule == "labels-logits"
    assert first.evidence == {"labels": "(None, 4)", "output": "(None, 3)"}
    assert "one unit per class" in first.fix


def test_labels_for_another_number_of_examples() -> None:
    text = "the same shape. Received: target.shape=(16,), output.shape=(25, 4)"
    failure = Failure("ValueError", text, "tracing the step of fit")
    first = check(classified(failure=failure))[0]
    assert first.evidence == {"labels": "(16,)", "output": "(25, 4)"}
    assert first.fix == "keep the batch as the first axis, from the inputs to the output"


@pytest.mark.parametrize(
    ("taps", "message"),
    [
        (("activation", "gradient"), "dense_1 is not finite from step 0 on"),
        (("gradient",), "the gradient of dense_1 is not finite from step 0 on"),
    ],
)
def test_gradients_are_not_finite_from_the_last_layer_to_the_first(
    taps: tuple[str, ...], message: str
) -> None:
    counts = {
        Tap(layer, kind, f"{layer}/BiasAdd:0"): {0: NotFinite(3, 0, 0)}
        for kind in taps
        for layer in (("dense", "dense_1") if kind == "gradient" else ("dense_1",))
    }
    first = check(classified(not_finite=counts))[0]
    assert (first.rule, first.message) == ("not-finite", message)


def test_dead_units_are_those_that_never_fire() -> None:
    def active(dead: int, examples: int = 100) -> ChannelActivity:
        counts = np.where(np.arange(10) < dead, 0, 3)
        return ChannelActivity(counts, counts, examples, examples)

    for dead, severity in ((5, None), (8, "warning"), (10, "error")):
        assert (
            severities(classified(activity={"dense": active(dead)})).get("dead-units") == severity
        )
    assert "dead-units" not in severities(classified(activity={"dense": active(10, 60)}))


def test_the_learning_rate_is_judged_by_its_updates() -> None:
    def detected(change: float, loss: Any) -> dict[str, Severity]:
        return severities(classified(changes={"dense/kernel": [(1.0, change)] * 5}, loss=loss))

    flat = np.full(30, 1.0) + RANDOM.normal(0, 0.01, 30)
    assert "learning-rate" in detected(0.5, flat)
    assert "learning-rate" not in detected(0.5, FALLING)
    assert "learning-rate" in detected(1e-8, flat)
    assert "learning-rate" not in detected(1e-8, FALLING)
    assert "learning-rate" not in detected(1e-3, flat)


@pytest.mark.parametrize(
    ("changes", "loss", "message"),
    [
        (
            [(1.0, 0.2)] * 4 + [(1.0, 80.0)],
            np.linspace(1, 1.8, 30),
            "the learning rate of sgd, 0.1, is far too high: step 4 changed the kernels by 40 times"
            " their norm, and the loss rises from 1.12 to 1.68",
        ),
        (
            [(1.0, 0.5)] * 5,
            np.full(30, 1.0),
            "the learning rate of sgd, 0.1, is far too high: a median step changes the kernels by"
            " 20 % of their norm, and the loss stays near 1",
        ),
        (
            [(1.0, 1e-8)] * 5,
            np.linspace(1, 0.98, 30),
            "the learning rate of sgd, 0.1, is far too low: a median step changes the kernels by"
            " 5e-07 % of their norm, and the loss falls only from 0.997 to 0.983",
        ),
    ],
)
def test_the_learning_rate_is_explained_by_updates_and_loss(
    changes: list[tuple[float, float]], loss: Any, message: str
) -> None:
    findings = check(classified(changes={"dense/kernel": changes}, loss=loss))
    (finding,) = [each for each in findings if each.rule == "learning-rate"]
    assert finding.message == message
    assert finding.evidence["highest_loss"] == max(loss)


def test_only_recorded_weight_decay_is_reported() -> None:
    grown = {f"{name}/kernel": [(2.0, 0.1), (6.0, 0.1), (16.0, 0.1)]
             for name in ("dense", "dense_1")}  # fmt: skip
    graph = perceptron("Relu", "", loss=SPARSE, from_logits=True)
    loop = msgspec.structs.replace(graph, training=Training((), "sgd", 0.1))
    unknown = msgspec.structs.replace(graph, training=None)
    for trained, text in (
        (graph, "the model has no regularizer and its optimizer no weight decay"),
        (loop, "the optimizer has no weight decay; terms that a loop adds to its loss are not"
               " recorded"),
        (unknown, "weight decay was not recorded"),
    ):  # fmt: skip
        findings = check(evidence(trained, changes=grown))
        (finding,) = [each for each in findings if each.rule == "growing-weights"]
        assert finding.message.partition("; ")[2] == text


def test_the_error_of_a_failed_run_is_shown_without_the_op_in_its_message() -> None:
    text = (
        "Dimensions must be equal, but are 5 and 3 for '{{node loss/sub}} = Sub[T=DT_FLOAT](y, "
        "dense/BiasAdd)' with input shapes: [16,5], [16,3]."
    )
    failure = Failure("ValueError", text, "tracing the step of fit")
    (finding,) = [each for each in check(classified(failure=failure)) if each.severity == "error"]
    assert finding.message == (
        "the run failed while tracing the step of fit: ValueError: Dimensions must be equal, but "
        "are 5 and 3 with input shapes: [16,5], [16,3]."
    )


def test_regression() -> None:
    def detected(y: Any, *activations: str, **more: Any) -> dict[str, Severity]:
        graph = perceptron(*(activations or ("Relu", "")), units=1, loss=SQUARES, **more)
        return severities(evidence(graph, x=RANDOM.normal(size=(64, 4)), y=y, loss=FALLING))

    numbers = RANDOM.normal(size=64)
    assert detected(numbers) == {}
    assert detected(numbers, "Relu", "Relu") == {"output-relu": "error"}
    assert detected(np.abs(numbers), "Relu", "Relu") == {}
    assert detected(5 * numbers, "Relu", "Sigmoid") == {"last-layer": "error"}
    assert detected(np.arange(64) % 2, "Relu", "Sigmoid") == {"loss-task": "warning"}
    assert detected(numbers, metrics=("accuracy",)) == {"metric-task": "warning"}
    assert detected(np.arange(64) % 5) == {}  # a rating is a regression label


def test_binary_labels() -> None:
    def detected(y: Any, kind: str = "Sigmoid", units: int = 1) -> dict[str, Severity]:
        graph = perceptron("Relu", kind, units=units, loss=BINARY, from_logits=False)
        outputs = {"dense_1": RANDOM.uniform(size=(64, units)) * (3 if not kind else 1)}
        return severities(evidence(graph, x=RANDOM.normal(size=(64, 4)), y=y, outputs=outputs))

    assert detected(np.arange(64) % 2) == {}
    assert detected(RANDOM.uniform(size=64)) == {}  # probabilities, as in an autoencoder
    assert detected(RANDOM.normal(size=64)) == {"loss-task": "error"}
    assert detected(np.arange(64) % 2, "") == {"from-logits": "error"}
    assert detected(np.arange(64) % 2, "Softmax") == {"last-layer": "error"}
    assert detected(np.eye(3)[np.arange(64) % 3], "Softmax", 3) == {"loss-task": "error"}


def test_imbalance_is_reported_at_chance_level_only() -> None:
    y = np.zeros(300)
    y[:3] = 1
    x = RANDOM.normal(size=(300, 4))
    for last, expected in ((0.05, True), (0.01, False)):  # the entropy is 0.056
        assert ("imbalance" in severities(classified(y=y, x=x, loss=[last] * 5))) == expected
    for accuracy, expected in ((0.99, True), (1.0, False)):
        data = classified(y=y, x=x, loss=())
        scalars = {"accuracy": dict.fromkeys(range(30), accuracy)}
        scalars["eval_accuracy"] = {29: 1.0}  # of other images
        assert ("imbalance" in severities(replace(data, scalars=scalars))) == expected


def test_findings_of_all_rules_survive_json() -> None:
    assert len(rules()) >= 38
    assert msgspec.json.decode(msgspec.json.encode(check(classified(y=np.zeros(64)))))


@pytest.mark.parametrize(
    ("name", "trained"), [("val_loss", "loss"), ("eval_cross_entropy", "cross_entropy")]
)
@pytest.mark.parametrize(
    ("course", "expected"),
    [
        ([2.0, 5.0, 9.0], True),
        ([2.0, 5.0, 1.0], False),  # the last one counts
        ([2.0, 5.0, 0.5], False),  # not three times the 0.2 of the training
    ],
)
def test_evaluation_far_worse_than_training(
    name: str, trained: str, course: list[float], expected: bool
) -> None:
    data = classified()
    scalars = {**data.scalars, trained: dict(enumerate(FALLING)), name: dict(enumerate(course))}
    assert ("train-eval-gap" in severities(replace(data, scalars=scalars))) == expected


def test_an_evaluation_that_is_not_finite_is_no_error_of_the_training() -> None:
    for value in (float("nan"), float("inf")):
        scalars = {"loss": dict(enumerate(FALLING)), "cross_entropy": dict(enumerate(FALLING))}
        detected = severities(
            replace(classified(), scalars=scalars | {"eval_cross_entropy": {29: value}})
        )
        assert detected == {"train-eval-gap": Severity.WARNING}


def test_early_evaluation_is_no_warning(recording: Any) -> None:
    from resnet_inspect import findings

    run = recording("v2")
    assert not [finding for finding in findings.check(run) if finding.rule == "train-eval-gap"]
    scalars = {"loss": {0: 2.4, 1: 2.3}, "cross_entropy": {0: 2.3, 1: 2.2}}
    scalars["eval_cross_entropy"] = {1: 70.0}  # with averages of two batches
    scalars["eval_accuracy"] = {1: 0.1}
    early = check(Evidence(graph=run.graph, scalars=scalars, steps=(0, 1)))
    assert [
        (finding.rule, finding.severity) for finding in early if finding.severity != Severity.ERROR
    ] == [("train-eval-gap", Severity.INFO)]
    assert not [finding for finding in early if finding.rule.startswith("loss-")]


def test_rows_of_an_output_that_does_not_depend_on_the_batch() -> None:
    # A network on the nodes of a graph, which are no part of the batch, for labels of some nodes.
    graph = perceptron("Relu", "", loss=SQUARES)
    tap = Tap("dense_1", "activation", "dense_1/BiasAdd:0")
    more: dict[str, Any] = {
        "y": np.ones((64, 3)),
        "loss": [1.0],
        "changes": {},
        "outputs": {"dense_1": RANDOM.normal(size=(80, 3))},
        "sizes": {tap: 80 * 3},
    }
    assert severities(classified(graph=graph, **more))["batch-axis"] is Severity.ERROR
    nodes = msgspec.structs.replace(
        graph,
        ops=(op("indices", "Placeholder", shape=(None,)), *graph.ops),
        inputs={"x": TensorRef("indices")},
    )
    assert "batch-axis" not in severities(classified(graph=nodes, **more))
