"""The tutorial's training recipe: loss, learning rate, optimizer and update ops.

Like the network's file, this one is written to be read by the user of the tool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from resnet_inspect.config.settings import Tutorial
from resnet_inspect.graph import Phase
from resnet_inspect.tracers.tensorflow.capture.construction import Construction, Tensor

BOUNDARIES = (10000, 15000, 20000, 25000)
RATES = (0.1, 0.05, 0.01, 0.005, 0.001)
ADAM_BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


@dataclass(frozen=True)
class Losses:
    """Scalars of one batch, float32: `total` = `cross_entropy` + `l2`; `entropies` [batch] are
    the cross entropies of the examples.
    """

    entropies: Tensor
    total: Tensor
    cross_entropy: Tensor
    l2: Tensor
    accuracy: Tensor


def measure(logits: Tensor, labels: Tensor, made: Construction, weight_decay: float) -> Losses:
    """The loss of logits [batch, classes] for labels [batch], over all trainable variables."""
    with tf.name_scope("cross_entropy"):
        entropies = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        cross_entropy = tf.reduce_mean(entropies)
    with tf.name_scope("accuracy"):
        hits = tf.equal(tf.argmax(logits, axis=-1, output_type=labels.dtype), labels)
        accuracy = tf.reduce_mean(tf.cast(hits, tf.float32))
    if not weight_decay:
        none = tf.constant(0.0, name="l2_loss")
        return Losses(entropies, cross_entropy, cross_entropy, none, accuracy)
    with tf.name_scope("l2_loss"):
        squares = [tf.nn.l2_loss(tf.cast(v, tf.float32)) for v in trainable(made).values()]
        l2 = weight_decay * tf.add_n(squares)
    total = tf.add(cross_entropy, l2, name="loss")
    return Losses(entropies, total, cross_entropy, l2, accuracy)


def trainable(made: Construction) -> dict[str, tf.Variable]:
    """The variables that training moves, by name, in order of creation."""
    return {name: variable for name, variable in made.variables.items() if variable.trainable}


def differentiate(
    losses: Losses, made: Construction, outputs: list[Tensor]
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Add the gradients of the loss: of each trainable variable, and of each of `outputs` (None
    for one that the loss does not depend on), which are on the way to those of the variables.
    """
    weights = trainable(made)
    with made.phase(Phase.BACKWARD):
        found = tf.gradients(losses.total, [*weights.values(), *outputs], name="gradients")
    return dict(zip(weights, found, strict=False)), found[len(weights) :]


def train(gradients: dict[str, Tensor], made: Construction, tutorial: Tutorial) -> Tensor:
    """Add the optimizer's updates and the step counter; returns the learning rate.

    Update ops of batch normalization run before the optimizer's, by control edges.
    """
    global_step = made.variable("global_step", lambda: tf.constant(0, tf.int64), trainable=False)
    with tf.name_scope("learning_rate"):
        rate = learning_rate(global_step, tutorial.learning_rate)
    with made.phase(Phase.OPTIMIZER):
        step = _Step(made, gradients, rate, tutorial.momentum)
        updates = OPTIMIZERS[tutorial.optimizer](step)
        with tf.control_dependencies(updates):
            global_step.assign_add(1, read_value=False)
    return rate


def learning_rate(global_step: tf.Variable, constant: float | None) -> Tensor:
    """The rate at this step: piecewise constant, a value holding up to and with its boundary."""
    if constant is not None:
        return tf.constant(constant, tf.float32)
    passed = tf.cast(global_step > tf.constant(BOUNDARIES, tf.int64), tf.int32)
    return tf.gather(tf.constant(RATES, tf.float32), tf.reduce_sum(passed))


@dataclass(frozen=True)
class _Step:
    """What an optimizer needs for one update: named weights with their gradients, and the rate."""

    made: Construction
    gradients: dict[str, Tensor]
    rate: Tensor
    momentum: float

    def after_update_ops(self) -> Any:
        """Context in which ops wait for the update ops.

        TensorFlow leaves out the control edge of an op that has an input made in the context, so
        whatever an update takes is made before it.
        """
        return tf.control_dependencies(self.made.update_ops)

    def handle(self, name: str) -> Tensor:
        return self.made.variables[name].handle

    def slot(self, name: str, slot: str) -> Tensor:
        """The optimizer's own variable beside the weight `name`, zero at first."""
        shape = self.made.variables[name].shape
        return self.made.variable(f"{name}/{slot}", lambda: tf.zeros(shape), trainable=False).handle


def _momentum(step: _Step) -> list[tf.Operation]:
    """accumulator ← momentum · accumulator + gradient; weight ← weight - rate · accumulator."""
    momentum = tf.constant(step.momentum, name="Momentum/momentum")
    slots = {name: step.slot(name, "Momentum") for name in step.gradients}
    with step.after_update_ops():
        return [
            tf.raw_ops.ResourceApplyMomentum(
                var=step.handle(name),
                accum=slots[name],
                lr=step.rate,
                grad=gradient,
                momentum=momentum,
                name=f"Momentum/update_{name}",
            )
            for name, gradient in step.gradients.items()
        ]


def _sgd(step: _Step) -> list[tf.Operation]:
    """weight ← weight - rate · gradient."""
    with step.after_update_ops():
        return [
            tf.raw_ops.ResourceApplyGradientDescent(
                var=step.handle(name),
                alpha=step.rate,
                delta=gradient,
                name=f"GradientDescent/update_{name}",
            )
            for name, gradient in step.gradients.items()
        ]


def _adam(step: _Step) -> list[tf.Operation]:
    """Kingma & Ba 2015, arXiv 1412.6980, with bias correction; powers of the betas are kept."""
    powers = [
        step.made.variable(name, lambda beta=beta: tf.constant(beta), trainable=False)  # type: ignore[misc]
        for name, beta in zip(("beta1_power", "beta2_power"), ADAM_BETAS, strict=True)
    ]
    values = [power.read_value() for power in powers]
    beta1, beta2 = (tf.constant(beta, name="Adam/beta") for beta in ADAM_BETAS)
    epsilon = tf.constant(ADAM_EPSILON, name="Adam/epsilon")
    slots = {name: (step.slot(name, "Adam"), step.slot(name, "Adam_1")) for name in step.gradients}
    with step.after_update_ops():
        updates = [
            tf.raw_ops.ResourceApplyAdam(
                var=step.handle(name),
                m=slots[name][0],
                v=slots[name][1],
                beta1_power=values[0],
                beta2_power=values[1],
                lr=step.rate,
                beta1=beta1,
                beta2=beta2,
                epsilon=epsilon,
                grad=gradient,
                name=f"Adam/update_{name}",
            )
            for name, gradient in step.gradients.items()
        ]
    with tf.control_dependencies(updates):
        changes = zip(powers, values, (beta1, beta2), strict=True)
        return updates + [
            power.assign(value * beta, read_value=False) for power, value, beta in changes
        ]


OPTIMIZERS = {"momentum": _momentum, "sgd": _sgd, "adam": _adam}
