"""Small compiled Keras models of many kinds, and data to fit them on."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def data(kind: str, examples: int) -> tuple[Any, Any]:
    """Random inputs and targets for the model of that name, with a fixed seed."""
    random = np.random.default_rng(0)

    def numbers(*shape: int) -> Any:
        return random.normal(size=(examples, *shape)).astype(np.float32)

    if kind in ("normalized_functional", "mixed", "compiled"):
        return numbers(8, 8, 3), numbers(3)
    if kind == "two_inputs_two_outputs":
        return {"left": numbers(4), "right": numbers(5)}, {"low": numbers(1), "high": numbers(2)}
    if kind == "texts":
        return random.choice(["a", "b", "c"], (examples, 2)), numbers(1)
    if kind == "recurrent":
        return random.integers(0, 9, (examples, 6)), numbers(2)
    return numbers(4), numbers(3)


def sequential() -> Any:
    """A multilayer perceptron that is built by its first batch."""
    model = keras.Sequential([layers.Dense(6, "relu"), layers.Dense(3)], name="perceptron")
    model.compile("adam", "mse", metrics=["mae"])
    return model


def normalized_functional() -> Any:
    """A convolution with batch normalization and a ReLU."""
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="convolved")(inputs)
    x = layers.BatchNormalization(name="normalized")(x)
    x = layers.ReLU(name="rectified")(x)
    x = layers.Flatten(name="flat")(x)
    model = keras.Model(inputs, layers.Dense(3, name="logits")(x), name="small")
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
    return model


class Subclassed(keras.Model):  # type: ignore[misc]
    """Dropout by Keras, and noise by TensorFlow, whose seed depends on the number of ops."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.hidden = layers.Dense(8, "relu", name="hidden")
        self.dropped = layers.Dropout(0.5, name="dropped")
        self.logits = layers.Dense(3, name="logits")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Features [batch, 4] to [batch, 3]."""
        hidden = self.dropped(self.hidden(inputs), training=training)
        if training:
            hidden = hidden + tf.random.normal(tf.shape(hidden), 0.0, 0.1, hidden.dtype)
        return self.logits(hidden)


def subclassed_with_dropout() -> Any:
    """See `Subclassed`."""
    model = Subclassed()
    model.compile("rmsprop", "mse")
    return model


def two_inputs_two_outputs() -> Any:
    """Named inputs and outputs, a shared layer, a nested model."""
    left, right = keras.Input((4,), name="left"), keras.Input((5,), name="right")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh")], name="inner")
    shared = layers.Dense(4, name="shared")
    joined = layers.Concatenate()([inner(shared(left)), inner(shared(right[:, :4]))])
    outputs = {
        "low": layers.Dense(1, name="low")(joined),
        "high": layers.Dense(2, name="high")(joined),
    }
    model = keras.Model({"left": left, "right": right}, outputs)
    model.compile("adam", {"low": "mse", "high": "mae"}, loss_weights={"low": 1.0, "high": 0.5})
    return model


class CustomStep(Subclassed):
    """Overrides `train_step` to clip gradients."""

    def train_step(self, batch: Any) -> Any:
        """One step on inputs and targets."""
        x, y = batch
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
        gradients = tape.gradient(loss, self.trainable_variables)
        clipped = [tf.clip_by_norm(gradient, 0.5) for gradient in gradients]
        self.optimizer.apply_gradients(zip(clipped, self.trainable_variables, strict=True))
        return {"loss": loss}


def custom_train_step() -> Any:
    """See `CustomStep`."""
    model = CustomStep()
    model.compile("adam")
    return model


class CompiledStep(keras.Model):  # type: ignore[misc]
    """Overrides `train_step` by a tf.function."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.Dense(8, "relu", name="hidden")
        self.logits = layers.Dense(3, name="logits")

    def call(self, inputs: Any) -> Any:
        """Features [batch, 4] to [batch, 3]."""
        return self.logits(self.hidden(inputs))

    @tf.function  # type: ignore[untyped-decorator]
    def train_step(self, batch: Any) -> Any:
        """One step on inputs and targets, with noise whose seed depends on the number of ops."""
        x, y = batch
        with tf.GradientTape() as tape:
            noisy = x + tf.random.normal(tf.shape(x), 0.0, 0.1)
            loss = tf.reduce_mean(tf.square(self(noisy, training=True) - y))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


class CallsCompiled(CompiledStep):
    """Overrides `train_step` to call a tf.function."""

    def train_step(self, batch: Any) -> Any:
        """One step."""
        return self.on(*batch)

    @tf.function  # type: ignore[untyped-decorator]
    def on(self, inputs: Any, targets: Any) -> Any:
        """One step on inputs and targets."""
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(inputs, training=True) - targets))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


def compiled_step() -> Any:
    """See `CompiledStep`."""
    model = CompiledStep()
    model.compile("adam")
    return model


def calls_compiled() -> Any:
    """See `CallsCompiled`."""
    model = CallsCompiled()
    model.compile("adam")
    return model


class Adversarial(keras.Model):  # type: ignore[misc]
    """A GAN: two tapes and two optimizers in a step, with noise between them."""

    def __init__(self) -> None:
        super().__init__()
        self.judge = keras.Sequential([layers.Dense(6, "relu"), layers.Dense(1)], name="judge")
        self.maker = keras.Sequential([layers.Dense(6, "relu"), layers.Dense(4)], name="maker")
        self.other = keras.optimizers.Adam(0.01)

    def call(self, noise: Any) -> Any:
        """The output of the generator."""
        return self.maker(noise)

    def train_step(self, batch: Any) -> Any:
        """One step of each part."""
        real, _ = batch
        noise = tf.random.normal([tf.shape(real)[0], 2])
        with tf.GradientTape() as tape:
            scores = self.judge(self.maker(noise)), self.judge(real)
            judged = tf.reduce_mean(scores[0]) - tf.reduce_mean(scores[1])
        weights = self.judge.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(judged, weights), weights, strict=True))
        noise = tf.random.normal([tf.shape(real)[0], 2])
        with tf.GradientTape() as tape:
            made = -tf.reduce_mean(self.judge(self.maker(noise)))
        weights = self.maker.trainable_variables
        self.other.apply_gradients(zip(tape.gradient(made, weights), weights, strict=True))
        return {"judged": judged, "made": made}


def adversarial() -> Any:
    """See `Adversarial`."""
    model = Adversarial()
    model.compile(keras.optimizers.Adam(0.01))
    return model


def frozen() -> Any:
    """A first layer that is not trained."""
    first = layers.Dense(6, "relu", name="first", trainable=False)
    model = keras.Sequential([keras.Input((4,)), first, layers.Dense(3, name="second")])
    model.compile("sgd", "mse")
    return model


def recurrent() -> Any:
    """An embedding, an LSTM in a while loop, attention."""
    inputs = keras.Input((6,), dtype="int64")
    x = layers.Embedding(9, 4, name="embedded")(inputs)
    x = layers.LSTM(5, return_sequences=True, name="memory")(x)
    x = layers.MultiHeadAttention(2, 3, name="attention")(x, x)
    model = keras.Model(inputs, layers.Dense(2, name="logits")(layers.GlobalAveragePooling1D()(x)))
    model.compile("adam", "mse")
    return model


class Mismatched(Subclassed):
    """Multiplies by a kernel of the wrong shape."""

    def build(self, shape: Any) -> None:
        """Make the kernel."""
        del shape
        self.kernel = self.add_weight(shape=(7, 3), name="kernel")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Fails for features [batch, 4]."""
        del training
        hidden = self.hidden(inputs)
        return tf.matmul(hidden, self.kernel)


def mismatched() -> Any:
    """See `Mismatched`."""
    model = Mismatched()
    model.compile("sgd", "mse")
    return model


class NineRows(layers.Layer):  # type: ignore[misc]
    """Multiplies by a matrix with nine rows."""

    def call(self, inputs: Any) -> Any:
        """Features [batch, 9] to [batch, 2]."""
        return tf.matmul(inputs, tf.ones((9, 2)))


def mismatched_in_build() -> Any:
    """A model that fails while Keras builds it by its first batch, in a separate graph."""
    model = keras.Sequential([layers.Dense(6), NineRows()])
    model.compile("sgd", "mse")
    return model


def eager() -> Any:
    """A model that runs op by op."""
    model = sequential()
    model.compile("sgd", "mse", run_eagerly=True)
    return model


def mixed() -> Any:
    """Half precision, with a scaled loss."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = normalized_functional()
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05)), "mse")
    return model


def mixed_subclassed() -> Any:
    """See `Subclassed`, in half precision: variables are cast wherever they are read."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = Subclassed()
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("adam", "mse")
    return model


def compiled() -> Any:
    """Compiled by XLA."""
    model = normalized_functional()
    model.compile("sgd", "mse", jit_compile=True)
    return model


def three_steps_together() -> Any:
    """Three steps in one execution."""
    model = sequential()
    model.compile("adam", "mse", steps_per_execution=3)
    return model


def accumulated() -> Any:
    """Gradients of two steps applied together."""
    model = sequential()
    model.compile(keras.optimizers.Adam(gradient_accumulation_steps=2), "mse")
    return model


def compiled_together() -> Any:
    """Four steps in one execution, by XLA."""
    model = frozen()
    model.compile("sgd", "mse", jit_compile=True, steps_per_execution=4)
    return model


def called_twice() -> Any:
    """A layer that is called twice, the second time on its own output, and a nested model."""
    inputs, same = keras.Input((4,)), layers.Dense(4, "relu", name="same")
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, name="deep")], name="inner")
    model = keras.Model(inputs, layers.Dense(3, name="last")(inner(same(same(inputs)))))
    model.compile("adam", "mse")
    return model


def texts() -> Any:
    """A model with a StringLookup layer."""
    inputs = keras.Input((2,), dtype="string")
    x = layers.StringLookup(vocabulary=["a", "b"], name="looked_up")(inputs)
    x = layers.Flatten(name="flat")(layers.Embedding(3, 4, name="embedded")(x))
    model = keras.Model(inputs, layers.Dense(1, name="score")(x))
    model.compile("adam", "mse")
    return model


def lengths() -> Any:
    """A model for sequences whose length differs from batch to batch."""
    model = keras.Sequential(
        [
            keras.Input((None, 3)),
            layers.Conv1D(4, 2, activation="relu", name="convolved"),
            layers.GlobalMaxPooling1D(name="pooled"),
            layers.Dense(2, name="logits"),
        ]
    )
    model.compile("adam", "mse")
    return model


class Ragged(keras.Model):  # type: ignore[misc]
    """Overrides `train_step` to take ragged tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = layers.Dense(2, name="logits")
        self.logits.build((None, 4))

    def train_step(self, batch: Any) -> Any:
        """One step on rows of at most four numbers."""
        x, y = batch
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self.logits(x.to_tensor(shape=[None, 4])) - y))
        weights = self.logits.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        return {"loss": loss}


def ragged() -> Any:
    """See `Ragged`."""
    model = Ragged()
    model.compile("sgd")
    return model
