"""Measures the cost of a recorded step, and of one that is not, beside the same step untapped.

The steps of a training loop alternate in one process, so that other load affects them alike:
`python -m bench recorded_steps`. Ratios are medians and quartiles.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from bench import Row
from bench.interleaved import Step, interleave
from bench.whole_fits import Network, networks

NAMES = ("cnn", "transformer", "perceptron")
ROUNDS = 60
NEVER = 10**6  # a step number that no benchmark reaches, besides 0


def measure(quick: bool = False) -> list[Row]:
    """Return ratios of three networks; with `quick`, of the smallest in two rounds."""
    names = NAMES[-1:] if quick else NAMES
    return [row for name in names for row in _of(name, networks()[name], 2 if quick else ROUNDS)]


def _of(name: str, network: Network, rounds: int) -> Iterator[Row]:
    from resnet_inspect import Recorder

    with tempfile.TemporaryDirectory() as folder:
        seldom = Recorder(Path(folder) / "seldom.db", every=NEVER)
        always = Recorder(Path(folder) / "always.db", every=1)
        with seldom, always:
            variants = {
                "recorded": _step(network, always),
                "not recorded": _step(network, seldom),
            }
            for what, ratio in interleave(_step(network), variants, rounds).items():
                limit = "target ≤ 1.30" if what == "recorded" and name != "perceptron" else ""
                yield f"{name}: step {what}", str(ratio), limit


def _step(network: Network, recorder: Any = None) -> Step:
    """Return a compiled step of a new model with Adam on one batch of random examples."""
    keras: Any = import_module("keras")
    tf: Any = import_module("tensorflow")
    keras.utils.set_random_seed(0)
    model = network.make(keras)
    optimizer = keras.optimizers.Adam()
    loss_of = keras.losses.SparseCategoricalCrossentropy()
    random = np.random.default_rng(0)
    size = (network.batch, *network.shape)
    x = random.integers(0, network.words, size) if network.words else random.random(size, "float32")
    y = random.integers(0, network.classes, (network.batch, *model.output_shape[1:-1]))
    batch = tf.constant(x), tf.constant(y)

    @tf.function  # type: ignore[untyped-decorator]
    def train(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    run = train if recorder is None else recorder.instrument(train)
    return lambda _: [run(*batch).numpy()]
