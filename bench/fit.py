"""Measures the cost of recording a `fit`, compared with Keras' TensorBoard callback.

Each set of callbacks has its own model, which is trained once before timing, so that no step is
traced while it is timed. Each fit is then timed between two fits without callbacks, in an order
that changes by round. The times are those of epochs of EPOCH steps, including the callbacks, but
not their creation.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import Row
from bench.interleaved import Ratio, Seconds, over

ROUNDS, EPOCH, BATCH = 6, 10, 64
EPOCHS = {"convolutions with BN": 2, "perceptron": 20}


def measure(quick: bool = False) -> list[Row]:
    """Measure the ratios for two models."""
    kinds = ["perceptron"] if quick else list(EPOCHS)
    return [row for kind in kinds for row in _of(kind, 1 if quick else ROUNDS)]


def _of(kind: str, rounds: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        plain = _Fit(kind, [])
        fits = {name: _Fit(kind, each) for name, each in _callbacks(Path(folder)).items()}
        for fit in (plain, *fits.values()):
            fit.seconds()
        ratios: dict[str, list[Seconds]] = {name: [] for name in fits}
        alone: list[float] = []
        order, names = random.Random(0), list(fits)
        before = plain.seconds()
        for _ in range(rounds):
            order.shuffle(names)
            for name in names:
                mine, after = fits[name].seconds(), plain.seconds()
                ratios[name].append(over(mine, [before, after]))
                alone.append(after[1])
                before = after
    each = 1e3 * sorted(alone)[len(alone) // 2] / (EPOCH * EPOCHS[kind])
    yield f"{kind}: a step without callbacks, CPU time", f"{each:.1f} ms", ""
    for name, pairs in ratios.items():
        ratio = Ratio.of(pairs)
        yield f"{kind}: {name}", f"{ratio.wall} cpu {ratio.cpu}", ""


def _callbacks(folder: Path) -> dict[str, list[Any]]:
    from resnet_inspect import Recorder

    callbacks: dict[str, list[Any]] = {
        "no callbacks again (noise)": [],
        "Recorder, every=10": [Recorder(folder / "ten.db", every=10)],
        "Recorder, every=1": [Recorder(folder / "one.db", every=1)],
    }
    if find_spec("tensorboard") is None:
        print("  TensorBoard skipped: not installed (pip install 'resnet-inspect[tensorboard]')")
        return callbacks
    board: Any = import_module("keras").callbacks.TensorBoard
    rivals = {
        "TensorBoard, its defaults": board(folder / "a"),
        f"TensorBoard, histogram_freq=1 ({EPOCH} steps), update_freq=1": board(
            folder / "b", histogram_freq=1, update_freq=1
        ),
    }
    return callbacks | {name: [callback] for name, callback in rivals.items()}


class _Fit:
    """A model with its callbacks, which is trained repeatedly."""

    def __init__(self, kind: str, callbacks: list[Any]) -> None:
        keras: Any = import_module("keras")
        keras.utils.set_random_seed(0)
        self._model = _convolutions(keras) if kind.startswith("conv") else _perceptron(keras)
        self._model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        self._callbacks, self._epochs = callbacks, EPOCHS[kind]
        shape = (EPOCH * BATCH, *self._model.input_shape[1:])
        self._x = keras.random.normal(shape, seed=1).numpy()
        self._y = self._x.reshape(len(self._x), -1)[:, 0] > 0

    def seconds(self) -> Seconds:
        """Return the wall and CPU time of the epochs of one fit."""
        clock = _clock()
        self._model.fit(
            self._x,
            self._y,
            batch_size=BATCH,
            epochs=self._epochs,
            verbose=0,
            shuffle=False,
            callbacks=[*self._callbacks, clock],
        )
        (start, used), (end, spent) = clock.marks[0], clock.marks[-1]
        return end - start, spent - used


def _clock() -> Any:
    """Return a callback that records the start and end of epochs. Put it after all others."""
    keras: Any = import_module("keras")

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.marks: list[Seconds] = []

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            del epoch, logs
            self.marks.append((time.perf_counter(), time.process_time()))

        on_epoch_end = on_epoch_begin

    return Clock()


def _convolutions(keras: Any) -> Any:
    """Return a model of three convolutions with batch normalization and a classifier."""
    layers = keras.layers
    model = [keras.Input((32, 32, 3))]
    for filters in (16, 32, 64):
        model.append(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model += [layers.BatchNormalization(), layers.ReLU(), layers.MaxPooling2D()]
    return keras.Sequential([*model, layers.GlobalAveragePooling2D(), layers.Dense(2, "softmax")])


def _perceptron(keras: Any) -> Any:
    """Return a perceptron with two hidden layers."""
    layers = keras.layers
    hidden = (layers.Dense(256, "relu"), layers.Dense(256, "relu"))
    return keras.Sequential([keras.Input((64,)), *hidden, layers.Dense(2, "softmax")])
