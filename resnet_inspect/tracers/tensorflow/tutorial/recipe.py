"""The tutorial's training recipe: loss, learning rate, optimizer and update ops.

Like `resnet.py`, this file is written for users: ops show its lines.
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
    """Losses of one batch, float32. `total` is `cross_entropy` + `l2`; `entropies` [batch] are
    the cross-entropies of the examples; the others are scalars.
    """

    entropies: Tensor
    total: Tensor
    cross_entropy: Tensor
    l2: Tensor
    accuracy: Tensor


def measure(logits: Tensor, labels: Tensor, made: Construction, weight_decay: float) -> Losses:
    """The losses of logits [batch, classes] for labels [batch]; `l2` is over all weights."""
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
    """The trainable variables by name, in order of creation."""
    return {name: variable for name, variable in made.variables.items() if variable.trainable}


def differentiate(
    losses: Losses, made: Construction, outputs: list[Tensor]
) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Add the gradients of the loss: by trainable variable, and for each tensor of `outputs`.
    The gradient of a tensor that the loss does not depend on is None.
    """
    weights = trainable(made)
    with made.phase(Phase.BACKWARD):
        gradients = tf.gradients(losses.total, [*weights.values(), *outputs], name="gradients")
    return dict(zip(weights, gradients, strict=False)), gradients[len(weights) :]


def train(gradients: dict[str, Tensor], made: Construction, tutorial: Tutorial) -> Tensor:
    """Add the optimizer's updates and the step counter; returns the learning rate.

    By control edges, update ops of batch normalization run before the optimizer's updates.
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
    """The rate at this step: piecewise constant; each rate applies up to its boundary, included."""
    if constant is not None:
        return tf.constant(constant, tf.float32)
    passed = tf.cast(global_step > tf.constant(BOUNDARIES, tf.int64), tf.int32)
    return tf.gather(tf.constant(RATES, tf.float32), tf.reduce_sum(passed))


@dataclass(frozen=True)
class _Step:
    """The inputs of an optimizer's update: gradients by weight name, rate and momentum."""

    made: Construction
    gradients: dict[str, Tensor]
    rate: Tensor
    momentum: float

    def after_update_ops(self) -> Any:
        """A context whose ops wait for the update ops.

        TensorFlow omits the control edge of an op if one of its inputs was made in the context.
        All inputs of an update must therefore be made before.
        """
        return tf.control_dependencies(self.made.update_ops)

    def handle(self, name: str) -> Tensor:
        return self.made.variables[name].handle

    def slot(self, name: str, slot: str) -> Tensor:
        """The optimizer's variable for the weight `name`, initialized to zero."""
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
    """Kingma & Ba 2015, arXiv 1412.6980, with bias correction by stored powers of the betas."""
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
