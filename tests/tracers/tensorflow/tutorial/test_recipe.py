"""Training steps, compared with formulas in NumPy and gradients of a GradientTape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.reference import numpy_network
from tests.tracers.tensorflow.conftest import session, traced, trained

BN = ("moving_mean", "moving_variance")


def steps(made: Any, count: int) -> tuple[list[dict[str, Any]], list[dict[str, float]]]:
    """Weights before each of `count` steps and after the last, and each step's scalars."""
    from tests.tracers.tensorflow.tutorial.reference_runs import weights_of

    made.build()
    weights, scalars = [weights_of(made.variables)], []
    for step in range(count):
        scalars.append(made.step(step).scalars)
        weights.append(weights_of(made.variables))
    return weights, scalars


def gradients(made: Any, decay: float) -> Callable[[dict[str, Any], int], dict[str, Any]]:
    """A function from weights and step to gradients of the whole loss by a GradientTape."""
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.capture.construction import Construction
    from resnet_inspect.tracers.tensorflow.tutorial.layers import Layers
    from resnet_inspect.tracers.tensorflow.tutorial.resnet import inference

    variables: dict[str, Any] = {}

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def compute(images: Any, labels: Any) -> Any:
        net = Layers(Construction(0, variables), training=True, bn_axis=-1, update_ops=False)
        with tf.GradientTape() as tape:
            logits = inference(images, net, n=1, ver=2, filters=16, classes=10, mean_axes=(1, 2))
            chosen = tf.gather(tf.nn.log_softmax(logits), labels, batch_dims=1)
            moved = {name: v for name, v in variables.items() if v.trainable}
            squares = [tf.reduce_sum(v * v) / 2 for v in moved.values()]
            loss = -tf.reduce_mean(chosen) + decay * sum(squares)
        return tape.gradient(loss, moved)

    batches = [tuple(map(tf.constant, made.batches.batch(step))) for step in (0, 1)]
    call = compute.get_concrete_function(*batches[0])

    def at(weights: dict[str, Any], step: int) -> dict[str, Any]:
        for name, variable in variables.items():
            variable.assign(weights[name])
        return {name: value.numpy() for name, value in call(*batches[step]).items()}

    return at


def close(actual: Any, expected: Any, name: str) -> None:
    """Assert agreement to the accuracy of float32 sums over a batch of images."""
    tolerance = max(1e-6, 2e-5 * np.abs(expected).max())
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=tolerance, err_msg=name)


def test_losses_agree_with_numpy() -> None:
    made = session()
    weights, scalars = steps(made, 2)
    for step in (0, 1):
        images, labels = made.batches.batch(step)
        outputs, _ = numpy_network.forward(weights[step], images, 1, 2, True)
        logits = outputs["dense1"]
        wanted = numpy_network.loss(_trainable(weights[step]), logits, labels)
        recorded = scalars[step]
        assert recorded["cross_entropy"] == pytest.approx(wanted.cross_entropy, rel=1e-5)
        assert recorded["l2_loss"] == pytest.approx(wanted.l2, rel=1e-5)
        assert recorded["loss"] == pytest.approx(wanted.total, rel=1e-5)
        assert recorded["accuracy"] == np.mean(logits.argmax(axis=1) == labels)
        assert recorded["learning_rate"] == pytest.approx(0.1)


def _trainable(weights: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value
        for name, value in weights.items()
        if name.rpartition("/")[2] in ("kernel", "bias", "gamma", "beta")
    }


@pytest.mark.parametrize(("optimizer", "rate"), [("momentum", 0.1), ("sgd", 0.1), ("adam", 0.001)])
def test_updates_follow_the_formulas(optimizer: str, rate: float) -> None:
    made = session(optimizer=optimizer, learning_rate=rate)
    weights, _ = steps(made, 2)
    slots: dict[str, Any] = {}
    gradients_at = gradients(made, 2e-4)
    for step in (0, 1):
        for name, gradient in gradients_at(weights[step], step).items():
            before, after = weights[step][name], weights[step + 1][name]
            if optimizer == "sgd":
                change = rate * gradient
            elif optimizer == "momentum":
                slots[name] = 0.9 * slots.get(name, 0.0) + gradient
                change = rate * slots[name]
                close(weights[step + 1][f"{name}/Momentum"], slots[name], name)
            else:
                m, v = slots.get(name, (0.0, 0.0))
                m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
                slots[name] = m, v
                close(weights[step + 1][f"{name}/Adam"], m, name)
                # Gradients of biases before a normalization are rounding errors, which Adam
                # scales to its full rate. They cannot be compared.
                if np.abs(gradient).max() < 1e-4:
                    continue
                m, v = weights[step + 1][f"{name}/Adam"], weights[step + 1][f"{name}/Adam_1"]
                t = step + 1
                scaled = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
                change = scaled * m / (np.sqrt(v) + 1e-8)
            np.testing.assert_allclose(
                after, before - change, atol=3e-5 * max(1e-2, np.abs(change).max()), err_msg=name
            )
    assert weights[2]["global_step"] == 2


def test_moving_averages_follow_the_batch_statistics() -> None:
    made = session()
    weights, _ = steps(made, 1)
    images, _ = made.batches.batch(0)
    _, statistics = numpy_network.forward(weights[0], images, 1, 2, True)
    for name, batch in statistics.items():
        for kind, seen in (("moving_mean", batch.mean), ("moving_variance", batch.variance)):
            wanted = 0.99 * weights[0][f"{name}/{kind}"] + 0.01 * seen
            close(weights[1][f"{name}/{kind}"], wanted, f"{name}/{kind}")


def test_without_update_ops_the_averages_do_not_change() -> None:
    made = session(update_ops=False)
    weights, _ = steps(made, 2)
    for name, value in weights[2].items():
        if name.endswith(BN):
            assert np.array_equal(value, weights[0][name])
    result = traced(update_ops=False)
    assert not [op for op in result.graph.ops if "AssignMovingAvg" in op.name]


def test_update_ops_run_before_the_optimizer_by_control_edges() -> None:
    graph = traced().graph
    updates = {op.name for op in graph.ops if op.type == "AssignSubVariableOp"}
    assert len(updates) == 2 * 9
    applied = [op for op in graph.ops if op.type == "ResourceApplyMomentum"]
    assert len(applied) == len([v for v in graph.variables if v.trainable])
    for op in applied:
        assert updates <= set(op.control_inputs)
        assert op.phase == "optimizer"


def test_the_l2_term_covers_all_trainable_variables_or_is_absent() -> None:
    graph = traced().graph
    trainable = [v for v in graph.variables if v.trainable]
    assert len([op for op in graph.ops if op.type == "L2Loss"]) == len(trainable) == 38
    without = traced(weight_decay=0.0)
    assert not [op for op in without.graph.ops if op.type == "L2Loss"]
    for record in without.steps:
        assert record.scalars["l2_loss"] == 0
        assert record.scalars["loss"] == record.scalars["cross_entropy"]


def test_the_schedule() -> None:
    import tensorflow as tf

    from resnet_inspect.tracers.tensorflow.tutorial import recipe

    for step in (0, 1, 9999, 10000, 10001, 15000, 15001, 20000, 20001, 25000, 25001, 10**6):
        rate = recipe.learning_rate(tf.constant(step, tf.int64), None)
        assert float(rate) == pytest.approx(numpy_network.schedule(step))


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, second, other = traced(steps=3), trained(steps=3), traced(steps=3, seed=1)
    assert [s.scalars for s in first.steps] == [s.scalars for s in second.steps]
    assert [s.summaries for s in first.steps] == [s.summaries for s in second.steps]
    assert first.steps[0].scalars != other.steps[0].scalars


def test_every_nth_step_and_the_last_are_recorded() -> None:
    result = traced(steps=6, every=4)
    assert [s.step for s in result.steps] == list(range(6))
    assert [s.step for s in result.steps if s.summaries] == [0, 4, 5]


@pytest.mark.parametrize("changes", [{"steps": 0}, {"mode": "eval"}])
def test_forward_only_changes_no_variable(changes: dict[str, Any]) -> None:
    made = session(**changes)
    weights, scalars = steps(made, 1)
    for name, value in weights[1].items():
        assert np.array_equal(value, weights[0][name]), name
    assert set(scalars[0]) == {"loss", "cross_entropy", "l2_loss", "accuracy"}


def test_without_batch_normalization_layers_are_connected_directly() -> None:
    made = session(batch_norm=False)
    graph = made.build().graph
    assert not [op for op in graph.ops if "BatchNorm" in op.type or "AssignMovingAvg" in op.name]
    # Nine convolutions and the dense layer, a kernel and a bias each.
    assert len([variable for variable in graph.variables if variable.trainable]) == 2 * 10
    assert graph.layer_by_name["relu00_branch2a"].inputs == (graph.layer_by_name["conv1"].output,)
    assert made.explain().variations
    record = traced(batch_norm=False).steps[0]
    activations = {
        tap.layer: summary for tap, summary in record.summaries.items() if tap.kind == "activation"
    }
    assert activations["relu00_branch2a"].max == activations["conv1"].max
    assert not record.normalizations


def test_a_normalization_after_the_stem() -> None:
    graph = traced(stem_bn=True).graph
    layers = [layer.name for layer in graph.layers]
    assert layers[:3] == ["conv1", "bn_conv1", "bn00_branch2a"]
    assert graph.layer_by_name["add00"].inputs[0] == graph.layer_by_name["bn_conv1"].output
    usual = [layer.name for layer in traced().graph.layers]
    assert layers == [usual[0], "bn_conv1", *usual[1:]]
    assert traced(stem_bn=True, ver=1).graph.layers == traced(ver=1).graph.layers
