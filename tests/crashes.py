"""Failures with explanations, as the engine makes them of common mistakes in training scripts."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from resnet_inspect.analysis.explain.explanation import (
    DisagreeingSize,
    Edit,
    Explanation,
    Kind,
    Line,
    Repair,
    SizeStep,
)
from resnet_inspect.config import Settings
from resnet_inspect.config.settings import Fit
from resnet_inspect.graph import Failure, Graph
from resnet_inspect.graph.crash import Call, Crash, CrashFrame, Site
from resnet_inspect.graph.lineage import Lineage
from resnet_inspect.store.info import RunInfo, Status, Writer
from resnet_inspect.store.writer import RunWriter, now


class Example(NamedTuple):
    """A failure, and the explanation of its crash."""

    failure: Failure
    explanation: Explanation


class Script:
    """A script from which lines and edits are taken by their text."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def line(self, part: str, function: str = "<module>") -> Line:
        """The only line that contains `part`."""
        rows = [(at, row) for at, row in enumerate(self.text.splitlines(), 1) if part in row]
        assert len(rows) == 1, part
        return Line(self.name, rows[0][0], function, rows[0][1].strip())

    def edit(self, row: str, old: str, new: str) -> Edit:
        """The replacement of the text `old` in the only line that contains `row`."""
        number = self.line(row).line
        text = self.text.splitlines()[number - 1]
        assert text.count(old) == 1, old
        begin = len(text[: text.index(old)].encode())
        return Edit(self.name, number, begin, number, begin + len(old.encode()), new)

    def insertion(self, row: str, new: str) -> Edit:
        """The insertion of lines before the only line that contains `row`."""
        number = self.line(row).line
        return Edit(self.name, number, 0, number, 0, new)

    def failure(self, kind: str, cause: str, during: str) -> Failure:
        """The failure of this script, at its last line."""
        lines = self.text.splitlines()
        frame = CrashFrame(Site(self.name, len(lines), "<module>", len(lines), 0, len(lines[-1])))
        crash = Crash(
            kind,
            cause,
            cause,
            during="fit",
            frames=(frame,),
            calls=(Call("Model.fit"),),
            files={self.name: self.text},
        )
        return Failure(kind, cause, during, crash=crash)


CONVOLUTION = Script(
    "/work/digits/train.py",
    """\
import keras
import numpy as np
from keras import layers

x = np.random.rand(64, 32, 32, 3).astype("float32")
y = keras.utils.to_categorical(np.random.randint(0, 10, 64), 10)

inputs = keras.Input((32, 32, 3))
h = layers.Conv2D(16, 3, activation="relu")(inputs)
h = layers.Dense(32, activation="relu")(h)
outputs = layers.Dense(10, activation="softmax")(h)
model = keras.Model(inputs, outputs)
model.compile("sgd", "categorical_crossentropy")
model.fit(x, y, batch_size=16, epochs=1, verbose=0)
""",
)
FLATTEN = Repair(
    "insert-flatten",
    "insert Flatten() before Dense(32)",
    CONVOLUTION.line("Dense(32"),
    (CONVOLUTION.insertion("Dense(32", "h = layers.Flatten()(h)\n"),),
    reason="The output then has 10 values per example, as y has.",
)
POOLING = Repair(
    "insert-pooling",
    "insert GlobalAveragePooling2D() before Dense(32)",
    CONVOLUTION.line("Dense(32"),
    (CONVOLUTION.insertion("Dense(32", "h = layers.GlobalAveragePooling2D()(h)\n"),),
    cost=2.0,
)
NO_FLATTEN = Example(
    CONVOLUTION.failure(
        "ValueError",
        "Arguments `target` and `output` must have the same rank (ndim). Received: "
        "target.shape=(16, 10), output.shape=(16, 30, 30, 10)",
        "tracing the training step",
    ),
    Explanation(
        Kind.SHAPE,
        "loss categorical_crossentropy compares the output (16, 30, 30, 10) with labels (16, 10): "
        "4 axes against 2",
        CONVOLUTION.line("model.fit("),
        "loss categorical_crossentropy",
        (("y", "(16, 10)"), ("output of Dense 'dense_1'", "(16, 30, 30, 10)")),
        (
            DisagreeingSize(
                30,
                "axis 1 of output of Dense 'dense_1' (16, 30, 30, 10)",
                CONVOLUTION.line("Conv2D(16"),
                "Conv2D(16, 3)",
                steps=(
                    SizeStep("Dense 'dense_1' keeps 30", CONVOLUTION.line("Dense(10")),
                    SizeStep("Dense 'dense' keeps 30", CONVOLUTION.line("Dense(32")),
                    SizeStep("Conv2D 'conv2d' makes 30 of 32", CONVOLUTION.line("Conv2D(16")),
                ),
            ),
            DisagreeingSize(
                10,
                "axis 1 of y (16, 10)",
                CONVOLUTION.line("to_categorical"),
                "keras.utils.to_categorical(np.random.randint(0, 10, 64), 10)",
            ),
        ),
        repairs=(FLATTEN, POOLING),
        cause="Arguments `target` and `output` must have the same rank (ndim). Received: "
        "target.shape=(16, 10), output.shape=(16, 30, 30, 10)",
    ),
)

REGRESSION = Script(
    "/work/digits/regress.py",
    """\
import numpy as np
import tensorflow as tf

rng = np.random.default_rng(0)
x = rng.random((90, 7)).astype("float32")
targets = rng.random((90, 3)).astype("float32")
hidden = tf.keras.layers.Dense(16, activation="tanh")
model = tf.keras.Sequential([hidden, tf.keras.layers.Dense(4)])
model.compile("sgd", "mse")
model.fit(x, targets, batch_size=9, epochs=1, verbose=0)
""",
)
UNITS_CAUSE = (
    "Dimensions must be equal, but are 3 and 4 for '{{node compile_loss/mse/sub}} = "
    "Sub[T=DT_FLOAT](data_1, sequential_1/dense_1_2/BiasAdd)' with input shapes: [9,3], [9,4]."
)
WRONG_UNITS = Example(
    REGRESSION.failure("ValueError", UNITS_CAUSE, "tracing the training step"),
    Explanation(
        Kind.SHAPE,
        "loss mse compares the output (9, 4) with labels (9, 3): axis 1 has 4 and 3",
        REGRESSION.line("model.fit("),
        "loss mse",
        (("targets", "(9, 3)"), ("output of Dense 'dense_1'", "(9, 4)")),
        (
            DisagreeingSize(
                4,
                "units of Dense 'dense_1'",
                REGRESSION.line("Dense(4)"),
                "4",
            ),
            DisagreeingSize(
                3,
                "axis 1 of targets (9, 3)",
                REGRESSION.line("targets = "),
                "(90, 3)",
            ),
        ),
        repairs=(
            Repair(
                "change-units",
                "Dense(4) → Dense(3)",
                REGRESSION.line("Dense(4)"),
                (REGRESSION.edit("Dense(4)", "Dense(4)", "Dense(3)"),),
                reason="The model then has one output per column of the targets.",
            ),
            Repair(
                "change-data",
                "(90, 3) → (90, 4)",
                REGRESSION.line("targets = "),
                (REGRESSION.edit("targets = ", "(90, 3)", "(90, 4)"),),
                cost=3.0,
            ),
        ),
        cause=UNITS_CAUSE,
    ),
)

PAIRS = Script(
    "/work/digits/pairwise.py",
    """\
import keras
import numpy as np
import tensorflow as tf
from keras import layers

BATCH = 16


class Pairwise(layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(6, 4), name="kernel")

    def call(self, x):
        rows = tf.reshape(x, [BATCH, 10, 6])
        return tf.reduce_sum(tf.matmul(rows, self.kernel), axis=1)


model = keras.Sequential([Pairwise(), layers.Dense(1)])
model.compile("adam", "mse")
x = np.random.rand(70, 60).astype("float32")
model.fit(x, np.random.rand(70, 1), batch_size=BATCH, verbose=0, shuffle=False)
""",
)
RESHAPE = "tf.reshape(x, [BATCH"
CHANGED_BATCH = Example(
    PAIRS.failure(
        "InvalidArgumentError", "Incompatible shapes: [6,1] vs. [16,1]", "running step 4"
    ),
    Explanation(
        Kind.SHAPE,
        "the batch size 16 is hard-coded at line 14, but the last batch has 6 examples (70 in "
        "batches of 16)",
        PAIRS.line("model.fit("),
        "loss mse",
        (("y", "(6, 1)"), ("output of Dense 'dense'", "(16, 1)")),
        (
            DisagreeingSize(
                16,
                "axis 0 of output of Dense 'dense' (16, 1)",
                PAIRS.line(RESHAPE, "call"),
                "BATCH",
                {"BATCH": 16},
                (SizeStep("reshape makes 16 of 6", PAIRS.line(RESHAPE, "call")),),
            ),
            DisagreeingSize(
                6,
                "axis 0 of y (6, 1)",
                PAIRS.line("model.fit("),
                "np.random.rand(70, 1)",
            ),
        ),
        (SizeStep("reshape changed the batch axis from 6 to 16", PAIRS.line(RESHAPE, "call")),),
        (
            Repair(
                "dynamic-batch",
                "BATCH → -1",
                PAIRS.line(RESHAPE),
                (PAIRS.edit(RESHAPE, "BATCH", "-1"),),
                reason="TensorFlow then takes the batch size from the input.",
            ),
            Repair(
                "dynamic-batch",
                "BATCH → tf.shape(x)[0]",
                PAIRS.line(RESHAPE),
                (PAIRS.edit(RESHAPE, "BATCH", "tf.shape(x)[0]"),),
            ),
            Repair(
                "whole-batches",
                "70 examples → 64 examples",
                PAIRS.line("x = np"),
                (PAIRS.edit("x = np", "70", "64"),),
                keeps_batch=False,
            ),
        ),
        "Incompatible shapes: [6,1] vs. [16,1]",
    ),
)

INTEGERS = Script(
    "/work/digits/linear.py",
    """\
import numpy as np
import tensorflow as tf
from keras import Sequential, layers


class Linear(layers.Layer):
    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], 4), name="kernel")

    def call(self, x):
        return tf.matmul(tf.cast(x, tf.int32), self.kernel)


model = Sequential([Linear(), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.random.randint(0, 9, (32, 6)), np.random.rand(32, 1), verbose=0)
""",
)
DTYPE = Example(
    INTEGERS.failure(
        "TypeError",
        "Input 'b' of 'MatMul' Op has type float32 that does not match type int32 of argument 'a'.",
        "tracing the training step",
    ),
    Explanation(
        Kind.DTYPE,
        "not a shape error: MatMul needs equal types, but 'a' is int32 and 'b' is float32",
        INTEGERS.line("tf.matmul", "call"),
        "matmul",
        (("a", "(32, 6) int32"), ("b", "(6, 4) float32")),
        repairs=(
            Repair(
                "change-dtype",
                "tf.int32 → tf.float32",
                INTEGERS.line("tf.matmul"),
                (INTEGERS.edit("tf.matmul", "tf.int32", "tf.float32"),),
            ),
        ),
        cause="Input 'b' of 'MatMul' Op has type float32 that does not match type int32 of "
        "argument 'a'.",
    ),
)

TAGS = Script(
    "/work/digits/tags.py",
    """\
import keras
import numpy as np
from keras import layers

image = keras.Input((8, 8, 3), name="image")
tags = keras.Input((5,), name="tags")
h = layers.Concatenate()([layers.Flatten()(image), tags])
model = keras.Model({"image": image, "tags": tags}, layers.Dense(1)(h))
model.compile("adam", "mse")
data = {"image": np.random.rand(32, 8, 8, 3), "tag": np.random.rand(32, 5)}
model.fit(data, np.random.rand(32, 1), batch_size=8, verbose=0)
""",
)
KEYS_CAUSE = (
    "Missing data for input \"tags\". You passed a data dictionary with keys ['image', 'tag']. "
    "Expected the following keys: ['image', 'tags']"
)
MISSING_KEY = Example(
    TAGS.failure("ValueError", KEYS_CAUSE, "tracing the training step"),
    Explanation(
        Kind.STRUCTURE,
        "the model's inputs are ['image', 'tags'], but the data has the keys ['image', 'tag']",
        TAGS.line("model.fit("),
        "fit",
        repairs=(
            Repair(
                "rename-key",
                "'tag' → 'tags'",
                TAGS.line("data = "),
                (TAGS.edit("data = ", '"tag"', '"tags"'),),
            ),
        ),
        cause=KEYS_CAUSE,
    ),
)

DISTANCES = Script(
    "/work/digits/distances.py",
    """\
import numpy as np
import tensorflow as tf
from keras import Sequential, layers


class Distances(layers.Layer):
    def call(self, x):
        n = tf.shape(x)[0]
        table = tf.random.normal([n, n, 4096, 64])
        return x + tf.reduce_mean(table)


model = Sequential([Distances(), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(np.random.rand(4096, 4), np.random.rand(4096, 1), batch_size=4096, verbose=0)
""",
)
MEMORY_CAUSE = (
    "OOM when allocating tensor with shape[4096,4096,4096,64] and type float on "
    "/job:localhost/replica:0/task:0/device:CPU:0 by allocator mklcpu"
)
OUT_OF_MEMORY = Example(
    DISTANCES.failure("ResourceExhaustedError", MEMORY_CAUSE, "running step 0"),
    Explanation(
        Kind.MEMORY,
        "not a shape error: out of memory. A tensor (4096, 4096, 4096, 64) of float needs 16 TiB",
        DISTANCES.line("tf.random.normal", "call"),
        "random.normal",
        cause=MEMORY_CAUSE,
    ),
)

UNKNOWN = Example(
    Failure(
        "ValueError",
        "Exception encountered when calling Mixer.call().",
        "tracing the training step",
        crash=Crash("ValueError", "", ""),
    ),
    Explanation(
        Kind.SHAPE,
        "Mixer 'mixer' rejects its input (32, 7)",
        None,
        "Mixer 'mixer'",
        (("input", "(32, 7)"),),
        cause="Exception encountered when calling Mixer.call().",
        unknown="the size that Mixer 'mixer' expects: its code is not in the run file",
    ),
)

EXAMPLES = {
    "no_flatten": NO_FLATTEN,
    "wrong_units": WRONG_UNITS,
    "changed_batch": CHANGED_BATCH,
    "dtype": DTYPE,
    "missing_key": MISSING_KEY,
    "out_of_memory": OUT_OF_MEMORY,
    "unknown": UNKNOWN,
}


def write_run(file: Path, failure: Failure, created: str = "", *, target: str = "train.py") -> Path:
    """Write the run of the program `target`, which failed; returns the file."""
    info = RunInfo(
        "train: sequential",
        Settings(subject=Fit(target=target)),
        "CPU:0",
        {},
        created or now(),
        Writer.current(),
    )
    writer = RunWriter.create(file, info)
    writer.graph(Graph(()), 0.1)
    writer.lineage(Lineage())
    writer.finish(Status.FAILED, failure=failure)
    return file
