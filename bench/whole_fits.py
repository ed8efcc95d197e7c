"""Measures the cost of recording a whole `fit`: wall and CPU time, first step, peak memory.

Each figure comes from separate processes, which alternate ROUNDS times: plain, with a Recorder at
every 10th, every and every 100th step, and with Keras' TensorBoard callback. *Once* is the
additional time of the first step. The wall time is without the end of TensorFlow's data pipeline:
in some processes, with and without recording, `fit` waits for it after the last step for up to
seconds without using the CPU. `python -m bench.whole_fits cnn` measures one network. `--quick` runs
one round of few steps.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import Row

ROOT = Path(__file__).parents[1]
ROUNDS = 3
MIB = 1024  # KiB, the unit in which the system reports memory


@dataclass(frozen=True)
class Network:
    """A network and its training: `steps` steps of `batch` examples with shape `shape`."""

    make: Callable[[Any], Any]
    shape: tuple[int, ...]
    batch: int
    steps: int
    modes: tuple[str, ...]
    classes: int = 10
    words: int = 0


@dataclass(frozen=True)
class ProcessCosts:
    """The costs of one process: wall and CPU seconds of `fit`, seconds of its first step, MiB."""

    wall: float
    cpu: float
    first: float
    memory: float


MODES = ("every 10th", "every", "every 100th", "TensorBoard")


def networks() -> dict[str, Network]:
    """Return the networks to measure, by name."""
    large = MODES[:1]
    return {
        "cnn": Network(_cnn, (32, 32, 3), 32, 400, MODES),
        "transformer": Network(_transformer, (64,), 32, 400, MODES, 2, 5000),
        "perceptron": Network(_perceptron, (64,), 32, 2000, MODES[:3]),
        "resnet50": Network(_application("ResNet50"), (64, 64, 3), 8, 20, large),
        "mobilenetv2": Network(_application("MobileNetV2"), (96, 96, 3), 8, 20, large),
        "decoder": Network(_decoder, (64,), 8, 20, large, 1000, 1000),
    }


def measure(names: tuple[str, ...] = (), *, quick: bool = False) -> list[Row]:
    """Return the ratios of each network. `quick` measures one, unless `names` are given."""
    every = networks()
    if quick and not names:
        every = {"perceptron": replace(every["perceptron"], modes=MODES[:1])}
    rounds, steps = (1, 12) if quick else (ROUNDS, 0)
    return [row for name in names or every for row in _of(name, every[name], rounds, steps)]


def _of(name: str, network: Network, rounds: int, steps: int) -> Iterator[Row]:
    modes = [mode for mode in network.modes if mode != "TensorBoard" or find_spec("tensorboard")]
    costs_by_mode: dict[str, list[ProcessCosts]] = {mode: [] for mode in ("plain", *modes)}
    for _ in range(rounds):
        for mode, costs in costs_by_mode.items():
            costs.append(_process(name, mode, steps or network.steps))
            print(f"    {name}, {mode}: {costs[-1]}", file=sys.stderr, flush=True)
    plain = _median(costs_by_mode["plain"])
    text = f"{plain.wall:.1f} s, cpu {plain.cpu:.1f} s, first step {plain.first:.1f} s"
    yield f"{name}: plain", text, ""
    for mode in modes:
        mine = _median(costs_by_mode[mode])
        ratio = f"{mine.wall / plain.wall:.2f} cpu {mine.cpu / plain.cpu:.2f}"
        once, memory = mine.first - plain.first, mine.memory - plain.memory
        yield f"{name}: {mode}", f"{ratio} once {once:+.1f} s {memory:+.0f} MiB", ""


def _median(costs: list[ProcessCosts]) -> ProcessCosts:
    return ProcessCosts(
        *(
            statistics.median(getattr(cost, part) for cost in costs)
            for part in ProcessCosts.__annotations__
        )
    )


def _process(name: str, mode: str, steps: int) -> ProcessCosts:
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "bench.whole_fits", "--one", name, mode, str(steps), folder],
            env=dict(os.environ) | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{name}, {mode}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return ProcessCosts(**json.loads(done.stdout.splitlines()[-1]))


def _train(name: str, mode: str, steps: int, folder: Path) -> None:
    """Train in this process and print the costs."""
    import numpy as np

    keras: Any = import_module("keras")
    network = networks()[name]
    keras.utils.set_random_seed(0)
    model = network.make(keras)
    random = np.random.default_rng(0)
    size = (steps * network.batch, *network.shape)
    data = (
        random.integers(0, network.words, size, np.int32)
        if network.words
        else random.random(size, np.float32)
    )
    labels = random.integers(0, network.classes, (len(data), *model.output_shape[1:-1]))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    before, after = _clock(keras), _clock(keras)
    callbacks = [before, *_callbacks(mode, folder), after]
    start, used = time.perf_counter(), time.process_time()
    model.fit(data, labels, batch_size=network.batch, verbose=0, callbacks=callbacks)
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    wall -= before.epoch_end - after.last
    memory = _peak_memory()
    print(json.dumps({"wall": wall, "cpu": cpu, "first": after.first - start, "memory": memory}))


def _peak_memory() -> float:
    """Return the peak memory of this process in MiB."""
    # getrusage would start with the peak memory of the parent process.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / MIB


def _callbacks(mode: str, folder: Path) -> list[Any]:
    if mode == "plain":
        return []
    if mode == "TensorBoard":
        board: Any = import_module("keras").callbacks.TensorBoard
        return [board(folder / "board", histogram_freq=1, update_freq=10)]
    from resnet_inspect import Recorder

    every = {"every": 1, "every 10th": 10, "every 100th": 100}[mode]
    return [Recorder(folder / "run.db", every=every)]


def _clock(keras: Any) -> Any:
    """Return a callback that records the ends of the first and last step and of the epoch."""

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        first = last = epoch_end = 0.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            del logs
            self.last = time.perf_counter()
            if batch == 0:
                self.first = self.last

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            del epoch, logs
            self.epoch_end = time.perf_counter()

    return Clock()


def _cnn(keras: Any) -> Any:
    """Return a model of 20 layers: six convolutions with BN and ReLU, and a classifier."""
    layers = keras.layers
    inputs = x = keras.Input((32, 32, 3))
    for filters, stride in ((16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)):
        x = layers.Conv2D(filters, 3, stride, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, "softmax")(x))


@cache
def _block(keras: Any) -> Any:
    layers = keras.layers

    class Block(layers.Layer):  # type: ignore[misc, name-defined]
        def __init__(self, width: int, heads: int, causal: bool = False) -> None:
            super().__init__()
            self.attend = layers.MultiHeadAttention(heads, width // heads)
            self.widen, self.narrow = layers.Dense(4 * width, "relu"), layers.Dense(width)
            self.norms = layers.LayerNormalization(), layers.LayerNormalization()
            self.drop = layers.Dropout(0.1)
            self.causal = causal

        def call(self, x: Any) -> Any:
            x = self.norms[0](x + self.drop(self.attend(x, x, use_causal_mask=self.causal)))
            return self.norms[1](x + self.drop(self.narrow(self.widen(x))))

    return Block


def _transformer(keras: Any) -> Any:
    """Return a classifier of word sequences with three transformer blocks."""
    layers = keras.layers
    inputs = keras.Input((64,), dtype="int32")
    x = layers.Embedding(5000, 64)(inputs)
    for _ in range(3):
        x = _block(keras)(64, 4)(x)
    return keras.Model(inputs, layers.Dense(2, "softmax")(layers.GlobalAveragePooling1D()(x)))


def _decoder(keras: Any) -> Any:
    """Return a language model of twelve causal blocks, which predicts the next word."""
    layers = keras.layers
    inputs = keras.Input((64,), dtype="int32")
    x = layers.Embedding(1000, 256)(inputs)
    for _ in range(12):
        x = _block(keras)(256, 8, True)(x)
    return keras.Model(inputs, layers.Dense(1000, "softmax")(x))


def _perceptron(keras: Any) -> Any:
    """Return a perceptron with two hidden layers."""
    layers = keras.layers
    hidden = layers.Dense(64, "relu"), layers.Dense(64, "relu")
    return keras.Sequential([keras.Input((64,)), *hidden, layers.Dense(10, "softmax")])


def _application(name: str) -> Callable[[Any], Any]:
    def make(keras: Any) -> Any:
        size = networks()[name.lower()].shape
        return getattr(keras.applications, name)(weights=None, input_shape=size, classes=10)

    return make


def main(words: list[str]) -> None:
    """Run the command line; see the module."""
    if words[:1] == ["--one"]:
        _train(words[1], words[2], int(words[3]), Path(words[4]))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", choices=[*networks(), []])
    parser.add_argument("--quick", action="store_true", help="one round of 12 steps")
    arguments = parser.parse_args(words)
    for what, value, limit in measure(tuple(arguments.networks), quick=arguments.quick):
        print(f"  {what:<30} {value:>10}   {limit}")


if __name__ == "__main__":
    main(sys.argv[1:])
