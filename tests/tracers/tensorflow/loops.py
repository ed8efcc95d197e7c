"""Training loops of many kinds, written as in user code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

BATCH = 8


class Loop(NamedTuple):
    """`step` is called with each of `batches`; `variables` includes those of optimizers."""

    step: Callable[..., Any]
    batches: list[tuple[Any, ...]]
    variables: Callable[[], list[Any]]


def batches(*shapes: tuple[int, ...], count: int = 5) -> list[tuple[Any, ...]]:
    """Batches of random numbers with a fixed seed; the last batch is smaller than the others."""
    random = np.random.default_rng(3)
    sizes = [BATCH] * (count - 1) + [BATCH - 3]
    return [
        tuple(tf.constant(random.normal(size=(size, *shape)), tf.float32) for shape in shapes)
        for size in sizes
    ]


def perceptron() -> Any:
    """Dropout between two layers."""
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(6, "relu", name="hidden"),
            layers.Dropout(0.3, name="dropped"),
            layers.Dense(3, name="logits"),
        ],
        name="perceptron",
    )


def usual(jit_compile: bool = False) -> Loop:
    """One model, one optimizer, noise by TensorFlow; the step returns a dict."""
    model, optimizer = perceptron(), keras.optimizers.Adam(0.01)

    @tf.function(jit_compile=jit_compile)  # type: ignore[untyped-decorator]
    def train_step(x: Any, y: Any) -> Any:
        if tf.reduce_sum(x) > 1e9:  # rewritten by AutoGraph
            x = x / 2.0
        with tf.GradientTape() as tape:
            x = x + (0.0 if jit_compile else tf.random.normal(tf.shape(x), stddev=0.1))
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return {"loss": loss, "size": {"norm": tf.linalg.global_norm(gradients)}}

    return Loop(train_step, batches((4,), (3,)), lambda: [*model.variables, *optimizer.variables])


def compiled() -> Loop:
    """The usual loop, compiled by XLA."""
    return usual(jit_compile=True)


def module() -> Loop:
    """A tf.Module with variables of TensorFlow and named inputs; the step returns nothing."""

    class Line(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.slope = tf.Variable(tf.ones([4, 1]), name="slope")
            self.offset = tf.Variable(tf.zeros([1]), name="offset")

        @tf.function  # type: ignore[untyped-decorator]
        def train(self, x: Any, y: Any, *, rate: float) -> None:
            """A step of gradient descent."""
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(x @ self.slope + self.offset - y))
            for variable, gradient in zip(
                self.trainable_variables,
                tape.gradient(loss, self.trainable_variables),
                strict=True,
            ):
                variable.assign_sub(rate * gradient)

    line = Line()
    return Loop(line.train, batches((4,), (1,)), lambda: list(line.variables))


def adversarial() -> Loop:
    """Two models with an optimizer each; the step returns a tuple."""
    judge = keras.Sequential([layers.Dense(6, "relu"), layers.Dense(1)], name="judge")
    maker = keras.Sequential([layers.Dense(6, "relu"), layers.Dense(4)], name="maker")
    first, second = keras.optimizers.Adam(0.01), keras.optimizers.RMSprop(0.01)

    @tf.function  # type: ignore[untyped-decorator]
    def train_step(real: Any) -> Any:
        noise = tf.random.normal([tf.shape(real)[0], 2])
        with tf.GradientTape() as tape, tf.GradientTape() as other:
            scores = judge(maker(noise)), judge(real)
            judged = tf.reduce_mean(scores[0]) - tf.reduce_mean(scores[1])
            made = -tf.reduce_mean(scores[0])
        for loss, loss_tape, model, optimizer in (
            (judged, tape, judge, first),
            (made, other, maker, second),
        ):
            weights = model.trainable_variables
            optimizer.apply(loss_tape.gradient(loss, weights), weights)
        return judged, made, scores[1]

    def variables() -> list[Any]:
        return [*judge.variables, *maker.variables, *first.variables, *second.variables]

    return Loop(train_step, batches((4,)), variables)


def eager() -> Loop:
    """A plain function that runs op by op and returns its loss as a tensor."""
    model, optimizer = perceptron(), keras.optimizers.SGD(0.1, momentum=0.9)

    def train_step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return Loop(train_step, batches((4,), (3,)), lambda: [*model.variables, *optimizer.variables])


def mismatched() -> Loop:
    """A step that fails in a product of tensors with different sizes."""
    model, kernel = perceptron(), tf.Variable(tf.ones([7, 2]), name="kernel")

    @tf.function  # type: ignore[untyped-decorator]
    def train_step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            hidden = model.get_layer("hidden")(x)
            loss = tf.reduce_mean(tf.matmul(hidden, kernel)) - tf.reduce_mean(y)
        return tape.gradient(loss, [kernel])

    return Loop(train_step, batches((4,), (3,)), lambda: [kernel])


def failing() -> Loop:
    """A step that fails only at run time."""
    weight = tf.Variable(1.0, name="weight")

    @tf.function  # type: ignore[untyped-decorator]
    def train_step(x: Any) -> Any:
        tf.debugging.assert_greater(tf.shape(x)[0], BATCH - 1, "the batch is too small")
        return weight.assign_add(tf.reduce_mean(x))

    return Loop(train_step, batches((4,), count=3), lambda: [weight])


def replicated() -> Loop:
    """Two replicas that share a batch, as in TensorFlow's guide to `tf.distribute`."""
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model, optimizer = perceptron(), keras.optimizers.SGD(0.1, momentum=0.9)
        optimizer.build(model.trainable_variables)

    def one_replica(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            each = tf.reduce_mean(tf.square(model(x, training=True) - y), axis=1)
            loss = tf.nn.compute_average_loss(each, global_batch_size=BATCH)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    @tf.function  # type: ignore[untyped-decorator]
    def train_step(batch: Any) -> Any:
        losses = strategy.run(one_replica, args=batch)
        return strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None)

    dataset = tf.data.Dataset.from_tensor_slices(
        tuple(tf.concat(parts, 0) for parts in zip(*batches((4,), (3,)), strict=True))
    )
    shared = strategy.experimental_distribute_dataset(dataset.batch(BATCH, drop_remainder=True))
    return Loop(
        train_step,
        [(batch,) for batch in shared],
        lambda: [*model.variables, *optimizer.variables],
    )
